-- A process in Lua, as HyperBEAM's ~lua@5.3a runs it: `compute` gets the process's
-- state and the assigned message, and returns the state after it.
count = 0

function compute(base, assignment)
  local message = assignment.body
  if message.action == "Add" then
    count = count + (tonumber(message.data) or 1)
  end
  base.count = count
  base.results = { output = { data = string.format("%d", count) } }
  -- "Tell" sends the count to another process: put its id into a tag "Whom".
  if message.action == "Tell" then
    base.results.outbox = {
      { target = message.whom, action = "Add", data = string.format("%d", count) },
    }
  end
  return base
end
