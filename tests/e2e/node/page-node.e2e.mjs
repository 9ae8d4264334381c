// A node at a URL inside of the page: one for all tabs, with and without a service worker, and the unmodified client against it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch, servePage } from "../page.mjs";

const require = createRequire(import.meta.url);
const { ArweaveSigner, createData } = require("arbundles");
const here = dirname(fileURLToPath(import.meta.url));
const BASE = "/some/where/";

/** A page that has the client, and the network's own client beside it. */
const PAGE = {
  "index.html": `<!doctype html><title>Weft</title><script type=module>
    import { PageNode } from './weft.js';
    window.PageNode = PageNode;
  </script>`,
};

/** A process that counts what it is told, and tells the counter to whoever asks for it. */
const COUNTER = `
count = 0
function compute(base, req)
  local body = req.body
  if body.action == "Add" then count = count + tonumber(body.data) end
  base.count = count
  base.results = { output = { data = string.format("%d", count) } }
  if body.action == "Tell" then
    base.results.outbox = { { target = body.whom, action = "Add", data = string.format("%d", count) } }
  end
  return base
end
`;

let browser, context, site, key;

before(async () => {
  assert.ok(process.env.WEFT_CLIENT, "WEFT_CLIENT is not set: `cargo xtask test` sets it.");
  key = JSON.parse(await readFile(join(here, "../../fixtures/vectors/keys.json"), "utf8")).rsa4096.jwk;
  const client = await readFile(join(dirname(require.resolve("@permaweb/aoconnect")), "browser.js"));
  site = await servePage(process.env.WEFT_CLIENT, BASE, { ...PAGE, "aoconnect.js": client, "greeter.js": GREETER });
  browser = await launch();
  context = await browser.newContext();
  // The wallet that a browser's extension puts into pages: it signs data items, and keeps its key.
  await context.exposeFunction("walletSigns", async ({ data, tags, target, anchor }) => {
    const signer = new ArweaveSigner(key);
    const item = createData(Buffer.from(data, "base64"), signer, { tags, ...(target && { target }), ...(anchor && { anchor }) });
    await item.sign(signer);
    return item.getRaw().toString("base64");
  });
  await context.addInitScript(() => {
    const base64 = (data) => btoa(typeof data === "string"
      ? String.fromCharCode(...new TextEncoder().encode(data)) : String.fromCharCode(...new Uint8Array(data)));
    window.arweaveWallet = {
      connect: async () => {},
      getActiveAddress: async () => "wtl7n8WWlAdwZ7xk93kMA0Y-Gbaa1Z_cE5G4_CQbMQY",
      signDataItem: async ({ data, ...rest }) => {
        const raw = await window.walletSigns({ data: base64(data), ...rest });
        return Uint8Array.from(atob(raw), (char) => char.charCodeAt(0));
      },
    };
  });
});

after(async () => {
  await browser?.close();
  site?.close();
});

async function open(options = {}) {
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", ({ message }) => faults.push(message));
  await page.goto(site.url);
  await page.waitForFunction(() => window.PageNode);
  await page.evaluate(async (given) => { window.node = await window.PageNode.open(given); }, options);
  return { page, faults };
}

test("aoconnect in the page spawns, writes, reads and asks the node in the page, through the service worker", async () => {
  const { page, faults } = await open();
  assert.equal(await page.evaluate(() => window.node.leads), true);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const said = await page.evaluate(async (code) => {
    const { connect, createDataItemSigner } = await import("./aoconnect.js");
    const url = (path) => new URL(path, location.href).href;
    const module = await window.node.publishModule(new TextEncoder().encode(code), "application/lua");
    const scheduler = await window.node.address();
    const ao = connect({ MODE: "legacy", MU_URL: url("mu"), CU_URL: url("cu"), GATEWAY_URL: url("gateway"), GRAPHQL_URL: url("gateway/graphql") });
    const signer = createDataItemSigner(window.arweaveWallet);
    const tags = (object) => Object.entries(object).map(([name, value]) => ({ name, value }));
    const lua = tags({ Device: "process@1.0", "Execution-Device": "lua@5.3a", Authority: scheduler });
    const [one, other] = [await ao.spawn({ module, scheduler, signer, tags: lua }), await ao.spawn({ module, scheduler, signer, tags: lua })];
    const send = async (process, data, object) => {
      const message = await ao.message({ process, signer, data, tags: tags(object) });
      return ao.result({ process, message });
    };
    const added = await send(one, "40", { Action: "Add" });
    const told = await send(one, "2", { Action: "Tell", Whom: other });
    const ask = () => ao.dryrun({ process: other, tags: tags({ Action: "Get" }) });
    let heard = await ask();
    for (let tries = 0; heard.Output.data !== "40" && tries < 200; tries++) heard = await ask();
    const results = await ao.results({ process: one, sort: "ASC", limit: 10 });
    // A path of the node, as any fetch of the page.
    const tip = await fetch("su/").then((answer) => answer.json());
    const same = await window.node.fetch("/su/").then((answer) => answer.json());
    return { one, other, added, told, heard, results, tip, same, scheduler };
  }, COUNTER);
  assert.equal(said.added.Output.data, "40");
  assert.equal(said.told.Messages.length, 1);
  assert.equal(said.told.Messages[0].Target, said.other);
  assert.equal(said.heard.Output.data, "40");
  assert.equal(said.results.edges.length, 3);
  assert.equal(said.tip.address ?? said.tip.Address, said.same.address ?? said.same.Address);
  assert.equal(site.asked.filter((path) => /\/(su|mu|cu|gateway)\b/.test(path)).length, 0, "nothing of it reached the server");
  assert.deepEqual(faults, []);

  // Another tab sees the same node, and takes it over when the first one closes, with its processes and its key.
  const second = await open();
  assert.equal(await second.page.evaluate(() => window.node.leads), false);
  const count = (tab) => tab.evaluate(async (process) => {
    const answer = await fetch(`cu/dry-run?process-id=${process}`, { method: "POST", body: JSON.stringify({ Tags: [], Target: process }) });
    return (await answer.json()).Output.data;
  }, said.one);
  assert.equal(await count(second.page), "40");
  await page.close();
  await second.page.waitForFunction(() => window.node.leads);
  assert.equal(await count(second.page), "40");
  assert.equal(await second.page.evaluate(() => window.node.address()), said.scheduler);
  assert.deepEqual(second.faults, []);
  await second.page.close();
});

/** A device: its functions are its keys. */
const GREETER = `
let asked = 0;
export const greet = (base, { by }) => "hello " + (base.whom ?? "you") + (by ? ", says " + by : "");
export async function sums(base) { return { sum: base.numbers.reduce((one, other) => one + other, 0), asked: ++asked }; }
export function refuses() { throw Object.assign(new Error("not for you"), { status: 403 }); }
export const breaks = (base) => base.none.there;
export function turns() { for (;;); }
`;

test("devices in JavaScript answer paths; what they throw and what never ends is a status and a code, and the node goes on", async () => {
  const { page, faults } = await open({ database: "devices", serviceWorker: null, devices: { "greeter@1.0": "greeter.js" } });
  const ask = (path, init) => page.evaluate(async ([at, given]) => {
    const answer = await window.node.fetch(at, given);
    return { status: answer.status, code: answer.headers.get("error"), text: await answer.text() };
  }, [path, init]);
  assert.deepEqual(await ask("/~greeter@1.0&whom=World/greet"), { status: 200, code: null, text: "hello World" });
  assert.equal((await ask("/~greeter@1.0/greet&by=me")).text, "hello you, says me");
  // Values keep their types, on the way there and back; a request asks once.
  const body = JSON.stringify({ numbers: [1, 41] });
  const sums = await ask("/~greeter@1.0/sums", { method: "POST", headers: { "content-type": "application/json", accept: "application/json" }, body });
  const { sum, asked } = JSON.parse(sums.text);
  assert.deepEqual([sum, asked], [42, 1], sums.text);
  // What it does not export is answered as for any message.
  assert.equal((await ask("/~greeter@1.0&whom=World/whom")).text, "World");
  assert.deepEqual(await ask("/~greeter@1.0/refuses").then(({ status, text }) => [status, text]), [403, "The device `greeter@1.0` failed: not for you"]);
  const [broken, silent] = [await ask("/~greeter@1.0/breaks"), await ask("/~greeter@1.0/turns")];
  assert.deepEqual([broken.status, broken.code, silent.status, silent.code], [500, "device-failed", 504, "device-silent"]);
  assert.equal((await ask("/~greeter@1.0/greet")).text, "hello you");
  assert.deepEqual(faults, []);
  const failed = await page.evaluate(() => window.PageNode.open({ database: "broken", serviceWorker: null, devices: { "none@1.0": "none.js" } })
    .then(() => "opened", ({ code }) => code));
  assert.equal(failed, "device-failed");
  await page.close();
});

test("without a service worker the handler in the page answers the same, and files of the app stay the server's", async () => {
  const { page, faults } = await open({ database: "alone", serviceWorker: null });
  const seen = await page.evaluate(async () => {
    const status = async (path, init) => (await window.node.fetch(path, init)).status;
    return {
      su: await status("/su/"), nowhere: await status("/cu/result/none?process-id=none"),
      bad: await status("/mu/", { method: "POST", body: "no item" }), put: await status("/su/", { method: "PUT", body: "x" }),
      file: (await fetch("weft.js")).headers.get("content-type"),
    };
  });
  assert.equal(seen.su, 200);
  assert.equal(seen.nowhere, 404);
  assert.ok(seen.bad >= 400 && seen.bad < 600, `${seen.bad}`);
  assert.ok(seen.put >= 400 && seen.put < 600, `${seen.put}`);
  assert.equal(seen.file, "text/javascript");
  assert.deepEqual(faults, []);
  await page.close();
});

/**
 * Whether the signature of an answer holds: the base made anew from what came (HyperBEAM's form of RFC 9421: names bare, values as they are), put to
 * WebCrypto. Gives the address of who signed.
 */
async function signer({ headers, body }) {
  const [, label, line] = /^([^=]+)=(.*)$/.exec(headers["signature-input"]);
  const signature = /=:([^:]+):/.exec(headers.signature)[1];
  assert.ok(headers.signature.startsWith(label), label);
  const names = [.../^\(([^)]*)\)/.exec(line)[1].matchAll(/"([^"]+)"/g)].map(([, name]) => name);
  const digest = createHash("sha256").update(body).digest("base64");
  const values = { ...headers, "content-digest": `sha-256=:${digest}:` };
  const lines = names.map((name) => `"${name}": ${values[name.replace("@", "")]}`);
  const base = [...lines, `"@signature-params": ${line}`].join("\n");
  const modulus = Buffer.from(/keyid="publickey:([^"]+)"/.exec(line)[1], "base64");
  const jwk = { kty: "RSA", e: "AQAB", n: modulus.toString("base64url") };
  const key = await crypto.subtle.importKey("jwk", jwk, { name: "RSA-PSS", hash: "SHA-512" }, false, ["verify"]);
  const holds = await crypto.subtle.verify({ name: "RSA-PSS", saltLength: 32 }, key, Buffer.from(signature, "base64"), Buffer.from(base));
  return holds && { names, address: createHash("sha256").update(modulus).digest("base64url") };
}

test("what the node answers is signed with its key, and whoever changes it is found out", async () => {
  const { page, faults } = await open({ database: "signed", serviceWorker: null });
  const ask = (path) => page.evaluate(async (at) => {
    const answer = await window.node.fetch(at);
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
  }, path);
  const address = await page.evaluate(() => window.node.address());
  for (const path of ["/~meta@1.0/info", "/~message@1.0&a+integer=42/a", "/~nothing@1.0/x"]) {
    const answer = await ask(path);
    const signed = await signer(answer);
    assert.equal(signed.address, address, path);
    assert.ok(signed.names.includes("status") && answer.headers.status === `${answer.status}`, signed.names.join());
    assert.equal(await signer({ ...answer, headers: { ...answer.headers, status: "299" } }), false, path);
    if (answer.body) assert.equal(await signer({ ...answer, body: `${answer.body} ` }), false, path);
  }
  assert.deepEqual(faults, []);
  await page.close();
});
