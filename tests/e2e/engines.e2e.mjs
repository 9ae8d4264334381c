// The WebAssembly engines of the page: which one made a result, the reader's choice, and a browser's engine that errs.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { green, history, model, onStage, picture, servePage, visit } from "./page.mjs";

const stage = onStage();

/** The results, but for what made them. */
const answers = ({ results }) => results.map(({ ran_on: _on, ...rest }) => rest);
const made = ({ results }) => [...new Set(results.map(({ ran_on: on }) => on).filter(Boolean))].sort();
const again = async (page) => {
  // By what the model says: the work is done before the page's next frame.
  await page.evaluate(() => { window.before = document.querySelector("weft-app").model.synced; });
  await page.click("#forget");
  await page.waitForFunction(() => {
    const { synced } = document.querySelector("weft-app").model;
    return synced !== window.before && (synced?.replayed_now ?? 0) > 0;
  }, null, { timeout: 300_000 });
  await green(page);
  return history(page);
};

test("with and without the browser's engine: the same results, gas and memory; a slot says which engine made it", async () => {
  const { page, faults } = await visit(stage.browser, stage.site.url);
  await green(page);
  const summary = () => model(page, ({ summary }) => summary.memory_sha256);
  const referee = await history(page);
  const memory = await summary();
  assert.ok(made(referee).includes("fast"), `${made(referee)}`);

  await page.click('[data-slot="2"]');
  await page.waitForSelector('[data-shown-slot="2"]');
  assert.equal(await page.locator("[data-ran-on]").getAttribute("data-ran-on"), referee.results[2].ran_on);
  assert.equal(await page.locator("[data-gas]").getAttribute("data-gas"), String(referee.results[2].gas));
  const receipt = await model(page, ({ slot }) => slot.receipt);
  assert.equal(receipt.checks.find(({ claim }) => claim === "replay").evidence["ran-on"], referee.results[2].ran_on);
  await picture(page, "engine");

  await page.selectOption("#engine", "reference");
  const found = await again(page);
  assert.deepEqual(made(found), ["reference"]);
  assert.deepEqual(answers(found), answers(referee));
  assert.equal(await summary(), memory);
  // The choice is kept.
  await page.reload();
  await green(page);
  assert.equal(await page.locator("#engine").inputValue(), "reference");
  assert.deepEqual(faults, []);
});

// Stands in front of the worker's own script: an engine that changes a byte of the memory in every message.
const ERRING = `
  const Honest = WebAssembly.Instance;
  WebAssembly.Instance = function (module, imports) {
    const { exports } = new Honest(module, imports);
    if (!exports.handle) return { exports };
    const handle = (...args) => {
      const answer = exports.handle(...args);
      new Uint8Array(exports.memory.buffer)[7] += 1;
      return answer;
    };
    return { exports: { ...exports, handle } };
  };
`;

test("an engine that errs stops the replay: no result, and a report with both states", async () => {
  const worker = await readFile(join(process.env.WEFT_DIST, "worker.js"), "utf8");
  const site = await servePage(process.env.WEFT_DIST, "/some/where/", { "worker.js": ERRING + worker });
  try {
    const { page } = await visit(stage.browser, site.url);
    await page.waitForSelector(".problem[data-code='engines-differ']", { timeout: 60_000 });
    assert.match(await page.locator(".problem").innerText(), /memory/);
    assert.deepEqual((await history(page)).results, [], "nothing of it is stored");
    await page.waitForFunction(() => document.querySelectorAll(".cell[data-slot]").length === 0);
    await picture(page, "divergence");
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save-divergence")]);
    const report = await readFile(await download.path());
    assert.equal(report.subarray(0, 8).toString(), "weftdiff");
    const said = JSON.parse(report.subarray(12, 12 + report.readUInt32LE(8)).toString());
    assert.deepEqual([said.engine, said.differs, said.address], ["native", ["memory"], 0]);
    assert.deepEqual(said.outcomes[0], said.outcomes[1]);

    await page.selectOption("#engine", "reference");
    await page.click("#sync");
    await green(page);
    assert.deepEqual(made(await history(page)), ["reference"]);
  } finally {
    site.close();
  }
});
