local results = {}
for at, message in ipairs(messages) do
  process = compute(process, message)
  results[at] = process.results
  process.results = nil
end
return process, results
