local results = {}
for at, message in ipairs(messages) do
  process = compute(process, message)
  results[at] = process.outbox
end
process.outbox = nil
return process, results
