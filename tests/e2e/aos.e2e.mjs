// The whole road with real parts: `weft serve` is the network, the unmodified client (aoconnect) spawns an aos 2.0.6 process
// and talks to it, and the page syncs that process from there. What the page computed is what the network's compute unit
// answered to the client, and what npm @permaweb/ao-loader makes of the same schedule.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { schedule } from "./network.mjs";
import { ask, everything, green, history, model, picture, theBrowser, visit } from "./page.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const run = (args) => promisify(execFile)(process.execPath, args, { cwd: join(here, ".."), maxBuffer: 64 << 20 });

let browser, folder, server, net, aos, hyperAos;

before(async () => {
  assert.ok(process.env.WEFT_MODULES, "WEFT_MODULES is not set: `cargo xtask test` sets it to the folder of aos modules.");
  aos = join(process.env.WEFT_MODULES, "aos2_0_6.wasm");
  hyperAos = join(process.env.WEFT_MODULES, "hyper-aos.lua");
  folder = await mkdtemp(join(tmpdir(), "weft-aos-"));
  const keys = JSON.parse(await readFile(join(here, "../fixtures/vectors/keys.json"), "utf8"));
  await writeFile(join(folder, "wallet.json"), JSON.stringify(keys.rsa4096.jwk));
  server = spawn(process.env.WEFT_BIN, [
    "serve", "--port", "0", "--json", "--state", join(folder, "state"), "--www", process.env.WEFT_DIST,
    "--wallet", join(folder, "wallet.json"), "--module", aos,
    ...(existsSync(hyperAos) ? ["--module", hyperAos] : []),
  ], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  net = JSON.parse(line);
  browser = await theBrowser();
});

after(async () => {
  if (server) {
    server.kill();
    await once(server, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

/** Only what the network and ao-loader both give. An error that is no text has no form that two loaders share. */
const comparable = ({ Messages, Assignments, Spawns, Output, Error: error }) => ({
  Messages: Messages ?? [], Assignments: Assignments ?? [], Spawns: Spawns ?? [], Output: Output ?? "",
  failed: (error ?? null) !== null, Error: typeof error === "string" ? error : null,
});
const asLegacy = (result) => comparable({
  Messages: result.messages, Assignments: result.assignments, Spawns: result.spawns, Output: result.output, Error: result.error,
});

test("an aos process of the real client: the page's results are the compute unit's and ao-loader's", async () => {
  const { stdout } = await run(["aoconnect/client.mjs", net.url, join(folder, "wallet.json"), net.modules[0].id, "brief"]);
  const seen = JSON.parse(stdout);
  const out = join(folder, "reference.json");
  await run(["--experimental-wasm-memory64", "aoconnect/reference.mjs", net.url, seen.process, aos, out]);
  const reference = JSON.parse(await readFile(out, "utf8"));
  assert.ok(reference.length >= 11, `${reference.length} slots`);

  // From the form, with the shortcut that a page of `weft serve` offers.
  const { page, left, faults } = await visit(browser, `${net.url}/#/new`);
  await page.fill("input[name=process]", seen.process);
  await page.click("#local");
  await page.waitForFunction(() => document.querySelectorAll(".urls input").length === 2);
  await page.click(".form button.primary");
  await green(page, 600_000);
  const { results } = await history(page);
  assert.equal(results.length, reference.length);
  for (const [slot, expected] of reference.entries()) {
    assert.equal(results[slot].slot, expected.slot);
    assert.deepEqual(asLegacy(results[slot]), comparable(expected), `slot ${slot}: ao-loader`);
  }
  for (const { id, result } of seen.messages) {
    const mine = results.find(({ message }) => message === id);
    assert.deepEqual(asLegacy(mine), comparable(result), `slot ${mine.slot}: what the client was answered`);
  }
  const failing = results.findIndex(({ error }) => error !== null);
  assert.ok(failing > 0, "one message failed");
  await page.click(`[data-slot="${failing}"]`);
  await page.waitForSelector(`[data-shown-slot="${failing}"]`);
  await picture(page, "aos");

  // The prompt: the process evaluates code on a copy of itself, and the next line finds it as it was.
  const before = await everything(page);
  assert.deepEqual(await ask(page, "1 + 1"), { output: "2", code: null, noEval: false, notReplayable: false });
  assert.equal((await ask(page, "Prompted = 5; return Prompted")).output, "5");
  assert.equal((await ask(page, "return tostring(Prompted)")).output, "nil");
  assert.equal((await ask(page, "return ao.id")).output, seen.process);
  const wrong = await ask(page, "error('as asked')");
  assert.deepEqual([wrong.code, wrong.noEval], ["error", false]);
  await page.locator(".repl").screenshot({ path: join(process.env.WEFT_ARTEFACTS, "repl-aos.png") });
  await page.evaluate(() => addEventListener("weft-cancelled", (event) => { window.cancelled = event.detail; }, { once: true }));
  await page.fill("#repl-input", "while true do end");
  await page.press("#repl-input", "Enter");
  await page.click("#repl-cancel");
  await page.waitForSelector(".lines [data-code=cancelled]");
  // The browser's own engine cannot stop inside of a message: its worker is replaced.
  const cancelled = await page.waitForFunction(() => window.cancelled);
  const { ms: stopped, restarted } = await cancelled.jsonValue();
  assert.ok(stopped <= 200 && restarted, `stopped after ${stopped} ms, replaced: ${restarted}`);
  assert.deepEqual(await everything(page), before, "history and state are what they were");

  // A message that computes for seconds: Cancel does not wait for it.
  const spin = await run(["--input-type=module", "-e", `
    import { readFileSync } from "node:fs";
    import { connect, createDataItemSigner } from "@permaweb/aoconnect";
    const ao = connect({ MODE: "legacy", GATEWAY_URL: "${net.gateway}", MU_URL: "${net.mu}", CU_URL: "${net.cu}" });
    const signer = createDataItemSigner(JSON.parse(readFileSync("${join(folder, "wallet.json")}", "utf8")));
    console.log(await ao.message({ process: "${seen.process}", signer, data: "for _ = 1, 3000000 do end", tags: [{ name: "Action", value: "Eval" }] }));
  `]);
  assert.match(spin.stdout.trim(), /^[\w-]{43}$/);
  // In the page itself, on wasmi: once more is proved than replayed, the worker is inside of that message, and still tells how
  // far it is.
  await model(page, (model) => model.setEngine("reference"));
  await page.evaluate(() => new Promise((done) => {
    const { model } = document.querySelector("weft-app");
    const look = () => {
      const button = document.querySelector("#cancel");
      if (!button || !(model.phases.get("verify")?.done > 0)) return void requestAnimationFrame(look);
      button.click();
      done();
    };
    document.querySelector("#sync").click();
    look();
  }));
  const told = page.locator("[data-cancel-ms]");
  await told.waitFor();
  const ms = Number(await told.getAttribute("data-cancel-ms"));
  assert.ok(ms <= 200, `stopped after ${ms} ms`);
  assert.equal(await model(page, ({ lastCancel }) => lastCancel.restarted), false, "the worker stopped by itself, in the middle of a message");
  const summary = await model(page, async ({ weft, process }) => (await weft.processes()).find((one) => one.process === process));
  assert.equal(summary.replayed, reference.length - 1, "what was stored stands");
  assert.deepEqual(left, []);
  assert.deepEqual(faults, []);
});

test("a hyper-aos process: Eval at the prompt on a copy of it, history untouched", async (t) => {
  // Its text is fetched once, and is in no package: without the network there is none.
  if (!existsSync(hyperAos)) return t.diagnostic("hyper-aos.lua is not in WEFT_MODULES, nothing was asked");
  // Its module is known to be Lua by its content type alone: the process names no device.
  const named = (tags) => Object.entries({ "Data-Protocol": "ao", Variant: "ao.TN.1", ...tags }).map(([name, value]) => ({ name, value }));
  const id = await schedule(net, {
    tags: named({ Type: "Process", Module: net.modules[1].id, Scheduler: net.address, Authority: net.address }),
  });
  await schedule(net, {
    target: id, data: "Count = 40", tags: named({ Type: "Message", Action: "Eval", "From-Process": net.address }),
  });
  const { page, left, faults } = await visit(browser, `${net.url}/#/new`);
  await page.fill("input[name=process]", id);
  await page.click("#local");
  await page.waitForFunction(() => document.querySelectorAll(".urls input").length === 2);
  await page.click(".form button.primary");
  await green(page);
  assert.equal(await page.locator("[data-engine]").getAttribute("data-engine"), "lua");
  const before = await everything(page);
  await page.click(".ways label:has([value=eval])");
  for (const [line, output] of [["1 + 1", "2"], ["Count + 2", "42"], ["Count = 7; return Count", "7"], ["Count", "40"]]) {
    assert.deepEqual(await ask(page, line), { output, code: null, noEval: false, notReplayable: false }, line);
  }
  const wrong = await ask(page, "error('as asked')");
  assert.deepEqual([wrong.code, wrong.noEval], ["lua-failed", false]);
  assert.ok((await page.locator(".lines [data-code=lua-failed]").innerText()).length < 300, "what the node says, without its trace");
  assert.equal((await ask(page, "Count")).output, "40");
  assert.deepEqual(await everything(page), before, "history and state are what they were");
  await page.locator(".repl").screenshot({ path: join(process.env.WEFT_ARTEFACTS, "repl-hyper-aos.png") });
  assert.deepEqual(left, []);
  assert.deepEqual(faults, []);
});
