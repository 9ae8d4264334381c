// The runtime inside Chromium against npm @permaweb/ao-loader: each outcome of the differential workload and the SHA-256 of the
// memory every 10 messages, in both modes. On the browser's own engine all messages, the memory every 40 (to hash it takes longer
// than the messages do); on wasmi the first 30 (natively it runs them all). Both must count the same gas.

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

let all, browser, folder, served;

before(async () => {
  for (const name of ["WEFT_MODULES", "WEFT_RUNTIME"]) {
    assert.ok(process.env[name], `${name} is not set: \`cargo xtask test\` sets it.`);
  }
  folder = await mkdtemp(join(tmpdir(), "weft-differential-"));
  all = JSON.parse((await node("differential/workload.mjs")).stdout);
  served = await servePage(process.env.WEFT_RUNTIME, "/");
  browser = await launch();
});

after(async () => {
  await browser?.close();
  served?.close();
  await rm(folder, { recursive: true, force: true });
});

// The loader's answers to the first messages, and what they are compared with.
async function compared(module, format, mode, count, every = 10) {
  const path = join(process.env.WEFT_MODULES, module);
  const files = ["workload", "answers"].map((what) => join(folder, `${module}.${mode}.${count}.${what}.json`));
  const workload = JSON.stringify({ ...all, messages: all.messages.slice(0, count) });
  await writeFile(files[0], workload);
  await node("--experimental-wasm-memory64", "differential/reference.mjs", path, format, ...files, mode, String(every));
  return [(await readFile(path)).toString("base64"), format, workload, await readFile(files[1], "utf8")];
}

// What was equal, on an engine in a page of its own.
async function on(engine, given) {
  const page = await browser.newPage();
  await page.goto(new URL("index.html", served.url).href);
  const numbers = await page.evaluate(async ([module, ...rest]) => {
    const runtime = await import("/bench.js");
    await runtime.default();
    const bytes = Uint8Array.from(atob(module), (char) => char.charCodeAt(0));
    return [...runtime.compare(bytes, ...rest)];
  }, [...given, engine]);
  await page.close();
  const [messages, memories, rolledBack, ...gas] = numbers;
  return { messages, memories, rolledBack, gas };
}

for (const [module, format] of MODULES) {
  for (const mode of ["keep", "roll-back"]) {
    test(`${module}, ${mode}: ${MESSAGES} messages give ao-loader's results and memory, and the same gas`, async () => {
      const given = await compared(module, format, mode, MESSAGES);
      const [native, wasmi] = [await on("native", given), await on("wasmi", given)];
      assert.deepEqual(native, wasmi);
      assert.equal(wasmi.messages, MESSAGES);
      assert.ok(wasmi.memories >= MESSAGES / 10, `${wasmi.memories} memories`);
      assert.equal(wasmi.rolledBack > 0, mode === "roll-back", `${wasmi.rolledBack} rolled back`);
    });
  }

  test(`${module}: all messages on the browser's own engine give ao-loader's results and memory`, async () => {
    const { messages, memories } = await on("native", await compared(module, format, "keep", all.messages.length, 40));
    assert.equal(messages, all.messages.length);
    assert.ok(messages >= 200 && memories >= Math.floor(messages / 40), `${messages} messages, ${memories} memories`);
  });
}
