// Wasm processes in Chromium: Weft's engines beside npm @permaweb/ao-loader, one run, one browser.
//
//   node tests/bench/wasm.mjs MODULE FORMAT WORKLOAD RUNTIME LOADER [PARTS]      env CHROMIUM: the browser
//
// RUNTIME is the folder that `wasm-bindgen --target web` made of web/examples/bench.rs; LOADER is ao-loader as one script.
// Each part runs in a page of its own. Prints one line of JSON.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

import { chromium } from "playwright-core";

const [module, format, workloadFile, runtime, loader, only] = process.argv.slice(2);
const workload = JSON.parse(await readFile(workloadFile, "utf8"));
/** Slow ways get fewer of the small messages. */
const FEW = 12;

const files = {
  "/": ["text/html", "<!doctype html><title>bench</title><script type=module src=wasm-page.js></script>"],
  "/wasm-page.js": ["text/javascript", await readFile(new URL("wasm-page.js", import.meta.url))],
  "/bench.js": ["text/javascript", await readFile(join(runtime, "bench.js"))],
  "/bench_bg.wasm": ["application/wasm", await readFile(join(runtime, "bench_bg.wasm"))],
  "/loader.js": ["text/javascript", await readFile(loader)],
  "/module.wasm": ["application/wasm", await readFile(module)],
};
const server = createServer(({ url }, response) => {
  const [type, body] = files[url] ?? [];
  response.writeHead(body ? 200 : 404, {
    "content-type": type ?? "text/plain",
    // A finer clock.
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  });
  response.end(body ?? "");
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
});

const few = { ...workload, small: FEW };
const metering = format.startsWith("wasm32") ? "wasm32-unknown-emscripten-metering" : "wasm64-unknown-emscripten-draft_2024_10_16-metering";
const engines = [
  ["ao-loader, in place", "loader", { format, workload, mode: "in-place" }],
  ["weft, the browser's engine", "weft", { format, workload, engine: "native" }],
  ["weft, wasmi", "weft", { format, workload, engine: "wasmi" }],
  ["ao-loader, copying (its default)", "loader", { format, workload: few, mode: "copying" }],
  ["ao-loader, metered", "loader", { format: metering, workload: few, mode: "in-place" }],
];
const answer = { browser: browser.version(), engines: [] };
for (const [name, part, given] of engines) {
  if (only && !name.includes(only)) continue;
  answer.engines.push({ engine: name, ...(await inPage(part, given)) });
}
console.log(JSON.stringify(answer));
await browser.close();
server.close();

async function inPage(part, given) {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  if (part === "loader") await page.addScriptTag({ url: "loader.js" });
  await page.waitForFunction(() => window.bench);
  const said = await page.evaluate(([part, given]) => window.bench(part, given), [part, given]);
  await page.close();
  return said;
}
