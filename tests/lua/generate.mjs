// Makes the differential corpus of tests/fixtures/lua: programs of our own, answered by Luerl. See README.md.
//
//   node tests/lua/generate.mjs EBIN            writes the corpus
//   node tests/lua/generate.mjs EBIN FILE       compares FILE's cases (luerl.json's form) with this Luerl

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '..', 'fixtures', 'lua');
const [ebin, given] = process.argv.slice(2);
if (!ebin) {
  console.error('usage: node generate.mjs EBIN [FILE]');
  process.exit(2);
}

/** Answers of Luerl, one text for each program; null where the program did not end. */
function answers(programs) {
  const dir = mkdtempSync(join(tmpdir(), 'luerl-'));
  try {
    const records = programs.map((text) => {
      const bytes = Buffer.from(text, 'utf8');
      return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]);
    });
    writeFileSync(join(dir, 'programs'), Buffer.concat(records));
    execFileSync('erlc', ['-o', dir, join(here, 'oracle.erl')], { stdio: 'inherit' });
    const args = ['-noshell', '-pa', resolve(ebin), '-pa', dir, '-s', 'oracle', 'main'];
    const env = { ...process.env, TZ: 'UTC' };
    delete env.LUA_PATH;
    execFileSync('erl', [...args, join(dir, 'programs'), join(dir, 'answers')], { stdio: 'inherit', env });
    const lines = readFileSync(join(dir, 'answers'), 'utf8').split('\n').slice(0, -1);
    if (lines.length !== programs.length) throw new Error(`${lines.length} answers to ${programs.length} programs`);
    return lines.map((line) => (line === '-' ? null : line));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function compare(file) {
  const { cases } = JSON.parse(readFileSync(file, 'utf8'));
  const found = answers(cases.map((one) => one.lua));
  const other = cases.filter((one, at) => one.luerl !== found[at]);
  for (const one of other) console.log(`${one.lua}\n  file  ${one.luerl}\n  luerl ${found[cases.indexOf(one)]}`);
  console.log(`${cases.length - other.length} of ${cases.length} equal`);
  process.exitCode = other.length ? 1 : 0;
}

async function write() {
  const groups = [];
  for (const name of readdirSync(join(here, 'cases')).sort()) {
    if (!name.endsWith('.mjs') || name.startsWith('_')) continue;
    const { programs } = await import(join(here, 'cases', name));
    groups.push({ name: name.slice(0, -4), programs: [...new Set(programs())] });
  }
  const found = answers(groups.flatMap((group) => group.programs));
  let at = 0;
  let total = 0;
  for (const { name, programs } of groups) {
    const cases = programs.map((lua) => ({ lua, luerl: found[at++] })).filter((one) => one.luerl !== null);
    const note = `Written by tests/lua/generate.mjs with Luerl 1.3.0; see tests/lua/README.md.`;
    const lines = cases.map((one) => `  ${JSON.stringify(one)}`).join(',\n');
    const text = `{\n "note": ${JSON.stringify(note)},\n "cases": [\n${lines}\n ]\n}\n`;
    writeFileSync(join(target, `${name}.json`), text);
    const left = programs.length - cases.length;
    console.log(`${name}: ${cases.length} cases, ${left} left out, ${Math.round(text.length / 1024)} KB`);
    total += cases.length;
  }
  console.log(`${total} cases`);
}

if (given) compare(given);
else await write();
