// "Check this answer" in the page: an honest compute unit, one that lies about a balance from some slot on, and one that
// keeps silent.

import assert from "node:assert/strict";
import { test } from "node:test";

import { green, history, model, onStage, overflow, picture, serveAnswers, visit } from "./page.mjs";

const stage = onStage();

/** The page's own result as a legacy compute unit prints it, with another count of gas. */
const legacy = ({ output, messages, spawns, assignments, error }) => ({
  Output: output, Messages: messages, Spawns: spawns, Assignments: assignments, GasUsed: 1, ...(error === null ? {} : { Error: error }),
});

const cursor = (slot) => Buffer.from(JSON.stringify({ timestamp: slot, ordinate: String(slot), sort: "ASC" })).toString("base64");

/** A compute unit with these results, as `change(slot, result)` leaves them. */
function unit(results, change = (_slot, result) => result) {
  const answer = (result) => change(result.slot, structuredClone(legacy(result)));
  return serveAnswers((path) => {
    const url = new URL(path, "http://unit");
    const [, route, id] = url.pathname.split("/");
    if (route === "") return { body: JSON.stringify({ timestamp: 1, address: "x" }) };
    if (route === "result") {
      const result = results.find(({ message }) => message === id);
      return result ? { body: JSON.stringify(answer(result)) } : { status: 404, body: '{"error":"not found"}' };
    }
    if (route !== "results") return { status: 404, body: "Not Found", type: "text/plain" };
    const from = url.searchParams.get("from");
    const start = from === null ? -1 : Number(JSON.parse(Buffer.from(from, "base64")).ordinate);
    const limit = Number(url.searchParams.get("limit"));
    const rest = results.filter(({ slot, error }) => error === null && slot > start);
    const edges = rest.slice(0, limit).map((result) => ({ node: answer(result), cursor: cursor(result.slot) }));
    return { body: JSON.stringify({ pageInfo: { hasNextPage: rest.length > limit }, edges }) };
  });
}

/** Changes one amount, wherever a result from `first` on names one: in what it prints and in what it sends. */
const lieFrom = (first) => (slot, result) => {
  if (slot < first) return result;
  const wrong = (text) => text.replace(/\d+/, (digits) => String(BigInt(digits) + 1n));
  return JSON.parse(JSON.stringify(result), (key, value) => (["data", "Data", "Output"].includes(key) && typeof value === "string" ? wrong(value) : value));
};

async function fill(page, urls) {
  for (const [at, url] of urls.entries()) {
    await page.click("#add-node");
    await page.locator(".asked input[type=url]").nth(at).fill(url);
  }
}

const compared = (page) => page.waitForSelector(".outcome[data-waiting='0']", { timeout: 120_000 });

test("an honest node matches, a lying one is shown with its first lie, a silent one with its code", async () => {
  const { page, left, faults } = await visit(stage.browser, stage.site.url);
  await green(page);
  const { results } = await history(page);
  // The first slot of the second half that prints a number: that is where the lie begins.
  const change = (slot) => JSON.stringify(lieFrom(0)(slot, legacy(results[slot]))) !== JSON.stringify(legacy(results[slot]));
  const first = results.findIndex(({ slot }) => slot > results.length / 2 && change(slot));
  const asked = results.findLastIndex(({ slot }) => slot > first && change(slot));
  assert.ok(first > 0 && asked > first, `${first}, ${asked}`);
  const [honest, liar, silent] = [await unit(results), await unit(results, lieFrom(first)), await serveAnswers(() => ({ status: 500, body: "out of order", type: "text/plain" }))];

  await page.click(`[data-slot="${asked}"]`);
  await page.waitForSelector(`[data-shown-slot="${asked}"]`);
  await page.click("#check-slot");
  assert.equal(await page.evaluate(() => document.activeElement.id), "check-title", "the panel has the focus");
  await fill(page, [honest.url, liar.url, silent.url]);
  assert.match(await page.locator("#compare").innerText(), new RegExp(`slot ${asked}$`));
  await page.click("#compare");
  await compared(page);

  const verdict = (url) => page.locator(`[data-node="${url}"]`);
  assert.equal(await verdict(honest.url).getAttribute("data-verdict"), "match");
  assert.equal(await verdict(liar.url).getAttribute("data-verdict"), "mismatch");
  assert.equal(await verdict(liar.url).locator("[data-first]").getAttribute("data-first"), String(first));
  assert.equal(await verdict(silent.url).getAttribute("data-verdict"), "silent");
  assert.match(await verdict(silent.url).innerText(), /source-status/);
  const rows = verdict(liar.url).locator("details[open] [data-path]");
  assert.ok(await rows.count() >= 1, "and what differs is there");
  const sides = await rows.first().locator("td").allInnerTexts();
  assert.notEqual(sides[0], sides[1]);
  assert.equal(await rows.first().locator("mark").count(), 2, "with the part that differs marked on both sides");
  const told = await model(page, ({ check }) => check.comparison);
  assert.deepEqual([told.slot, told.nodes.map(({ verdict }) => verdict.kind)], [asked, ["match", "mismatch", "silent"]]);
  assert.equal(told.nodes[1].verdict.first.slot, first);
  assert.match(await page.locator("p[aria-live=polite]").textContent(), /1 of 3 nodes give the same answer/);

  await page.locator(".panel.check").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/check-lying-cu.png` });
  await picture(page, "check-page");
  await verdict(liar.url).locator("[data-first]").click();
  await page.waitForSelector(`[data-shown-slot="${first}"]`);
  assert.deepEqual(left, []);
  assert.deepEqual(faults, []);
  for (const server of [honest, liar, silent]) server.close();
});

test("the list of nodes is kept, and none is there at first", async () => {
  const { page } = await visit(stage.browser, stage.site.url);
  await green(page);
  assert.equal(await page.locator(".asked input[type=url]").count(), 0);
  assert.equal(await page.locator("#compare").isDisabled(), true);
  await fill(page, ["http://127.0.0.1:1", "http://127.0.0.1:2"]);
  await page.locator(".asked select").nth(1).selectOption("hyperbeam");
  await page.click("[aria-label='Remove node 1']");
  await page.reload();
  await green(page);
  assert.deepEqual(await model(page, ({ check }) => check.nodes), [{ kind: "hyperbeam", url: "http://127.0.0.1:2" }]);
  await page.click("#check-newest");
  await page.click("#compare");
  await compared(page);
  assert.equal(await page.locator("[data-verdict=silent]").count(), 1);
  assert.match(await page.locator("[data-verdict=silent]").innerText(), /HyperBEAM.*source-unreachable/s);
});

test("a comparison can be stopped, and an address that is none is refused", async () => {
  const hangs = await serveAnswers(() => ({ hang: true }));
  const { page } = await visit(stage.browser, stage.site.url);
  await green(page);
  await fill(page, [hangs.url]);
  await page.click("#compare");
  await page.click("#check-cancel");
  await page.waitForSelector("[data-check-code=cancelled]");
  assert.equal(await page.locator("#compare").isEnabled(), true);
  await page.locator(".asked input[type=url]").fill("https://user:secret@cu.example");
  await page.click("#compare");
  await page.waitForSelector("[data-check-code=source-invalid]");
  hangs.close();
});

test("the comparison fits a narrow and a dark page", async () => {
  const { page } = await visit(stage.browser, stage.site.url, { width: 360, height: 780, scheme: "dark" });
  await green(page);
  const { results } = await history(page);
  const liar = await unit(results, lieFrom(3));
  await fill(page, [liar.url]);
  // The newest answer may be one that it does not lie about; its past is.
  await page.check("#check-all");
  await page.click("#compare");
  await compared(page);
  assert.equal(await page.locator("[data-verdict=mismatch] [data-first]").count(), 1);
  assert.ok(await overflow(page) <= 0);
  await page.locator(".panel.check").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/check-narrow-dark.png` });
  liar.close();
});
