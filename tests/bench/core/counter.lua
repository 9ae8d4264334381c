-- A process that counts what it is told, and keeps the count in its state.
count = 0

function compute(base, req)
  local body = req.body
  if body.action == "Add" then count = count + tonumber(body.data) end
  base.count = string.format("%d", count)
  base.results = { output = { data = base.count } }
  return base
end
