// Verification in Chromium: Weft beside npm arbundles' `DataItem.verify`, one run, one browser.
//
//   node tests/bench/verify.mjs --dist DIR --items BUNDLE --history BUNDLE [--rounds N]      env CHROMIUM: the browser
//
// BUNDLE: a bundle of items (bench/items.mjs), and a scheduler's history (bench/history.mjs). Prints one line of JSON.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

import { Bundle } from "arbundles";

import { green, launch, servePage } from "../e2e/page.mjs";
import { bundleOf } from "./bundle.mjs";
import { HOOK, WorkerMemory } from "./memory.mjs";
import { serveHistory } from "./scheduler.mjs";

/** Items of the history that are a bundle of their own, all RSA. */
const RSA_ITEMS = 1000;

const { values } = parseArgs({
  options: {
    dist: { type: "string" }, items: { type: "string" }, history: { type: "string" },
    rounds: { type: "string", default: "5" },
  },
});

const whole = await readFile(values.history);
const items = new Bundle(whole).items;
const scheduler = await serveHistory(items);
const site = await servePage(values.dist, "/", {
  "bench/page.js": await readFile(new URL("page.js", import.meta.url)),
  "bench/peer.js": await readFile(createRequire(import.meta.url).resolve("arbundles/bundle")),
  "bench/mixed.bin": await readFile(values.items),
  "bench/rsa.bin": bundleOf(items.slice(0, RSA_ITEMS)),
  "bench/history.bin": whole,
  "bench/hook.js": HOOK,
  "bench-worker.js": 'import "./bench/hook.js"; import "./worker.js";',
});
const browser = await launch();
const work = { process: items[0].id, slots: items.length / 2, scheduler: scheduler.url };

const speed = await inPage((page) => page.evaluate(([work, rounds]) => window.bench.speed(work, rounds), [work, Number(values.rounds)]));
const rates = Object.fromEntries(Object.entries(speed.rates).map(([name, list]) => [name, median(list)]));
const memory = await inPage(weigh);
console.log(JSON.stringify({ browser: browser.version(), cores: speed.cores, rates, memory, rounds: speed.rates }));

await browser.close();
site.close();
scheduler.close();

/** Does something in a fresh page with the bench's script, once the app is done with its demo and idle. */
async function inPage(task) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(site.url);
  await green(page);
  await page.addScriptTag({ url: "bench/peer.js" });
  await page.addScriptTag({ url: "bench/page.js" });
  const answer = await task(page);
  await context.close();
  return answer;
}

/** What the node's workers grow by, beside the bytes that are in flight. */
async function weigh(page) {
  const workers = await WorkerMemory.watch(page);
  await page.evaluate((work) => window.bench.open(work), work);
  const bundle = await workers.growth(() => page.evaluate(() => window.bench.bundle()));
  const sync = await workers.growth(() => page.evaluate(() => window.bench.sync()));
  // One page is taken while the next is on its way; the slots that wait for a commit are in flight, too.
  const flight = 2 * scheduler.longest() + (sync.answer * whole.length) / work.slots;
  return [
    { what: "the history as one bundle", grew: bundle.grew, in_flight: whole.length },
    { what: "the history from a scheduler", grew: sync.grew, in_flight: flight },
  ];
}

function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
