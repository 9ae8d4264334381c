// Runs the end-to-end tests of the page in Chromium.
//   node tests/e2e/run.mjs --dist DIR --weft BIN [--artefacts DIR] [--only NAME] [--except NAME]
// env CHROMIUM: the browser.
// DIR is a built page with its demo; BIN the native `weft`. Prints TAP; exits with 0 if all is well.

import { readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { run } from "node:test";
import { tap } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    dist: { type: "string", default: join(here, "../../dist") },
    weft: { type: "string", default: join(here, "../../target/release/weft") },
    artefacts: { type: "string", default: join(here, "../../artefacts") },
    only: { type: "string" },
    except: { type: "string" },
  },
});
process.env.WEFT_DIST = resolve(values.dist);
process.env.WEFT_BIN = resolve(values.weft);
process.env.WEFT_ARTEFACTS = resolve(values.artefacts);

const wanted = (name) => (!values.only || name.startsWith(values.only)) && !(values.except && name.startsWith(values.except));
const names = (await readdir(here)).filter((name) => name.endsWith(".e2e.mjs") && wanted(name));
if (names.length === 0) throw new Error(`There is no test called ${values.only}.`);
const files = names.sort().map((name) => join(here, name));
// Two browsers at a time: while one waits for a network or for its reader, the other replays.
run({ files, concurrency: 2, timeout: 15 * 60_000 })
  .on("test:fail", () => { process.exitCode = 1; })
  .compose(tap)
  .pipe(process.stdout);
