// Runs a module on V8's WebAssembly: node engines.mjs MODULE CALLS
//
// CALLS is a file with a JSON list of [name, [argument, ...]]; arguments and answers are 64-bit integers, written in decimal.
// Prints a list of [answer, gas]: gas is what the call took from the module's counter, null if it has none. In place of an answer
// stands `uncaught` for a call that an exception of WebAssembly left, and `trapped` for one that trapped.
import { readFile } from 'node:fs/promises';

import { onV8 } from './v8.mjs';

const [module, calls] = process.argv.slice(2);
const hex = (await readFile(module)).toString('hex');
const [answers] = await onV8('engine-calls.mjs', [{ hex, calls: JSON.parse(await readFile(calls, 'utf8')) }]);
console.log(JSON.stringify(answers));
