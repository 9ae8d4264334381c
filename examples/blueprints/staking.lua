-- Staking: deposits earn a share of each reward, and leave after a delay.
--
-- Rewards are kept as a sum per staked unit, scaled by SCALE, so that a reward costs the same however many stake. All of it is
-- integers without bound, and texts in the state: a node can never read back a state with an integer of more than fifteen
-- digits. No float, no rounding but down.

local SCALE = 1000000000000000000
local DELAY = 5

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

local function whole(text, name)
  text = tostring(text)
  if not string.match(text, "^%d+$") then error(name .. " is not a whole number: " .. text) end
  local n = 0
  for i = 1, #text do n = n * 10 + (string.byte(text, i) - 48) end
  return n
end

local function amount_of(message)
  local amount = whole(message.quantity, "Quantity")
  if amount == 0 then error("An amount is above zero") end
  return amount
end

-- The account of somebody, with what came since it was last looked at; `keep` writes it down.
local function account(process, who)
  local kept = process.accounts[who] or { staked = "0", paid = process["per-unit"], earned = "0", leaving = {} }
  local per_unit = whole(process["per-unit"], "Per-Unit")
  local one = { staked = whole(kept.staked, "Staked"), earned = whole(kept.earned, "Earned"), leaving = kept.leaving }
  one.earned = one.earned + one.staked * (per_unit - whole(kept.paid, "Paid")) // SCALE
  return one
end

local function keep(process, who, one)
  process.accounts[who] =
    { staked = tostring(one.staked), paid = process["per-unit"], earned = tostring(one.earned), leaving = one.leaving }
end

local actions = {}

actions["Stake"] = function(process, message, from, results)
  local amount, one = amount_of(message), account(process, from)
  one.staked = one.staked + amount
  process.total = tostring(whole(process.total, "Total") + amount)
  keep(process, from, one)
  results.output = "Staked " .. tostring(one.staked)
  answer(results, from, { action = "Staked", staked = tostring(one.staked) })
end

actions["Unstake"] = function(process, message, from, results, request)
  local amount, one = amount_of(message), account(process, from)
  if amount > one.staked then error("Only " .. tostring(one.staked) .. " are staked") end
  local height = whole(request["block-height"], "Block-Height") + DELAY
  one.staked = one.staked - amount
  process.total = tostring(whole(process.total, "Total") - amount)
  one.leaving[#one.leaving + 1] = { quantity = tostring(amount), height = height }
  keep(process, from, one)
  answer(results, from, { action = "Unstaking", quantity = tostring(amount), height = tostring(height) })
end

actions["Reward"] = function(process, message, from, results)
  if from ~= signer(process.process or {}) then error("Only the owner rewards") end
  local amount, total = amount_of(message), whole(process.total, "Total")
  if total == 0 then error("Nobody stakes") end
  process["per-unit"] = tostring(whole(process["per-unit"], "Per-Unit") + amount * SCALE // total)
  answer(results, from, { action = "Rewarded", ["per-unit"] = process["per-unit"] })
end

actions["Claim"] = function(process, message, from, results, request)
  local one, height = account(process, from), whole(request["block-height"], "Block-Height")
  local out, left = one.earned, {}
  one.earned = 0
  for _, part in ipairs(one.leaving) do
    if part.height <= height then out = out + whole(part.quantity, "Quantity") else left[#left + 1] = part end
  end
  one.leaving = left
  keep(process, from, one)
  results.output = tostring(out)
  answer(results, from, { action = "Claimed", quantity = tostring(out), leaving = tostring(#left) })
end

actions["Stakers"] = function(process, message, from, results)
  local names, staked = {}, {}
  for who, one in pairs(process.accounts) do
    names[#names + 1], staked[who] = who, whole(one.staked, "Staked")
  end
  table.sort(names, function(a, b) return staked[a] > staked[b] end)
  for at, who in ipairs(names) do names[at] = who .. ":" .. tostring(staked[who]) end
  answer(results, from, { action = "Stakers", data = table.concat(names, " ") })
end

-- What ~lua@5.3a calls for each message; the state is what it returns. An action that fails has changed nothing.
function compute(process, request)
  local message = request.body
  local results = { outbox = {} }
  process.accounts = process.accounts or {}
  process.total = process.total or "0"
  process["per-unit"] = process["per-unit"] or "0"
  process.results = results
  if message.type == "Process" then
    results.output = "Stakes are open"
    return process
  end
  local from = sender(process, message)
  local action = actions[message.action]
  local ok, problem = false, "Unknown action " .. tostring(message.action)
  if not from then
    ok, problem = false, "Nobody signed this"
  elseif action then
    ok, problem = pcall(action, process, message, from, results, request)
  end
  if not ok then
    results.error = problem
    if from then answer(results, from, { action = tostring(message.action) .. "-Error", error = problem }) end
  end
  return process
end
