// Runs the official tests of Lua 5.3 in portable chunks, on PUC's Lua and on ours, and counts.
//
//     WEFT_LUA53_TESTS=FOLDER node tests/lua53/official.mjs [FILE…]
//
// FOLDER is lua-5.3.x-tests as Lua.org publishes it. WEFT is the command of ours (target/debug/weft otherwise). tests/lua53/README.md
// says what a chunk is and which count.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = process.env["WEFT_LUA53_TESTS"];
if (!folder) {
  console.log("not compared: WEFT_LUA53_TESTS names no folder of the official tests");
  process.exit(0);
}
const here = dirname(fileURLToPath(import.meta.url));
const weft = process.env["WEFT"] ?? join(here, "..", "..", "target", "debug", "weft");
const files = ["attrib", "bitwise", "calls", "closure", "code", "constructs", "coroutine", "db", "errors", "events", "files", "gc", "goto", "literals", "locals", "math", "nextvar", "pm", "sort", "strings", "tpack", "utf8", "vararg", "verybig", "big"];
const scratch = mkdtempSync(join(tmpdir(), "lua53-"));
const chunks = readFileSync(join(here, "chunks.lua"), "utf8");
const driver = readFileSync(join(here, "driver.lua"), "utf8");

const run = (command, args, seconds) => spawnSync(command, args, { encoding: "latin1", timeout: seconds * 1000, maxBuffer: 1 << 28 });

/** The file as a list of chunks, each a quoted text of Lua. */
function split(file) {
  const script = join(scratch, "chunks.lua");
  writeFileSync(script, chunks);
  const { status, stdout, stderr } = run("lua5.3", [script, file], 60);
  if (status !== 0) throw new Error(`${file}: ${stderr}`);
  return JSON.parse(stdout);
}

/** What becomes of each chunk: "" if it passes. One that ends the whole run fails, and the others run again without it. */
function outcomes(list, engine) {
  const failed = new Map();
  for (;;) {
    const texts = list.map((text, at) => (failed.has(at) ? "false" : text));
    const script = join(scratch, "driver.lua");
    writeFileSync(script, Buffer.from(`local chunks = {\n${texts.join(",\n")}\n}\n${driver}`, "latin1"));
    const { stdout, stderr } = engine(script);
    const said = new Map();
    let last = -1;
    for (const line of stdout.split("\n")) {
      const begun = /^<(\d+)$/.exec(line);
      if (begun) last = Number(begun[1]) - 1;
      const ended = /^>(\d+) (.*)$/.exec(line);
      if (ended) said.set(Number(ended[1]) - 1, ended[2]);
    }
    if (said.has(list.length - 1) || last < 0 || failed.has(last)) {
      return list.map((_, at) => failed.get(at) ?? said.get(at) ?? `not reached ${stderr}`);
    }
    failed.set(said.has(last) ? last + 1 : last, `ends the run: ${stderr.trim().slice(0, 200)}`);
  }
}

const wanted = process.argv.slice(2);
let [all, puc, ours] = [0, 0, 0];
console.log("| file | chunks | PUC | ours | ours of PUC's |\n|---|---|---|---|---|");
for (const name of files.filter((name) => wanted.length === 0 || wanted.includes(name))) {
  const list = split(join(folder, `${name}.lua`));
  const theirs = outcomes(list, (script) => run("lua5.3", [script], 60));
  const mine = outcomes(list, (script) => run(weft, ["lua", "--profile", "lua53", "--fuel", "300000000", script], 120));
  const passed = theirs.filter((said) => said === "ok").length;
  const equal = theirs.filter((said, at) => said === "ok" && mine[at] === "ok").length;
  console.log(`| ${name} | ${list.length} | ${passed} | ${equal} | ${passed === 0 ? "-" : `${((100 * equal) / passed).toFixed(1)} %`} |`);
  if (process.env["SHOW"])
    list.forEach((text, at) => {
      if (theirs[at] === "ok" && mine[at] !== "ok") console.log(`--- ${name} chunk ${at + 1}: ${mine[at]}\n${process.env["SHOW"] === "2" ? text.replaceAll("\\\n", "\n") : text.slice(0, 300).replaceAll("\\\n", "\n")}`);
    });
  [all, puc, ours] = [all + list.length, puc + passed, ours + equal];
}
console.log(`| all | ${all} | ${puc} | ${ours} | ${((100 * ours) / puc).toFixed(1)} % |`);
rmSync(scratch, { recursive: true });
process.exit(ours >= 0.95 * puc ? 0 : 1);
