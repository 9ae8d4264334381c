local function signed(by, message)
  message.commitments = { one = { type = "hmac-sha256" }, two = { committer = by } }
  return message
end
local process = { authority = "mu", process = signed("owner", {}) }
local messages = {
  { ["block-height"] = "000000000000", body = signed("owner", { type = "Process" }) },
  { ["block-height"] = "000000000001", body = signed("p-alice", { action = "Register", nickname = "  Alice\n" }) },
  { ["block-height"] = "000000000001", body = signed("p-bob", { action = "Register", nickname = "Bob" }) },
  { ["block-height"] = "000000000001", body = signed("p-bob", { action = "Broadcast", data = "hello\tall " }) },
  { ["block-height"] = "000000000001", body = signed("p-eve", { action = "Broadcast", data = "let me in" }) },
  { ["block-height"] = "000000000001", body = signed("p-eve", { action = "Register" }) },
  { ["block-height"] = "000000000001", body = signed("p-eve", { action = "Broadcast", data = "\1\2" }) },
  { ["block-height"] = "000000000001", body = signed("p-alice", { action = "Members" }) },
  { ["block-height"] = "000000000001", body = signed("p-alice", { action = "Broadcast", data = 42 }) },
  { ["block-height"] = "000000000001", body = signed("p-alice", { action = "Broadcast", data = "two" }) },
  { ["block-height"] = "000000000001", body = signed("p-alice", { action = "Broadcast", data = "three" }) },
  { ["block-height"] = "000000000001", body = signed("p-alice", { action = "Broadcast", data = "four" }) },
  { ["block-height"] = "000000000001", body = signed("p-alice", { action = "Broadcast", data = "five" }) },
  { ["block-height"] = "000000000001", body = signed("p-bob", { action = "Unregister" }) },
  { ["block-height"] = "000000000001", body = signed("p-bob", { action = "Unregister" }) },
  { ["block-height"] = "000000000001", body = signed("p-eve", { action = "History" }) },
  { ["block-height"] = "000000000001", body = signed("p-eve", { action = "Members" }) },
  { ["block-height"] = "000000000001", body = signed("p-eve", { action = "Dance" }) },
  { ["block-height"] = "000000000099", body = signed("eve", { action = "Unregister", ["from-process"] = "p-alice" }) },
  { ["block-height"] = "000000000099", body = signed("mu", { action = "Unregister", ["from-process"] = "p-alice" }) },
  { ["block-height"] = "000000000099", body = { action = "Unregister" } },
}
