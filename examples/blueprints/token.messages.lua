local function signed(by, message)
  message.commitments = { one = { type = "hmac-sha256" }, two = { committer = by } }
  return message
end
local process = { name = "Thread", ticker = "THR", authority = "mu", process = signed("alice", {}) }
local messages = {
  { body = signed("alice", { type = "Process" }) },
  { body = signed("alice", { action = "Mint", quantity = "1000" }) },
  { body = signed("bob", { action = "Mint", quantity = "1" }) },
  { body = signed("alice", { action = "Transfer", recipient = "bob", quantity = "250" }) },
  { body = signed("bob", { action = "Transfer", recipient = "carol", quantity = "250" }) },
  { body = signed("bob", { action = "Transfer", recipient = "carol", quantity = "1" }) },
  { body = signed("alice", { action = "Transfer", recipient = "alice", quantity = "750" }) },
  { body = signed("alice", { action = "Transfer", recipient = "bob", quantity = "-5" }) },
  { body = signed("alice", { action = "Transfer", recipient = "bob", quantity = "1.5" }) },
  { body = signed("alice", { action = "Transfer", quantity = "5" }) },
  { body = signed("alice", { action = "Transfer", recipient = "bob" }) },
  { body = signed("alice", { action = "Mint", quantity = "123456789012345678901234567890" }) },
  { body = signed("alice", { action = "Transfer", recipient = "dave", quantity = "100000000000000000000000000001" }) },
  { body = signed("dave", { action = "Balance" }) },
  { body = signed("dave", { action = "Balance", recipient = "alice" }) },
  { body = signed("carol", { action = "Balances" }) },
  { body = signed("carol", { action = "Info" }) },
  { body = signed("carol", { action = "Burn" }) },
  { body = signed("alice", { action = "Transfer", recipient = 'who "quotes"\n', quantity = "1" }) },
  { body = signed("alice", { action = "Balances" }) },
  { body = signed("eve", { action = "Transfer", ["from-process"] = "alice", recipient = "eve", quantity = "1" }) },
  { body = signed("mu", { action = "Transfer", ["from-process"] = "carol", recipient = "eve", quantity = "10" }) },
  { body = { action = "Transfer", recipient = "eve", quantity = "1" } },
}
