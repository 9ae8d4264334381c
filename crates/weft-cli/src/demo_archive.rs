//! `weft demo-archive`: the demo's histories, signed with the demo keys, for the page to ship.

use std::path::PathBuf;
use std::process::ExitCode;

use weft_codec::{Code, Error, Result};
use weft_node::demo::{DemoArchive, DemoKeys, DemoPrograms, build_demo};

use crate::keys::JwkSigner;

/// The demo keys: public, and worth nothing (examples/demo-keys/README.md).
const SCHEDULER: &str = include_str!("../../../examples/demo-keys/scheduler.json");
const ALICE: &str = include_str!("../../../examples/demo-keys/alice.json");
const BOB: &str = include_str!("../../../examples/demo-keys/bob.json");

/// The token in Lua: the blueprint itself.
const LUA: &[u8] = include_bytes!("../../../examples/blueprints/token.lua");

/// `weft demo-archive`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The token program (examples/token).
    #[arg(long)]
    module: PathBuf,
    /// Where the archive goes.
    #[arg(long)]
    out: PathBuf,
}

/// The demo keys, signing without salt.
///
/// # Errors
/// Those of [`JwkSigner::from_jwk`].
pub fn keys() -> Result<DemoKeys<JwkSigner>> {
    let key = |text: &str| JwkSigner::from_jwk(text).map(JwkSigner::without_salt);
    Ok(DemoKeys { scheduler: key(SCHEDULER)?, alice: key(ALICE)?, bob: key(BOB)? })
}

/// The archive of a token program and the token in Lua.
///
/// # Errors
/// Those of [`build_demo`].
pub async fn build(wasm: &[u8]) -> Result<DemoArchive> {
    build_demo(DemoPrograms { wasm, lua: LUA }, &keys()?).await
}

/// Writes the archive.
///
/// # Errors
/// `unreadable` for the files, and those of [`build`].
pub async fn run(args: Args) -> Result<ExitCode> {
    let file = |path: &PathBuf, cause: std::io::Error| {
        Error::new(Code::Unreadable, format!("{} cannot be read or written.", path.display())).because(cause)
    };
    let module = std::fs::read(&args.module).map_err(|cause| file(&args.module, cause))?;
    let archive = build(&module).await?.encode()?;
    std::fs::write(&args.out, archive).map_err(|cause| file(&args.out, cause))?;
    Ok(ExitCode::SUCCESS)
}
