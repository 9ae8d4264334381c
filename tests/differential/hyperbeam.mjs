// What V8 makes of a module that HyperBEAM runs as it is, with the imports that a node's devices give it: wasm-64@1.0 (dev_wasm.erl,
// hb_beamr: `invoke_*` calls the table, an import that nobody answers is 0) and wasi@1.0 (dev_wasi.erl: `clock_time_get` is 1, writing
// to a descriptor fails).
//
//   node --experimental-wasm-memory64 tests/differential/hyperbeam.mjs MODULE FORMAT WORKLOAD OUT [MODE] [EVERY]
//
// WORKLOAD has messages, which go to `handle` as json-iface@1.0 puts them there, or calls: [name, [argument, ...]] of exported
// functions, arguments being bits in decimal. OUT is for messages as of reference.mjs; for calls a list of
// {result: [type, bits] or null, failed, memory_sha256}. Without calls, `calls: "all"` asks for every function with some arguments.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const [file, format, workload, out, mode = 'keep', every = '10'] = process.argv.slice(2);
const binary = readFileSync(file);
const module = new WebAssembly.Module(binary);

/** The types of the exported functions and of the imports, which JavaScript does not tell. */
function types(bytes) {
  let at = 8;
  const number = () => {
    let [value, shift, byte] = [0, 0, 0];
    do {
      byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      shift += 7;
    } while (byte > 127);
    return value;
  };
  const name = () => {
    const length = number();
    at += length;
    return bytes.subarray(at - length, at).toString();
  };
  const NAMES = { 0x7f: 'i32', 0x7e: 'i64', 0x7d: 'f32', 0x7c: 'f64' };
  const list = () => Array.from({ length: number() }, () => NAMES[bytes[at++]]);
  const [signatures, functions, imports, exports] = [[], [], [], {}];
  while (at < bytes.length) {
    const id = bytes[at++];
    const length = number();
    const end = at + length;
    if (id === 1) {
      for (let count = number(); count > 0; count -= 1) {
        at += 1;
        signatures.push({ params: list(), results: list() });
      }
    } else if (id === 2) {
      for (let count = number(); count > 0; count -= 1) {
        const [from, what] = [name(), name()];
        at += 1;
        const type = number();
        functions.push(type);
        imports.push({ from, what, ...signatures[type] });
      }
    } else if (id === 3) {
      for (let count = number(); count > 0; count -= 1) functions.push(number());
    } else if (id === 7) {
      for (let count = number(); count > 0; count -= 1) {
        const what = name();
        const kind = bytes[at++];
        const index = number();
        if (kind === 0) exports[what] = signatures[functions[index]];
      }
    }
    at = end;
  }
  return { imports, exports };
}
const { imports, exports } = types(binary);

let instance;
const memory = () => instance.exports.memory;
const bytes = () => new Uint8Array(memory()?.buffer ?? new ArrayBuffer(0));
const write = (at, data) => new Uint8Array(memory().buffer, Number(at), data.length).set(data);
const wasi = {
  fd_write: (fd, vectors, count, written) => {
    if (count !== 0n) throw new Error('the descriptor has no bytes');
    write(written, new Uint8Array(8));
    return 0;
  },
  fd_read: (fd, vectors, count, read) => {
    if (count !== 0n && fd !== 0) throw new Error('the descriptor has no bytes');
    write(read, new Uint8Array(8));
    return 0;
  },
  clock_time_get: () => 1,
};
// The test device of a node multiplies.
const library = { mul: (a, b) => Math.imul(a, b) };
const given = {};
for (const { from, what, results } of imports) {
  const number = results[0] === 'i64' ? 0n : 0;
  const answer = what.startsWith('invoke_')
    ? (place, ...args) => {
        if (args.length > 0) instance.exports.__indirect_function_table.get(Number(BigInt.asUintN(32, BigInt(place))))(...args);
        return number;
      }
    : ((from === 'wasi_snapshot_preview1' && wasi[what]) || (from === 'my_lib' && library[what]) || (() => number));
  (given[from] ??= {})[what] = answer;
}
instance = new WebAssembly.Instance(module, given);
instance.exports._initialize?.();

const view = new DataView(new ArrayBuffer(8));
const value = (type, bits) => {
  view.setBigUint64(0, BigInt(bits), true);
  return { i32: () => view.getInt32(0, true), i64: () => view.getBigInt64(0, true), f32: () => view.getFloat32(0, true), f64: () => view.getFloat64(0, true) }[type]();
};
const bits = (type, number) => {
  view.setBigUint64(0, 0n, true);
  ({ i32: () => view.setInt32(0, number, true), i64: () => view.setBigInt64(0, number, true), f32: () => view.setFloat32(0, number, true), f64: () => view.setFloat64(0, number, true) })[type]();
  return String(view.getBigUint64(0, true));
};
const sha256 = () => createHash('sha256').update(bytes()).digest('hex');

/** Bits of some numbers of a type. */
const SOME = { i32: [0, 1, 5, 65536], i64: [0, 1, 5, 65536], f32: [0, 1, 2.5, 7].map((x) => bits('f32', x)), f64: [0, 1, 5, 20].map((x) => bits('f64', x)) };
const every_function = () =>
  Object.entries(exports)
    .filter(([, type]) => type.results.length < 2)
    .flatMap(([name, { params }]) => [0, 1, 2, 3].map((at) => [name, params.map((type, place) => String(SOME[type][(at + place) % 4]))]));

const { env, messages, calls, memory_until = messages?.length } = JSON.parse(readFileSync(workload, 'utf8'));
if (calls) {
  const all = calls === 'all' ? every_function() : calls;
  const answers = all.map(([name, args]) => {
    const { params, results } = exports[name];
    let [result, failed] = [null, null];
    try {
      const given = instance.exports[name](...args.map((arg, at) => value(params[at], arg)));
      if (results.length > 0) result = [results[0], bits(results[0], given)];
    } catch (error) {
      failed = error.message;
    }
    return { name, args: args.map((arg, at) => [params[at], arg]), result, failed, memory_sha256: sha256() };
  });
  writeFileSync(out, JSON.stringify(answers));
  process.exit(0);
}

const text = (string) => {
  const data = Buffer.from(`${string}\0`);
  const at = instance.exports.malloc(BigInt(data.length));
  if (at === 0n) throw new Error('malloc failed');
  write(at, data);
  return at;
};
const environment = JSON.stringify(env);
const results = messages.map((message, slot) => {
  const result = {};
  let answer = {};
  try {
    const [from, process] = [text(JSON.stringify(message)), text(environment)];
    const at = Number(instance.exports.handle(from, process));
    const all = bytes();
    const said = JSON.parse(Buffer.from(all.subarray(at, all.indexOf(0, at))).toString());
    if (said.ok) answer = said.response;
    else result.Error = said.response ?? null;
  } catch (error) {
    result.exception = `${error.name}: ${error.message}`;
  }
  result.Error ??= answer.Error ?? null;
  for (const name of ['Output', 'Messages', 'Spawns', 'Assignments', 'Patches']) result[name] = answer[name] ?? null;
  if (slot < memory_until && (slot % Number(every) === Number(every) - 1 || slot === messages.length - 1)) {
    result.memory_sha256 = sha256();
    result.memory_bytes = bytes().length;
  }
  return result;
});
writeFileSync(out, JSON.stringify({ mode, format, results }));
process.exit(0);
