-- A chat room: members, messages to all of them, a short history.

local HISTORY = 5

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

-- To every member, in the order of their addresses.
local function cast(process, results, fields)
  for member in pairs(process.members) do
    local copy = {}
    for name, value in pairs(fields) do copy[name] = value end
    answer(results, member, copy)
  end
end

local function clean(text)
  text = tostring(text):gsub("[%c]+", " ")
  return (text:gsub("^%s*(.-)%s*$", "%1"))
end

local actions = {}

actions["Register"] = function(process, message, from, results)
  local nick = clean(message.nickname or from)
  if nick == "" then error("A nickname is needed") end
  process.members[from] = nick
  results.output = nick .. " is here"
  cast(process, results, { action = "Joined", nickname = nick })
end

actions["Unregister"] = function(process, message, from, results)
  local nick = process.members[from]
  if not nick then error("Not a member") end
  process.members[from] = nil
  results.output = nick .. " left"
  cast(process, results, { action = "Left", nickname = nick })
end

actions["Broadcast"] = function(process, message, from, results)
  local nick = process.members[from]
  if not nick then error("Only members speak") end
  local text = clean(message.data or "")
  if text == "" then error("Nothing to say") end
  local history = process.history
  history[#history + 1] = nick .. ": " .. text
  if #history > HISTORY then table.remove(history, 1) end
  results.output = history[#history]
  cast(process, results, { action = "Broadcast-Notice", nickname = nick, data = text })
end

actions["Members"] = function(process, message, from, results)
  local names = {}
  for _, nick in pairs(process.members) do names[#names + 1] = nick end
  table.sort(names)
  answer(results, from, { action = "Members", data = table.concat(names, ", "), count = tostring(#names) })
end

actions["History"] = function(process, message, from, results)
  answer(results, from, { action = "History", data = table.concat(process.history, "\n") })
end

-- What ~lua@5.3a calls for each message; the state is what it returns. An action that fails has changed nothing.
function compute(process, request)
  local message = request.body
  local results = { outbox = {} }
  process.members = process.members or {}
  process.history = process.history or {}
  process.results = results
  if message.type == "Process" then
    results.output = "A room opens"
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
