-- Messages for hyper-aos, whose text stands before this one: Evals, handlers, sends, spawns, errors, strangers.
-- `step(n)` gives it message n and returns what came of it as a text. Each step is a call of its own, as on a node: hyper-aos
-- collects garbage in each, and Luerl then loses functions that only a call in progress would have made.

-- What the node puts there.
ao.event = ao.event or function () return "ok" end

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

local evals = {
  "1 + N",
  "Count = (Count or 0) + N return Count",
  "Handlers.add('ping N', { action = 'Ping N' }, function (m) m.reply({ data = 'pong N', n = tostring(N) }) end)",
  "Send({ target = 'somebody', action = 'Hello', data = string.rep('x', N % 20), number = N })",
  "error('on purpose N')",
  "return {1, 2, N, name = 'a table', inner = {N / 3}}",
  "local t = nil return t.field",
  "this is no program",
  "print('printed', N) print({N}) return #Inbox",
  "Spawn('module N', { data = 'spawned', ['tag-N'] = 'N' }) return 'spawned'",
  "return require('.json').encode({ n = N, list = { N, 'a', true }, text = 'say \"N\"\\n' })",
  "return require('.json').decode('{\"a\":[1,2,{\"b\":null}],\"n\":N,\"f\":-1.5e3}')",
  "Handlers.remove('ping 26') return #Handlers.list",
  "local s = {} for i = 1, N do s[#s + 1] = i * i end return table.concat(s, ' ')",
  "return string.format('%5.2f|%d|%s|%q', N / 7, N, 'text', 'quoted'), nil",
  "return ({ pcall(error, { code = N }) })[2]",
  "Handlers.once('once N', { action = 'Once' }, function (m) Send({ target = m.body.from or 'x', data = 'once' }) end)",
  "local a = setmetatable({}, { __index = function (_, k) return k .. N end }) return a.key",
  "return (1 + nil)",
  "return Handlers.list",
}
local actions = { "Ping 6", "Once", "Balance", "Ping 46", "Unknown" }

local function message(number)
  local owner = { alg = "rsa-pss-sha512", type = "rsa-pss-sha512", committer = "owner" }
  local stranger = { alg = "rsa-pss-sha512", type = "rsa-pss-sha512", committer = "stranger" }
  local body = { target = "process", timestamp = 1700000000000 + number }
  if number % 4 == 0 then
    body.action = actions[(number // 4) % 5 + 1]
    body.reference = tostring(number)
    body["from-process"] = number % 8 == 0 and "authority" or nil
    body.commitments = { ["id " .. number] = number % 12 == 0 and stranger or owner }
    body.data = "data " .. number
  else
    body.action = "Eval"
    local program = evals[(number * 7 + number // 20) % #evals + 1]
    body.data = string.gsub(program, "N", tostring(number))
    body.commitments = { ["id " .. number] = owner }
  end
  return { slot = number, ["block-timestamp"] = "1700000000", body = body }
end

local committed = { alg = "rsa-pss-sha512", type = "rsa-pss-sha512", committer = "owner" }
local base = { process = { authority = "authority", commitments = { process = committed } } }

function step(number)
  base = compute(base, message(number))
  return text(base.results, 0)
end
