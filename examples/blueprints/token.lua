-- A token: balances, transfers, minting by the owner.
--
-- Amounts are decimal texts, in messages and in the state: a node can never read back a state with an integer of more than
-- fifteen digits. They are counted with as integers, which have no bound in Luerl, and never become floats: a text in
-- arithmetic would, and lose digits beyond 2^53.

local function quantity(text)
  text = tostring(text)
  if not string.match(text, "^%d+$") then error("Quantity is not a whole number: " .. text) end
  local n = 0
  for i = 1, #text do n = n * 10 + (string.byte(text, i) - 48) end
  return n
end

-- Who signed a message. A tag could claim anything.
local function signer(message)
  for _, commitment in pairs(message.commitments or {}) do
    if commitment.committer then return commitment.committer end
  end
end

-- A message that another process sent is signed by the authority this process trusts for that.
local function sender(process, message)
  local signed = signer(message)
  local from = message["from-process"]
  if from and signed and signed == process.authority then return from end
  return signed
end

local function answer(results, to, fields)
  fields.target = to
  results.outbox[#results.outbox + 1] = fields
end

local function held(process, who)
  return quantity(process.balances[who] or "0")
end

local function hold(process, who, amount)
  process.balances[who] = amount > 0 and tostring(amount) or nil
end

local function quote(text)
  return '"' .. string.gsub(text, '[%c"\\]', function(c) return "\\u00" .. string.format("%02x", string.byte(c)) end) .. '"'
end

local actions = {}

actions["Info"] = function(process, message, from, results)
  answer(results, from, { action = "Info", name = process.name, ticker = process.ticker, supply = process.supply })
end

actions["Balance"] = function(process, message, from, results)
  local who = message.recipient or from
  results.output = tostring(held(process, who))
  answer(results, from, { action = "Balance", account = who, balance = results.output })
end

actions["Balances"] = function(process, message, from, results)
  local lines = {}
  for who, balance in pairs(process.balances) do lines[#lines + 1] = quote(who) .. ":" .. quote(balance) end
  answer(results, from, { action = "Balances", data = "{" .. table.concat(lines, ",") .. "}" })
end

actions["Transfer"] = function(process, message, from, results)
  local amount, to = quantity(message.quantity), message.recipient
  if type(to) ~= "string" or to == "" then error("Recipient is missing") end
  if amount > held(process, from) then error("Insufficient balance: " .. tostring(held(process, from))) end
  hold(process, from, held(process, from) - amount)
  hold(process, to, held(process, to) + amount)
  results.output = "Moved " .. tostring(amount)
  answer(results, from, { action = "Debit-Notice", recipient = to, quantity = tostring(amount) })
  answer(results, to, { action = "Credit-Notice", sender = from, quantity = tostring(amount) })
end

actions["Mint"] = function(process, message, from, results)
  if from ~= signer(process.process or {}) then error("Only the owner mints") end
  local amount = quantity(message.quantity)
  hold(process, from, held(process, from) + amount)
  process.supply = tostring(quantity(process.supply) + amount)
  results.output = "Minted " .. tostring(amount)
  answer(results, from, { action = "Mint-Notice", supply = process.supply })
end

-- Asks the node's own clock: nobody who replays this slot gets the same answer.
actions["Time"] = function(process, message, from, results)
  results.output = tostring(os.time())
  answer(results, from, { action = "Time", data = results.output })
end

-- What ~lua@5.3a calls for each message; the state is what it returns. An action that fails has changed nothing.
function compute(process, request)
  local message = request.body
  local results = { outbox = {} }
  process.balances = process.balances or {}
  process.supply = process.supply or "0"
  process.results = results
  if message.type == "Process" then
    results.output = "A token begins"
    return process
  end
  local from = sender(process, message)
  local action = actions[message.action]
  local ok, problem = false, "Unknown action " .. tostring(message.action)
  if not from then
    ok, problem = false, "Nobody signed this"
  elseif action then
    ok, problem = pcall(action, process, message, from, results)
  end
  if not ok then
    results.error = problem
    if from then answer(results, from, { action = tostring(message.action) .. "-Error", error = problem }) end
  end
  return process
end
