//! The steps that make the page: a guest program, the native tool, the node as wasm, the app's JavaScript.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::checks;
use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::files;
use crate::npm::npm;
use crate::stamp::Stamp;
use crate::steps::Outcome;
use crate::tools;

/// What the app is bundled from, besides the bindings.
const APP_SOURCES: [&str; 2] = ["www", "web/js"];

/// The step `token`.
pub(crate) fn token(ctx: &Ctx) -> Result<Outcome> {
    let wasm = ctx.wasm()?;
    let target = wasm.target(ctx).join("token");
    let built = target.join(crate::toolchain::TRIPLE).join("release");
    let cargo = wasm
        .plain_cargo(ctx, "build")
        .args(["--locked", "--release", "--manifest-path", "examples/token/Cargo.toml", "--target-dir"])
        .arg(&target);
    let output = built.join("weft_token.wasm");
    let outcome = cargo_step(cargo, &output)?;
    files::copy(&output, &token_file(ctx))?;
    Ok(outcome)
}

/// The step `weft`.
pub(crate) fn weft(ctx: &Ctx) -> Result<Outcome> {
    let cargo = match ctx.testing() {
        true => checks::native_build(ctx),
        false => ctx.cargo("build").args(["--locked", "--release", "-p", "weft-cli"]),
    };
    cargo_step(cargo, &ctx.weft())
}

/// The step `demo`: processes, wallets and a signed history, made by the native tool.
pub(crate) fn demo(ctx: &Ctx) -> Result<Outcome> {
    let (token, out) = (token_file(ctx), demo_file(ctx));
    let stamp = Stamp::new(ctx, "demo").path(&token)?.path(&ctx.weft())?;
    if stamp.fresh(std::slice::from_ref(&out)) {
        return Ok(Outcome::Unchanged);
    }
    Run::new(ctx.weft()).args(["demo-archive", "--module"]).arg(token).arg("--out").arg(out).go()?;
    stamp.save()?;
    Ok(Outcome::Done)
}

/// The step `wasm`.
pub(crate) fn wasm(ctx: &Ctx) -> Result<Outcome> {
    let wasm = ctx.wasm()?;
    let cargo = match ctx.testing() {
        true => checks::browser_build(ctx)?,
        false => wasm.cargo(ctx, "build").args(["--locked", "-p", "weft-web", "--lib"]),
    };
    let cargo = cargo.args(["--profile", ctx.profile]);
    // The one part that depends on more than stable Rust.
    cargo_step(cargo, &node_wasm(ctx)?).context("if wasmi did not compile, try again with --loop-dispatch")
}

/// The step `contracts`: what a seam must do, as wasm for the end-to-end tests.
pub(crate) fn contracts(ctx: &Ctx) -> Result<Outcome> {
    let (outcome, built) = example(ctx, "signatures")?;
    let out = contracts_dir(ctx);
    let stamp = Stamp::new(ctx, "contracts").path(&built)?;
    if !stamp.fresh(&[out.join("signatures.js")]) {
        let run = Run::new(tools::bindgen(ctx)?).args(["--target", "web", "--out-name", "signatures"]);
        run.arg("--out-dir").arg(out).arg(&built).go()?;
        stamp.save()?;
    }
    Ok(outcome)
}

/// Where the contracts for a browser are.
pub(crate) fn contracts_dir(ctx: &Ctx) -> PathBuf {
    ctx.own().join("contracts")
}

/// Compiles an example of `web`; where it is.
pub(crate) fn example(ctx: &Ctx, name: &str) -> Result<(Outcome, PathBuf)> {
    let wasm = ctx.wasm()?;
    let cargo = match ctx.testing() {
        true => checks::browser_build(ctx)?,
        false => wasm.cargo(ctx, "build").args(["--locked", "-p", "weft-web", "--example", name]),
    };
    let built = wasm.output(ctx, ctx.profile).join(format!("examples/{name}.wasm"));
    let outcome = cargo_step(cargo.args(["--profile", ctx.profile]), &built)?;
    Ok((outcome, built))
}

/// The step `bindgen`.
pub(crate) fn bindgen(ctx: &Ctx) -> Result<Outcome> {
    let (wasm, out) = (node_wasm(ctx)?, bindings(ctx));
    let version = tools::locked_version(ctx, "wasm-bindgen")?;
    let stamp = Stamp::new(ctx, "bindgen").text(&version).path(&wasm)?;
    if stamp.fresh(&[out.join("weft_web.js"), out.join("weft_web.d.ts"), out.join("weft_web_bg.wasm")]) {
        return Ok(Outcome::Unchanged);
    }
    let run = Run::new(tools::bindgen(ctx)?).args(["--target", "web", "--out-name", "weft_web", "--out-dir"]);
    run.arg(out).arg(wasm).go()?;
    stamp.save()?;
    Ok(Outcome::Done)
}

/// The step `typecheck`.
pub(crate) fn typecheck(ctx: &Ctx) -> Result<Outcome> {
    let stamp = app_stamp(ctx, "typecheck")?.path(&bindings(ctx).join("weft_web.d.ts"))?;
    if stamp.fresh(&[]) {
        return Ok(Outcome::Unchanged);
    }
    npm(&ctx.root.join("www"), &["run", "--silent", "typecheck"])?;
    stamp.save()?;
    Ok(Outcome::Done)
}

/// The step `bundle`: esbuild, and the static files beside what it made.
pub(crate) fn bundle(ctx: &Ctx) -> Result<Outcome> {
    let out = bundle_dir(ctx);
    let stamp = app_stamp(ctx, "bundle")?.path(&bindings(ctx))?.text(ctx.profile);
    if stamp.fresh(&[out.join("index.html"), out.join("app.js"), out.join("worker.js")]) {
        return Ok(Outcome::Unchanged);
    }
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    let release: &[&str] = if ctx.release() { &["--release"] } else { &[] };
    Run::new("node").arg("build.mjs").arg("--out").arg(out).args(release).dir(ctx.root.join("www")).go()?;
    stamp.save()?;
    Ok(Outcome::Done)
}

/// The step `client`: what an app is made with, for tests that need no app.
pub(crate) fn client(ctx: &Ctx) -> Result<Outcome> {
    let out = client_dir(ctx);
    let stamp =
        Stamp::new(ctx, "client").paths(&ctx.root, &["web/js", "www/build.mjs", "www/package-lock.json"])?;
    let stamp = stamp.path(&bindings(ctx))?;
    if stamp.fresh(&[out.join("weft.js"), out.join("worker.js")]) {
        return Ok(Outcome::Unchanged);
    }
    Run::new("node").args(["build.mjs", "--client", "--out"]).arg(out).dir(ctx.root.join("www")).go()?;
    stamp.save()?;
    Ok(Outcome::Done)
}

/// Where the client is, with what it starts.
pub(crate) fn client_dir(ctx: &Ctx) -> PathBuf {
    ctx.own().join("client")
}

/// The step `page`: everything in one directory that any web server can serve.
pub(crate) fn page(ctx: &Ctx) -> Result<Outcome> {
    let bundle = bundle_dir(ctx);
    let mut parts: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for file in files::walk(&bundle)? {
        parts.insert(file.strip_prefix(&bundle)?.to_owned(), file);
    }
    parts.insert("demo.bin".into(), demo_file(ctx));
    if ctx.release() {
        parts.insert("weft_web_bg.wasm".into(), crate::dist::optimised(ctx));
    }
    if ctx.args.for_trunk {
        parts.remove(Path::new("index.html"));
    }
    for (name, from) in &parts {
        files::copy(from, &ctx.out.join(name))?;
    }
    // A directory that is not ours may hold more than the page.
    if ctx.args.into.is_none() && !ctx.args.for_trunk {
        remove_others(&ctx.out, &parts)?;
    }
    Ok(Outcome::Done)
}

/// Removes what an earlier build left in the page's directory.
fn remove_others(dir: &Path, parts: &BTreeMap<PathBuf, PathBuf>) -> Result<()> {
    let keep: BTreeSet<PathBuf> = parts.keys().map(|name| dir.join(name)).collect();
    for file in files::walk(dir)?.iter().filter(|file| !keep.contains(*file)) {
        std::fs::remove_file(file)?;
    }
    Ok(())
}

/// Runs cargo, which knows best whether there is work, and says whether it made a new file.
pub(crate) fn cargo_step(cargo: Run, output: &Path) -> Result<Outcome> {
    let date = |file: &Path| -> Option<SystemTime> { file.metadata().ok()?.modified().ok() };
    let before = date(output);
    cargo.go()?;
    let after = date(output).with_context(|| format!("cargo did not make {}", output.display()))?;
    Ok(if before == Some(after) { Outcome::Unchanged } else { Outcome::Done })
}

fn app_stamp(ctx: &Ctx, name: &str) -> Result<Stamp> {
    Stamp::new(ctx, name).paths(&ctx.root, &APP_SOURCES)
}

fn token_file(ctx: &Ctx) -> PathBuf {
    ctx.own().join("token.wasm")
}

fn demo_file(ctx: &Ctx) -> PathBuf {
    ctx.own().join("demo.bin")
}

fn bundle_dir(ctx: &Ctx) -> PathBuf {
    ctx.own().join("bundle")
}

/// Where wasm-bindgen writes; git-ignored, and imported by web/js.
pub(crate) fn bindings(ctx: &Ctx) -> PathBuf {
    ctx.root.join("web/pkg")
}

/// The wasm cargo makes.
fn node_wasm(ctx: &Ctx) -> Result<PathBuf> {
    Ok(ctx.wasm()?.output(ctx, ctx.profile).join("weft_web.wasm"))
}
