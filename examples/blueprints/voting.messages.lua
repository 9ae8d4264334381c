local function signed(by, message)
  message.commitments = { one = { type = "hmac-sha256" }, two = { committer = by } }
  return message
end
local process = { authority = "mu", process = signed("owner", {}) }
local messages = {
  { ["block-height"] = "000000000000", body = signed("owner", { type = "Process" }) },
  { ["block-height"] = "000000000001", body = signed("eve", { action = "Weigh", voter = "eve", weight = "5" }) },
  { ["block-height"] = "000000000001", body = signed("owner", { action = "Weigh", voter = "alice", weight = "1" }) },
  { ["block-height"] = "000000000001", body = signed("owner", { action = "Weigh", voter = "alice", weight = "60" }) },
  { ["block-height"] = "000000000001", body = signed("owner", { action = "Weigh", voter = "bob", weight = "30" }) },
  { ["block-height"] = "000000000001", body = signed("owner", { action = "Weigh", voter = "carol", weight = "10" }) },
  { ["block-height"] = "000000000001", body = signed("owner", { action = "Weigh", voter = "dave", weight = "0" }) },
  { ["block-height"] = "000000000001", body = signed("owner", { action = "Weigh", weight = "1" }) },
  { ["block-height"] = "000000000001", body = signed("owner", { action = "Weigh", voter = "eve", weight = "-1" }) },
  { ["block-height"] = "000000000001", body = signed("eve", { action = "Propose", data = "Paint it blue" }) },
  { ["block-height"] = "000000000001", body = signed("eve", { action = "Propose", data = "" }) },
  { ["block-height"] = "000000000002", body = signed("alice", { action = "Vote", proposal = "1", side = "no" }) },
  { ["block-height"] = "000000000002", body = signed("bob", { action = "Vote", proposal = "1", side = "yes" }) },
  { ["block-height"] = "000000000003", body = signed("dave", { action = "Vote", proposal = "1", side = "yes" }) },
  { ["block-height"] = "000000000003", body = signed("carol", { action = "Vote", proposal = "2", side = "yes" }) },
  { ["block-height"] = "000000000003", body = signed("carol", { action = "Vote", proposal = "1", side = "maybe" }) },
  { ["block-height"] = "000000000004", body = signed("alice", { action = "Vote", proposal = "1", side = "yes" }) },
  { ["block-height"] = "000000000004", body = signed("eve", { action = "Result", proposal = "1" }) },
  { ["block-height"] = "000000000005", body = signed("bob", { action = "Propose", data = "Paint it red" }) },
  { ["block-height"] = "000000000006", body = signed("carol", { action = "Vote", proposal = "2", side = "yes" }) },
  { ["block-height"] = "000000000011", body = signed("eve", { action = "Tick" }) },
  { ["block-height"] = "000000000012", body = signed("carol", { action = "Vote", proposal = "1", side = "no" }) },
  { ["block-height"] = "000000000015", body = signed("eve", { action = "Tick" }) },
  { ["block-height"] = "000000000016", body = signed("eve", { action = "Result", proposal = "2" }) },
  { ["block-height"] = "000000000017", body = signed("eve", { action = "Veto" }) },
  { ["block-height"] = "000000000099", body = signed("eve", { action = "Vote", ["from-process"] = "bob", proposal = "2", side = "no" }) },
  { ["block-height"] = "000000000099", body = signed("mu", { action = "Vote", ["from-process"] = "bob", proposal = "2", side = "no" }) },
  { ["block-height"] = "000000000099", body = { action = "Vote", proposal = "2", side = "no" } },
}
