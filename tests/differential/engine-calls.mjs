// Calls of a module's functions on the WebAssembly that runs this: see engines.mjs. Imports nothing, so that it runs in a page as well.

const out = () => { throw new Error('out of gas'); };
class Uncaught extends Error {}
const uncaught = () => { throw new Uncaught(); };
const FULL = 1_000_000n;

/** `hex` is the module; `calls` a list of [name, [argument, ...]]. Gives a list of [answer, gas]. */
export async function run({ hex, calls }) {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  const grow = (pages) => {
    try {
      return instance.exports.memory.grow(pages);
    } catch {
      return -1;
    }
  };
  const { instance } = await WebAssembly.instantiate(bytes, { weft: { gas: out, grow, uncaught } });
  const gas = instance.exports['weft:gas'];
  return calls.map(([name, args]) => {
    if (gas) gas.value = FULL;
    let answer;
    try {
      answer = String(BigInt.asUintN(64, instance.exports[name](...args.map(BigInt))));
    } catch (error) {
      if (error instanceof WebAssembly.Exception || error instanceof Uncaught) answer = 'uncaught';
      else if (error instanceof WebAssembly.RuntimeError) answer = 'trapped';
      else throw error;
    }
    return [answer, gas ? String(FULL - gas.value) : null];
  });
}
