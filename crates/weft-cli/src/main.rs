//! `weft`: a local AO network with the page, verification and replay from the command line.
#![forbid(unsafe_code)]

use std::error::Error as _;
use std::process::ExitCode;

use clap::Parser as _;
use weft_cli::{Cli, run};

#[expect(clippy::print_stderr, reason = "errors go to the user")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(cli)),
        Err(cause) => {
            eprintln!("weft: no runtime: {cause}");
            return ExitCode::FAILURE;
        }
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("weft: {} [{}]", error, error.code().as_str());
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}
