-- A chat room: members, messages to all of them, a short history.

local HISTORY = 5

local function send(process, to, fields)
  fields.target = to
  process.outbox[#process.outbox + 1] = fields
end

local function cast(process, fields)
  for member in pairs(process.members) do
    local copy = {}
    for name, value in pairs(fields) do copy[name] = value end
    send(process, member, copy)
  end
end

local function clean(text)
  text = tostring(text):gsub("[%c]+", " ")
  return (text:gsub("^%s*(.-)%s*$", "%1"))
end

local actions = {}

actions["Register"] = function(process, message)
  local nick = clean(message.nickname or message.from)
  if nick == "" then error("A nickname is needed") end
  process.members[message.from] = nick
  cast(process, { action = "Joined", nickname = nick })
end

actions["Unregister"] = function(process, message)
  local nick = process.members[message.from]
  if not nick then error("Not a member") end
  process.members[message.from] = nil
  cast(process, { action = "Left", nickname = nick })
end

actions["Broadcast"] = function(process, message)
  local nick = process.members[message.from]
  if not nick then error("Only members speak") end
  local text = clean(message.data)
  if text == "" then error("Nothing to say") end
  process.history[#process.history + 1] = nick .. ": " .. text
  if #process.history > HISTORY then table.remove(process.history, 1) end
  cast(process, { action = "Broadcast-Notice", nickname = nick, data = text })
end

actions["Members"] = function(process, message)
  local names = {}
  for _, nick in pairs(process.members) do names[#names + 1] = nick end
  table.sort(names)
  send(process, message.from, { action = "Members", data = table.concat(names, ", "), count = #names })
end

actions["History"] = function(process, message)
  send(process, message.from, { action = "History", data = table.concat(process.history, "\n") })
end

function compute(process, request)
  local message = request.body or request
  process.members = process.members or {}
  process.history = process.history or {}
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
