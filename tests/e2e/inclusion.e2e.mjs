// Inclusion: the page proves that a slot's message and assignment are in blocks, up to a header that gateways agree on, and
// gives out a receipt that `weft verify` checks with no network. Gateways that name different blocks are both kept.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { sendMessage, spawnProcess, startNetwork } from "./network.mjs";
import { green, model, servePage, theBrowser, visit } from "./page.mjs";
import { serveProxy } from "./proxy.mjs";

let browser, site, folder, one, twin, liar, process_;

before(async () => {
  site = await servePage();
  folder = await mkdtemp(join(tmpdir(), "weft-inclusion-"));
  one = await startNetwork(join(folder, "one"));
  process_ = await spawnProcess(one);
  for (const text of ["one", "two", "three"]) await sendMessage(one, process_, text);
  for (let block = 0; block < 3; block += 1) await fetch(`${one.gateway}/mine`);
  await one.stop();
  // Two gateways of one chain.
  await cp(join(folder, "one"), join(folder, "twin"), { recursive: true });
  [one, twin] = [await startNetwork(join(folder, "one")), await startNetwork(join(folder, "twin"))];
  liar = await serveProxy(twin.gateway, {
    change: (path, json) => (path.startsWith("/block/height/") ? { ...json, indep_hash: "A".repeat(64) } : json),
  });
  browser = await theBrowser();
});

after(async () => {
  for (const network of [one, twin]) await network?.stop();
  liar?.close();
  site?.close();
  await rm(folder, { recursive: true, force: true });
});

const weft = (...args) => new Promise((resolve) => {
  execFile(process.env.WEFT_BIN, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
    resolve({ code: error?.code ?? 0, lines: stdout.trim().split("\n"), stderr }));
});

const open = (gateways) => {
  const query = new URLSearchParams([["scheduler", one.su], ...gateways.map((url) => ["gateway", url])]);
  return visit(browser, `${site.url}#/process/${process_}?${query}`);
};

/** Proves the inclusion of a slot in the page, and answers with the lines of its receipt. */
async function prove(page, slot) {
  await page.click(`.cell[data-slot="${slot}"]`);
  await page.waitForSelector("#prove-inclusion");
  await page.click("#prove-inclusion");
  const receipt = page.locator(`[data-receipt="Slot ${slot}"]`);
  await receipt.locator("li[data-claim=inclusion]").first().waitFor({ timeout: 120_000 });
  return receipt;
}

test("a slot of the demo is in a block, offline", async () => {
  const { page, left, faults } = await visit(browser, site.url);
  await green(page);
  const receipt = await prove(page, 5);
  assert.equal(await receipt.locator("li[data-claim=inclusion]").count(), 2, "the message and its assignment");
  assert.match(await receipt.locator("li.trusted[data-claim=inclusion]").first().innerText(), /trusted: .*demo\.invalid/,
    "one gateway is trusted, not agreed");
  assert.equal(await receipt.locator("li.proved[data-claim=transaction-in-block]").count(), 2);
  assert.deepEqual(left, []);
  assert.deepEqual(faults, []);
});

test("two gateways agree on the header, and the receipt proves it with no network", async () => {
  const { page, faults } = await open([one.gateway, twin.gateway]);
  await green(page);
  const receipt = await prove(page, 2);
  assert.match(await receipt.locator("li.agreed[data-claim=inclusion]").first().innerText(), /agreed by 2 of 2/);
  assert.match(await receipt.locator("li.agreed[data-claim=block]").innerText(), /agreed by 2 of 2/);
  await receipt.locator("li[data-claim=inclusion] summary").first().click();
  await page.locator(".panel.receipt").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/receipt-inclusion.png` });
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#export-slot")]);
  const file = join(folder, "slot.json");
  await download.saveAs(file);
  const { inclusions, agreements } = JSON.parse(await readFile(file, "utf8"));
  assert.deepEqual([inclusions.length, agreements.map(({ claim }) => claim)], [2, ["block"]]);
  assert.deepEqual(agreements[0].answers.map(({ source }) => source).sort(), [one.gateway, twin.gateway].sort(), "who said what");
  const { code, lines } = await weft("verify", file, "--json");
  assert.equal(code, 0, lines.join("\n"));
  assert.equal(lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "agreed").length >= 3, true, lines.join("\n"));
  // It is kept.
  await page.reload();
  await green(page);
  await page.click('.cell[data-slot="2"]');
  await page.waitForSelector('[data-receipt="Slot 2"] li.agreed[data-claim=inclusion]');
  assert.deepEqual(faults, []);
});

test("gateways that name different blocks are both kept, and nothing is agreed", async () => {
  const { page } = await open([one.gateway, liar.url]);
  await green(page);
  const receipt = await prove(page, 1);
  assert.equal(await receipt.locator("li.agreed").count(), 0);
  const panel = page.locator("[data-disagreement=block]");
  await panel.waitFor();
  const text = await panel.innerText();
  assert.ok(text.includes(new URL(one.gateway).host) && text.includes(new URL(liar.url).host), text);
  assert.match(text, /nothing is agreed/);
  const block = receipt.locator("li.trusted[data-claim=block]");
  await block.locator("summary").click();
  assert.match(await block.innerText(), /otherwise-1[\s\S]*AAAA/);
  await panel.screenshot({ path: `${process.env.WEFT_ARTEFACTS}/disagreement-block.png` });
});

test("the command line asks too, and its receipt has the proofs", async () => {
  const file = join(folder, "history.json");
  const asked = await weft("replay", process_, "--scheduler", one.su, "--scheduler", twin.su, "--gateway", one.gateway,
    "--gateway", twin.gateway, "--quorum", "2", "--inclusion", "--receipt", file, "--json");
  assert.equal(asked.code, 0, asked.stderr);
  const included = asked.lines.map((line) => JSON.parse(line)).filter((line) => line.included);
  assert.equal(included.length, 8, "two items of each of four slots");
  assert.ok(included.every(({ included: { agreed } }) => agreed));
  const { inclusions, agreements } = JSON.parse(await readFile(file, "utf8"));
  assert.equal(inclusions.length, 8);
  assert.deepEqual([...new Set(agreements.map(({ claim }) => claim))].sort(), ["block", "history-complete"]);
  const verified = await weft("verify", file, "--json");
  assert.equal(verified.code, 0, verified.lines.join("\n"));
  const refused = await weft("replay", process_, "--scheduler", one.su, "--gateway", one.gateway, "--inclusion=99");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /not-found/);
});
