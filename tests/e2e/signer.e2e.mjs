// A history whose assignments are signed by somebody else than the scheduler its process names, as they are on the network
// where a scheduler changed its key: refused with its own code until the reader accepts that signer by name. The items are
// made here with arbundles, the network's own library; the module comes from the gateway of `weft serve`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { green, history, model, picture, serveAnswers, servePage, theBrowser, visit } from "./page.mjs";

const { ArweaveSigner, createData } = createRequire(import.meta.url)("arbundles");

const here = dirname(fileURLToPath(import.meta.url));
/** The scheduler that the process names. Nobody here has its key. */
const NAMED = "_GQ33BkPtZrqxA84vM8Zk-N2aO0toNNu_C-l-rawrBA";

const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const bytes = (text) => Buffer.from(text, "base64url");
const text = (raw) => Buffer.from(raw).toString("base64url");

let browser, folder, gateway, net, site, scheduler, signer, process_;

/** A signed item, as a scheduler prints it with `show-anchor`. */
async function item(key, tags, { data = "", target, anchor } = {}) {
  const made = createData(data, key, {
    ...(target && { target }), ...(anchor && { anchor }),
    tags: Object.entries({ "Data-Protocol": "ao", Variant: "ao.TN.1", ...tags }).map(([name, value]) => ({ name, value })),
  });
  await made.sign(key);
  return {
    id: made.id, tags: made.tags, owner: { address: text(sha256(made.rawOwner)), key: text(made.rawOwner) },
    anchor: text(made.rawAnchor), target: made.target, signature: text(made.rawSignature), data,
  };
}

/** The process and two messages after it, each with its assignment by `key`. */
async function schedule(key, module) {
  const first = await item(key, { Type: "Process", Module: module, Scheduler: NAMED, Name: "signed by another" }, { data: "1984" });
  const evaluate = (data) => item(key, { Type: "Message", Action: "Eval" }, { data, target: first.id });
  const messages = [first, await evaluate("x = 6; return x * 7"), await evaluate("return x")];
  const edges = [];
  let chain = sha256(bytes(first.id));
  for (const [slot, message] of messages.entries()) {
    const last = edges.at(-1)?.node.assignment;
    if (last) chain = sha256(bytes(last.id), chain);
    const assignment = await item(key, {
      Process: first.id, Epoch: "0", Nonce: String(slot), "Hash-Chain": text(chain), "Block-Height": "000001600000",
      Timestamp: String(1_740_000_000_000 + slot), Type: "Assignment", ...(slot > 0 && { Message: message.id }),
    }, { anchor: String(slot).padStart(32, "0") });
    edges.push({ cursor: String(slot), node: { message, assignment } });
  }
  return { process: first.id, edges };
}

before(async () => {
  assert.ok(process.env.WEFT_MODULES, "WEFT_MODULES is not set: `cargo xtask test` sets it to the folder of aos modules.");
  folder = await mkdtemp(join(tmpdir(), "weft-signer-"));
  const keys = JSON.parse(await readFile(join(here, "../fixtures/vectors/keys.json"), "utf8"));
  await writeFile(join(folder, "wallet.json"), JSON.stringify(keys.rsa4096.jwk));
  gateway = spawn(process.env.WEFT_BIN, [
    "serve", "--port", "0", "--json", "--state", join(folder, "state"), "--wallet", join(folder, "wallet.json"),
    "--module", join(process.env.WEFT_MODULES, "aos2_0_6.wasm"),
  ], { stdio: ["ignore", "pipe", "inherit"] });
  net = JSON.parse((await once(createInterface({ input: gateway.stdout }), "line"))[0]);
  const made = await schedule(new ArweaveSigner(keys.rsa4096.jwk), net.modules[0].id);
  process_ = made.process;
  signer = made.edges[0].node.assignment.owner.address;
  scheduler = await serveAnswers((url) => {
    const asked = new URL(url, "http://su");
    if (asked.pathname !== `/${process_}`) return { status: 400, body: '{"error":"Message or Process not found"}' };
    const after = Number(asked.searchParams.get("from-nonce") ?? -1);
    const edges = made.edges.slice(after + 1);
    return { body: JSON.stringify({ page_info: { has_next_page: false }, edges }) };
  });
  site = await servePage();
  browser = await theBrowser();
});

after(async () => {
  scheduler?.close();
  site?.close();
  if (gateway) {
    gateway.kill();
    await once(gateway, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

test("another signer than the process names is refused, until it is accepted by name", async () => {
  const { page, left, faults } = await visit(
    browser, `${site.url}#/process/${process_}?scheduler=${scheduler.url}&gateway=${net.gateway}`,
  );
  const refused = page.locator("[role=alert][data-code=scheduler-mismatch]");
  await refused.waitFor({ timeout: 300_000 });
  const error = await model(page, ({ error: { code, fields } }) => ({ code, fields }));
  assert.equal(error.code, "scheduler-mismatch");
  const { signer: found, scheduler: named, slot, subject, source } = error.fields;
  assert.deepEqual({ found, named, slot, subject, source },
    { found: signer, named: NAMED, slot: "0", subject: "assignment", source: scheduler.url });
  assert.equal(await model(page, async ({ weft, process }) =>
    (await weft.processes()).find((one) => one.process === process)?.head ?? null), null, "no slot was taken");
  await refused.locator("summary").click();
  assert.equal(await refused.locator(".accept code").innerText(), signer, "the signer is offered by name");
  await picture(page, "scheduler-mismatch");

  // Not by accident: the box must be ticked.
  await refused.getByRole("button", { name: "Accept and sync" }).click();
  assert.equal(await model(page, ({ running, accepted }) => running || accepted.length > 0), false);
  await refused.getByRole("checkbox").check();
  await refused.getByRole("button", { name: "Accept and sync" }).click();
  await green(page);

  const { results } = await history(page);
  assert.equal(results.length, 3);
  assert.deepEqual(results.slice(1).map(({ output }) => String(output.data?.output ?? output.data)), ["42", "6"]);
  const receipt = await model(page, (model) => model.receipt);
  const by = receipt.checks.find(({ claim }) => claim === "scheduler");
  assert.deepEqual([by.status, by.evidence.count], [{ kind: "trusted", by: "you" }, "3"]);
  assert.ok(receipt.checks.some(({ claim, status }) => claim === "hash-chain" && status.kind === "proved"), "the rest is proved");
  const line = page.locator("[data-receipt='The history'] li.trusted[data-claim=scheduler]");
  assert.equal(await line.locator(".by").innerText(), "trusted: you");
  await page.click('[data-slot="1"]');
  await page.waitForSelector('[data-shown-slot="1"]');
  const own = page.locator("[data-receipt='Slot 1'] li.trusted[data-claim=scheduler]");
  await own.locator("summary").click();
  assert.ok((await own.innerText()).includes(signer), "the slot's receipt names the signer");
  await picture(page, "scheduler-accepted");

  // Kept for this process: the next visit asks for nothing again.
  await page.reload();
  await green(page);
  assert.deepEqual(await model(page, ({ accepted, error }) => [accepted, error]), [[signer], null]);
  assert.deepEqual(left, []);
  assert.deepEqual(faults, []);
});
