// The steps of the specification's tests on the WebAssembly that runs this: see spec.mjs. Imports nothing, so that it runs in a page as well.

const MEMORY = 'the memory, for the test';
const MUCH = 2n ** 62n;

const view = new DataView(new ArrayBuffer(8));
const number = ({ type, bits }) => {
  if (type === 'i32') return Number(bits) | 0;
  if (type === 'i64') return BigInt.asIntN(64, BigInt(bits));
  if (type === 'null') return null;
  if (type === 'f32') {
    view.setUint32(0, Number(bits));
    return view.getFloat32(0);
  }
  view.setBigUint64(0, BigInt(bits));
  return view.getFloat64(0);
};
const isNaNValue = (value) => Number.isNaN(number(value));

const nothing = () => undefined;
const spectest = Object.fromEntries(['', '_i32', '_i64', '_f32', '_f64', '_i32_f32', '_f64_f64'].map((types) => [`print${types}`, nothing]));
let registered = { spectest };
const instances = new Map();

function start(hex) {
  const module = new WebAssembly.Module(Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16)));
  let instance;
  const grow = (pages) => {
    const wide = typeof pages === 'bigint';
    // Before 64-bit memories were settled, they took a number as well.
    for (const size of wide ? [BigInt.asUintN(64, pages), Number(BigInt.asUintN(64, pages))] : [pages >>> 0]) {
      try {
        const before = instance.exports[MEMORY].grow(size);
        return wide ? BigInt(before) : before;
      } catch { /* as above, or there is no more */ }
    }
    return wide ? -1n : -1;
  };
  const gas = () => { throw new Error('out of gas'); };
  const uncaught = () => { throw new Error('uncaught'); };
  instance = new WebAssembly.Instance(module, { ...registered, weft: { gas, grow, uncaught } });
  instance.exports['weft:gas'].value = MUCH;
  instance.exports['weft:start']?.();
  return instance;
}

const skip = Symbol('skip');

function fits(found, { is, value }) {
  if (is === 'nan') return Number.isNaN(found);
  if (is === 'reference') return found !== null && found !== undefined;
  if (value.type.startsWith('f') && isNaNValue(value)) return Number.isNaN(found) && skip;
  return Object.is(found, number(value));
}

function call({ number: at, name, args, ends: { ends, with: wanted } }) {
  const { exports } = instances.get(at);
  if (args.some((arg) => arg.type.startsWith('f') && isNaNValue(arg))) return skip;
  let results;
  try {
    results = exports[name](...args.map(number));
  } catch (error) {
    if (ends === 'traps' && error instanceof WebAssembly.RuntimeError) return true;
    if (ends === 'throws' && error.message === 'uncaught') return true;
    // A vector, which JavaScript does not get.
    if (error instanceof TypeError && /type incompatibility/.test(error.message)) return skip;
    if (ends === 'exhausts' && error instanceof RangeError) return true;
    return `${error}`;
  }
  if (ends !== 'returns') return 'it returns';
  if (wanted.length === 0) return true;
  const list = wanted.length === 1 ? [results] : [...results];
  const each = wanted.map((expected, place) => fits(list[place], expected));
  if (each.includes(false)) return `${list} is not ${JSON.stringify(wanted)}`;
  return each.includes(skip) ? skip : true;
}

function take(step) {
  switch (step.step) {
    case 'module':
      try {
        instances.set(step.number, start(step.hex));
        return step.starts || 'it starts';
      } catch (error) {
        return !step.starts || `${error}`;
      }
    case 'register':
      registered[step.name] = instances.get(step.number)?.exports;
      return null;
    case 'call':
      return instances.has(step.number) ? call(step) : 'its module did not start';
    default:
      return instances.has(step.number) && fits(instances.get(step.number).exports[step.name].value, step.expected);
  }
}

/** {held, skipped, failed} of the steps of one file. */
export function run(steps) {
  instances.clear();
  registered = { spectest };
  const report = { held: 0, skipped: 0, failed: [] };
  for (const step of steps) {
    const told = take(step);
    if (told === true) report.held += 1;
    else if (told === skip) report.skipped += 1;
    else if (told !== null) report.failed.push(`${step.line}: ${step.name ?? ''}: ${told}`);
  }
  return report;
}
