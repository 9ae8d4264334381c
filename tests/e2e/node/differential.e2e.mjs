// The runtime inside Chromium against npm @permaweb/ao-loader: the first 30 messages of the differential workload, each
// outcome and the SHA-256 of the memory every 10 messages, in both modes. The whole workload runs natively.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { launch, servePage } from "../page.mjs";

const MESSAGES = 30;
const MODULES = [
  ["aos2_0_6.wasm", "wasm64-unknown-emscripten-draft_2024_02_15"],
  ["aos2_0_4_32.wasm", "wasm32-unknown-emscripten4"],
];

const here = dirname(fileURLToPath(import.meta.url));
const node = (...args) =>
  promisify(execFile)(process.execPath, args, { cwd: join(here, "../.."), maxBuffer: 64 << 20, env: { ...process.env, TZ: "UTC" } });

let browser, folder, served, workload;

before(async () => {
  for (const name of ["WEFT_MODULES", "WEFT_RUNTIME"]) {
    assert.ok(process.env[name], `${name} is not set: \`cargo xtask test\` sets it.`);
  }
  folder = await mkdtemp(join(tmpdir(), "weft-differential-"));
  const { env, messages } = JSON.parse((await node("differential/workload.mjs")).stdout);
  workload = JSON.stringify({ env, messages: messages.slice(0, MESSAGES) });
  await writeFile(join(folder, "workload.json"), workload);
  served = await servePage(process.env.WEFT_RUNTIME, "/");
  browser = await launch();
});

after(async () => {
  await browser?.close();
  served?.close();
  await rm(folder, { recursive: true, force: true });
});

for (const [module, format] of MODULES) {
  for (const mode of ["keep", "roll-back"]) {
    test(`${module}, ${mode}: ${MESSAGES} messages give ao-loader's results and memory`, async () => {
      const path = join(process.env.WEFT_MODULES, module);
      const out = join(folder, `${module}.${mode}.json`);
      await node("--experimental-wasm-memory64", "differential/reference.mjs", path, format, join(folder, "workload.json"), out, mode);
      const given = [(await readFile(path)).toString("base64"), format, workload, await readFile(out, "utf8")];
      const page = await browser.newPage();
      await page.goto(new URL("index.html", served.url).href);
      const [messages, memories, rolledBack] = await page.evaluate(async ([module, ...rest]) => {
        const runtime = await import("/bench.js");
        await runtime.default();
        const bytes = Uint8Array.from(atob(module), (char) => char.charCodeAt(0));
        return [...runtime.compare(bytes, ...rest)];
      }, given);
      await page.close();
      assert.equal(messages, MESSAGES);
      assert.ok(memories >= MESSAGES / 10, `${memories} memories`);
      assert.equal(rolledBack > 0, mode === "roll-back", `${rolledBack} rolled back`);
    });
  }
}
