// Random modules on V8 (tests/tests/random_modules.rs): node random.mjs FILE
//
// FILE is a list of lists of modules; printed is what each of their calls came to.
import { readFile } from 'node:fs/promises';

import { onV8 } from './v8.mjs';

console.log(JSON.stringify(await onV8('random-calls.mjs', JSON.parse(await readFile(process.argv[2], 'utf8')))));
