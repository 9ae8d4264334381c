//! Debian's packages, for what rustup and npm do not bring.

use std::io::IsTerminal;

use anyhow::{Result, bail};

use crate::cmd::{Run, find};
use crate::say::say;

/// Installs packages, as root or through sudo. Package lists are fetched only when they are too old or missing.
///
/// # Errors
/// No apt-get, no right to use it, or the packages cannot be had.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if find("apt-get").is_none() {
        bail!("there is no apt-get on this machine: install {} by hand", packages.join(", "));
    }
    say!("apt-get install {}", packages.join(" "));
    let install = || apt(&["install", "-y", "-q", "--no-install-recommends"]).map(|run| run.args(packages));
    if install()?.go().is_ok() {
        return Ok(());
    }
    say!("package lists are missing or old: apt-get update");
    apt(&["update", "-q"])?.go()?;
    install()?.go()
}

/// Installs a package that one can do without: with the lists that are here, and nothing is removed for it.
///
/// # Errors
/// As `install`.
pub(crate) fn add(package: &str) -> Result<()> {
    if find("apt-get").is_none() {
        bail!("there is no apt-get on this machine");
    }
    say!("apt-get install {package}");
    apt(&["install", "-y", "-q", "--no-install-recommends", "--no-remove", package])?.go()
}

fn apt(args: &[&str]) -> Result<Run> {
    let root = Run::new("id").arg("-u").read()? == "0";
    let run = if root {
        Run::new("apt-get")
    } else if find("sudo").is_some() {
        // Without a terminal sudo must not ask for a password: it would wait for ever.
        let quiet: &[&str] = if std::io::stdin().is_terminal() { &[] } else { &["-n"] };
        Run::new("sudo").args(quiet).args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
    } else {
        bail!("installing packages needs root or sudo");
    };
    Ok(run.args(args).env("DEBIAN_FRONTEND", "noninteractive"))
}
