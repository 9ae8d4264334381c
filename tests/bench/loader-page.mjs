// npm @permaweb/ao-loader as one script for a page, which gets it as `aoLoader`.
//
//   node tests/bench/loader-page.mjs OUT
//
// What of it is for node alone stays outside: the loader asks for that only there.

import { createRequire, builtinModules } from "node:module";
import { join } from "node:path";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const { build } = createRequire(join(here, "../../www/package.json"))("esbuild");
await build({
  stdin: { contents: 'globalThis.aoLoader = require("@permaweb/ao-loader");', resolveDir: join(here, "..") },
  outfile: process.argv[2],
  bundle: true,
  format: "iife",
  platform: "browser",
  external: [...builtinModules, ...builtinModules.map((name) => `node:${name}`)],
  // A page has no `require`.
  banner: { js: "var require = (name) => ({});" },
  legalComments: "none",
  logLevel: "error",
});
