// npm @permaweb/ao-loader in the bench.
//
//   node [--experimental-wasm-memory64] tests/bench/loader.mjs MODULE FORMAT WORKLOAD in-place|copying
//
// in-place: the memory stays in the instance. copying: the loader's default, the memory goes in and comes out with each call.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { measure } from "./measure.mjs";

const loader = createRequire(import.meta.url)("@permaweb/ao-loader");
const [module, format, workload, mode] = process.argv.slice(2);
const inPlace = mode === "in-place";

// The loader's modules write to the console.
const print = process.stdout.write.bind(process.stdout);
console.log = console.error = console.warn = () => {};

const line = await measure(workload, async (env) => {
  const handle = await loader(readFileSync(module), { format, UNSAFE_MEMORY: inPlace });
  let memory = null;
  return async (message) => {
    const answer = await handle(inPlace ? null : memory, message, env);
    if (answer.Error) throw new Error(JSON.stringify(answer.Error));
    memory = answer.Memory;
    return answer.Output;
  };
});
print(`${line}\n`, () => process.exit(0));
