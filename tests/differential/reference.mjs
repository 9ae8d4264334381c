// What npm @permaweb/ao-loader answers to the workload, and the SHA-256 of its memory after EVERY messages (10).
//
//   TZ=UTC node --experimental-wasm-memory64 tests/differential/reference.mjs MODULE FORMAT WORKLOAD OUT keep|roll-back [EVERY]
//
// keep: one instance, its memory stays in place.
// roll-back: as the legacy CU drives the loader: each call begins with the memory of the last good message, and an Error or
// an exception drops the instance. That memory is passed in only where the instance has another one.
// WORKLOAD may say from which message on (memory_until) the memory is not to be compared.
// UNSAFE_MEMORY gives the memory out without a copy: a new one of 110 MB for each message would take most of the time.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const loader = require("@permaweb/ao-loader");
const [module, format, workload, out, mode, every = "10"] = process.argv.slice(2);
const binary = readFileSync(module);
const { env, messages, drive, memory_until = messages.length } = JSON.parse(readFileSync(workload, "utf8"));

// The loader's modules write to the console, and the loader leaves it replaced after an exception.
console.log = console.error = console.warn = () => {};

/** What a gateway with these files answers to WeaveDrive. A range that ends before it begins is ignored, as HTTP asks for. */
function gateway({ data, block, tx }) {
  return async (url, { method, headers, body } = {}) => {
    const [, first, second, third] = new URL(url).pathname.split("/");
    if (first === "graphql") {
      const there = Object.entries(data).some(([id, text]) => text !== null && body.includes(id));
      return Response.json({ data: { transactions: { edges: there ? [{}] : [] } } });
    }
    if (first === "block") return new Response(block[third]);
    if (first === "tx") return Response.json(tx[second]);
    const file = Buffer.from(data[first]);
    if (method === "HEAD") return new Response(null, { headers: { "Content-Length": String(file.length) } });
    const [start, end] = /bytes=(\d+)-(\d+)/.exec(headers.Range).slice(1).map(Number);
    if (start > end) return new Response(file);
    if (start >= file.length) return new Response("", { status: 416 });
    return new Response(file.subarray(start, end + 1), { status: 206 });
  };
}
if (drive) globalThis.fetch = gateway(drive);
const items = { spawn: { tags: env.Process.Tags }, module: { tags: env.Module.Tags } };
const weavedrive = drive && { WeaveDrive: require("@permaweb/weavedrive"), ARWEAVE: "https://arweave.net", ...items };
const instantiate = () => loader(binary, { format, UNSAFE_MEMORY: true, ...weavedrive });
const sha256 = (memory) => createHash("sha256").update(new Uint8Array(memory)).digest("hex");
/** The root over a memory, by the words of docs/wasm.md alone. */
function memoryRoot(memory) {
  const of = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
  const bytes = new Uint8Array(memory.buffer ?? memory, memory.byteOffset ?? 0, memory.byteLength);
  let zero = of(Uint8Array.of(0), new Uint8Array(4096));
  let nodes = Array.from({ length: bytes.length / 4096 }, (_, at) => of(Uint8Array.of(0), bytes.subarray(at * 4096, (at + 1) * 4096)));
  do {
    const branches = Math.max(1, Math.ceil(nodes.length / 64));
    nodes = Array.from({ length: branches }, (_, at) => of(Uint8Array.of(1), ...Array.from({ length: 64 }, (_, child) => nodes[at * 64 + child] ?? zero)));
    zero = of(Uint8Array.of(1), ...Array(64).fill(zero));
  } while (nodes.length > 1);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(bytes.length));
  return of(Uint8Array.of(2), size, nodes[0]).toString("base64url");
}
/** A copy, in the same buffer each time if it is large enough. */
const copied = (memory, into) => {
  const kept = into?.buffer.byteLength >= memory.byteLength ? new Uint8Array(into.buffer, 0, memory.byteLength) : new Uint8Array(memory.byteLength);
  kept.set(new Uint8Array(memory.buffer ?? memory, memory.byteOffset ?? 0, memory.byteLength));
  return kept;
};
const BUFFER_ERROR = "not enough memory for buffer allocation";

let instance = await instantiate();
let memory = null;
let same = true; // whether the instance has that memory
let hashWanted = false;
const results = [];
for (const [slot, message] of messages.entries()) {
  const result = {};
  let answer;
  let thrown;
  try {
    answer = await instance(same ? null : memory, message, env);
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
    same = memory === null;
  } else {
    const output = typeof answer.Output === "string" ? answer.Output : (answer.Output?.data?.output ?? "");
    same = answer.Memory !== undefined && !(typeof output === "string" && output.endsWith(BUFFER_ERROR));
    if (same) memory = copied(answer.Memory, memory);
  }
  hashWanted ||= slot % Number(every) === Number(every) - 1 || slot === messages.length - 1;
  // In place, an exception leaves us without a view of the memory: the next answer has one.
  if (hashWanted && slot < memory_until && memory && (mode !== "keep" || answer.Memory)) {
    result.memory_sha256 = sha256(memory);
    result.memory_bytes = memory.byteLength;
    if (slot >= Math.min(memory_until, messages.length) - Number(every)) result.memory_root = memoryRoot(memory);
    hashWanted = false;
  }
  results.push(result);
}
writeFileSync(out, JSON.stringify({ mode, format, results }));
// A module that ends itself has set the exit code.
process.exit(0);
