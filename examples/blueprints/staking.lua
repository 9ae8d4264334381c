-- Staking: deposits earn a share of each reward, and leave after a delay.
--
-- Rewards are kept as a sum per staked unit, scaled by SCALE, so that a reward costs the same however many stake. All of it is
-- integers without bound: no float, no rounding but down.

local SCALE = 1000000000000000000
local DELAY = 5

local function send(process, to, fields)
  fields.target = to
  process.outbox[#process.outbox + 1] = fields
end

local function account(process, who)
  local one = process.accounts[who]
  if not one then
    one = { staked = 0, paid = process.per_unit, earned = 0, leaving = {} }
    process.accounts[who] = one
  end
  -- What came since it was last looked at.
  one.earned = one.earned + one.staked * (process.per_unit - one.paid) // SCALE
  one.paid = process.per_unit
  return one
end

local function positive(n)
  if math.type(n) ~= "integer" or n <= 0 then error("An amount is a whole number above zero") end
  return n
end

local actions = {}

actions["Stake"] = function(process, message)
  local amount, one = positive(message.quantity), account(process, message.from)
  one.staked = one.staked + amount
  process.total = process.total + amount
  send(process, message.from, { action = "Staked", staked = one.staked })
end

actions["Unstake"] = function(process, message)
  local amount, one = positive(message.quantity), account(process, message.from)
  if amount > one.staked then error("Only " .. one.staked .. " are staked") end
  one.staked = one.staked - amount
  process.total = process.total - amount
  one.leaving[#one.leaving + 1] = { quantity = amount, height = message.height + DELAY }
  send(process, message.from, { action = "Unstaking", quantity = amount, height = message.height + DELAY })
end

actions["Reward"] = function(process, message)
  if message.from ~= process.owner then error("Only the owner rewards") end
  local amount = positive(message.quantity)
  if process.total == 0 then error("Nobody stakes") end
  process.per_unit = process.per_unit + amount * SCALE // process.total
  send(process, message.from, { action = "Rewarded", per_unit = tostring(process.per_unit) })
end

actions["Claim"] = function(process, message)
  local one = account(process, message.from)
  local out, left = one.earned, {}
  one.earned = 0
  for _, part in ipairs(one.leaving) do
    if part.height <= message.height then out = out + part.quantity else left[#left + 1] = part end
  end
  one.leaving = left
  send(process, message.from, { action = "Claimed", quantity = tostring(out), leaving = #left })
end

actions["Stakers"] = function(process, message)
  local names = {}
  for who in pairs(process.accounts) do names[#names + 1] = who end
  table.sort(names, function(a, b) return process.accounts[a].staked > process.accounts[b].staked end)
  for at, who in ipairs(names) do names[at] = who .. ":" .. process.accounts[who].staked end
  send(process, message.from, { action = "Stakers", data = table.concat(names, " ") })
end

function compute(process, request)
  local message = request.body or request
  process.accounts = process.accounts or {}
  process.total = process.total or 0
  process.per_unit = process.per_unit or 0
  process.outbox = {}
  local action = actions[message.action]
  if not action then
    send(process, message.from, { action = "Error", error = "Unknown action " .. tostring(message.action) })
    return process
  end
  local ok, problem = pcall(action, process, message)
  if not ok then send(process, message.from, { action = message.action .. "-Error", error = problem }) end
  return process
end
