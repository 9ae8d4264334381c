//! Checks and tests that are not run again while nothing they read has changed since they last succeeded.
//!
//! A fresh clone has no such memory, so a first run, and CI's, does everything. `test --all` does so too, and
//! `test --only STEP` always runs that step.

use std::path::PathBuf;

use anyhow::Result;

use crate::ctx::Ctx;
use crate::files;
use crate::stamp::Stamp;
use crate::steps::Outcome;
use crate::tally::Tally;
use crate::{bench, modules, page};

/// What the Rust code, its tests and its lints are made of.
const RUST: [&str; 15] = [
    "Cargo.toml",
    "Cargo.lock",
    "clippy.toml",
    "rustfmt.toml",
    "docs",
    "crates",
    "examples",
    "web/Cargo.toml",
    "web/src",
    "web/tests",
    "web/examples",
    "tests/Cargo.toml",
    "tests/src",
    "tests/tests",
    "tests/examples",
];
/// What the tests read besides.
const READ_BY_TESTS: [&str; 8] = [
    "fuzz",
    "tests/fixtures",
    "tests/differential",
    "tests/aoconnect",
    "tests/bench",
    "tests/lua",
    "tests/package-lock.json",
    "../shared/fixtures",
];
/// The scripts of the end-to-end tests, and what they run beside the page.
const READ_BY_E2E: [&str; 4] =
    ["tests/e2e", "tests/aoconnect", "tests/differential", "tests/package-lock.json"];

/// The inputs of a lint.
pub(crate) fn lint(ctx: &Ctx, step: &str) -> Result<Stamp> {
    Stamp::new(ctx, step).text(&compiler(ctx)?).paths(&ctx.root, &RUST)?.path(&ctx.root.join("xtask"))
}

/// The inputs of the tests written in Rust. The vectors the references come with stand beside the fixtures.
pub(crate) fn rust_tests(ctx: &Ctx, step: &str) -> Result<Stamp> {
    let stamp = lint(ctx, step)?.paths(&ctx.root, &READ_BY_TESTS)?;
    stamp.path(&ctx.root.join("../shared/reference/vectors"))?.path(&modules::dir(ctx))
}

/// The inputs of the tests of the page: the page as it is served, and what stands beside it.
pub(crate) fn page_tests(ctx: &Ctx, step: &str) -> Result<Stamp> {
    let stamp = Stamp::new(ctx, step).path(&ctx.out)?.path(&ctx.weft())?;
    stamp.path(&modules::dir(ctx))?.paths(&ctx.root, &READ_BY_E2E)
}

/// The inputs of what is tested of the node in a browser without the app.
pub(crate) fn node_tests(ctx: &Ctx, step: &str) -> Result<Stamp> {
    let stamp = Stamp::new(ctx, step).path(&bench::browser_bindings(ctx))?.path(&page::client_dir(ctx))?;
    let stamp = stamp.path(&page::contracts_dir(ctx))?.path(&modules::dir(ctx))?;
    stamp
        .paths(&ctx.root, &READ_BY_E2E)?
        .paths(&ctx.root, &["tests/fixtures/ans104", "../shared/fixtures/ans104"])
}

/// Does the work, unless it succeeded before with the same inputs.
pub(crate) fn unless_unchanged(
    ctx: &Ctx,
    step: &str,
    stamp: &Stamp,
    work: impl FnOnce() -> Result<Outcome>,
) -> Result<Outcome> {
    let memory = ctx.own().join("stamps").join(format!("{step}.tally"));
    let forced = ctx.args.all || ctx.args.only.as_deref() == Some(step);
    if !forced && stamp.fresh(std::slice::from_ref(&memory)) {
        return recall(&memory);
    }
    let outcome = work()?;
    let tally = match &outcome {
        Outcome::Passed(tally) => tally.to_string(),
        Outcome::Done => String::new(),
        _ => return Ok(outcome),
    };
    files::write(&memory, tally.as_bytes())?;
    stamp.save()?;
    Ok(outcome)
}

fn recall(memory: &PathBuf) -> Result<Outcome> {
    let tally = Tally::read(&std::fs::read_to_string(memory)?);
    Ok(if tally.total() == 0 { Outcome::Unchanged } else { Outcome::Before(tally) })
}

/// A lint of a newer compiler may find more.
fn compiler(ctx: &Ctx) -> Result<String> {
    crate::cmd::Run::new("rustc").arg("-vV").dir(&ctx.root).read()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use crate::files::Scratch;

    fn ctx(dir: &std::path::Path, line: &str) -> Ctx {
        let args = Args::parse(line.split_whitespace().map(str::to_owned)).unwrap();
        Ctx { target: dir.to_owned(), ..Ctx::new(args).unwrap() }
    }

    #[test]
    fn what_succeeded_is_recalled_until_an_input_changes_or_it_is_asked_for() {
        let dir = Scratch::new("again");
        let run = |line: &str, input: &str, passed| {
            let ctx = ctx(&dir, line);
            let stamp = Stamp::new(&ctx, "native").text(input);
            let tally = Tally { passed, ..Tally::default() };
            unless_unchanged(&ctx, "native", &stamp, || Ok(Outcome::Passed(tally))).unwrap()
        };
        let ran = |passed| Outcome::Passed(Tally { passed, ..Tally::default() });
        let before = |passed| Outcome::Before(Tally { passed, ..Tally::default() });
        assert_eq!(run("test", "a", 1), ran(1));
        assert_eq!(run("test", "a", 2), before(1));
        assert_eq!(run("test", "b", 3), ran(3));
        assert_eq!(run("test --all", "b", 4), ran(4));
        assert_eq!(run("test --only native", "b", 5), ran(5));
        assert_eq!(run("test --only clippy", "b", 6), before(5));
    }

    #[test]
    fn a_failure_is_not_remembered() {
        let dir = Scratch::new("again-failure");
        let ctx = ctx(&dir, "test");
        let stamp = Stamp::new(&ctx, "native").text("a");
        let failed = Outcome::Failed(Tally { passed: 1, failed: 1, skipped: 0 }, Vec::new());
        for _ in 0..2 {
            let outcome = unless_unchanged(&ctx, "native", &stamp, || Ok(failed.clone())).unwrap();
            assert_eq!(outcome, failed);
        }
        let broke = || anyhow::bail!("broke");
        assert!(unless_unchanged(&ctx, "native", &stamp, broke).is_err());
    }
}
