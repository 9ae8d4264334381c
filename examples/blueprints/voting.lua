-- Votes: the owner gives weights, anyone proposes, who has weight votes with it, a proposal closes at a height.
--
-- The height is the assignment's, which the scheduler signed. Tags are texts, and tonumber would make floats of them.

local OPEN_FOR = 10

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

local function tally(proposal)
  local yes, no = 0, 0
  for _, vote in pairs(proposal.votes) do
    if vote.side == "yes" then yes = yes + vote.weight else no = no + vote.weight end
  end
  return yes, no
end

local function close(process, id, results)
  local proposal = process.proposals[id]
  local yes, no = tally(proposal)
  local cast = yes + no
  -- At least a third of all weight, and more for than against.
  local accepted = cast * 3 >= process.total and yes > no
  proposal.state = accepted and "accepted" or "rejected"
  local share = cast > 0 and string.format("%.2f", yes * 100 / cast) or "0.00"
  answer(results, proposal.by,
    { action = "Closed", proposal = tostring(id), state = proposal.state, yes = tostring(yes), no = tostring(no), share = share })
end

local function sweep(process, height, results)
  for id, proposal in ipairs(process.proposals) do
    if proposal.state == "open" and proposal.deadline <= height then close(process, id, results) end
  end
end

local function proposal_of(process, message)
  local id = whole(message.proposal, "Proposal")
  local proposal = process.proposals[id]
  if not proposal then error("No such proposal") end
  return proposal, id
end

local actions = {}

actions["Weigh"] = function(process, message, from, results)
  if from ~= signer(process.process or {}) then error("Only the owner gives weight") end
  local weight, who = whole(message.weight, "Weight"), message.voter
  if type(who) ~= "string" or who == "" then error("Voter is missing") end
  process.total = process.total - (process.weights[who] or 0) + weight
  process.weights[who] = weight
  results.output = "All weigh " .. process.total
end

actions["Propose"] = function(process, message, from, results, request)
  local text = message.data
  if type(text) ~= "string" or #text < 3 then error("A proposal needs a text") end
  local id, deadline = #process.proposals + 1, whole(request["block-height"], "Block-Height") + OPEN_FOR
  process.proposals[id] = { by = from, text = text, deadline = deadline, state = "open", votes = {} }
  results.output = "Proposal " .. id
  answer(results, from, { action = "Proposed", proposal = tostring(id), deadline = tostring(deadline) })
end

actions["Vote"] = function(process, message, from, results)
  local proposal, id = proposal_of(process, message)
  if proposal.state ~= "open" then error("The proposal is " .. proposal.state) end
  if message.side ~= "yes" and message.side ~= "no" then error("A vote is yes or no") end
  local weight = process.weights[from] or 0
  if weight <= 0 then error("No weight, no vote") end
  proposal.votes[from] = { side = message.side, weight = weight }
  answer(results, from, { action = "Voted", proposal = tostring(id), side = message.side, weight = tostring(weight) })
end

actions["Result"] = function(process, message, from, results)
  local proposal = proposal_of(process, message)
  local yes, no = tally(proposal)
  results.output = proposal.state
  answer(results, from, { action = "Result", state = proposal.state, yes = tostring(yes), no = tostring(no) })
end

-- Nothing but the heights that passed.
actions["Tick"] = function() end

-- What ~lua@5.3a calls for each message; the state is what it returns. An action that fails has changed nothing.
function compute(process, request)
  local message = request.body
  local results = { outbox = {} }
  process.weights = process.weights or {}
  process.proposals = process.proposals or {}
  process.total = process.total or 0
  process.results = results
  if message.type == "Process" then
    results.output = "Votes are open"
    return process
  end
  sweep(process, whole(request["block-height"], "Block-Height"), results)
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
