//! npm packages, exactly as the lock files say.

use std::path::Path;

use anyhow::{Context, Result};

use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::stamp::Stamp;
use crate::steps::Outcome;
use crate::tools;

/// The step `npm`: the packages of the app.
pub(crate) fn app(ctx: &Ctx) -> Result<Outcome> {
    install(ctx, "www")
}

/// The step `npm-tests`: the packages of the tests.
pub(crate) fn tests(ctx: &Ctx) -> Result<Outcome> {
    install(ctx, "tests")
}

/// Installs a directory's packages unless its lock file is the one installed last.
pub(crate) fn install(ctx: &Ctx, dir: &str) -> Result<Outcome> {
    let at = ctx.root.join(dir);
    let installed = at.join("node_modules/.package-lock.json");
    let name = format!("npm-{}", dir.replace('/', "-"));
    let stamp = Stamp::new(ctx, &name).paths(&at, &["package.json", "package-lock.json", ".npmrc"])?;
    if stamp.fresh(std::slice::from_ref(&installed)) {
        return Ok(Outcome::Unchanged);
    }
    tools::node()?;
    npm(&at, &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"])
        .with_context(|| format!("the npm packages of {dir}/ cannot be installed"))?;
    stamp.save()?;
    Ok(Outcome::Done)
}

/// Runs npm in a directory.
pub(crate) fn npm(dir: &Path, args: &[&str]) -> Result<()> {
    Run::new("npm").args(args).dir(dir).env("npm_config_update_notifier", "false").go()
}
