//! The steps of `cargo xtask test`, and its summary.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::browser::Browser;
use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::lanes::{self, OnFailure, Row};
use crate::say::say;
use crate::steps::Outcome;
use crate::tally::Tally;
use crate::{again, bench, failed, files, modules, page, tools};

/// Steps of `test` besides what they need.
const ALL: [&str; 11] = [
    "tidy",
    "fmt",
    "clippy",
    "clippy-wasm",
    "native",
    "token-test",
    "typecheck",
    "wasm-test",
    "e2e",
    "node-e2e",
    "page",
];

/// What is compiled for the native tests; the `weft` that they run is a part of it.
const NATIVE: [&str; 6] = ["--locked", "--workspace", "--lib", "--bins", "--tests", "--examples"];
/// What is compiled for the tests in the browser; of our crates clippy sees those that they need. The page's node is compiled with them (and the runtime for comparing), so
/// that no crate is compiled twice for want of a feature that only a test asks for.
const BROWSER: [&str; 7] = ["--locked", "--lib", "--tests", "-p", "weft-web", "-p", "weft-tests"];

/// Compiles all of `wasm-test` and more of what runs in a browser.
pub(crate) fn browser_build(ctx: &Ctx) -> Result<Run> {
    Ok(ctx.wasm()?.cargo(ctx, "build").args(BROWSER).args(["--example", "bench", "--example", "signatures"]))
}

/// `cargo xtask test`.
pub(crate) fn run(ctx: &Ctx) -> Result<bool> {
    let started = Instant::now();
    let rows = match &ctx.args.only {
        Some(step) => lanes::run(ctx, &[step], OnFailure::GoOn)?,
        None => lanes::run(ctx, &ALL, OnFailure::GoOn)?,
    };
    summary(ctx, &rows, started.elapsed());
    Ok(rows.iter().all(Row::ok))
}

/// The step `tidy`.
pub(crate) fn tidy(ctx: &Ctx) -> Result<Outcome> {
    match crate::tidy::check(ctx)? {
        0 => Ok(Outcome::Done),
        findings => bail!("{findings} findings"),
    }
}

/// The step `fmt`.
pub(crate) fn fmt(ctx: &Ctx) -> Result<Outcome> {
    component(ctx, "fmt", "rustfmt")?;
    ctx.cargo("fmt").args(["--all", "--check"]).go()?;
    ctx.cargo("fmt").args(["--check", "--manifest-path", TOKEN]).go()?;
    Ok(Outcome::Done)
}

const TOKEN: &str = "examples/token/Cargo.toml";
const STRICT: [&str; 3] = ["--", "-D", "warnings"];

/// The native tests, compiled by clippy as `cargo clippy` has its crates checked: it is the compiler with more lints. To check
/// first and compile afterwards reads all dependencies twice.
fn native_tests(ctx: &Ctx) -> Run {
    let run = ctx.cargo("test").args(NATIVE);
    run.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver").env("CLIPPY_ARGS", "-Dwarnings")
}

/// Compiles the native tests, and with them `weft`.
pub(crate) fn native_build(ctx: &Ctx) -> Run {
    native_tests(ctx).arg("--no-run")
}

/// The step `clippy`.
pub(crate) fn clippy(ctx: &Ctx) -> Result<Outcome> {
    component(ctx, "clippy", "clippy")?;
    again::unless_unchanged(ctx, "clippy", &again::lint(ctx, "clippy")?, || {
        native_build(ctx).go()?;
        let token =
            ctx.cargo("clippy").args(["--locked", "--all-targets", "--manifest-path", TOKEN, "--target-dir"]);
        token.arg(token_target(ctx)).args(STRICT).go()?;
        Ok(Outcome::Done)
    })
}

/// The step `clippy-wasm`: what runs in the browser, seen as the browser's compiler sees it.
pub(crate) fn clippy_wasm(ctx: &Ctx) -> Result<Outcome> {
    let wasm = ctx.wasm()?;
    wasm.need_clippy()?;
    let stamp = again::lint(ctx, "clippy-wasm")?.text(&wasm.sentence());
    again::unless_unchanged(ctx, "clippy-wasm", &stamp, || {
        wasm.cargo(ctx, "clippy")
            .args(BROWSER)
            .args(["--example", "bench", "--example", "signatures"])
            // In the profile of the page. In that of the native tests, what the two have in common (macros and what makes
            // them) would be compiled again and again, since the page's compiler has another environment.
            .args(["--profile", ctx.profile])
            .args(STRICT)
            .go()?;
        Ok(Outcome::Done)
    })
}

/// The step `native`.
pub(crate) fn native(ctx: &Ctx) -> Result<Outcome> {
    let others = modules::others();
    let stamp = again::rust_tests(ctx, "native")?.text(&others.to_string_lossy());
    again::unless_unchanged(ctx, "native", &stamp, || {
        let run = native_tests(ctx).arg("--no-fail-fast").env("WEFT_MODULES", modules::dir(ctx));
        // For what node's own V8 may not take: see tests/differential/v8.mjs. Not the shell: Debian's crashes where WebAssembly traps.
        let run = run.env("CHROMIUM", &browser(ctx)?.chromium);
        counted(run.env("WEFT_OTHER_MODULES", others))
    })
}

/// The step `token-test`.
pub(crate) fn token(ctx: &Ctx) -> Result<Outcome> {
    let run =
        ctx.cargo("test").args(["--locked", "--no-fail-fast", "--manifest-path", TOKEN, "--target-dir"]);
    let stamp = again::lint(ctx, "token-test")?;
    again::unless_unchanged(ctx, "token-test", &stamp, || counted(run.arg(token_target(ctx))))
}

/// The step `wasm-test`: the tests below `web` once more as wasm, and those of the browser's own code.
pub(crate) fn wasm_tests(ctx: &Ctx) -> Result<Outcome> {
    let runner = tools::test_runner(ctx)?;
    let browser = browser(ctx)?;
    let driver_options = ctx.own().join("webdriver.json");
    files::write(&driver_options, browser.driver_options().to_string().as_bytes())?;
    let wasm = ctx.wasm()?;
    let stamp = again::rust_tests(ctx, "wasm-test")?.text(&wasm.sentence());
    let run = wasm
        .cargo(ctx, "test")
        .arg("--no-fail-fast")
        .args(BROWSER)
        // With the page's own profile: what is tested is what is served.
        .args(["--profile", ctx.profile])
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", runner)
        .env("CHROMEDRIVER", &browser.driver)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", driver_options)
        .env("WASM_BINDGEN_TEST_TIMEOUT", "900");
    again::unless_unchanged(ctx, "wasm-test", &stamp, || counted(run))
}

/// The step `e2e`: the page.
pub(crate) fn e2e(ctx: &Ctx) -> Result<Outcome> {
    let stamp = again::page_tests(ctx, "e2e")?;
    let run = end_to_end(ctx)?.arg("--dist").arg(&ctx.out).arg("--weft").arg(ctx.weft());
    let run = run.arg("--artefacts").arg(ctx.root.join("artefacts"));
    again::unless_unchanged(ctx, "e2e", &stamp, || counted(run))
}

/// The step `node-e2e`: what of the node can be seen without the app, which an edit of the app leaves be.
pub(crate) fn node_end_to_end(ctx: &Ctx) -> Result<Outcome> {
    let stamp = again::node_tests(ctx, "node-e2e")?;
    let run = end_to_end(ctx)?.args(["--folder", "node"]).env("WEFT_RUNTIME", bench::browser_bindings(ctx));
    let run = run.env("WEFT_CLIENT", page::client_dir(ctx)).env("WEFT_CONTRACTS", page::contracts_dir(ctx));
    again::unless_unchanged(ctx, "node-e2e", &stamp, || counted(run))
}

fn end_to_end(ctx: &Ctx) -> Result<Run> {
    let run = Run::new("node").arg("tests/e2e/run.mjs").dir(&ctx.root);
    Ok(run.env("CHROMIUM", &browser(ctx)?.shell).env("WEFT_MODULES", modules::dir(ctx)))
}

/// Runs tests and counts them. A runner that counts nothing has not tested anything: that is an error.
fn counted(run: Run) -> Result<Outcome> {
    let said = run.tee()?;
    let tally = Tally::read(&said.text);
    match (said.ok, tally.total(), tally.failed) {
        (true, 0, _) => bail!("the runner succeeded without running a test"),
        (true, _, 0) => Ok(Outcome::Passed(tally)),
        (_, _, 0) => bail!("the runner failed, with {tally}"),
        _ => Ok(Outcome::Failed(tally, failed::lines(&said.text).into_iter().map(str::to_owned).collect())),
    }
}

/// Adds a component of the toolchain if it is missing.
fn component(ctx: &Ctx, command: &str, name: &str) -> Result<()> {
    if ctx.cargo(command).arg("--version").works() {
        return Ok(());
    }
    say!("rustup component add {name}");
    Run::new("rustup").args(["component", "add", name]).go()
}

fn browser(ctx: &Ctx) -> Result<&Browser> {
    ctx.browser.get().context("the step `browser` has not run")
}

/// The token is a workspace of its own; its native builds share a directory with nothing else.
fn token_target(ctx: &Ctx) -> PathBuf {
    ctx.target.join("token")
}

/// Why tests failed, a table of the steps, then the numbers alone on the last line.
fn summary(ctx: &Ctx, rows: &[Row], took: Duration) {
    for row in rows {
        if let Ok(Outcome::Failed(_, why)) = &row.result {
            println!("\n{} failed:\n  {}", row.name, why.join("\n  "));
        }
    }
    println!("\n{:<14}{:<9}{:>14}   tests", "step", "result", "time");
    for row in rows {
        let (result, tests) = match &row.result {
            Ok(Outcome::Done) => ("ok", String::new()),
            Ok(Outcome::Unchanged) => ("same", String::new()),
            Ok(Outcome::Before(tally)) => ("same", format!("{} passed before", tally.passed)),
            Ok(Outcome::Blocked(need)) => ("not run", format!("it needs `{need}`")),
            Ok(Outcome::Passed(tally)) => ("ok", tally.to_string()),
            Ok(Outcome::Failed(tally, _)) => ("FAILED", tally.to_string()),
            Err(error) => ("FAILED", format!("{error:#}")),
        };
        println!("{:<14}{result:<9}{:>14}   {tests}", row.name, lanes::seconds(row.took));
    }
    println!("fixtures: {}", corpus(ctx));
    println!("{} steps, two at a time, in {}", rows.len(), lanes::seconds(took));
    println!("{}", rows.iter().map(row_tally).sum::<Tally>());
}

/// A step that failed without counting is one failure: the last line never says 0 failed when something is broken.
/// What was not run because of it is skipped, and so is what passed before and has not changed.
fn row_tally(row: &Row) -> Tally {
    match &row.result {
        Ok(Outcome::Passed(tally) | Outcome::Failed(tally, _)) => *tally,
        Ok(Outcome::Before(tally)) => Tally { skipped: tally.total(), ..Tally::default() },
        Ok(Outcome::Blocked(_)) => Tally { skipped: 1, ..Tally::default() },
        Ok(_) => Tally::default(),
        Err(_) => Tally { failed: 1, ..Tally::default() },
    }
}

/// Which recorded data the tests saw.
fn corpus(ctx: &Ctx) -> &'static str {
    match ctx.root.join("../shared/fixtures").is_dir() {
        true => "those of this repository, and the larger corpus in ../shared/fixtures",
        false => "those of this repository only (there is no larger corpus in ../shared/fixtures)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Outcome> {
        counted(Run::new("sh").args(["-c", script]))
    }

    #[test]
    fn runners_are_believed_only_when_they_ran_something() {
        let ok = shell("echo 'test result: ok. 2 passed; 0 failed; 0 ignored'").unwrap();
        assert_eq!(ok, Outcome::Passed(Tally { passed: 2, ..Tally::default() }));
        let bad = shell("echo '1 passed, 1 failed'; exit 1").unwrap();
        assert_eq!(bad, Outcome::Failed(Tally { passed: 1, failed: 1, skipped: 0 }, Vec::new()));
        let sly = shell("echo '1 passed, 1 failed'").unwrap();
        assert_eq!(sly, Outcome::Failed(Tally { passed: 1, failed: 1, skipped: 0 }, Vec::new()));
        assert!(shell("true").is_err());
        assert!(shell("echo '1 passed, 0 failed'; exit 1").is_err());
    }

    #[test]
    fn a_step_that_broke_is_a_failure_and_what_needs_it_is_skipped() {
        let tally = |result| row_tally(&Row { name: "x", result, took: Duration::ZERO });
        assert_eq!(tally(Err(anyhow::anyhow!("no"))), Tally { failed: 1, ..Tally::default() });
        assert_eq!(tally(Ok(Outcome::Blocked("y"))), Tally { skipped: 1, ..Tally::default() });
    }
}
