// Two tabs of one browser on one process: one works, the other waits, and nothing is done twice.

import assert from "node:assert/strict";
import { test } from "node:test";

import { green, history, model, onStage, picture, serveAnswers, visit } from "./page.mjs";

const stage = onStage();

/** Two tabs on an inert file of the page's own, so that what is in the store is cleared and nothing has begun. */
async function twoTabs() {
  const { context, page, faults } = await visit(stage.browser, `${stage.site.url}style.css`);
  const other = await context.newPage();
  other.on("pageerror", (error) => faults.push(error.message));
  return { page, other, faults };
}

test("two tabs that open the demo share the work, and have the same results", async () => {
  const { page, other, faults } = await twoTabs();
  await Promise.all([page.goto(stage.site.url), other.goto(stage.site.url)]);
  await Promise.all([green(page), green(other)]);
  const synced = [];
  for (const tab of [page, other]) {
    await tab.waitForFunction(() => document.querySelector("weft-app").model.synced !== null);
    synced.push(await model(tab, ({ synced }) => synced));
  }
  const histories = [await history(page), await history(other)];
  assert.deepEqual(histories[0], histories[1]);
  assert.equal(synced[0].replayed_now + synced[1].replayed_now, histories[0].results.length, "each slot was replayed once");
  assert.deepEqual(faults, []);
  await other.close();
});

test("a tab that waits for another says so, can be stopped, and goes on when the other is done", async () => {
  const silent = await serveAnswers(() => ({ hang: true }));
  const { page, other, faults } = await twoTabs();
  const sources = `#/process/${"A".repeat(43)}?scheduler=${encodeURIComponent(silent.url)}&gateway=${encodeURIComponent(silent.url)}`;
  await page.goto(stage.site.url + sources);
  await page.waitForFunction(() => document.querySelector("weft-app").model.running);
  await other.goto(stage.site.url + sources);
  await other.waitForSelector("[data-state=waiting]");
  await picture(other, "waiting");
  await other.click("#cancel");
  const told = other.locator("[data-cancel-ms]");
  await told.waitFor();
  assert.match(await told.innerText(), /Stopped/);

  await other.click("#sync");
  await other.waitForSelector("[data-state=waiting]");
  await page.click("#cancel");
  await page.locator("[data-cancel-ms]").waitFor();
  await other.waitForFunction(() => {
    const { running, waiting } = document.querySelector("weft-app").model;
    return running && !waiting;
  });
  await other.click("#cancel");
  await other.locator("[data-cancel-ms]").waitFor();
  assert.deepEqual(faults, []);
  await other.close();
  silent.close();
});
