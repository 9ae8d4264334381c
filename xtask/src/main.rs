//! Builds, serves, tests, benches and tidies Weft: `cargo xtask help`.
//!
//! Everything the project does outside its own code goes through here, so that a person needs rustup, node and apt
//! and no list of commands to type. Work is cut into named steps (`steps.rs`); a step says what it does, how long it
//! took, and is skipped when nothing it reads has changed.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "a command line tool: printing is what it does")]
#![expect(
    clippy::disallowed_methods,
    reason = "a command line tool: it times its steps and reads CHROME, PATH and the like from the environment"
)]

mod again;
mod apt;
mod args;
mod bench;
mod bench_core;
mod bench_lua;
mod bench_verify;
mod bench_wasm;
mod browser;
mod checks;
mod cmd;
mod ctx;
mod dist;
mod failed;
mod files;
mod help;
mod lanes;
mod modules;
mod npm;
mod page;
mod say;
mod serve;
mod stamp;
mod steps;
mod tally;
mod tidy;
mod toolchain;
mod tools;
mod vectors;

use std::process::ExitCode;

use args::{Args, Task};
use ctx::Ctx;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the task named on the command line; false when it ran and found failures.
fn run() -> anyhow::Result<bool> {
    let args = Args::parse(std::env::args().skip(1))?;
    let task = args.task;
    let ctx = Ctx::new(args)?;
    match task {
        Task::Help => {
            help::print();
            Ok(true)
        }
        Task::Serve => serve::run(&ctx),
        Task::Build => lanes::build(&ctx),
        Task::Test => checks::run(&ctx),
        Task::Bench if ctx.args.core => bench_core::run(&ctx),
        Task::Bench if ctx.args.verify => bench_verify::run(&ctx),
        Task::Bench if ctx.args.wasm => bench_wasm::run(&ctx),
        Task::Bench if ctx.args.lua => bench_lua::run(&ctx),
        Task::Bench => bench::run(&ctx),
        Task::Tidy => tidy::run(&ctx),
        Task::Dist => dist::run(&ctx),
        Task::Vectors => vectors::run(&ctx),
    }
}
