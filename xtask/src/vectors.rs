//! `cargo xtask vectors FILE…`: vectors of HyperBEAM, in any file of the forms of `tests/fixtures/vectors/hb-*.json`.

use anyhow::{Result, bail};

use crate::ctx::Ctx;

/// Runs the files; whether every case is as it should be. What runs them is an example of the package that the tests use too.
pub(crate) fn run(ctx: &Ctx) -> Result<bool> {
    if ctx.args.files.is_empty() {
        bail!("vectors wants a file");
    }
    let here = std::env::current_dir()?;
    let files = ctx.args.files.iter().map(|file| here.join(file));
    let example = ["--quiet", "--locked", "-p", "weft-tests", "--example", "vectors"];
    ctx.cargo("build").args(example).go()?;
    let runner = ctx.cargo("run").args(example).arg("--").args(files);
    Ok(runner.go().is_ok())
}
