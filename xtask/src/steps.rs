//! The steps of the work, what each needs, and the loop that runs them.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::ctx::Ctx;
use crate::tally::Tally;
use crate::{bench, browser, checks, dist, modules, npm, page, toolchain, tools};

/// How a step ended, when it ended well or counted failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did its work.
    Done,
    /// Its inputs are those of the last time.
    Unchanged,
    /// Its inputs are those of the last time, when these tests passed.
    Before(Tally),
    /// It was not run, because the step named failed.
    Blocked(&'static str),
    /// It ran tests; the flag is the runner's own verdict.
    Tests(Tally, bool),
}

/// One step.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// What it does, for a person.
    pub(crate) about: &'static str,
    /// Steps that must have succeeded before.
    pub(crate) needs: &'static [&'static str],
    pub(crate) run: fn(&Ctx) -> Result<Outcome>,
}

/// Every step, in an order in which each comes after what it needs.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "toolchain", about: "a compiler for wasm32", needs: &[], run: toolchain::step },
    Step { name: "crates", about: "the crates of Cargo.lock", needs: &[], run: tools::crates },
    Step { name: "wasm-bindgen", about: "wasm-bindgen's tools", needs: &[], run: tools::wasm_bindgen },
    Step { name: "npm", about: "the app's npm packages", needs: &[], run: npm::app },
    Step { name: "npm-tests", about: "the tests' npm packages", needs: &[], run: npm::tests },
    Step { name: "modules", about: "real AO modules to compare with", needs: &[], run: modules::step },
    Step { name: "browser", about: "Chromium and its driver", needs: &[], run: browser::step },
    Step { name: "tidy", about: "the rules of the house", needs: &[], run: checks::tidy },
    Step { name: "fmt", about: "rustfmt", needs: &[], run: checks::fmt },
    Step { name: "clippy", about: "clippy, native", needs: &["crates"], run: checks::clippy },
    Step {
        name: "clippy-wasm",
        about: "clippy, wasm32",
        needs: &["crates", "toolchain"],
        run: checks::clippy_wasm,
    },
    Step {
        name: "native",
        about: "tests of every crate, native",
        needs: &["crates", "modules", "npm-tests"],
        run: checks::native,
    },
    Step { name: "token-test", about: "tests of the demo's token", needs: &["crates"], run: checks::token },
    Step {
        name: "token",
        about: "the demo's token, a wasm process",
        needs: &["toolchain", "crates"],
        run: page::token,
    },
    Step { name: "weft", about: "the command line tool weft", needs: &["crates"], run: page::weft },
    Step { name: "demo", about: "the demo's signed history", needs: &["token", "weft"], run: page::demo },
    Step { name: "wasm", about: "the node as wasm", needs: &["toolchain", "crates"], run: page::wasm },
    Step {
        name: "bindgen",
        about: "its JavaScript bindings",
        needs: &["wasm", "wasm-bindgen"],
        run: page::bindgen,
    },
    Step { name: "typecheck", about: "TypeScript types", needs: &["npm", "bindgen"], run: page::typecheck },
    Step { name: "bundle", about: "the app's JavaScript", needs: &["npm", "bindgen"], run: page::bundle },
    Step { name: "npm-dist", about: "binaryen, for a release", needs: &[], run: dist::packages },
    Step {
        name: "wasm-opt",
        about: "the node, optimised",
        needs: &["bindgen", "npm-dist"],
        run: dist::optimise,
    },
    Step { name: "bench-native", about: "the runtime, native", needs: &["crates"], run: bench::native },
    Step {
        name: "bench-wasm",
        about: "the runtime as wasm, for node",
        needs: &["toolchain", "crates", "wasm-bindgen"],
        run: bench::wasm,
    },
    Step {
        name: "contracts",
        about: "a seam's contract as wasm",
        needs: &["toolchain", "crates", "wasm-bindgen"],
        run: page::contracts,
    },
    Step { name: "page", about: "the page, put together", needs: &["bundle", "demo"], run: page::page },
    Step {
        name: "wasm-test",
        about: "tests in Chromium, wasm32",
        needs: &["crates", "toolchain", "wasm-bindgen", "browser"],
        run: checks::wasm_tests,
    },
    Step {
        name: "e2e",
        about: "the page in Chromium, end to end",
        needs: &["npm-tests", "browser", "page", "weft", "modules", "contracts"],
        run: checks::e2e,
    },
    Step {
        name: "engine",
        about: "the runtime in Chromium against ao-loader",
        needs: &["npm-tests", "browser", "modules", "bench-wasm"],
        run: checks::engine,
    },
];

/// What became of a step.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) result: Result<Outcome>,
    pub(crate) took: Duration,
}

impl Row {
    pub(crate) fn ok(&self) -> bool {
        !matches!(self.result, Err(_) | Ok(Outcome::Blocked(_) | Outcome::Tests(_, false)))
    }
}

/// Whether work goes on after a step failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    Stop,
    /// Steps that do not need the failed one are run, for the whole picture.
    GoOn,
}

/// The steps `build` and `serve` run.
pub(crate) const PAGE: [&str; 2] = ["typecheck", "page"];

/// `cargo xtask build`.
pub(crate) fn build(ctx: &Ctx) -> Result<bool> {
    let started = Instant::now();
    let rows = run(ctx, &PAGE, OnFailure::Stop)?;
    let ok = rows.iter().all(Row::ok);
    if ok {
        println!("built {} in {}", ctx.shown(&ctx.out), seconds(started.elapsed()));
    }
    Ok(ok)
}

/// Runs the named steps and everything they need.
pub(crate) fn run(ctx: &Ctx, names: &[&str], on_failure: OnFailure) -> Result<Vec<Row>> {
    let plan = plan(STEPS, names)?;
    let mut rows: Vec<Row> = Vec::new();
    for (at, step) in plan.iter().enumerate() {
        println!("[{:>2}/{}] {}: {}", at + 1, plan.len(), step.name, step.about);
        let started = Instant::now();
        let missing = step.needs.iter().find(|need| rows.iter().any(|row| row.name == **need && !row.ok()));
        let result = match missing {
            Some(need) => Ok(Outcome::Blocked(need)),
            None => (step.run)(ctx),
        };
        let row = Row { name: step.name, result, took: started.elapsed() };
        println!("        {}", verdict(&row));
        let stop = !row.ok() && on_failure == OnFailure::Stop;
        rows.push(row);
        if stop {
            break;
        }
    }
    Ok(rows)
}

fn verdict(row: &Row) -> String {
    let took = seconds(row.took);
    match &row.result {
        Ok(Outcome::Done) => format!("done in {took}"),
        Ok(Outcome::Unchanged) => format!("unchanged ({took})"),
        Ok(Outcome::Before(tally)) => format!("unchanged since {tally} ({took})"),
        Ok(Outcome::Blocked(need)) => format!("not run: it needs `{need}`"),
        Ok(Outcome::Tests(tally, true)) => format!("{tally} in {took}"),
        Ok(Outcome::Tests(tally, false)) => format!("FAILED: {tally} in {took}"),
        Err(error) => format!("FAILED after {took}: {error:#}"),
    }
}

/// `12.3 s`, `4 min 05 s`.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..120 => format!("{:.1} s", time.as_secs_f64()),
        long => format!("{} min {:02} s", long / 60, long % 60),
    }
}

/// The named steps and what they need, in the order of the table.
fn plan<'a>(table: &'a [Step], names: &[&str]) -> Result<Vec<&'a Step>> {
    let mut wanted: Vec<&str> = names.to_vec();
    let mut at = 0;
    while let Some(name) = wanted.get(at) {
        let step = table.iter().find(|step| step.name == *name);
        let Some(step) = step else {
            let known: Vec<_> = table.iter().map(|step| step.name).collect();
            bail!("no step is called {name}; there are {}", known.join(", "));
        };
        for need in step.needs {
            if !wanted.contains(need) {
                wanted.push(need);
            }
        }
        at += 1;
    }
    Ok(table.iter().filter(|step| wanted.contains(&step.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_comes_after_what_it_needs() {
        for (at, step) in STEPS.iter().enumerate() {
            for need in step.needs {
                let before = STEPS.iter().take(at).any(|other| other.name == *need);
                assert!(before, "{} needs {need}, which does not come before it", step.name);
            }
        }
    }

    #[test]
    fn a_plan_holds_what_is_needed_and_no_more() {
        let names: Vec<_> = plan(STEPS, &["demo"]).unwrap().iter().map(|step| step.name).collect();
        assert_eq!(names, ["toolchain", "crates", "token", "weft", "demo"]);
        assert!(plan(STEPS, &["demmo"]).is_err());
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(1234)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(245)), "4 min 05 s");
    }
}
