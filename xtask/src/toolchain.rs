//! A compiler for wasm32: rustup's target where it is there or can be added, otherwise Debian's packages.
//!
//! rustup's download servers are not reachable from every machine. Debian ships a compiler of its own (`rustc-web`,
//! made for building browsers) together with the sources of the standard library, which cargo can compile for wasm32.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::args::Choice;
use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::say::say;
use crate::steps::Outcome;

pub(crate) const TRIPLE: &str = "wasm32-unknown-unknown";

/// wasmi runs one small function for each instruction of a guest, and is twice as fast in wasm32 when each ends in a tail
/// call. LLVM makes some of those calls by itself, and overflows the stack with the others: all or nothing. `become` makes
/// all of them; the compiler is allowed to know it for wasmi alone.
const TAIL_CALLS: &str = " -C target-feature=+tail-call";
const BECOME: (&str, &str) = ("RUSTC_BOOTSTRAP", "wasmi");

/// crypto-bigint takes 64-bit limbs in wasm32 by itself. Their products are 128 bits wide, which wasm has to put together in
/// calls: with 32-bit limbs an RSA signature is checked a third faster.
const LIMBS: &str = "--cfg cpubits=\"32\"";
const RUSTFLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-19";
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];

/// The compiler that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WasmToolchain {
    /// The toolchain that runs xtask, with rustup's precompiled standard library.
    Rustup,
    /// Debian's `rustc-web`, compiling the standard library from source.
    Debian,
}

/// The step `toolchain`.
pub(crate) fn step(ctx: &Ctx) -> Result<Outcome> {
    let (toolchain, outcome) = match ctx.args.toolchain {
        Choice::Rustup => rustup(ctx)?,
        Choice::Debian => debian()?,
        Choice::Auto => auto(ctx)?,
    };
    say!("{}", toolchain.sentence());
    ctx.toolchain.set(toolchain).ok().context("the toolchain was chosen twice")?;
    Ok(outcome)
}

fn auto(ctx: &Ctx) -> Result<(WasmToolchain, Outcome)> {
    if has_target(ctx) {
        return Ok((WasmToolchain::Rustup, Outcome::Unchanged));
    }
    if let Some(ready) = debian_ready() {
        return Ok((ready, Outcome::Unchanged));
    }
    rustup(ctx).or_else(|error| {
        say!("{error:#}");
        say!("falling back to Debian's compiler for wasm32");
        debian()
    })
}

fn rustup(ctx: &Ctx) -> Result<(WasmToolchain, Outcome)> {
    if has_target(ctx) {
        return Ok((WasmToolchain::Rustup, Outcome::Unchanged));
    }
    say!("this toolchain has no {TRIPLE} yet: rustup target add {TRIPLE}");
    Run::new("rustup").args(["target", "add", TRIPLE]).env("RUST_BACKTRACE", "0").go()?;
    if !has_target(ctx) {
        bail!("rustup added {TRIPLE}, yet rustc does not find it");
    }
    Ok((WasmToolchain::Rustup, Outcome::Done))
}

/// rustc prints the directory whether or not it exists: look for the core library in it.
fn has_target(ctx: &Ctx) -> bool {
    let query = Run::new("rustc").args(["--print", "target-libdir", "--target", TRIPLE]).dir(&ctx.root);
    let Ok(dir) = query.read() else { return false };
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn debian() -> Result<(WasmToolchain, Outcome)> {
    if let Some(ready) = debian_ready() {
        return Ok((ready, Outcome::Unchanged));
    }
    apt::install(&DEBIAN_PACKAGES)?;
    let ready = debian_ready().context("the packages were installed, yet the compiler is not complete")?;
    Ok((ready, Outcome::Done))
}

fn debian_ready() -> Option<WasmToolchain> {
    let there =
        [DEBIAN_CARGO, DEBIAN_RUSTC, DEBIAN_STD, DEBIAN_LINKER].iter().all(|file| Path::new(file).exists());
    // Debian's `cargo` and `rustc` (without -web) have the same names and are too old.
    let ours = Run::new("dpkg").args(["-s", "rustc-web", "cargo-web"]).works();
    (there && ours).then_some(WasmToolchain::Debian)
}

/// Apart from the native builds, which another compiler makes.
fn debian_target(ctx: &Ctx) -> PathBuf {
    ctx.target.join("debian")
}

impl WasmToolchain {
    /// What is used, for a person.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Rustup => format!("rustup's target {TRIPLE}"),
            Self::Debian => {
                format!("Debian's rustc-web, which compiles the standard library for {TRIPLE} itself")
            }
        }
    }

    /// A cargo command for the page's wasm, in the checkout. The command must include the package `weft-web`.
    pub(crate) fn cargo(&self, ctx: &Ctx, command: &str) -> Run {
        // A RUSTFLAGS of the person's would win over ours.
        let run =
            self.plain_cargo(ctx, command).without_env("RUSTFLAGS").without_env("CARGO_ENCODED_RUSTFLAGS");
        if ctx.args.loop_dispatch {
            return run.env(RUSTFLAGS, LIMBS);
        }
        let run =
            run.args(["--features", "weft-web/tail-calls"]).env(RUSTFLAGS, format!("{LIMBS}{TAIL_CALLS}"));
        // Debian's compiler is allowed to know everything: the standard library is compiled as well.
        if *self == Self::Rustup { run.env(BECOME.0, BECOME.1) } else { run }
    }

    /// A cargo command for wasm32 in the checkout, for anything else.
    pub(crate) fn plain_cargo(&self, ctx: &Ctx, command: &str) -> Run {
        let run = match self {
            Self::Rustup => ctx.cargo(command),
            Self::Debian => Self::debian_cargo(ctx, command),
        };
        run.args(["--target", TRIPLE])
    }

    fn debian_cargo(ctx: &Ctx, command: &str) -> Run {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut run = Run::new(DEBIAN_CARGO).arg(command).dir(&ctx.root);
        // rustup points these at its own toolchain.
        for name in ["RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH", "CARGO"] {
            run = run.without_env(name);
        }
        run.env("PATH", format!("/usr/bin:{path}"))
            .env("RUSTC", DEBIAN_RUSTC)
            .env("RUSTDOC", "/usr/bin/rustdoc")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", debian_target(ctx))
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER)
            .arg("-Zbuild-std=std,panic_abort")
    }

    /// The target directory of this compiler.
    pub(crate) fn target(&self, ctx: &Ctx) -> PathBuf {
        match self {
            Self::Rustup => ctx.target.clone(),
            Self::Debian => debian_target(ctx),
        }
    }

    /// Where cargo puts what it built for wasm32 with a profile.
    pub(crate) fn output(&self, ctx: &Ctx, profile: &str) -> PathBuf {
        self.target(ctx).join(TRIPLE).join(profile)
    }

    /// Makes sure that clippy exists for this compiler.
    pub(crate) fn need_clippy(&self) -> Result<()> {
        match self {
            Self::Rustup => Ok(()),
            Self::Debian if Path::new("/usr/bin/cargo-clippy").exists() => Ok(()),
            Self::Debian => apt::install(&["rust-web-clippy"]),
        }
    }
}
