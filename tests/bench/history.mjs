// Writes a history of many messages, signed with the demo keys by npm arbundles, for the bench of verification.
//   node tests/bench/history.mjs MESSAGES FILE
// FILE is an ANS-104 bundle: the process, its assignment, then each message and its assignment.

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { ArweaveSigner, createData } from "arbundles";

import { bundleOf } from "./bundle.mjs";

const [count, file] = [Number(process.argv[2]), process.argv[3]];
const key = async (name) =>
  JSON.parse(await readFile(fileURLToPath(new URL(`../../examples/demo-keys/${name}.json`, import.meta.url)), "utf8"));
const [scheduler, alice, bob] = [await key("scheduler"), await key("alice"), await key("bob")];
const signers = { scheduler: new ArweaveSigner(scheduler), alice: new ArweaveSigner(alice), bob: new ArweaveSigner(bob) };
const address = ({ n }) => createHash("sha256").update(Buffer.from(n, "base64url")).digest("base64url");

async function signed(signer, data, tags, { target, anchor } = {}) {
  const item = createData(data, signers[signer], { tags, target, anchor });
  await item.sign(signers[signer]);
  return item;
}
const tag = (name, value) => ({ name, value: String(value) });

const process_ = await signed("alice", " ", [
  tag("Data-Protocol", "ao"), tag("Variant", "ao.TN.1"), tag("Type", "Process"),
  tag("Module", createHash("sha256").update("no module").digest("base64url")), tag("Scheduler", address(scheduler)),
]);

let chain = createHash("sha256").update(Buffer.from(process_.id, "base64url")).digest();
let previous;
async function assignment(slot, message) {
  if (previous) chain = createHash("sha256").update(Buffer.from(previous.id, "base64url")).update(chain).digest();
  const tags = [
    tag("Process", process_.id), tag("Epoch", 0), tag("Nonce", slot), tag("Hash-Chain", chain.toString("base64url")),
    tag("Block-Height", String(1_500_000 + Math.floor(slot / 100)).padStart(12, "0")), tag("Timestamp", 1_767_225_600_000 + slot * 1000),
    tag("Data-Protocol", "ao"), tag("Type", "Assignment"), tag("Variant", "ao.TN.1"),
    ...(slot === 0 ? [] : [tag("Message", message.id)]),
  ];
  previous = await signed("scheduler", "", tags, { anchor: `assignment${String(slot).padStart(22, "0")}` });
  return previous;
}

const items = [process_, await assignment(0, process_)];
for (let slot = 1; slot <= count; slot += 1) {
  const message = await signed(slot % 2 ? "alice" : "bob", `message ${slot}`, [
    tag("Data-Protocol", "ao"), tag("Variant", "ao.TN.1"), tag("Type", "Message"), tag("SDK", "bench"),
    tag("Action", "Transfer"), tag("Recipient", address(slot % 2 ? bob : alice)), tag("Quantity", slot),
  ], { target: process_.id, anchor: String(slot).padStart(32, "0") });
  items.push(message, await assignment(slot, message));
}
await writeFile(file, bundleOf(items));
