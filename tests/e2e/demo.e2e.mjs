// The demo: from nothing to proved and replayed without any network; a cancel; a reload that does nothing twice.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { green, history, model, onStage, picture, tag, visit } from "./page.mjs";

const stage = onStage();

/** The token's rules, written once more: what the messages alone make of the balances, and which of them must fail. */
function expected(messages, owner) {
  const balances = new Map();
  const failing = [];
  const add = (holder, amount) => balances.set(holder, (balances.get(holder) ?? 0n) + amount);
  for (const message of messages.slice(1)) {
    const [action, text] = [tag(message, "Action"), tag(message, "Quantity") ?? ""];
    const quantity = /^\d+$/.test(text) ? BigInt(text) : null;
    if (action === "Mint") {
      if (message.owner === owner && quantity) add(message.owner, quantity);
      else failing.push(message.slot);
    } else if (action === "Transfer") {
      const recipient = tag(message, "Recipient");
      if (recipient && quantity && (balances.get(message.owner) ?? 0n) >= quantity) {
        add(message.owner, -quantity);
        add(recipient, quantity);
      } else failing.push(message.slot);
    } else if (!["Balance", "Balances", "Info"].includes(action)) failing.push(message.slot);
  }
  return { balances, failing };
}

test("opens on the demo, and proves and replays it offline", async () => {
  const { page, left, faults } = await visit(stage.browser, stage.site.url);
  await green(page);
  assert.match(await page.title(), /Demo/);
  const { results, messages } = await history(page);
  assert.ok(results.length > 20, `${results.length} slots`);
  assert.deepEqual(results.map(({ slot }) => slot), results.map((_, at) => at), "one result a slot, in order");
  assert.equal(await page.locator(".cell[data-slot]").count(), results.length, "one cell a slot");

  const card = await model(page, (model) => model.card);
  const { balances, failing } = expected(messages, card.owner);
  const bars = await page.locator("[data-holder]").evaluateAll((rows) => rows.map((row) => [row.dataset.holder, row.dataset.amount]));
  assert.ok(bars.length >= 2);
  assert.deepEqual(new Map(bars), new Map([...balances].map(([holder, amount]) => [holder, String(amount)])));
  assert.ok(failing.length > 0);
  const refused = results.filter(({ error, failure }) => error !== null || failure !== null).map(({ slot }) => slot);
  assert.deepEqual(refused, failing, "the messages that must fail are those that failed");

  const receipt = await model(page, (model) => model.receipt);
  const claims = new Set(receipt.checks.map(({ claim }) => claim));
  for (const claim of ["item-signature", "module-id", "scheduler", "slot-order", "hash-chain", "time-order"]) {
    assert.ok(claims.has(claim), `the receipt speaks of ${claim}`);
  }
  const article = page.locator("[data-receipt='The history']");
  assert.equal(Number(await article.locator("[data-proved]").innerText()), receipt.checks.filter(({ status }) => status.kind === "proved").length);
  assert.ok(receipt.checks.some(({ status }) => status.kind === "trusted"), "and of what is only trusted");
  assert.equal(Number(await article.locator("[data-trusted]").innerText()), receipt.checks.filter(({ status }) => status.kind === "trusted").length);

  await page.click(`[data-slot="${failing[0]}"]`);
  await page.waitForSelector(`[data-shown-slot="${failing[0]}"]`);
  assert.equal(await page.locator(`[data-receipt="Slot ${failing[0]}"]`).count(), 1, "a slot has its own receipt");
  await picture(page, "demo");
  for (const summary of await page.locator(".receipt summary").all()) await summary.click();
  await page.locator(".receipt").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/receipt.png` });

  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#export")]);
  const exported = JSON.parse(await (await import("node:fs/promises")).readFile(await download.path(), "utf8"));
  assert.deepEqual([exported.kind, exported.subject], ["weft-receipt", receipt.subject]);
  assert.equal(exported.slots.length, exported.scope.history.to + 1);
  // Every check that the page shows as proved stands in the file.
  const inFile = new Set(exported.checks.filter(({ status }) => status.kind === "proved").map(({ claim }) => claim));
  for (const { claim, status } of receipt.checks) assert.ok(status.kind !== "proved" || inFile.has(claim), claim);
  const [slotFile] = await Promise.all([page.waitForEvent("download"), page.click("#export-slot")]);
  assert.match(slotFile.suggestedFilename(), new RegExp(`-${failing[0]}\\.json$`));
  // What the page gave, the command line checks and replays.
  for (const file of [download, slotFile]) {
    const { stdout } = await promisify(execFile)(process.env.WEFT_BIN, ["verify", await file.path()]);
    assert.match(stdout, file === download ? /valid +results/ : /valid +receipt/);
  }

  assert.deepEqual(left, [], "nothing left the machine");
  const files = new Set(stage.site.asked.map((path) => path.replace("/some/where/", "")));
  for (const file of files) assert.ok(["", "app.js", "style.css", "worker.js", "signature-worker.js", "weft_web_bg.wasm", "demo.bin", "su/"].includes(file), file);
  assert.deepEqual(faults, []);
});

test("a reload shows what is stored and neither fetches nor replays", async () => {
  const { page, faults } = await visit(stage.browser, stage.site.url);
  await green(page);
  const first = await model(page, ({ synced }) => synced);
  assert.ok(first.replayed_now > 20 && first.requests > 0, "the first visit did the work");
  const before = await history(page);

  await page.reload();
  await green(page);
  await page.waitForFunction(() => document.querySelector("weft-app").model.synced !== null);
  const second = await model(page, ({ synced, phases, summary }) => ({
    synced, slots: phases.get("replay")?.done ?? 0, hash: summary.memory_sha256,
  }));
  assert.equal(second.synced.verified_now, 0);
  assert.equal(second.synced.replayed_now, 0);
  assert.equal(second.slots, 0, "no replay was reported");
  assert.equal(second.hash, first.memory_sha256);
  assert.deepEqual(await history(page), before);

  // Opening a stored process by its link asks nobody at all.
  const process = first.process;
  await page.goto(`${stage.site.url}#/process/${process}`);
  await page.waitForFunction((id) => document.querySelector("weft-app").model.process === id, process);
  await green(page);

  await page.click("#forget");
  await page.waitForFunction(() => (document.querySelector("weft-app").model.synced?.replayed_now ?? 0) > 0, null, { timeout: 300_000 });
  await green(page);
  assert.deepEqual((await history(page)).results, before.results, "and a replay from nothing gives the same results");
  assert.deepEqual(faults, []);
});

test("a cancel in the middle stops within 200 ms, and what was stored is gone on from", async () => {
  const { page, faults } = await visit(stage.browser, stage.site.url, { kept: true });
  await green(page);
  // In the page itself, as soon as there is something to cancel: the demo is proved and replayed within a few frames.
  await page.evaluate(() => new Promise((done) => {
    const { model } = document.querySelector("weft-app");
    const look = () => {
      const button = document.querySelector("#cancel");
      if (!button || model.phases.size === 0) return void setTimeout(look);
      button.click();
      done();
    };
    document.querySelector("#forget").click();
    look();
  }));
  const told = page.locator("[data-cancel-ms]");
  await told.waitFor();
  const ms = Number(await told.getAttribute("data-cancel-ms"));
  assert.ok(ms <= 200, `stopped after ${ms} ms`);
  await picture(page, "cancelled");
  await page.click("#sync");
  await green(page);
  assert.equal(await model(page, ({ error }) => error), null);
  const { results } = await history(page);
  assert.deepEqual(results.map(({ slot }) => slot), results.map((_, at) => at), "nothing is missing and nothing is there twice");
  assert.deepEqual(faults, []);
});

test("a picture of the work under way", async () => {
  const { page } = await visit(stage.browser, stage.site.url);
  await page.waitForFunction(() => document.querySelectorAll(".cell[data-slot]").length > 0
    || document.querySelector(".stop.under-way"));
  await picture(page, "progress");
  await green(page);
});
