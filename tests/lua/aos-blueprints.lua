-- Messages for aos's own blueprints on hyper-aos: token, chat room, staking, voting, and the token written for hyper-aos.
--
-- Before this text stand hyper-aos and the blueprints as texts in BLUEPRINTS. Each blueprint comes as an Eval, as
-- aos loads one. All but the last are written for messages with `From`, `Tags` and names in capitals, so a message has both forms.
-- `step(n)` gives message n, each a call of its own, and returns what came of it as a text; without one it returns how many there are.

ao.event = ao.event or function () return "ok" end
package.loaded["json"] = package.loaded[".json"]

-- The blueprints count with `.bint`. aos's own never ends here: it shifts -1 to the right until it is 0, and Luerl's integers have
-- no last bit. They have no bound either, so this one is Luerl's own integers with the same names.
local function whole(value)
  if type(value) == "table" then return value.whole end
  if math.type(value) == "integer" then return value end
  if type(value) == "number" and math.tointeger(value) then return math.tointeger(value) end
  local sign, digits = string.match(tostring(value), "^([+-]?)(%d+)$")
  assert(digits, "value cannot be represented by a bint")
  local sum = 0
  for at = 1, #digits do sum = sum * 10 + (string.byte(digits, at) - 48) end
  return sign == "-" and -sum or sum
end
local bint = {}
local function new(value) return setmetatable({ whole = whole(value) }, bint) end
bint.__index = bint
function bint.__add(a, b) return new(whole(a) + whole(b)) end
function bint.__sub(a, b) return new(whole(a) - whole(b)) end
function bint.__lt(a, b) return whole(a) < whole(b) end
function bint.__le(a, b) return whole(a) <= whole(b) end
function bint.__eq(a, b) return whole(a) == whole(b) end
function bint.__tostring(a) return tostring(a.whole) end
function bint.tonumber(a) return whole(a) end
setmetatable(bint, { __call = function (_, value) return new(value) end })
package.loaded[".bint"] = function () return bint end

local function text(value, depth)
  if type(value) == "string" then return '"' .. value .. '"' end
  if type(value) == "function" then return "a function" end
  if type(value) ~= "table" then return tostring(value) end
  if depth > 8 then return "deep" end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = tostring(key) end
  table.sort(keys)
  local parts = {}
  for i = 1, #keys do
    local of = value[keys[i]]
    if of == nil then of = value[math.tointeger(tonumber(keys[i]) or 0)] end
    parts[i] = keys[i] .. "=" .. text(of, depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local messages = {}
local height = 1000

local function add(from, action, tags, data)
  local number = #messages + 1
  local request = {
    slot = number, ["block-timestamp"] = "1700000000", ["Block-Height"] = tostring(height), ["Id"] = "id " .. number, id = "id " .. number,
    From = from, from = from, Owner = from, Action = action, Data = data, data = data, Tags = { Action = action },
  }
  local body = { target = "process", action = action, data = data, reference = tostring(number) }
  for name, value in pairs(tags or {}) do
    request.Tags[name], request[name], request[string.lower(name)], body[string.lower(name)] = value, value, value, value
  end
  body.commitments = { ["id " .. number] = { alg = "rsa-pss-sha512", type = "rsa-pss-sha512", committer = from } }
  request.body = body
  messages[number] = request
end

local function eval(code) add("owner", "Eval", nil, code) end
local function blueprint(name) eval(BLUEPRINTS[name]) end

-- The token: its owner is the process itself.
blueprint("token")
add("alice", "Info")
add("process", "Balance")
add("process", "Transfer", { Recipient = "alice", Quantity = "5000000000000" })
add("process", "Transfer", { Recipient = "bob", Quantity = "123456789012345678", ["X-Note"] = "forwarded" })
add("process", "Transfer", { Recipient = "bob", Quantity = "700" })
add("alice", "Transfer", { Recipient = "carol", Quantity = "1", Cast = "true" })
add("alice", "Transfer", { Recipient = "alice", Quantity = "10" })
add("alice", "Transfer", { Recipient = "bob", Quantity = "5000000000001" })
for _, quantity in ipairs({ "0", "-5", "1.5", "ten", "", "99999999999999999999999999999999", "0x10" }) do
  add("alice", "Transfer", { Recipient = "bob", Quantity = quantity })
end
add("alice", "Transfer", { Quantity = "1" })
add("alice", "Transfer", { Recipient = "bob" })
add("nobody", "Transfer", { Recipient = "bob", Quantity = "1" })
add("alice", "Balance")
add("alice", "Balance", { Recipient = "bob" })
add("alice", "Balance", { Recipient = "nobody at all" })
add("alice", "Mint", { Quantity = "1" })
add("process", "Mint", { Quantity = "170141183460469231731687303715884105727" })
add("process", "Mint", { Quantity = "0" })
add("process", "Mint", {})
add("alice", "Total-Supply")
add("process", "Total-Supply")
add("alice", "Balances")
add("alice", "Burn", { Quantity = "1" })
eval("return Balances")
eval("Balances.carol = nil return TotalSupply, Denomination")

-- The chat room.
blueprint("chatroom")
add("alice", "Register")
add("bob", "Register")
add("alice", "Register")
add("alice", "Broadcast", nil, "hello \"all\"\n")
add("carol", "Broadcast", nil, "who am I?")
add("bob", "Unregister")
add("bob", "Unregister")
add("alice", "Broadcast", nil, "")
add("dave", "Register")
add("dave", "Broadcast", nil, string.rep("long ", 50))
eval("return Members")

-- Staking, over the token's balances.
blueprint("staking")
eval("UnstakeDelay = 10 return UnstakeDelay")
add("alice", "Stake", { Quantity = "1000" })
add("bob", "Stake", { Quantity = "500" })
add("bob", "Stake", { Quantity = "250" })
add("alice", "Stake", { Quantity = "999999999999999999999" })
add("nobody", "Stake", { Quantity = "1" })
add("alice", "Stake", {})
add("alice", "Stake", { Quantity = "x" })
add("alice", "Stakers")
height = 1005
add("bob", "Unstake", { Quantity = "700" })
add("bob", "Unstake", { Quantity = "100" })
add("nobody", "Unstake", { Quantity = "1" })
add("alice", "Balance", { Recipient = "bob" })
height = 1010
add("alice", "Balance", { Recipient = "bob" })
height = 1020
add("alice", "Balance", { Recipient = "bob" })
add("alice", "Stakers")
eval("return Unstaking, Stakers")

-- Voting, by what is staked. The blueprint counts amounts as numbers, and staking keeps texts.
blueprint("voting")
add("alice", "Vote", { Target = "proposal 1", Side = "yay", Deadline = "10" })
eval("for _, staker in pairs(Stakers) do staker.amount = math.tointeger(tonumber(staker.amount)) or tonumber(staker.amount) end return Stakers")
add("alice", "Vote", { Target = "proposal 1", Side = "yay", Deadline = "10" })
add("bob", "Vote", { Target = "proposal 1", Side = "nay", Deadline = "10" })
add("bob", "Vote", { Target = "proposal 2", Side = "maybe", Deadline = "3" })
add("bob", "Vote", { Target = "proposal 2", Side = "yay", Deadline = "soon" })
add("nobody", "Vote", { Target = "proposal 2", Side = "yay", Deadline = "3" })
eval("return Votes")
height = 1025
add("carol", "Nothing")
height = 1040
add("carol", "Nothing")
eval("return Votes")

-- The token for hyper-aos: the same names, so it takes the place of the first one's handlers.
eval("Balances, TotalSupply, Name, Ticker = nil, nil, nil, nil return #Handlers.list")
eval("id, send, colors = ao.id, Send, Colors return id")
blueprint("htoken")
eval("return Balances")
for _, action in ipairs({ "info", "balance", "balances", "transfer", "mint", "totalSupply", "Info", "Transfer" }) do
  add("process", action, { Recipient = "alice", Quantity = "1000" })
end
add("alice", "transfer", { Recipient = "bob", Quantity = "400", ["X-Memo"] = "lunch" })
add("alice", "transfer", { Recipient = "bob", Quantity = "400", Cast = "yes" })
add("alice", "transfer", { Recipient = "bob", Quantity = "400" })
add("alice", "transfer", { Recipient = "bob", Quantity = "-1" })
add("alice", "mint", { Quantity = "5" })
add("bob", "balance")
eval("return Balances, TotalSupply")
eval("return #Inbox, Members, Handlers.list")

local committed = { alg = "rsa-pss-sha512", type = "rsa-pss-sha512", committer = "owner" }
local base = { process = { authority = "authority", commitments = { process = committed } } }

function step(number)
  if not number then return #messages end
  base = compute(base, messages[number])
  return text(base.results, 0)
end
