//! What every step knows: where things are, and which compiler was found.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::args::{Args, Task};
use crate::browser::Browser;
use crate::cmd::Run;
use crate::toolchain::WasmToolchain;

/// The state of one invocation.
pub(crate) struct Ctx {
    pub(crate) args: Args,
    /// The checkout.
    pub(crate) root: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    /// Cargo profile of the page's wasm: `web`, or `dist` for a release.
    pub(crate) profile: &'static str,
    /// Where the page is put together.
    pub(crate) out: PathBuf,
    /// Set by the step `toolchain`.
    pub(crate) toolchain: OnceLock<WasmToolchain>,
    /// Set by the step `browser`.
    pub(crate) browser: OnceLock<Browser>,
}

impl Ctx {
    pub(crate) fn new(args: Args) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent")?.to_owned();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        // What is measured is what is published.
        let release = matches!(args.task, Task::Dist | Task::Bench);
        let out = match (&args.into, args.for_trunk) {
            (Some(dir), _) => std::env::current_dir()?.join(dir),
            (None, true) => {
                PathBuf::from(std::env::var("TRUNK_STAGING_DIR").context("not started by trunk")?)
            }
            (None, false) => root.join(if release { "dist-release" } else { "dist" }),
        };
        let profile = if release { "dist" } else { "web" };
        Ok(Self { args, root, target, profile, out, toolchain: OnceLock::new(), browser: OnceLock::new() })
    }

    /// Whether the page is made to be published.
    pub(crate) fn release(&self) -> bool {
        self.profile == "dist"
    }

    /// Where xtask keeps its own state.
    pub(crate) fn own(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// Tools installed by xtask, never on the machine at large.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// The cargo that runs us, in the checkout.
    pub(crate) fn cargo(&self, command: &str) -> Run {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        Run::new(cargo).arg(command).dir(&self.root)
    }

    /// Whether this is `test`: then what its tests are compiled with is used, rather than compiled once more without. The
    /// native `weft` is slower so, but its dependencies, where a message spends its time, are optimised in both.
    pub(crate) fn testing(&self) -> bool {
        self.args.task == Task::Test
    }

    /// The native `weft` of the step `weft`.
    pub(crate) fn weft(&self) -> PathBuf {
        let profile = if self.testing() { "debug" } else { "release" };
        self.target.join(profile).join(format!("weft{}", std::env::consts::EXE_SUFFIX))
    }

    /// The wasm toolchain; an error if its step has not run.
    pub(crate) fn wasm(&self) -> Result<&WasmToolchain> {
        self.toolchain.get().context("the step `toolchain` has not run")
    }

    /// A path as a person reads it: relative to the checkout where possible.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}
