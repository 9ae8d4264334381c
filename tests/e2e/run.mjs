// Runs end-to-end tests in Chromium: those of the page, or those in a folder beside this file.
//   node tests/e2e/run.mjs --dist DIR --weft BIN [--artefacts DIR] [--only NAME] [--folder NAME]
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
    folder: { type: "string", default: "." },
  },
});
process.env.WEFT_DIST = resolve(values.dist);
process.env.WEFT_BIN = resolve(values.weft);
process.env.WEFT_ARTEFACTS = resolve(values.artefacts);

const folder = join(here, values.folder);
const names = (await readdir(folder)).filter((name) => name.endsWith(".e2e.mjs") && name.startsWith(values.only ?? ""));
if (names.length === 0) throw new Error(`There is no test called ${values.only}.`);
const files = names.sort().map((name) => join(folder, name));
// Three browsers at a time on the two cores that a machine has at least: one waits for a network while the others replay.
run({ files, concurrency: 3, timeout: 15 * 60_000 })
  .on("test:fail", () => { process.exitCode = 1; })
  .compose(tap)
  .pipe(process.stdout);
