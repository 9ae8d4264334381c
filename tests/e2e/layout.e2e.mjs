// The page on a narrow screen, in the dark, and by keyboard alone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { green, onStage, overflow, picture, visit } from "./page.mjs";

const stage = onStage();

test("360 pixels are wide enough for every part, and there is a dark page", async () => {
  const { page } = await visit(stage.browser, stage.site.url, { width: 360, height: 780 });
  await green(page);
  assert.ok(await overflow(page) <= 0, "the demo");
  await page.click("[data-slot='1']");
  await page.waitForSelector("[data-shown-slot='1']");
  for (const summary of await page.locator(".receipt summary").all()) await summary.click();
  assert.ok(await overflow(page) <= 0, "a slot and the receipts, opened");
  await page.click(".lie button >> nth=0");
  await page.waitForSelector(".refusal");
  assert.ok(await overflow(page) <= 0, "the tamper panel");
  await picture(page, "narrow");
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "dark");
  await page.setViewportSize({ width: 360, height: 780 });
  await page.goto(`${stage.site.url}#/new`);
  await page.click("[data-add=schedulers]");
  await page.click("[data-add=gateways]");
  assert.ok(await overflow(page) <= 0, "the form");
  await picture(page, "narrow-form");
});

test("what changes is announced, and the keyboard reaches and walks the history", async () => {
  const { page } = await visit(stage.browser, stage.site.url, { kept: true });
  await green(page);
  const said = page.locator("p[aria-live=polite]");
  await page.waitForFunction(() => /Done/.test(document.querySelector("p[aria-live=polite]").textContent));
  assert.match(await said.textContent(), /slots proved and replayed/);
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Skip/);
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement.dataset.slot !== undefined)) break;
  }
  await page.keyboard.press("Enter");
  const first = Number(await page.evaluate(() => document.activeElement.dataset.slot));
  await page.waitForSelector(`[data-shown-slot='${first}']`);
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector(`[data-shown-slot='${first + 1}']`);
  await page.waitForFunction((slot) => document.activeElement.dataset.slot === String(slot), first + 1);
  await page.keyboard.press("End");
  const last = await page.locator("[data-slot]").last().getAttribute("data-slot");
  await page.waitForSelector(`[data-shown-slot='${last}']`);
});
