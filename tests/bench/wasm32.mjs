// weft-wasm, itself compiled to wasm32, in the bench: what a browser runs, under node.
//
//   node tests/bench/wasm32.mjs MODULE FORMAT WORKLOAD BINDINGS ENGINE
//
// ENGINE is wasmi or native. BINDINGS is what `wasm-bindgen --target nodejs` made of web/examples/bench.rs.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { measure } from "./measure.mjs";

const [module, format, workload, bindings, engine] = process.argv.slice(2);
const { Bench } = createRequire(import.meta.url)(bindings);

const line = await measure(workload, async (env) => {
  const bench = new Bench(readFileSync(module), format, JSON.stringify(env), engine);
  return async (message) => JSON.parse(bench.step(JSON.stringify(message)));
});
process.stdout.write(`${line}\n`);
