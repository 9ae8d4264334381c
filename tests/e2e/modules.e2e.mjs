// A Lua process that lists several modules: the page fetches and proves each, and shows them in their order.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { schedule, sendMessage, startNetwork } from "./network.mjs";
import { green, history, theBrowser, visit } from "./page.mjs";

const TEXTS = [
  "count = 0 function step() count = count + 1 return count end",
  "local one = step function step() return 10 * one() end",
  "function compute(base) base.results = { output = tostring(step()) } return base end",
];

let browser, folder, network;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "weft-modules-"));
  network = await startNetwork(folder, TEXTS);
  browser = await theBrowser();
});

after(async () => {
  await network?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("each of a process's modules is proved and shown", async () => {
  const named = (pairs) => pairs.map(([name, value]) => ({ name, value }));
  const modules = network.modules.slice(1).map(({ id }) => id);
  const process = await schedule(network, { tags: named([
    ["Data-Protocol", "ao"], ["Variant", "ao.TN.1"], ["Type", "Process"], ["Scheduler", network.address],
    ["Execution-Device", "lua@5.3a"], ...modules.map((id) => ["Module", id]), ["ao-types", 'module="list"'],
  ]) });
  await sendMessage(network, process, "one");

  const query = new URLSearchParams([["scheduler", network.su], ["gateway", network.gateway]]);
  const { page, faults } = await visit(browser, `${network.url}/#/process/${process}?${query}`);
  await green(page);
  const { results } = await history(page);
  assert.deepEqual(results.map(({ output }) => output), ["10", "20"]);
  const facts = await page.locator("dl.facts").first().innerText();
  for (const [at, id] of modules.entries()) {
    assert.match(facts, new RegExp(`Module ${at + 1}\\s+${id.slice(0, 6)}`, "i"), facts);
  }
  assert.equal(await page.locator("[data-receipt='The history'] li[data-claim=module-id]").count(), modules.length);
  assert.deepEqual(faults, []);
});
