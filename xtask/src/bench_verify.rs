//! `cargo xtask bench verify`: verification in Chromium, Weft beside npm arbundles, on the same items in one run.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::files;
use crate::lanes::{self, OnFailure, Row};

/// Messages of the history. Its signatures take some minutes to make, once.
const MESSAGES: &str = "10000";
/// Items of the generated bundle, where the fixture is not at hand.
const ITEMS: &str = "1000";
const FIXTURE: &str = "../shared/fixtures/ans104/arbundles-signed/bundle-mixed-1000.bundle";
/// What is compared: the name in the answer, for a person, and the peer's measurements.
const LINES: [(&str, &str, &str); 4] = [
    ("mixed", "1000 items of types 2, 3 and 4", "mixed"),
    ("rsa", "1000 items, all RSA", "rsa"),
    ("history", "the history as one bundle", "rsa"),
    ("sync", "the history from a scheduler, into the database", "rsa"),
];

/// Builds the page as it is published, makes what is verified, runs it, prints the table.
pub(crate) fn run(ctx: &Ctx) -> Result<bool> {
    let rows = lanes::run(ctx, &["npm-tests", "browser", "wasm-opt", "page"], OnFailure::Stop)?;
    if !rows.iter().all(Row::ok) {
        return Ok(false);
    }
    let browser = ctx.browser.get().context("the step `browser` has not run")?;
    let run = Run::new("node").arg("tests/bench/verify.mjs").dir(&ctx.root).arg("--dist").arg(&ctx.out);
    let run = run.arg("--items").arg(items(ctx)?).arg("--history").arg(history(ctx)?);
    println!("measuring");
    let said = run.env("CHROMIUM", &browser.chromium).read()?;
    let measured: Value = serde_json::from_str(&said).context("the bench did not answer with JSON")?;
    let report = report(&measured)?;
    files::write(&ctx.own().join("bench-verify.json"), report.to_string().as_bytes())?;
    if ctx.args.json {
        println!("{report}");
    } else {
        table(&report);
    }
    Ok(true)
}

/// A bundle of all kinds of items: the fixture, or one made here.
fn items(ctx: &Ctx) -> Result<PathBuf> {
    let fixture = ctx.root.join(FIXTURE);
    if fixture.is_file() { Ok(fixture) } else { made(ctx, "items", ITEMS) }
}

fn history(ctx: &Ctx) -> Result<PathBuf> {
    made(ctx, "history", MESSAGES)
}

/// What `tests/bench/NAME.mjs COUNT FILE` writes, kept for the next time.
fn made(ctx: &Ctx, name: &str, count: &str) -> Result<PathBuf> {
    let file = ctx.own().join(format!("bench-{name}-{count}.bundle"));
    if !file.is_file() {
        println!("signing {count} for {name}");
        let part = file.with_extension("part");
        files::write(&part, b"")?;
        let script = format!("tests/bench/{name}.mjs");
        Run::new("node").arg(script).arg(count).arg(&part).dir(&ctx.root).go()?;
        std::fs::rename(&part, &file)?;
    }
    Ok(file)
}

fn rate(measured: &Value, name: &str) -> Result<f64> {
    let rate = measured["rates"].get(name).and_then(Value::as_f64);
    rate.with_context(|| format!("the bench does not say {name}"))
}

/// Items per second of each, and ratios to the faster way of using arbundles.
fn report(measured: &Value) -> Result<Value> {
    let mut lines = Vec::new();
    for (name, about, peer) in LINES {
        let weft = rate(measured, &format!("{name} weft"))?;
        let one_by_one = rate(measured, &format!("{peer} arbundles"))?;
        let at_once = rate(measured, &format!("{peer} arbundles at once"))?;
        lines.push(json!({
            "what": about,
            "weft": weft,
            "rust": measured["rates"].get(format!("{name} rust")),
            "arbundles": one_by_one,
            "arbundles_at_once": at_once,
            "ratio": weft / one_by_one.max(at_once),
        }));
    }
    Ok(
        json!({ "browser": measured["browser"], "cores": measured["cores"], "lines": lines, "memory": measured["memory"] }),
    )
}

fn table(report: &Value) {
    println!("\nChromium {}, {} cores: items per second, medians", report["browser"], report["cores"]);
    println!(
        "\n{:<50}{:>9}{:>12}{:>12}{:>14}{:>9}",
        "", "Weft", "Rust alone", "arbundles", "…all at once", "ratio"
    );
    let cell = |value: &Value| value.as_f64().map_or_else(|| "–".to_owned(), |rate| format!("{rate:.0}"));
    for line in report["lines"].as_array().into_iter().flatten() {
        let ratio = line["ratio"].as_f64().unwrap_or_default();
        println!(
            "{:<50}{:>9}{:>12}{:>12}{:>14}{ratio:>7.1} x",
            line["what"].as_str().unwrap_or_default(),
            cell(&line["weft"]),
            cell(&line["rust"]),
            cell(&line["arbundles"]),
            cell(&line["arbundles_at_once"]),
        );
    }
    println!("\nmemory while verifying, in MiB: what the node's threads grew by, beside the bytes in flight");
    for line in report["memory"].as_array().into_iter().flatten() {
        let mib = |name: &str| line[name].as_f64().unwrap_or_default() / 1_048_576.0;
        let (grew, flight) = (mib("grew"), mib("in_flight"));
        println!(
            "{:<50}{grew:>9.1}{flight:>12.1}{:>7.2} x",
            line["what"].as_str().unwrap_or_default(),
            grew / flight
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_to_the_faster_way_of_using_the_peer() {
        let mut rates = json!({});
        for (name, weft) in [("mixed", 30.0), ("rsa", 60.0), ("history", 90.0), ("sync", 15.0)] {
            rates[format!("{name} weft")] = json!(weft);
            rates[format!("{name} arbundles")] = json!(5.0);
            rates[format!("{name} arbundles at once")] = json!(10.0);
        }
        let report = report(&json!({ "rates": rates })).unwrap();
        let ratios: Vec<_> =
            report["lines"].as_array().unwrap().iter().map(|line| line["ratio"].clone()).collect();
        assert_eq!(ratios, [json!(3.0), json!(6.0), json!(9.0), json!(1.5)]);
        assert!(super::report(&json!({ "rates": {} })).is_err());
    }
}
