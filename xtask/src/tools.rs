//! Programs the build needs besides a compiler.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cmd::{Run, find};
use crate::ctx::Ctx;
use crate::say::say;
use crate::steps::Outcome;

const BINDGEN: &str = "wasm-bindgen";
const RUNNER: &str = "wasm-bindgen-test-runner";

/// The step `crates`: every crate of Cargo.lock is on this machine.
///
/// Asks the registry only when something is missing.
pub(crate) fn crates(ctx: &Ctx) -> Result<Outcome> {
    let manifests: [&[&str]; 2] = [&[], &["--manifest-path", "examples/token/Cargo.toml"]];
    let mut outcome = Outcome::Unchanged;
    for manifest in manifests {
        if !ctx.cargo("fetch").args(["--locked", "--offline", "--quiet"]).args(manifest).works() {
            ctx.cargo("fetch").arg("--locked").args(manifest).go()?;
            outcome = Outcome::Done;
        }
    }
    Ok(outcome)
}

/// The step `wasm-bindgen`: the command line tools at exactly the version of Cargo.lock, or they refuse the module.
pub(crate) fn wasm_bindgen(ctx: &Ctx) -> Result<Outcome> {
    let version = locked_version(ctx, BINDGEN)?;
    if let Ok(tool) = tool(ctx, BINDGEN) {
        say!("{BINDGEN} {version}: {}", ctx.shown(&tool));
        return Ok(Outcome::Unchanged);
    }
    say!("installing wasm-bindgen-cli {version} into {}", ctx.shown(&ctx.tools()));
    // Not --locked: the set of versions it was published with does not resolve any more. Without its features: the browser's
    // driver, on this machine, is not spoken to by TLS. Not optimised: it runs for seconds, and takes minutes to compile.
    let install = ctx
        .cargo("install")
        .args(["wasm-bindgen-cli", "--force", "--version", &format!("={version}"), "--no-default-features"])
        .args(["--debug", "--config", "profile.dev.debug=false", "--bin", BINDGEN, "--bin", RUNNER, "--root"])
        .arg(ctx.tools())
        .arg("--target-dir")
        .arg(ctx.tools().join("build"));
    install.go()?;
    tool(ctx, BINDGEN)?;
    Ok(Outcome::Done)
}

/// `wasm-bindgen` itself.
pub(crate) fn bindgen(ctx: &Ctx) -> Result<PathBuf> {
    tool(ctx, BINDGEN)
}

/// The program that runs wasm tests in a browser.
pub(crate) fn test_runner(ctx: &Ctx) -> Result<PathBuf> {
    tool(ctx, RUNNER)
}

/// A tool of wasm-bindgen-cli at the locked version: ours, or one on PATH.
fn tool(ctx: &Ctx, name: &str) -> Result<PathBuf> {
    let version = locked_version(ctx, BINDGEN)?;
    let ours = ctx.tools().join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let candidates = [ours.is_file().then_some(ours), find(name)];
    let fits = |file: &PathBuf| tool_version(file).is_some_and(|found| found == version);
    candidates.into_iter().flatten().find(fits).with_context(|| format!("no {name} {version}"))
}

/// `wasm-bindgen 0.2.130` → `0.2.130`.
fn tool_version(file: &Path) -> Option<String> {
    let said = Run::new(file).arg("--version").read().ok()?;
    said.split_whitespace().nth(1).map(str::to_owned)
}

/// The version of a crate in Cargo.lock.
pub(crate) fn locked_version(ctx: &Ctx, name: &str) -> Result<String> {
    let lock = std::fs::read_to_string(ctx.root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    version_in(&lock, name).with_context(|| format!("Cargo.lock has no {name}"))
}

fn version_in(lock: &str, name: &str) -> Option<String> {
    let package = lock.split("[[package]]").find(|text| text.contains(&format!("\nname = \"{name}\"\n")))?;
    let line = package.lines().find_map(|line| line.strip_prefix("version = "))?;
    Some(line.trim_matches('"').to_owned())
}

/// node and npm, recent enough.
pub(crate) fn node() -> Result<()> {
    let version = Run::new("node").arg("--version").read().context("node is needed (20 or newer)")?;
    let major: u32 =
        version.trim_start_matches('v').split('.').next().unwrap_or_default().parse().unwrap_or(0);
    if major < 20 {
        bail!("node {version} is too old: 20 or newer is needed");
    }
    if find("npm").is_none() {
        bail!("npm is needed, it comes with node");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_names_one_exact_version() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\ndependencies = []\n";
        assert_eq!(version_in(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in(lock, "wasm"), None);
    }
}
