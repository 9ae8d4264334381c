// The messages of the bench: one aos process, 200 small messages, then work for the processor and work with strings.
//
//   node tests/bench/workload.mjs            writes {"env": …, "messages": [{"kind": …, "message": …}]} to standard output
//
// `kind` says what a message is counted as: `small`, `cpu`, `string`, or nothing (the spawn and the warm-up).

const PROCESS = "PROCESSbench-process-of-weft-00000000000000";
const OWNER = "OWNERbench-owner-of-weft-000000000000000000";
const MODULE = "MODULEbench-module-of-weft-0000000000000000";
const SMALL = 200;
const HEAVY = 5;

const tag = (name, value) => ({ name, value });
const env = {
  Process: {
    Id: PROCESS,
    Owner: OWNER,
    Tags: [tag("Data-Protocol", "ao"), tag("Variant", "ao.TN.1"), tag("Type", "Process"), tag("Name", "bench"), tag("Authority", OWNER)],
  },
  Module: { Id: MODULE, Owner: OWNER, Tags: [tag("Type", "Module")] },
};

const messages = [];

function add(kind, tags, data) {
  const slot = messages.length;
  const message = {
    Id: slot === 0 ? PROCESS : `MESSAGEbench-message-of-weft-00000000000${String(slot).padStart(4, "0")}`,
    Owner: OWNER,
    From: OWNER,
    Target: PROCESS,
    Data: data,
    Tags: [tag("Data-Protocol", "ao"), tag("Variant", "ao.TN.1"), ...tags],
    Module: MODULE,
    Nonce: slot,
    Epoch: 0,
    Timestamp: 1_700_000_000_000 + slot * 1000,
    "Block-Height": 1_300_000 + slot,
    Cron: false,
  };
  messages.push({ kind, message });
}

const action = (kind, name, data) => add(kind, [tag("Type", "Message"), tag("Action", name)], data);

add(null, [tag("Type", "Process"), tag("Name", "bench")], "");
action(null, "Eval", `
  Count = 0
  Handlers.add("Tick", Handlers.utils.hasMatchingTag("Action", "Tick"), function(msg)
    Count = Count + #msg.Data
    Handlers.utils.reply("counted " .. Count)(msg)
  end)
  return Count`);
for (let n = 0; n < SMALL; n++) action("small", "Tick", `message ${n}`);
for (let n = 0; n < HEAVY; n++) {
  action("cpu", "Eval", `local sum = ${n} for i = 1, 1000000 do sum = (sum * 31 + i) % 1000003 end return sum`);
}
for (let n = 0; n < HEAVY; n++) {
  action("string", "Eval", `
    local parts = {}
    for i = ${n}, ${n} + 20000 do parts[#parts + 1] = string.format("%d:%s", i, ("x"):rep(i % 7)) end
    local text = table.concat(parts, ",")
    local count = 0
    for word in text:gmatch("%d+") do count = count + #word end
    return count .. " " .. #text:gsub("x+", "y"):upper()`);
}
process.stdout.write(JSON.stringify({ env, messages }));
