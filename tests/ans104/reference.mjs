// What npm arbundles and @dha-team/arbundles say about a data item or a bundle.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The two libraries, by the names the tables use. */
export const libraries = {
  arbundles: require("arbundles"),
  dha: require("@dha-team/arbundles"),
};

/** "valid", "invalid" or "throws": `DataItem.verify` for an item, `Bundle.verify` for a bundle. */
async function verdict(library, kind, bytes) {
  const copy = Buffer.from(bytes); // ethers writes into what it is given
  try {
    const valid =
      kind === "bundle" ? await new library.Bundle(copy).verify() : await library.DataItem.verify(copy);
    return valid ? "valid" : "invalid";
  } catch {
    return "throws";
  }
}

/** The verdict of each library. */
export async function verdicts(kind, bytes) {
  const found = {};
  for (const [name, library] of Object.entries(libraries)) found[name] = await verdict(library, kind, bytes);
  return found;
}
