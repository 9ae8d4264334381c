//! `cargo xtask dist`: the page as it is published, small, in `dist-release/`.

use std::path::PathBuf;

use anyhow::Result;

use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::lanes::{self, OnFailure, Row};
use crate::stamp::Stamp;
use crate::steps::Outcome;
use crate::{npm, page};

/// What the published module may use: everything that a browser with 64-bit memories has.
const FEATURES: [&str; 7] = [
    "--enable-tail-call",
    "--enable-bulk-memory",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
];

/// Prints the size of each file, plain and as a gateway sends it (brotli).
const SIZES: &str = r#"
const { readdirSync, readFileSync, statSync } = require("node:fs");
const { brotliCompressSync } = require("node:zlib");
const kib = (bytes) => (bytes / 1024).toFixed(1).padStart(10) + " KiB";
let plain = 0, small = 0;
const dir = process.argv[1];
for (const name of readdirSync(dir, { recursive: true }).sort()) {
  if (!statSync(`${dir}/${name}`).isFile()) continue;
  const bytes = readFileSync(`${dir}/${name}`);
  const packed = brotliCompressSync(bytes).length;
  plain += bytes.length;
  small += packed;
  console.log(name.padEnd(24) + kib(bytes.length) + kib(packed) + " brotli");
}
console.log("all".padEnd(24) + kib(plain) + kib(small) + " brotli");
"#;

/// Builds it and reports sizes.
pub(crate) fn run(ctx: &Ctx) -> Result<bool> {
    let rows = lanes::run(ctx, &["typecheck", "wasm-opt", "page"], OnFailure::Stop)?;
    if !rows.iter().all(Row::ok) {
        return Ok(false);
    }
    Run::new("node").args(["-e", SIZES]).arg(&ctx.out).go()?;
    println!("ready to upload: {} (every URL in it is relative)", ctx.shown(&ctx.out));
    Ok(true)
}

/// The step `npm-dist`: binaryen, which only a release needs.
pub(crate) fn packages(ctx: &Ctx) -> Result<Outcome> {
    npm::install(ctx, "xtask/npm")
}

/// The step `wasm-opt`. npm's binaryen, not Debian's, which is too old for reference types.
pub(crate) fn optimise(ctx: &Ctx) -> Result<Outcome> {
    let (wasm, out) = (page::bindings(ctx).join("weft_web_bg.wasm"), optimised(ctx));
    let stamp = Stamp::new(ctx, "wasm-opt").text(&FEATURES.join(" ")).path(&wasm)?;
    let stamp = stamp.path(&ctx.root.join("xtask/npm/package-lock.json"))?;
    if stamp.fresh(std::slice::from_ref(&out)) {
        return Ok(Outcome::Unchanged);
    }
    let tool = ctx.root.join("xtask/npm/node_modules/.bin/wasm-opt");
    Run::new(tool).arg("-O3").args(FEATURES).arg(wasm).arg("-o").arg(out).go()?;
    stamp.save()?;
    Ok(Outcome::Done)
}

/// The module after wasm-opt.
pub(crate) fn optimised(ctx: &Ctx) -> PathBuf {
    ctx.own().join("weft_web_opt.wasm")
}
