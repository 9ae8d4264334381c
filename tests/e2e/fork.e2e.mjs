// A scheduler that signs two histories, one that is behind and one that is gone: the page says who says what, keeps both
// answers, and gives out a proof that anyone can check.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { sendMessage, spawnProcess, startNetwork } from "./network.mjs";
import { green, model, overflow, picture, servePage, theBrowser, visit } from "./page.mjs";

/** The last slot that both histories have. */
const SHARED = 3;
const GONE = "http://127.0.0.1:1";

let browser, site, folder, one, twin, other, behind, process_;

before(async () => {
  site = await servePage();
  folder = await mkdtemp(join(tmpdir(), "weft-fork-"));
  const start = (name) => startNetwork(join(folder, name));
  // Until here there is one history; then the same scheduler, with the same key, goes on twice.
  one = await start("one");
  process_ = await spawnProcess(one);
  for (let slot = 1; slot <= SHARED; slot += 1) await sendMessage(one, process_, `shared ${slot}`);
  await one.stop();
  const copy = (name) => cp(join(folder, "one"), join(folder, name), { recursive: true });
  for (const name of ["other", "behind"]) await copy(name);
  one = await start("one");
  for (const text of ["left", "left again"]) await sendMessage(one, process_, text);
  await one.stop();
  await copy("twin");
  [one, twin, other, behind] = [await start("one"), await start("twin"), await start("other"), await start("behind")];
  for (const text of ["right", "right again"]) await sendMessage(other, process_, text);
  browser = await theBrowser();
});

after(async () => {
  for (const network of [one, twin, other, behind]) await network?.stop();
  site?.close();
  await rm(folder, { recursive: true, force: true });
});

const open = (schedulers, options) => {
  const query = new URLSearchParams([...schedulers.map((url) => ["scheduler", url]), ["gateway", one.gateway]]);
  return visit(browser, `${site.url}#/process/${process_}?${query}`, options);
};

const verify = (file) => new Promise((resolve) => {
  execFile(process.env.WEFT_BIN, ["verify", file, "--json"], (error, stdout) => resolve({ code: error?.code ?? 0, stdout }));
});

test("two histories of one scheduler make a proof, and both answers are kept", async () => {
  const { page, left, faults } = await open([one.su, other.su, behind.su, GONE]);
  await green(page);
  const first = SHARED + 1;
  await page.waitForSelector(`[data-fraud="${first}"][data-proved=yes]`);
  const panel = page.locator(`[data-fraud="${first}"]`);
  assert.equal(await panel.getAttribute("role"), "alert");
  for (const row of ["Message", "Assignment"]) {
    const cells = await panel.locator(`[data-row=${row}] td`).allInnerTexts();
    assert.notEqual(cells[0], cells[1], row);
  }
  assert.equal(await panel.locator("[data-row='Hash chain']").getAttribute("class"), "same", "what came before is the same");

  const [download] = await Promise.all([page.waitForEvent("download"), page.click(`[data-save-fraud="${first}"]`)]);
  const file = join(folder, "proof.json");
  await download.saveAs(file);
  const proof = JSON.parse(await readFile(file, "utf8"));
  assert.deepEqual([proof.kind, proof.process, proof.slot], ["weft-fraud-proof", process_, first]);
  const verdict = await verify(file);
  assert.equal(verdict.code, 0, verdict.stdout);

  const disagreement = page.locator("[data-disagreement=history-complete]");
  assert.match(await disagreement.innerText(), new RegExp(new URL(other.su).host), "who says otherwise is named");
  assert.equal(await disagreement.locator(".answer.bad").count() >= 1, true);
  assert.match(await disagreement.locator(".answer.none").innerText(), /source-unreachable/);
  const standing = (url) => page.locator(`[data-source="${url}"]`).getAttribute("data-standing");
  assert.deepEqual([await standing(one.su), await standing(other.su), await standing(behind.su), await standing(GONE)],
    ["agrees", "differs", "behind", "silent"]);
  assert.match(await page.locator(`[data-source="${behind.su}"]`).innerText(), /slot 3, .* old/);
  const score = Number(await page.locator(`[data-source="${GONE}"] [role=meter]`).getAttribute("aria-valuenow"));
  assert.ok(score < 1000, `the source that is gone has ${score} points`);

  const receipt = await model(page, (model) => model.receipt);
  assert.ok(receipt.checks.some(({ claim }) => claim === "scheduler-equivocation"), "and the receipt says so");
  await panel.screenshot({ path: `${process.env.WEFT_ARTEFACTS}/fraud-proof.png` });
  await disagreement.screenshot({ path: `${process.env.WEFT_ARTEFACTS}/disagreement.png` });
  await picture(page, "fork-page");
  assert.deepEqual(left, []);
  assert.deepEqual(faults, []);
});

test("what most sources say is agreed, and a source that only ends earlier is no fraud", async () => {
  const { page } = await open([one.su, twin.su, behind.su]);
  await green(page);
  await page.waitForSelector(`[data-source="${behind.su}"][data-standing=behind]`);
  assert.equal(await page.locator("[data-fraud]").count(), 0);
  assert.equal(await page.locator("[data-disagreement=history-complete]").count(), 1);
  const check = page.locator("[data-receipt='The history'] li.agreed[data-claim=history-complete]");
  assert.match(await check.innerText(), /agreed by 2 of 3/);
  assert.match(await page.locator("[data-receipt='The history'] .shares").getAttribute("aria-label"), /1 agreed by sources/);
  await check.locator("summary").click();
  assert.match(await check.locator("[data-against]").innerText(), new RegExp(new URL(behind.su).host));
  await page.locator(".panel.receipt").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/receipt-agreed.png` });
  await page.locator(".panel.sources").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/sources.png` });
});

test("the proof is there again after a reload, and all of it fits a narrow and dark page", async () => {
  const { page } = await open([one.su, other.su, behind.su, GONE], { width: 360, height: 780, scheme: "dark" });
  await green(page);
  await page.waitForSelector("[data-fraud][data-proved=yes]");
  assert.ok(await overflow(page) <= 0);
  await page.locator("[data-fraud]").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/fraud-narrow-dark.png` });
  await picture(page, "sources-narrow-dark");
  await page.goto(`${site.url}#/process/${process_}`);
  await page.reload();
  await page.waitForSelector(`[data-fraud="${SHARED + 1}"][data-proved=yes]`);
});
