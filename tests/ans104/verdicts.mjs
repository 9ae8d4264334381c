// Writes ../fixtures/ans104/verdicts.json: what the reference libraries say about every file of the corpora, by the
// file's SHA-256. Run it with both corpora at hand: `node ans104/verdicts.mjs` in tests/, after `npm ci`.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { verdicts } from "./reference.mjs";

const here = import.meta.dirname;
const corpora = [join(here, "../fixtures/ans104"), join(here, "../../../shared/fixtures/ans104")];

const rows = new Map();
for (const corpus of corpora) {
  for (const entry of readdirSync(corpus, { recursive: true, withFileTypes: true })) {
    const kind = entry.name.split(".").pop();
    if (!entry.isFile() || (kind !== "item" && kind !== "bundle")) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (!rows.has(sha256)) {
      rows.set(sha256, { file: basename(entry.name), kind, sha256, ...(await verdicts(kind, bytes)) });
    }
  }
}
const order = (a, b) => (a.file < b.file ? -1 : 1);
const lines = [...rows.values()].sort(order).map((row) => `  ${JSON.stringify(row)}`);
writeFileSync(join(here, "../fixtures/ans104/verdicts.json"), `[\n${lines.join(",\n")}\n]\n`);
console.log(`${lines.length} files`);
