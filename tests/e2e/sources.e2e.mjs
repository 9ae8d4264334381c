// Sources in trouble: no scheduler at all, slots that nobody has, one that asks to be left alone.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { sendMessage, spawnProcess, startNetwork } from "./network.mjs";
import { green, picture, servePage, theBrowser, visit } from "./page.mjs";
import { serveProxy } from "./proxy.mjs";

const GONE = "http://127.0.0.1:1";
/** The slot whose assignment one gateway does not list. */
const HIDDEN = 2;

let browser, site, folder, network, orphan, holey, busy, process_;

const nonce = ({ node }) => node.tags?.find(({ name }) => name === "Nonce")?.value;
const isLocation = (body) => body.includes("Scheduler-Location");

before(async () => {
  site = await servePage();
  folder = await mkdtemp(join(tmpdir(), "weft-sources-"));
  network = await startNetwork(folder);
  process_ = await spawnProcess(network);
  for (const text of ["one", "two", "three", "four"]) await sendMessage(network, process_, text);
  // Gateways that do not know where the scheduler is; one of them has lost an assignment as well.
  const without = (lost) => (_path, json, body) => {
    const found = json.data?.transactions;
    if (!found) return json;
    found.edges = found.edges.filter((edge) => !isLocation(body) && !lost(edge));
    return json;
  };
  orphan = await serveProxy(network.gateway, { change: without(() => false) });
  holey = await serveProxy(network.gateway, { change: without((edge) => nonce(edge) === String(HIDDEN)) });
  busy = await serveProxy(network.su, { refuse: () => ({ status: 429, headers: { "retry-after": "600" } }) });
  browser = await theBrowser();
});

after(async () => {
  await network?.stop();
  for (const proxy of [orphan, holey, busy, site]) proxy?.close();
  await rm(folder, { recursive: true, force: true });
});

const open = (schedulers, gateways) => {
  const query = new URLSearchParams([
    ...schedulers.map((url) => ["scheduler", url]), ...gateways.map((url) => ["gateway", url]),
  ]);
  return visit(browser, `${site.url}#/process/${process_}?${query}`);
};

test("without a scheduler the history is rebuilt from Arweave", async () => {
  const { page, faults } = await open([GONE], [orphan.url]);
  await green(page);
  const panel = page.locator(".panel.rebuilt");
  assert.match(await panel.innerText(), /Rebuilt from Arweave[\s\S]*Slots 0 to 4/);
  assert.equal(await page.locator(".cell[data-slot]").count(), 5);
  assert.equal(await page.locator("[data-receipt='The history'] li[data-claim=assignment-listing]").count(), 1);
  await panel.screenshot({ path: `${process.env.WEFT_ARTEFACTS}/rebuilt.png` });
  assert.deepEqual(faults, []);
});

test("slots that nobody has are named, and what is before them is proved", async () => {
  const { page } = await open([GONE], [holey.url]);
  const hole = page.locator(`[data-hole="${HIDDEN}-${HIDDEN}"]`);
  await hole.waitFor({ timeout: 120_000 });
  assert.equal(await hole.innerText(), `slot ${HIDDEN}`);
  await page.waitForSelector(".problem[data-code=slot-missing]");
  assert.match(await page.locator("body").innerText(), /slot-missing/);
  assert.equal(await page.locator(".cell[data-slot]").count(), HIDDEN, "the slots before it are there");
  await picture(page, "holes");
  // Another gateway has it.
  await page.goto("about:blank");
  const query = new URLSearchParams([["scheduler", GONE], ["gateway", holey.url], ["gateway", orphan.url]]);
  await page.goto(`${site.url}#/process/${process_}?${query}`);
  await green(page);
  assert.equal(await page.locator("[data-hole]").count(), 0);
  const disagreement = page.locator("[data-disagreement=assignment-listing]");
  await disagreement.waitFor();
  await disagreement.screenshot({ path: `${process.env.WEFT_ARTEFACTS}/disagreement-listing.png` });
});

test("a source that asks to be left alone loses points, is not asked again, and holds up nothing", async () => {
  const { page } = await open([busy.url, network.su], [network.gateway]);
  await green(page);
  const source = page.locator(`[data-source="${busy.url}"]`);
  await source.waitFor();
  assert.match(await source.innerText(), /asked to be left alone for 5\d\d\.\d s/);
  const score = Number(await source.locator("[role=meter]").getAttribute("aria-valuenow"));
  const honest = Number(await page.locator(`[data-source="${network.su}"] [role=meter]`).getAttribute("aria-valuenow"));
  assert.ok(score < honest, `${score} points beside ${honest}`);
  await page.locator(".panel.sources").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/retry-after.png` });
});
