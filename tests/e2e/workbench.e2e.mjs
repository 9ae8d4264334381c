// The workbench: processes that live in the tab, or on `weft serve`, spawned, written to, watched and stepped through.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { ArweaveSigner, createData } from "arbundles";

import { startNetwork } from "./network.mjs";
import { onStage, overflow, picture, visit } from "./page.mjs";

const stage = onStage();
const here = dirname(fileURLToPath(import.meta.url));
/** The history that the first test saves and the last one brings to another node. */
const saved = join(tmpdir(), `weft-workbench-${process.pid}.ans104`);
after(() => rm(saved, { force: true }));

/** Opens the workbench, which makes its key first. */
async function open(url, options) {
  const opened = await visit(stage.browser, `${url}#/own`, options);
  await opened.page.waitForSelector("[data-place]", { timeout: 120_000 });
  return opened;
}

/** Spawns what the editor holds, and waits for what it answers first; its id. */
async function spawn(page, name) {
  const before = await page.locator("[data-process]").count();
  await page.fill("#bench-name", name);
  await page.click("#bench-spawn");
  await page.waitForFunction((count) => document.querySelectorAll("[data-process]").length > count, before);
  await idle(page);
  return page.locator("[data-process][aria-pressed=true]").getAttribute("data-process");
}

const idle = (page) => page.waitForFunction(() => document.querySelector("weft-app").model.workbench.busy === "");

/** Shows a slot of the selected process, and waits for its result; the text of it. */
async function at(page, slot) {
  await page.waitForSelector(`[data-shown-slot="${slot}"]`);
  const output = page.locator("[data-output]").first();
  await output.waitFor();
  return (await output.innerText()).trim();
}

async function send(page, action, data, tags = "") {
  await page.fill("#bench-action", action);
  await page.fill("#bench-data", data);
  await page.fill("#bench-tags", tags);
  await page.click("#bench-send");
  await idle(page);
}

test("processes in the tab: spawned, written to, drawn, and stepped back through", async () => {
  const { page, faults, left } = await open(stage.site.url);
  assert.equal(await page.locator("[data-place]").getAttribute("data-place"), "page");
  const one = await spawn(page, "One");
  assert.equal(await at(page, 0), "0");
  await send(page, "Add", "40");
  assert.equal(await at(page, 1), "40");
  const other = await spawn(page, "Other");
  await page.click(`[data-process="${one}"]`);
  await send(page, "Tell", "", `Whom: ${other}`);
  assert.equal(await at(page, 2), "40");
  await page.waitForSelector(`[data-edge="${one} ${other}"][data-times="1"]`, { state: "attached" });
  await picture(page, "workbench");

  // Asked, which changes nothing; and back.
  await page.fill("#bench-action", "Add");
  await page.fill("#bench-data", "2");
  await page.click("#bench-ask");
  await page.waitForSelector("[data-answered]");
  assert.equal((await page.locator("[data-answered] [data-output]").innerText()).trim(), "42");
  await page.click("#step-back");
  assert.equal(await at(page, 1), "40");
  await page.click("#step-back");
  assert.equal(await at(page, 0), "0");
  await page.click(`[data-process="${other}"]`);
  assert.equal(await at(page, 1), "40");

  // What was there is there after a reload, under the same address.
  const address = await page.locator("#bench-address").innerText();
  await page.reload();
  await page.waitForSelector(`[data-edge="${one} ${other}"]`, { state: "attached" });
  assert.equal(await page.locator("#bench-address").innerText(), address);
  await page.click(`[data-process="${one}"]`);
  assert.equal(await at(page, 2), "40");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#bench-save")]);
  assert.equal(download.suggestedFilename(), `${one}.ans104`);
  await download.saveAs(saved);
  await page.setViewportSize({ width: 375, height: 800 });
  assert.ok((await overflow(page)) <= 0);
  assert.deepEqual([faults, left], [[], []]);
});

test("a file that is saved again is spawned again, with its messages; code that fails says so", async () => {
  const { page, faults } = await open(stage.site.url);
  await page.evaluate(async () => {
    // The browser's own chooser cannot be clicked by a test; the handle is a real one, of the site's private files.
    const folder = await navigator.storage.getDirectory();
    const handle = await folder.getFileHandle("counter.lua", { create: true });
    window.save = async (text) => {
      const file = await handle.createWritable();
      await file.write(text);
      await file.close();
    };
    await window.save(document.querySelector("#bench-code").value);
    await document.querySelector("weft-app").model.workbench.load(handle);
  });
  await page.waitForSelector("[data-watching]");
  const one = await spawn(page, "Watched");
  await send(page, "Add", "40");
  assert.equal(await at(page, 1), "40");
  await page.evaluate(() => {
    const code = document.querySelector("#bench-code").value;
    return window.save(code.replace("count = count + (tonumber(message.data) or 1)", "count = count + 2 * tonumber(message.data)"));
  });
  await page.waitForFunction((id) => {
    const chosen = document.querySelector("[data-process][aria-pressed=true]");
    return chosen && chosen.dataset.process !== id;
  }, one);
  await idle(page);
  assert.equal(await at(page, 1), "80");

  await page.fill("#bench-code", "function compute( return");
  await spawn(page, "Broken");
  await page.waitForSelector(".steps .banner.bad");
  assert.deepEqual(faults, []);
});

test("the network that serves the page, written to with a wallet", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weft-workbench-"));
  const network = await startNetwork(folder);
  const key = JSON.parse(await readFile(join(here, "../fixtures/vectors/keys.json"), "utf8")).rsa4096.jwk;
  const { page, context, faults } = await open(`${network.url}/`);
  try {
    assert.equal(await page.locator("[data-place]").getAttribute("data-place"), "server");
    await context.exposeFunction("walletSigns", async ({ data, tags, target, anchor }) => {
      const signer = new ArweaveSigner(key);
      const item = createData(data, signer, { tags, anchor, ...(target && { target }) });
      await item.sign(signer);
      return item.getRaw().toString("base64");
    });
    // The wallet that an extension puts into pages signs data items, and keeps its key.
    await page.evaluate(() => {
      window.arweaveWallet = {
        connect: async () => {},
        getActiveAddress: async () => "wtl7n8WWlAdwZ7xk93kMA0Y-Gbaa1Z_cE5G4_CQbMQY",
        signDataItem: async (item) => Uint8Array.from(atob(await window.walletSigns(item)), (char) => char.charCodeAt(0)).buffer,
      };
      document.querySelector("weft-app").model.changed();
    });
    await page.selectOption("#bench-signer", "wallet");
    await spawn(page, "Served");
    await send(page, "Add", "7");
    assert.equal(await at(page, 1), "7");
    assert.match(await page.locator(".steps .facts").innerText(), /wtl7n8WWlAdwZ7xk93kMA0Y-Gbaa1Z_cE5G4_CQbMQY/);

    // The history of a process of the tab, proved and read here, where nobody can write to it.
    await page.setInputFiles("#bench-take-in", saved);
    await page.waitForFunction(() => document.querySelectorAll("[data-process]").length === 2);
    await idle(page);
    assert.equal(await at(page, 2), "40");
    await send(page, "Add", "1");
    assert.match(await page.locator("[data-place] .banner.bad").innerText(), /another scheduler/);
    await page.setInputFiles("#bench-take-in", { name: "none.ans104", mimeType: "application/octet-stream", buffer: Buffer.from("no bundle") });
    await page.waitForFunction(() => document.querySelector("[data-place] .banner.bad")?.dataset.code === "bundle-malformed");
    assert.deepEqual(faults, []);
  } finally {
    await network.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
