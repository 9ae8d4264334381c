// Every way of lying to the node is refused with its code, and the state before it stands.

import assert from "node:assert/strict";
import { test } from "node:test";

import { green, model, onStage, picture, visit } from "./page.mjs";

const stage = onStage();

test("all tampering is refused with the expected code, and nothing of the state moves", async () => {
  const { page, left, faults } = await visit(stage.browser, stage.site.url);
  await green(page);
  const list = await model(page, ({ weft }) => weft.tamperings());
  assert.ok(list.length >= 8, `there are ${list.length} ways`);
  const honest = await model(page, ({ summary }) => summary);

  await page.click("#tamper-all");
  await page.waitForSelector(`[data-refused="${list.length}"]`, { timeout: 300_000 });
  const rows = await model(page, ({ tampers }) => tampers.map(({ tampering, outcome, error }) => ({ tampering, outcome, error: error?.message })));
  for (const { tampering, outcome, error } of rows) {
    assert.equal(error, undefined, tampering.id);
    assert.equal(outcome.code, tampering.code, tampering.id);
    assert.equal(outcome.subject, tampering.subject, tampering.id);
    assert.deepEqual(outcome.after, outcome.before, `${tampering.id}: heads and hash are those of before`);
    if (outcome.slot !== null) {
      assert.equal(outcome.after.head === null ? 0 : outcome.after.head + 1, outcome.slot, `${tampering.id}: the state is that of just before it`);
    }
    const shown = page.locator(`[data-tamper="${tampering.id}"]`);
    const refusal = shown.locator(".refusal");
    assert.equal(await refusal.getAttribute("data-code"), tampering.code);
    assert.ok((await refusal.innerText()).includes(`The ${tampering.subject} is refused`), tampering.id);
    assert.match(await shown.innerText(), /The state before it stands/);
  }
  // A byte of a message, an assignment's slot, the order, a missing slot, a module byte, a forged signer: each its own reason.
  const named = ["flip-message-byte", "change-slot", "swap-messages", "drop-slot", "flip-module-byte", "forge-signer"];
  const reasons = named.map((id) => rows.find(({ tampering }) => tampering.id === id).outcome).map(({ code, subject }) => `${subject} ${code}`);
  assert.equal(new Set(reasons).size, named.length, reasons.join(", "));
  assert.ok(rows.some(({ outcome }) => outcome.slot > 0 && outcome.before.memory_sha256 !== null), "some are met with a state at stake");
  assert.deepEqual(await model(page, async ({ weft, process }) => (await weft.processes()).find((one) => one.process === process).memory_sha256),
    honest.memory_sha256, "the demo's own store is untouched");
  assert.deepEqual(left, [], "nothing was asked of the network");
  assert.deepEqual(faults, []);
  await picture(page, "tamper", { fullPage: false });
  await page.locator(".tamper").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/tamper-panel.png` });
});
