// Runs a module on this machine's own WebAssembly: node engines.mjs MODULE CALLS
//
// CALLS is a file with a JSON list of [name, [argument, ...]]; arguments and answers are 64-bit integers, written in decimal.
// Prints a list of [answer, gas]: gas is what the call took from the module's counter, null if it has none. In place of an answer
// stands `uncaught` for a call that an exception of WebAssembly left, and `trapped` for one that trapped.
import { readFile } from 'node:fs/promises';

const [module, calls] = process.argv.slice(2);
const out = () => { throw new Error('out of gas'); };
const grow = (pages) => {
  try {
    return instance.exports.memory.grow(pages);
  } catch {
    return -1;
  }
};
class Uncaught extends Error {}
const uncaught = () => { throw new Uncaught(); };
const { instance } = await WebAssembly.instantiate(await readFile(module), { weft: { gas: out, grow, uncaught } });
const gas = instance.exports['weft:gas'];
const FULL = 1_000_000n;
const answers = JSON.parse(await readFile(calls, 'utf8')).map(([name, args]) => {
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
console.log(JSON.stringify(answers));
