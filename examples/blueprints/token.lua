-- A token: balances, transfers, minting by the owner.
--
-- Quantities are decimal texts in messages and integers without bound in the state. They are never floats: in Luerl a text in
-- arithmetic becomes one, and loses digits beyond 2^53.

local function quantity(text)
  text = tostring(text)
  if not string.match(text, "^%d+$") then error("Quantity is not a whole number: " .. text) end
  local n = 0
  for i = 1, #text do n = n * 10 + (string.byte(text, i) - 48) end
  return n
end

local function answer(process, to, fields)
  fields.target = to
  process.outbox[#process.outbox + 1] = fields
end

local actions = {}

actions["Info"] = function(process, message)
  answer(process, message.from, { action = "Info", name = process.name, ticker = process.ticker, supply = tostring(process.supply) })
end

actions["Balance"] = function(process, message)
  local who = message.recipient or message.from
  answer(process, message.from, { action = "Balance", account = who, balance = tostring(process.balances[who] or 0) })
end

actions["Balances"] = function(process, message)
  local lines = {}
  for who, balance in pairs(process.balances) do lines[#lines + 1] = who .. "=" .. tostring(balance) end
  answer(process, message.from, { action = "Balances", data = table.concat(lines, ",") })
end

actions["Transfer"] = function(process, message)
  local amount = quantity(message.quantity)
  local from, to = message.from, message.recipient
  if type(to) ~= "string" or to == "" then error("Recipient is missing") end
  local balance = process.balances[from] or 0
  if amount > balance then
    return answer(process, from, { action = "Transfer-Error", error = "Insufficient balance", balance = tostring(balance) })
  end
  process.balances[from] = balance - amount
  process.balances[to] = (process.balances[to] or 0) + amount
  if process.balances[from] == 0 then process.balances[from] = nil end
  answer(process, from, { action = "Debit-Notice", recipient = to, quantity = tostring(amount) })
  answer(process, to, { action = "Credit-Notice", sender = from, quantity = tostring(amount) })
end

actions["Mint"] = function(process, message)
  if message.from ~= process.owner then error("Only the owner mints") end
  local amount = quantity(message.quantity)
  process.balances[process.owner] = (process.balances[process.owner] or 0) + amount
  process.supply = process.supply + amount
  answer(process, process.owner, { action = "Mint-Notice", supply = tostring(process.supply) })
end

-- What ~lua@5.3a calls for each message; the state is what it returns.
function compute(process, request)
  local message = request.body or request
  process.balances = process.balances or {}
  process.supply = process.supply or 0
  process.outbox = {}
  local action = actions[message.action]
  if not action then
    answer(process, message.from, { action = "Error", error = "Unknown action " .. tostring(message.action) })
    return process
  end
  local ok, problem = pcall(action, process, message)
  if not ok then answer(process, message.from, { action = message.action .. "-Error", error = problem }) end
  return process
end
