local results = {}
for at, message in ipairs(messages) do
  process = compute(process, message)
  results[at] = process.results or process.outbox
end
process.outbox = nil
process.results = nil
return process, results
