//! The steps of the work, and what each needs. `lanes.rs` runs them.

use anyhow::{Result, bail};

use crate::ctx::Ctx;
use crate::tally::Tally;
use crate::{bench, bench_lua, browser, checks, dist, modules, npm, page, toolchain, tools};

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
    /// It ran tests, and all is well.
    Passed(Tally),
    /// It ran tests; what the runner said of those that failed.
    Failed(Tally, Vec<String>),
}

/// What a step has to itself while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Cargo's directory of the profile `dev`: cargo locks it, and would make another step wait.
    Dev,
    /// That of the profiles for wasm32.
    Web,
}

use Held::{Dev, Web};

/// One step.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// What it does, for a person.
    pub(crate) about: &'static str,
    /// Steps that must have succeeded before.
    pub(crate) needs: &'static [&'static str],
    /// What two steps cannot use at once.
    pub(crate) holds: &'static [Held],
    pub(crate) run: fn(&Ctx) -> Result<Outcome>,
}

/// What goes into a step when it is done at all: a release's page has the optimised node.
const BEFORE: [(&str, &str); 1] = [("wasm-opt", "page")];

impl Step {
    /// The steps that come before this one: what it needs, and what else goes into it.
    pub(crate) fn after(&self) -> impl Iterator<Item = &'static str> {
        let name = self.name;
        let more = BEFORE.iter().filter(move |(_, then)| *then == name).map(|(first, _)| *first);
        self.needs.iter().copied().chain(more)
    }
}

/// Every step, in an order in which each comes after what it needs, and in which they are begun when nothing is in their way:
/// first what much waits for, last what fills both cores by itself.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "toolchain", about: "a compiler for wasm32", needs: &[], holds: &[], run: toolchain::step },
    Step { name: "crates", about: "the crates of Cargo.lock", needs: &[], holds: &[], run: tools::crates },
    Step {
        name: "wasm-bindgen",
        about: "wasm-bindgen's tools",
        needs: &[],
        holds: &[],
        run: tools::wasm_bindgen,
    },
    Step { name: "npm", about: "the app's npm packages", needs: &[], holds: &[], run: npm::app },
    Step { name: "npm-tests", about: "the tests' npm packages", needs: &[], holds: &[], run: npm::tests },
    Step {
        name: "modules",
        about: "real AO modules to compare with",
        needs: &[],
        holds: &[],
        run: modules::step,
    },
    Step { name: "browser", about: "Chromium and its driver", needs: &[], holds: &[], run: browser::step },
    Step { name: "tidy", about: "the rules of the house", needs: &[], holds: &[], run: checks::tidy },
    Step { name: "fmt", about: "rustfmt", needs: &[], holds: &[], run: checks::fmt },
    Step {
        name: "clippy",
        about: "every crate and its tests, compiled by clippy",
        needs: &["crates"],
        holds: &[Dev],
        run: checks::clippy,
    },
    Step {
        name: "token-test",
        about: "tests of the demo's token",
        needs: &["crates"],
        holds: &[],
        run: checks::token,
    },
    Step {
        name: "token",
        about: "the demo's token, a wasm process",
        needs: &["toolchain", "crates"],
        holds: &[],
        run: page::token,
    },
    Step {
        name: "weft",
        about: "the command line tool weft",
        needs: &["crates"],
        holds: &[Dev],
        run: page::weft,
    },
    Step {
        name: "demo",
        about: "the demo's signed history",
        needs: &["token", "weft"],
        holds: &[],
        run: page::demo,
    },
    Step {
        name: "wasm",
        about: "the node as wasm",
        needs: &["toolchain", "crates"],
        holds: &[Web],
        run: page::wasm,
    },
    Step {
        name: "bindgen",
        about: "its JavaScript bindings",
        needs: &["wasm", "wasm-bindgen"],
        holds: &[],
        run: page::bindgen,
    },
    Step {
        name: "typecheck",
        about: "TypeScript types",
        needs: &["npm", "bindgen"],
        holds: &[],
        run: page::typecheck,
    },
    Step {
        name: "bundle",
        about: "the app's JavaScript",
        needs: &["npm", "bindgen"],
        holds: &[],
        run: page::bundle,
    },
    Step { name: "npm-dist", about: "binaryen, for a release", needs: &[], holds: &[], run: dist::packages },
    Step {
        name: "wasm-opt",
        about: "the node, optimised",
        needs: &["bindgen", "npm-dist"],
        holds: &[],
        run: dist::optimise,
    },
    Step {
        name: "bench-native",
        about: "the runtime, native",
        needs: &["crates"],
        holds: &[Dev],
        run: bench::native,
    },
    Step {
        name: "bench-wasm",
        about: "the runtime as wasm, for node",
        needs: &["toolchain", "crates", "wasm-bindgen"],
        holds: &[Web],
        run: bench::wasm,
    },
    Step {
        name: "bench-lua-native",
        about: "the Lua machine, native",
        needs: &["crates"],
        holds: &[Dev],
        run: bench_lua::native,
    },
    Step {
        name: "bench-lua-wasm",
        about: "the Lua machine as wasm, for node",
        needs: &["toolchain", "crates", "wasm-bindgen"],
        holds: &[Web],
        run: bench_lua::wasm,
    },
    Step {
        name: "contracts",
        about: "a seam's contract as wasm",
        needs: &["toolchain", "crates", "wasm-bindgen"],
        holds: &[Web],
        run: page::contracts,
    },
    Step {
        name: "client",
        about: "the client's JavaScript",
        needs: &["npm", "bindgen"],
        holds: &[],
        run: page::client,
    },
    Step {
        name: "page",
        about: "the page, put together",
        needs: &["bundle", "demo"],
        holds: &[],
        run: page::page,
    },
    Step {
        name: "wasm-test",
        about: "tests in Chromium, wasm32",
        needs: &["crates", "toolchain", "wasm-bindgen", "browser"],
        holds: &[Web],
        run: checks::wasm_tests,
    },
    Step {
        name: "e2e",
        about: "the page in Chromium, end to end",
        needs: &["npm-tests", "browser", "page", "weft", "modules"],
        holds: &[],
        run: checks::e2e,
    },
    Step {
        name: "node-e2e",
        about: "the node in Chromium, without the app",
        needs: &["npm-tests", "browser", "modules", "bench-wasm", "client", "contracts"],
        holds: &[],
        run: checks::node_end_to_end,
    },
    Step {
        name: "native",
        about: "tests of every crate, native",
        needs: &["clippy", "modules", "npm-tests", "browser"],
        holds: &[],
        run: checks::native,
    },
    Step {
        name: "clippy-wasm",
        about: "clippy, wasm32",
        needs: &["crates", "toolchain"],
        holds: &[Dev],
        run: checks::clippy_wasm,
    },
];

/// The named steps and what they need, in the order of the table.
pub(crate) fn plan<'a>(table: &'a [Step], names: &[&str]) -> Result<Vec<&'a Step>> {
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
            for need in step.after() {
                let before = STEPS.iter().take(at).any(|other| other.name == need);
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
}
