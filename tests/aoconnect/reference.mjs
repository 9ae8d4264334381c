// What npm @permaweb/ao-loader answers to a process's history, driven as the legacy compute unit drives it: the messages
// it makes of the scheduler's page, and the memory of before a message that fails.
//
//   node --experimental-wasm-memory64 tests/aoconnect/reference.mjs BASE_URL PROCESS MODULE_FILE OUT
//
// Written from ao-messages.md §5 and wasm-modules.md §2, apart from the Rust side: the two must agree.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const loader = require("@permaweb/ao-loader");
const [base, processId, moduleFile, out] = process.argv.slice(2);
console.log = console.error = console.warn = () => {};

const json = async (url, options) => (await fetch(url, options)).json();
const node = async (id) => {
  const query = "query ($ids: [ID!]!) { transactions(ids: $ids) { edges { node { id anchor signature recipient owner { address } tags { name value } } } } }";
  const answer = await json(`${base}/gateway/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables: { ids: [id] } }),
  });
  return answer.data.transactions.edges[0].node;
};
const tag = (tags, name) => tags.find((one) => one.name === name)?.value;

const entries = [];
for (let from = -1, more = true; more; ) {
  const page = await json(`${base}/su/${processId}?process-id=${processId}&from-nonce=${from}&limit=7`);
  entries.push(...page.edges.map((edge) => edge.node));
  more = page.page_info.has_next_page;
  from = page.edges[page.edges.length - 1].cursor;
}
const own = await node(processId);
const moduleId = tag(own.tags, "Module");
const moduleNode = await node(moduleId);
const env = {
  Process: { Id: processId, Owner: own.owner.address, Tags: own.tags },
  Module: { Id: moduleId, Owner: moduleNode.owner.address, Tags: moduleNode.tags },
};

const fromItem = (item) => ({
  Id: item.id,
  Signature: item.signature,
  Data: item.data,
  Owner: item.owner.address,
  Anchor: item.anchor,
  From: tag(item.tags, "From-Process") ?? item.owner.address,
  "Forwarded-By": tag(item.tags, "From-Process") ? item.owner.address : undefined,
  Tags: item.tags.filter(({ name }) => name !== "From" && name !== "Owner"),
});
const fromAssignment = ({ tags }) => ({
  Target: tag(tags, "Process"),
  Epoch: parseInt(tag(tags, "Epoch"), 10),
  Nonce: parseInt(tag(tags, "Nonce"), 10),
  Timestamp: parseInt(tag(tags, "Timestamp"), 10),
  "Block-Height": parseInt(tag(tags, "Block-Height"), 10),
  "Hash-Chain": tag(tags, "Hash-Chain"),
});
// The order of the fields, and no others: the unit's schema (cu domain/model.js messageSchema) makes both. The module gets
// the text byte by byte, and a program can tell one text from another by the addresses of what it makes of it.
const ORDER = [
  "Id", "Signature", "Data", "Owner", "Target", "Anchor", "From", "Forwarded-By", "Tags", "Epoch", "Nonce", "Timestamp",
  "Block-Height", "Hash-Chain", "Cron", "Read-Only",
];
const ordered = (message) =>
  Object.fromEntries(ORDER.filter((name) => message[name] !== undefined).map((name) => [name, message[name]]));
const messageOf = async ({ message, assignment }) => {
  const fixed = { Cron: false, "Read-Only": false };
  if (message) return ordered({ ...fromItem(message), ...fromAssignment(assignment), ...fixed });
  const found = await node(tag(assignment.tags, "Message"));
  const data = await (await fetch(`${base}/gateway/raw/${found.id}`)).text();
  const loaded = fromItem({ ...found, data });
  const target = { Target: found.recipient, "Forwarded-By": undefined };
  return ordered({ ...fromAssignment(assignment), ...loaded, ...target, ...fixed });
};

const binary = readFileSync(moduleFile);
const format = tag(moduleNode.tags, "Module-Format");
// Files of Arweave come from the same gateway: the item that the process boots from.
const drive = { WeaveDrive: require("@permaweb/weavedrive"), ARWEAVE: `${base}/gateway/`, spawn: { tags: own.tags }, module: { tags: moduleNode.tags } };
const instantiate = () => loader(binary, { format, ...(tag(own.tags, "On-Boot") && drive) });
let instance = await instantiate();
let memory = null;
const results = [];
for (const entry of entries) {
  const message = await messageOf(entry);
  let answer;
  try {
    answer = await instance(ArrayBuffer.isView(memory) ? memory : new Uint8Array(memory), message, env);
  } catch (error) {
    answer = { Error: error };
  }
  if (answer.Error) instance = await instantiate();
  else memory = answer.Memory;
  results.push({
    slot: message.Nonce,
    // An Assign's result is asked for by its assignment: the scheduler knows the assigned id only as another's.
    asked: entry.message ? entry.message.id : entry.assignment.id,
    Messages: answer.Messages ?? [],
    Assignments: answer.Assignments ?? [],
    Spawns: answer.Spawns ?? [],
    Output: answer.Output ?? "",
    Error: answer.Error ?? null,
  });
}
writeFileSync(out, JSON.stringify(results));
process.exit(0);
