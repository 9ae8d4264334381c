// Bundles the page and its worker, and puts what they load beside them; or the client and its worker, without a page.
//   node build.mjs --out DIR [--release] [--client]
// Before it: wasm-bindgen has written ../web/pkg. Afterwards DIR is the whole page but for demo.bin, or weft.js and what it starts.

import { copyFile, mkdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { out: { type: "string" }, release: { type: "boolean", default: false }, client: { type: "boolean", default: false } } });
const out = resolve(values.out ?? join(here, "../dist"));

await mkdir(out, { recursive: true });
await build({
  entryPoints: {
    ...(values.client ? { weft: join(here, "../web/js/client.ts") } : { app: join(here, "src/main.ts") }),
    worker: join(here, "../web/js/worker.ts"),
    "signature-worker": join(here, "../web/js/signature-worker.ts"),
    "node-worker": join(here, "../web/js/node/node-worker.ts"),
    "device-worker": join(here, "../web/js/node/device-worker.ts"),
    "service-worker": join(here, "../web/js/node/service-worker.ts"),
  },
  outdir: out,
  bundle: true,
  loader: { ".lua": "text" },
  format: "esm",
  target: "es2022",
  minify: values.release,
  sourcemap: values.release ? false : "inline",
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
});
const files = [...(values.client ? [] : ["index.html", "style.css"]), "../web/pkg/weft_web_bg.wasm"];
for (const file of files) {
  await copyFile(join(here, file), join(out, basename(file)));
}
