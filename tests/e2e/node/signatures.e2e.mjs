// WebCrypto and Rust give the same verdicts: on every fixture of items and bundles through the client's API, and claim by
// claim, Wycheproof's among them, through the thread that the page checks RSA in.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch, servePage, visit } from "../page.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const CORPORA = [join(here, "../../fixtures/ans104"), join(here, "../../../../shared/fixtures/ans104")];
/** A name of this machine that browsers do not call secure: there is no WebCrypto on its pages. */
const INSECURE = "weft.test";
/** The page's thread for RSA. */
const THREAD = "signature-worker.js";

/** A page that has the client and nothing else. */
const PAGE = { "index.html": "<!doctype html><title>Weft</title><script type=module>import { Weft } from './weft.js'; window.Weft = Weft;</script>" };
const BASE = "/some/where/";

let browser, site, contract, files;

before(async () => {
  for (const name of ["WEFT_CLIENT", "WEFT_CONTRACTS"]) {
    assert.ok(process.env[name], `${name} is not set: \`cargo xtask test\` sets it.`);
  }
  site = await servePage(process.env.WEFT_CLIENT, BASE, PAGE);
  contract = await servePage(process.env.WEFT_CONTRACTS, "/");
  browser = await launch([`--host-resolver-rules=MAP ${INSECURE} 127.0.0.1`]);
  files = await corpus();
});
after(async () => {
  await browser?.close();
  contract?.close();
  site?.close();
});

/** Every item and bundle, by its SHA-256; an item as a bundle of one. */
async function corpus() {
  const found = new Map();
  for (const folder of CORPORA) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries.filter(({ name }) => /\.(item|bundle)$/.test(name))) {
      const bytes = await readFile(join(entry.parentPath, entry.name));
      found.set(sha256(bytes).toString("hex"), { name: entry.name, bytes: entry.name.endsWith(".item") ? bundleOf(bytes) : bytes });
    }
  }
  return [...found.values()];
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

function bundleOf(item) {
  const head = Buffer.alloc(96);
  head.writeBigUInt64LE(1n, 0);
  head.writeBigUInt64LE(BigInt(item.length), 32);
  const sizes = { 1: 512, 2: 64, 3: 65, 4: 64, 5: 64, 6: 2052, 7: 65 };
  sha256(item.subarray(2, 2 + (sizes[item.readUInt16LE(0)] ?? 0))).copy(head, 64);
  return Buffer.concat([head, item]);
}

/** What the page's node says of each file: verdicts, or the code of a refusal. */
async function verdicts(page, webCrypto, some = files) {
  const base64 = some.map(({ bytes }) => bytes.toString("base64"));
  return page.evaluate(async ([webCrypto, base64]) => {
    const weft = await window.Weft.open({ database: `signatures-${webCrypto}`, webCrypto });
    const said = [];
    for (const text of base64) {
      const bundle = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
      said.push(await weft.verifyBundle(bundle).catch(({ code }) => code));
    }
    weft.close();
    return said;
  }, [webCrypto, base64]);
}

const ready = (page) => page.waitForFunction(() => window.Weft);

const opened = async (url) => {
  const { page, faults } = await visit(browser, url);
  await ready(page);
  return { page, faults };
};

test("every fixture gets the same verdict and code with WebCrypto, without, and where it is missing", async () => {
  const secure = await opened(site.url);
  assert.equal(await secure.page.evaluate(() => typeof crypto.subtle), "object");
  const byWebCrypto = await verdicts(secure.page, true);
  assert.deepEqual(await verdicts(secure.page, false), byWebCrypto);

  const insecure = await browser.newContext().then((context) => context.newPage());
  await insecure.goto(site.url.replace("127.0.0.1", INSECURE));
  await ready(insecure);
  assert.equal(await insecure.evaluate(() => typeof crypto.subtle), "undefined");
  assert.deepEqual(await verdicts(insecure, true), byWebCrypto);
  await insecure.context().close();

  const items = byWebCrypto.filter(Array.isArray).flat();
  const [held, refused] = [items.filter(({ ok }) => ok).length, items.filter(({ code }) => code === "signature-invalid").length];
  assert.ok(files.length >= 40 && held >= 30 && refused >= 5, `${files.length} files, ${held} items held, ${refused} refused`);
  console.log(`# ${files.length} files: ${items.length} items, ${held} proved; the same three times`);
});

test("the seam's contract, with the page's thread for RSA: items of all kinds, and Wycheproof's RSA-PSS", async () => {
  const { page, faults } = await opened(site.url);
  // The thread is the page's; the contract is no part of it.
  await page.route("**/contract/*", async (route) => {
    const name = new URL(route.request().url()).pathname.split("/").pop();
    await route.fulfill({ response: await route.fetch({ url: `${contract.url}${name}` }) });
  });
  const [claims, hold, found] = await page.evaluate(async () => {
    const contract = await import(new URL("contract/signatures.js", location.href).href);
    await contract.default();
    const thread = new Worker("signature-worker.js", { type: "module" });
    const check = (packed) => new Promise((resolve, reject) => {
      thread.onmessage = ({ data }) => resolve(data);
      thread.onerror = ({ message }) => reject(new Error(message));
      const bytes = packed.slice();
      thread.postMessage(bytes, [bytes.buffer]);
    });
    return [...await contract.keepsContract(check, true)];
  });
  assert.ok(claims > 4000 && hold > 600, `${claims} claims, ${hold} hold`);
  assert.ok(found > 500, `WebCrypto found ${found} of ${hold}`);
  assert.deepEqual(faults, []);
  console.log(`# ${claims} claims: ${hold} hold, ${found} of them found by WebCrypto, and none that does not hold`);
});

test("a thread that breaks, or answers too little, gives no verdict", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weft-signatures-"));
  // Of each kind of item a few.
  const some = files.filter((_, at) => at % 3 === 0);
  const seen = [];
  for (const thread of [await readFile(join(process.env.WEFT_CLIENT, THREAD)), "throw new Error('broken')", "onmessage = () => postMessage(new Uint8Array(1))"]) {
    await cp(process.env.WEFT_CLIENT, folder, { recursive: true });
    await writeFile(join(folder, THREAD), thread);
    const changed = await servePage(folder, BASE, PAGE);
    const { page } = await opened(changed.url);
    seen.push(await verdicts(page, true, some));
    assert.ok(changed.asked.some((path) => path.endsWith(THREAD)));
    changed.close();
  }
  await rm(folder, { recursive: true, force: true });
  const items = seen[0].filter(Array.isArray).flat();
  assert.ok(items.some(({ ok }) => ok) && items.some(({ ok }) => !ok));
  assert.deepEqual(seen[1], seen[0]);
  assert.deepEqual(seen[2], seen[0]);
});
