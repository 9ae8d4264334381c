// npm @permaweb/ao-loader as one script for a page, which gets it as `aoLoader`.
//
//   node tests/bench/loader-page.mjs OUT
//
// What of it is for node alone stays outside: the loader asks for that only there.

import { createRequire, builtinModules } from "node:module";
import { join } from "node:path";

const here = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
const { build } = createRequire(join(here, "../../www/package.json"))("esbuild");
const buffer = join(here, "../node_modules/buffer/index.js");
const outside = builtinModules.filter((name) => name !== "buffer");
await build({
  stdin: { contents: 'globalThis.Buffer = require("buffer").Buffer; const loader = require("@permaweb/ao-loader"); globalThis.aoLoader = loader.default ?? loader;', resolveDir: join(here, "..") },
  outfile: process.argv[2],
  bundle: true,
  format: "iife",
  platform: "browser",
  external: [...outside, ...outside.map((name) => `node:${name}`)],
  alias: { buffer, "node:buffer": buffer },
  // A page has no `require`.
  banner: { js: "var require = () => ({}), process = { env: {}, versions: {} };" },
  legalComments: "none",
  logLevel: "error",
});
