// The steps of the specification's tests (tests/tests/spec.rs) on V8's WebAssembly: node spec.mjs STEPS
//
// Prints {held, skipped, failed}. Skipped is what JavaScript cannot ask: a NaN goes through it without the bits of its own.
import { readFile } from 'node:fs/promises';

import { onV8 } from './v8.mjs';

// By the file they are from: what one made is not used in another.
const files = new Map();
let steps;
for (const step of JSON.parse(await readFile(process.argv[2], 'utf8'))) {
  const file = step.line?.split('.wast:')[0] || undefined;
  if (file !== undefined && !files.has(file)) files.set(file, []);
  if (file !== undefined) steps = files.get(file);
  steps.push(step);
}
const reports = await onV8('spec-steps.mjs', [...files.values()]);
const sum = (name) => reports.reduce((all, report) => all + report[name], 0);
console.log(JSON.stringify({ held: sum('held'), skipped: sum('skipped'), failed: reports.flatMap(({ failed }) => failed) }));
