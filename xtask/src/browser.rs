//! A Chromium and the driver that fits it, for the tests.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::apt;
use crate::cmd::{Run, find};
use crate::ctx::Ctx;
use crate::say::say;
use crate::steps::Outcome;

/// What the tests run in.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    pub(crate) chromium: PathBuf,
    pub(crate) driver: PathBuf,
    /// What the page is tested in: Chromium without all that a window needs, where there is one. It takes two thirds of the
    /// processor time.
    pub(crate) shell: PathBuf,
}

const BROWSERS: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const SHELLS: [&str; 2] = ["chromium-headless-shell", "chrome-headless-shell"];
const BROWSER_PLACES: [&str; 4] = [
    "/usr/lib/chromium/chromium",
    "/opt/google/chrome/chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const DRIVER_PLACES: [&str; 3] =
    ["/usr/bin/chromedriver", "/usr/lib/chromium/chromedriver", "/usr/lib/chromium-browser/chromedriver"];

impl Browser {
    /// What the driver is asked for: this browser, without a window and without traffic of its own.
    pub(crate) fn driver_options(&self) -> Value {
        json!({ "goog:chromeOptions": {
            "binary": self.chromium,
            // A container has neither a sandbox nor a graphics card, and little shared memory.
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--disable-background-networking", "--disable-component-update", "--no-first-run"],
        } })
    }
}

/// The step `browser`: found, or installed from Debian.
pub(crate) fn step(ctx: &Ctx) -> Result<Outcome> {
    let (found, outcome) = match pair() {
        Some(found) => (found, Outcome::Unchanged),
        None => {
            apt::install(&["chromium", "chromium-driver"])?;
            (pair().context("chromium was installed, yet no driver fits it")?, Outcome::Done)
        }
    };
    let (chromium, driver) = found;
    let shell = headless_shell(&chromium);
    say!("{} with {}; the page in {}", chromium.display(), driver.display(), shell.display());
    let browser = Browser { chromium, driver, shell };
    ctx.browser.set(browser).ok().context("the browser was chosen twice")?;
    Ok(outcome)
}

/// The first browser and driver of the same major version; the environment's CHROME and CHROMEDRIVER come first.
fn pair() -> Option<(PathBuf, PathBuf)> {
    let chromes = candidates("CHROME", &BROWSERS, &BROWSER_PLACES);
    let drivers = candidates("CHROMEDRIVER", &["chromedriver"], &DRIVER_PLACES);
    for chromium in chromes {
        let Some(version) = major(&chromium) else { continue };
        if let Some(driver) = drivers.iter().find(|driver| major(driver) == Some(version)) {
            return Some((chromium, driver.clone()));
        }
    }
    None
}

/// Chromium's headless shell, installed if Debian's package can be had; else the browser itself, which does it as well.
fn headless_shell(chromium: &Path) -> PathBuf {
    if std::env::var_os("CHROME").is_some() {
        return chromium.to_owned();
    }
    let found =
        || candidates("CHROME_HEADLESS_SHELL", &SHELLS, &[]).into_iter().find(|shell| major(shell).is_some());
    if let Some(shell) = found() {
        return shell;
    }
    // Of the version that is installed: another one would take the browser with it.
    match apt::add("chromium-headless-shell") {
        Ok(()) => found().unwrap_or_else(|| chromium.to_owned()),
        Err(error) => {
            say!("without chromium-headless-shell the page's tests take half as long again: {error:#}");
            chromium.to_owned()
        }
    }
}

fn candidates(variable: &str, names: &[&str], places: &[&str]) -> Vec<PathBuf> {
    if let Some(chosen) = std::env::var_os(variable) {
        return vec![PathBuf::from(chosen)];
    }
    let named = names.iter().filter_map(|name| find(name));
    let placed = places.iter().map(PathBuf::from).filter(|place| place.is_file());
    named.chain(placed).collect()
}

/// `Chromium 156.0.8078.79 built on …`, `ChromeDriver 156.0…` → 156.
fn major(program: &Path) -> Option<u32> {
    version_number(&Run::new(program).arg("--version").read().ok()?)
}

fn version_number(said: &str) -> Option<u32> {
    said.split_whitespace().find_map(|word| word.split_once('.').and_then(|(major, _)| major.parse().ok()))
}

/// Opens a URL for a person, if this machine has something to open it with.
pub(crate) fn open(url: &str) -> Result<()> {
    let openers = ["xdg-open", "open", "chromium", "google-chrome", "firefox"];
    let Some(opener) = openers.iter().find_map(|name| find(name)) else {
        bail!("no browser found to open: go to {url}");
    };
    Run::new(opener).arg(url).start()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_browsers_say() {
        assert_eq!(version_number("Chromium 156.0.8078.79 built on Debian GNU/Linux 12"), Some(156));
        assert_eq!(version_number("ChromeDriver 150.0.7871.100 (abc-refs/heads/x@{#1})"), Some(150));
        assert_eq!(version_number("nothing"), None);
    }
}
