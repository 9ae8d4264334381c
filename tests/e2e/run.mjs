// Runs end-to-end tests in Chromium: those of the page, or those in a folder beside this file.
//   node tests/e2e/run.mjs --dist DIR --weft BIN [--artefacts DIR] [--only NAME] [--folder NAME]
// env CHROMIUM: the browser.
// DIR is a built page with its demo; BIN the native `weft`. Prints TAP; exits with 0 if all is well.

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { run } from "node:test";
import { tap } from "node:test/reporters";
import { fileURLToPath, pathToFileURL } from "node:url";
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

/** What the longer files took in one run, in seconds; none of the others took more than 7. They only make the run shorter. */
const SECONDS = { aos: 36, lua: 33, demo: 22, inputs: 22, sources: 16, check: 15, inclusion: 12, signer: 9, workbench: 12 };

/**
 * The files dealt to processes, each with one browser: a start for each file costs more than what many of them test. A longer
 * file goes first, and to the process with least so far.
 */
function deal(files, into) {
  const lanes = Array.from({ length: Math.min(into, files.length) }, () => ({ seconds: 0, files: [] }));
  const timed = files.map((file) => ({ file, seconds: SECONDS[basename(file, ".e2e.mjs")] ?? 6 }));
  for (const { file, seconds } of timed.sort((one, other) => other.seconds - one.seconds)) {
    const least = lanes.reduce((one, other) => (other.seconds < one.seconds ? other : one));
    least.files.push(file);
    least.seconds += seconds;
  }
  return lanes.map(({ files }) => files);
}

// Four browsers at a time on the two cores that a machine has at least: some wait for a network while others replay.
const lanes = deal(names.sort().map((name) => join(folder, name)), 4);
const scratch = await mkdtemp(join(tmpdir(), "weft-e2e-"));
const files = await Promise.all(lanes.map(async (lane, at) => {
  const file = join(scratch, `lane-${at + 1}.mjs`);
  await writeFile(file, lane.map((one) => `import ${JSON.stringify(pathToFileURL(one).href)};\n`).join(""));
  return file;
}));
run({ files, concurrency: files.length, timeout: 15 * 60_000 })
  .on("test:fail", () => { process.exitCode = 1; })
  .on("end", () => rm(scratch, { recursive: true, force: true }))
  .compose(tap)
  .pipe(process.stdout);
