local function signed(by, message)
  message.commitments = { one = { type = "hmac-sha256" }, two = { committer = by } }
  return message
end
local process = { authority = "mu", process = signed("owner", {}) }
local messages = {
  { ["block-height"] = "000000000000", body = signed("owner", { type = "Process" }) },
  { ["block-height"] = "000000000001", body = signed("owner", { action = "Reward", quantity = "100" }) },
  { ["block-height"] = "000000000001", body = signed("alice", { action = "Stake", quantity = "3" }) },
  { ["block-height"] = "000000000001", body = signed("bob", { action = "Stake", quantity = "7" }) },
  { ["block-height"] = "000000000002", body = signed("owner", { action = "Reward", quantity = "1000" }) },
  { ["block-height"] = "000000000003", body = signed("carol", { action = "Stake", quantity = "100000000000000000000" }) },
  { ["block-height"] = "000000000004", body = signed("owner", { action = "Reward", quantity = "12345678901234567890123" }) },
  { ["block-height"] = "000000000005", body = signed("alice", { action = "Unstake", quantity = "5" }) },
  { ["block-height"] = "000000000005", body = signed("alice", { action = "Unstake", quantity = "2" }) },
  { ["block-height"] = "000000000006", body = signed("alice", { action = "Claim" }) },
  { ["block-height"] = "000000000010", body = signed("alice", { action = "Claim" }) },
  { ["block-height"] = "000000000010", body = signed("bob", { action = "Claim" }) },
  { ["block-height"] = "000000000010", body = signed("bob", { action = "Stake", quantity = "-1" }) },
  { ["block-height"] = "000000000010", body = signed("bob", { action = "Stake", quantity = "1.5" }) },
  { ["block-height"] = "000000000010", body = signed("bob", { action = "Stake", quantity = "3" }) },
  { ["block-height"] = "000000000011", body = signed("mallory", { action = "Reward", quantity = "1" }) },
  { ["block-height"] = "000000000012", body = signed("bob", { action = "Stakers" }) },
  { ["block-height"] = "000000000012", body = signed("carol", { action = "Unstake", quantity = "100000000000000000000" }) },
  { ["block-height"] = "000000000017", body = signed("carol", { action = "Claim" }) },
  { ["block-height"] = "000000000018", body = signed("carol", { action = "Slash" }) },
  { ["block-height"] = "000000000099", body = signed("eve", { action = "Unstake", ["from-process"] = "bob", quantity = "1" }) },
  { ["block-height"] = "000000000099", body = signed("mu", { action = "Unstake", ["from-process"] = "bob", quantity = "1" }) },
  { ["block-height"] = "000000000099", body = { action = "Unstake", quantity = "1" } },
}
