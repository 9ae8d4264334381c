// What npm @permaweb/ao-loader answers to the workload, and the SHA-256 of its memory.
//
//   TZ=UTC node --experimental-wasm-memory64 tests/differential/reference.mjs MODULE FORMAT WORKLOAD OUT keep|roll-back
//
// keep: one instance, its memory stays in place (no memory is passed in, and UNSAFE_MEMORY gives it out without a copy).
// roll-back: as the legacy CU drives the loader: the memory of the last good message goes into each call, and an Error or
// an exception drops the instance.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const loader = createRequire(import.meta.url)("@permaweb/ao-loader");
const [module, format, workload, out, mode] = process.argv.slice(2);
const binary = readFileSync(module);
const { env, messages } = JSON.parse(readFileSync(workload, "utf8"));

// The loader's modules write to the console, and the loader leaves it replaced after an exception.
console.log = console.error = console.warn = () => {};

const instantiate = () => loader(binary, { format, UNSAFE_MEMORY: mode === "keep" });
const sha256 = (memory) => createHash("sha256").update(new Uint8Array(memory)).digest("hex");
const BUFFER_ERROR = "not enough memory for buffer allocation";

let instance = await instantiate();
let memory = null;
let hashWanted = false;
const results = [];
for (const [slot, message] of messages.entries()) {
  const result = {};
  let answer;
  let thrown;
  try {
    const previous = mode === "keep" ? null : ArrayBuffer.isView(memory) ? memory : new Uint8Array(memory);
    answer = await instance(previous, message, env);
  } catch (error) {
    thrown = true;
    answer = { Error: error };
  }
  // An exception of JavaScript has no JSON; which one it was is for the reader.
  if (thrown && typeof answer.Error === "object" && "message" in answer.Error) {
    result.exception = `${answer.Error.name}: ${answer.Error.message}`;
  } else {
    result.Error = answer.Error ?? null;
  }
  for (const name of ["Output", "Messages", "Spawns", "Assignments", "Patches"]) result[name] = answer[name] ?? null;
  const failed = Boolean(answer.Error);
  if (mode === "keep") {
    if (answer.Memory) memory = answer.Memory;
  } else if (failed) {
    instance = await instantiate();
  } else {
    const output = typeof answer.Output === "string" ? answer.Output : (answer.Output?.data?.output ?? "");
    if (!(typeof output === "string" && output.endsWith(BUFFER_ERROR))) memory = answer.Memory ?? memory;
  }
  hashWanted ||= slot % 10 === 9 || slot === messages.length - 1;
  // In place, an exception leaves us without a view of the memory: the next answer has one.
  if (hashWanted && memory && (mode !== "keep" || answer.Memory)) {
    result.memory_sha256 = sha256(memory);
    result.memory_bytes = memory.byteLength;
    hashWanted = false;
  }
  results.push(result);
}
writeFileSync(out, JSON.stringify({ mode, format, results }));
// A module that ends itself has set the exit code.
process.exit(0);
