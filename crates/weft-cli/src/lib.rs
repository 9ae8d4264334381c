//! The `weft` command, as a library: one module for each subcommand, and the native side of the seams.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use weft_codec::Result;

pub mod check;
pub mod demo_archive;
pub mod keys;
pub mod lua;
pub mod native;
pub mod replay;
pub mod serve;
pub mod verify;

/// A node for AO, on the command line.
#[derive(Debug, Parser)]
#[command(name = "weft", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compares other nodes' answers with the one that this machine replays.
    Check(Box<check::Args>),
    /// Writes the archive of the demo process.
    #[command(hide = true)]
    DemoArchive(demo_archive::Args),
    /// Runs a Lua script, as HyperBEAM's lua@5.3a does.
    Lua(lua::Args),
    /// Replays a process (fetched and verified first), or messages of a file through a module.
    Replay(Box<replay::Args>),
    /// Serves the page and a local AO network, on this machine only.
    Serve(serve::Args),
    /// Verifies data items, bundles, layer-1 transactions and scheduler pages in files.
    Verify(verify::VerifyArgs),
}

/// Runs a command.
///
/// # Errors
/// Those of the command.
pub async fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Check(args) => check::run(*args).await,
        Command::DemoArchive(args) => demo_archive::run(args).await,
        Command::Lua(args) => lua::run(&args, &mut std::io::stdout().lock()),
        Command::Replay(args) => replay::run(*args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Verify(args) => Ok(verify::run(&args, &mut std::io::stdout().lock()).into()),
    }
}
