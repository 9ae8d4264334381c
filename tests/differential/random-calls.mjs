// Random modules, as they are and rewritten, on the WebAssembly that runs this: see random.mjs. Imports nothing, so that it runs in a page as well.

const view = new DataView(new ArrayBuffer(8));
const hex32 = (value) => (view.setFloat32(0, value), view.getUint32(0).toString(16));
const hex64 = (value) => (view.setFloat64(0, value), view.getBigUint64(0).toString(16));
const zero = { I32: 0, I64: 0n, F32: 0, F64: 0 };
const shown = {
  I32: (value) => `${value}i32`,
  I64: (value) => `${value}i64`,
  F32: (value) => `${hex32(value)}f32`,
  F64: (value) => `${hex64(value)}f64`,
};
const text = (type, value) => (shown[type] ?? ((reference) => String(reference === null)))(value);
const ours = (name) => name.startsWith('weft:');

/** What `Traced` of the test has for a memory: cheap, and another for every change. */
function digest(memory) {
  const words = new Uint32Array(memory.buffer.slice(0));
  let hash = 0x811c9dc5;
  for (const word of words) hash = Math.imul((hash ^ word) >>> 0, 0x01000193) ^ (hash >>> 15);
  return hash >>> 0;
}

function start(bytes, gas) {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    weft: {
      gas: () => { throw new Error('out of gas'); },
      uncaught: () => { throw new Error('uncaught'); },
      grow: (pages) => {
        try {
          return memoryOf(instance).grow(pages);
        } catch {
          return typeof pages === 'bigint' ? -1n : -1;
        }
      },
    },
  });
  if (instance.exports['weft:gas']) instance.exports['weft:gas'].value = gas;
  instance.exports['weft:start']?.();
  return instance;
}

const memoryOf = ({ exports }) => Object.entries(exports).find(([name, value]) => !ours(name) && value instanceof WebAssembly.Memory)?.[1];
const bytesOf = (memory) => new Uint8Array(memory.buffer.slice(0));

/** One call, as the trace has it. What saved pages were for is looked at on the way. */
function call(instance, { name, types: [params, results] }, gas) {
  const { exports } = instance;
  const memory = memoryOf(instance);
  if (exports['weft:gas']) exports['weft:gas'].value = gas;
  exports['weft:keep']?.();
  const before = memory && exports['weft:back'] ? bytesOf(memory) : null;
  let answer;
  try {
    const given = exports[name](...params.map((type) => zero[type] ?? null));
    const list = results.length === 0 ? [] : results.length === 1 ? [given] : [...given];
    answer = list.map((value, at) => text(results[at], value)).join(' ');
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    answer = null;
  }
  const left = exports['weft:gas'] ? String(exports['weft:gas'].value) : null;
  if (before) goesBack(memory, before, exports);
  return { answer, gas: left, memory: memory?.buffer.byteLength ? digest(memory) : 0 };
}

function goesBack(memory, before, exports) {
  const after = bytesOf(memory);
  exports['weft:back']();
  const now = new Uint8Array(memory.buffer);
  if (!before.every((byte, at) => now[at] === byte)) throw new Error('another memory after the way back');
  now.set(after);
}

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));

/** For each module what each of its calls came to, as it was made and rewritten. */
export function run(modules) {
  return modules.map(({ original, rewritten, calls, gas }) => {
    const full = BigInt(gas);
    const [one, two] = [original, rewritten].map((hex) => start(bytes(hex), full));
    return calls.map((each) => ({ original: call(one, each, full), rewritten: call(two, each, full) }));
  });
}
