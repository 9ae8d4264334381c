-- Votes: anyone proposes, who holds stakes votes with their weight, a proposal closes at a height.

local function send(process, to, fields)
  fields.target = to
  process.outbox[#process.outbox + 1] = fields
end

local function tally(proposal)
  local yes, no = 0, 0
  for _, vote in pairs(proposal.votes) do
    if vote.side == "yes" then yes = yes + vote.weight else no = no + vote.weight end
  end
  return yes, no
end

local function close(process, id)
  local proposal = process.proposals[id]
  local yes, no = tally(proposal)
  local cast = yes + no
  -- At least a third of all stakes, and more for than against.
  local accepted = cast * 3 >= process.total and yes > no
  proposal.state = accepted and "accepted" or "rejected"
  local share = cast > 0 and string.format("%.2f", yes * 100 / cast) or "0.00"
  send(process, proposal.by, { action = "Closed", proposal = id, state = proposal.state, yes = yes, no = no, share = share })
end

local function sweep(process, height)
  for id = 1, #process.proposals do
    local proposal = process.proposals[id]
    if proposal.state == "open" and proposal.deadline <= height then close(process, id) end
  end
end

local actions = {}

actions["Propose"] = function(process, message)
  local text = message.data
  if type(text) ~= "string" or #text < 3 then error("A proposal needs a text") end
  local id = #process.proposals + 1
  process.proposals[id] = { by = message.from, text = text, deadline = message.height + 10, state = "open", votes = {} }
  send(process, message.from, { action = "Proposed", proposal = id, deadline = message.height + 10 })
end

actions["Vote"] = function(process, message)
  local proposal = process.proposals[message.proposal]
  if not proposal then error("No such proposal") end
  if proposal.state ~= "open" then error("The proposal is " .. proposal.state) end
  if message.side ~= "yes" and message.side ~= "no" then error("A vote is yes or no") end
  local weight = process.stakes[message.from] or 0
  if weight <= 0 then error("No stake, no vote") end
  proposal.votes[message.from] = { side = message.side, weight = weight }
  send(process, message.from, { action = "Voted", proposal = message.proposal, side = message.side, weight = weight })
end

actions["Result"] = function(process, message)
  local proposal = process.proposals[message.proposal]
  if not proposal then error("No such proposal") end
  local yes, no = tally(proposal)
  send(process, message.from, { action = "Result", state = proposal.state, yes = yes, no = no })
end

actions["Tick"] = function() end

function compute(process, request)
  local message = request.body or request
  if not process.proposals then
    process.proposals, process.total = {}, 0
    for _, stake in pairs(process.stakes) do process.total = process.total + stake end
  end
  process.outbox = {}
  sweep(process, message.height)
  local action = actions[message.action]
  if not action then
    send(process, message.from, { action = "Error", error = "Unknown action " .. tostring(message.action) })
    return process
  end
  local ok, problem = pcall(action, process, message)
  if not ok then send(process, message.from, { action = message.action .. "-Error", error = problem }) end
  return process
end
