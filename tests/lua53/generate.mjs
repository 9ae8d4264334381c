// Writes tests/fixtures/lua53: what PUC's Lua 5.3 answers to the programs of tests/lua53/cases.
//
//     node tests/lua53/generate.mjs            (needs lua5.3 on the PATH)
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const fixtures = join(here, "..", "fixtures", "lua53");
const version = execFileSync("lua5.3", ["-v"], { encoding: "utf8" }).trim().split("  ")[0];

/** The programs of a file: one a line, or the lines between `<<<` and `>>>`; `--` begins a remark. */
function programs(text) {
  const list = [];
  let block;
  for (const line of text.split("\n")) {
    if (block !== undefined) {
      if (line === ">>>") {
        list.push(block.join("\n"));
        block = undefined;
      } else block.push(line);
    } else if (line === "<<<") block = [];
    else if (line !== "" && !line.startsWith("--")) list.push(line);
  }
  return list;
}

/** Each operator on each value at its left, with all values at its right. */
function pairs() {
  const values = ["nil", "true", "0", "1", "-3", "7", "2.5", "-0.0", "1e15", "1e308", "1/0", "0/0", "math.maxinteger", "math.mininteger", '"10"', '" 0x1p4 "', '"abc"', '""', "{}", "print"];
  const binary = ["+", "-", "*", "/", "//", "%", "^", "..", "==", "~=", "<", "<=", ">", ">=", "&", "|", "~", "<<", ">>", "and", "or"];
  const list = `{${values.map((value) => `{${value}}`).join(", ")}}`;
  const shown = 'if type(v) == "table" or type(v) == "function" then v = type(v) end';
  const programs = [];
  for (const operator of binary)
    for (const left of values)
      programs.push(
        `local out = {} for i, right in ipairs(${list}) do local x, y = ${left}, right[1] local ok, v = pcall(function() return x ${operator} y end) ${shown} out[i] = {ok, v} end return out`,
      );
  for (const operator of ["-", "not ", "#", "~"])
    programs.push(
      `local out = {} for i, right in ipairs(${list}) do local x = right[1] local ok, v = pcall(function() return ${operator}x end) ${shown} out[i] = {ok, v} end return out`,
    );
  return programs;
}

const scratch = mkdtempSync(join(tmpdir(), "lua53-"));
const script = join(scratch, "program.lua");
const sets = { operators: pairs() };
for (const file of readdirSync(join(here, "cases")).sort())
  sets[file.replace(/\.txt$/, "")] = programs(readFileSync(join(here, "cases", file), "utf8"));
for (const [name, list] of Object.entries(sets)) {
  const cases = list.map((lua) => {
    writeFileSync(script, lua);
    const puc = execFileSync("lua5.3", [join(here, "judge.lua"), script], { encoding: "latin1" });
    return { lua, puc };
  });
  const lines = cases.map((one) => `    ${JSON.stringify(one)}`).join(",\n");
  const text = `{\n  "by": ${JSON.stringify(version)},\n  "command": "node tests/lua53/generate.mjs",\n  "cases": [\n${lines}\n  ]\n}\n`;
  writeFileSync(join(fixtures, `${name}.json`), text);
  console.log(`${name}: ${cases.length}`);
}
rmSync(scratch, { recursive: true });
