// The unmodified client, @permaweb/aoconnect in legacy mode, against a local network.
//
//   node tests/aoconnect/client.mjs BASE_URL WALLET_JWK_FILE MODULE_ID [brief]
//
// `brief` leaves out the process that writes to itself for ever, which makes forty slots.
// Prints one line of JSON: what it sent and what it was answered. Nothing here waits for a time, only for conditions.
import { readFileSync } from "node:fs";
import { connect, createDataItemSigner } from "@permaweb/aoconnect";

const [base, walletFile, module, brief] = process.argv.slice(2);
const wallet = JSON.parse(readFileSync(walletFile, "utf8"));
const signer = createDataItemSigner(wallet);
const ao = connect({
  MODE: "legacy",
  GATEWAY_URL: `${base}/gateway`,
  MU_URL: `${base}/mu`,
  CU_URL: `${base}/cu`,
});
const { address: scheduler } = await (await fetch(`${base}/su`)).json();

/** Asks again until the answer is the wanted one; every question makes the network work on. */
const until = async (what, ask, wanted) => {
  let answer;
  for (let tries = 0; tries < 500; tries += 1) {
    answer = await ask();
    if (wanted(answer)) return answer;
  }
  throw new Error(`${what} never came: ${JSON.stringify(answer)}`);
};

const spawned = await ao.spawn({
  module,
  scheduler,
  signer,
  tags: [
    { name: "Name", value: "client test" },
    { name: "Authority", value: scheduler },
  ],
});
const messages = [];
const send = async (tags, data) => {
  const id = await ao.message({
    process: spawned,
    signer,
    data,
    tags: Object.entries(tags).map(([name, value]) => ({ name, value })),
  });
  const result = await ao.result({ process: spawned, message: id });
  messages.push({ id, tags, data, result });
  return { id, result };
};
const evaluate = (data) => send({ Action: "Eval" }, data);

const boot = await ao.result({ process: spawned, message: spawned });
await evaluate("1 + 1");
await evaluate("x = 7; return x");
await evaluate(`Handlers.add("ping", "Ping", function(msg)
  ao.send({Target = msg.From, Action = "Pong", Data = "pong " .. x})
end)`);
const ping = await send({ Action: "Ping" }, "hello");
await evaluate('error("boom")');
await evaluate("local = 3");
await evaluate("return x");
await evaluate(`Ticks = 0
Handlers.add("tick", "Tick", function(msg)
  Ticks = Ticks + 1
  if Ticks < 3 then ao.send({Target = ao.id, Action = "Tick"}) end
end)`);
await evaluate('ao.send({Target = ao.id, Action = "Tick"})');
await evaluate('print("t\\u{e9}st " .. tostring(ao.id == Owner))');
await evaluate(`Children = {}
Handlers.add("spawned", "Spawned", function(msg) table.insert(Children, msg.Tags.Process) end)`);
await evaluate(`ao.spawn("${module}", {Name = "child", Authority = "${scheduler}"})`);
await evaluate("return string.rep('weft ', 20)");

const owner = (await (await fetch(`${base}/gateway/graphql`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    query: "query ($ids: [ID!]!) { transactions(ids: $ids) { edges { node { owner { address } } } } }",
    variables: { ids: [spawned] },
  }),
})).json()).data.transactions.edges[0].node.owner.address;
const ask = (data) =>
  ao.dryrun({ process: spawned, data, tags: [{ name: "Action", value: "Eval" }], Owner: owner });
const outputOf = (answer) => answer?.Output?.data?.output ?? answer?.Output?.data;
const ticks = await until("the third tick", () => ask("return Ticks"), (answer) => outputOf(answer) === "3");
const child = await until(
  "the child",
  () => ask("return Children[1]"),
  (answer) => /^[\w-]{43}$/.test(outputOf(answer) ?? ""),
);

// A process that writes to itself for ever: the messenger ends the chain.
const endless = async () => {
  await evaluate(`Loops = 0
Handlers.add("loop", "Loop", function(msg)
  Loops = Loops + 1
  ao.send({Target = ao.id, Action = "Loop"})
end)`);
  await evaluate('ao.send({Target = ao.id, Action = "Loop"})');
  return until("the end of the loop", () => ask("return Loops"), (answer) => outputOf(answer) === "32");
};
const loops = brief ? null : await endless();
const childBoot = await ao.result({ process: outputOf(child), message: outputOf(child) });

const assigned = await ao.assign({ process: spawned, message: outputOf(child) });
const assignedResult = await ao.result({ process: spawned, message: assigned });
const monitored = await ao.monitor({ process: spawned, signer });
const unmonitored = await ao.unmonitor({ process: spawned, signer });
const firstPage = await ao.results({ process: spawned, sort: "ASC", limit: 3 });
const secondPage = await ao.results({
  process: spawned,
  sort: "ASC",
  limit: 100,
  from: firstPage.edges[firstPage.edges.length - 1].cursor,
});
const newest = await ao.results({ process: spawned, sort: "DESC", limit: 1 });

console.log(JSON.stringify({
  process: spawned,
  scheduler,
  owner,
  boot,
  messages,
  ping: ping.id,
  ticks: outputOf(ticks),
  loops: outputOf(loops),
  child: outputOf(child),
  childBoot,
  assigned,
  assignedResult,
  monitored,
  unmonitored,
  results: { firstPage, secondPage, newest },
}));
