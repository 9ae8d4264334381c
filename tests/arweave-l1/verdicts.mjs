// Writes ../fixtures/arweave-l1/verdicts.json: what npm arweave says about every transaction of the corpora, by the
// first 16 digits of the SHA-256 of its JSON as compact text. Run it with both corpora at hand: `node arweave-l1/verdicts.mjs` in tests/, after
// `npm ci`.
//
// arweave-js takes the fields in its own form: for format 2 with data beside the header it recomputes the data root, so
// the data are put in only where they are part of the JSON.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const Arweave = require("arweave");
const arweave = Arweave.init({});
const here = import.meta.dirname;
const corpora = [join(here, "../fixtures/arweave-l1"), join(here, "../../../shared/fixtures/arweave-l1/txs")];

/** "valid", "invalid" (the signature), or "throws" (the id is not the signature's hash, or a field is impossible). */
async function verdict(json) {
  try {
    return (await arweave.transactions.verify(arweave.transactions.fromRaw(json))) ? "valid" : "invalid";
  } catch {
    return "throws";
  }
}

const rows = new Map();
let seen = 0;
for (const corpus of corpora) {
  for (const entry of readdirSync(corpus, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/^(tx|other-txs|v2).*\.(json|ndjson)$/.test(entry.name)) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
    const lines = entry.name.endsWith(".ndjson") ? text.split("\n").filter((line) => line.trim()) : [text];
    for (const json of lines.map((line) => JSON.parse(line))) {
      seen += 1;
      const sha256 = createHash("sha256").update(JSON.stringify(json)).digest("hex");
      if (!rows.has(sha256)) rows.set(sha256, await verdict(json));
    }
  }
}
const of = (wanted) => [...rows].filter(([, verdict]) => verdict === wanted).map(([sha256]) => sha256.slice(0, 16)).sort();
const table = { valid: of("valid"), invalid: of("invalid"), throws: of("throws") };
writeFileSync(join(here, "../fixtures/arweave-l1/verdicts.json"), `${JSON.stringify(table)}\n`);
console.log(`${seen} transactions, ${rows.size} different`);
for (const [verdict, list] of Object.entries(table)) console.log(verdict, list.length);
