//! `cargo xtask bench`: Weft's runtime against the network's own loader, on one real aos module, in one run.
//!
//! Every engine gets the same messages (`tests/bench/workload.mjs`) and must give the same outputs. Times are medians;
//! ratios are to ao-loader with its memory kept in place, the fastest way there is to use it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::files;
use crate::lanes::{self, OnFailure, Row};
use crate::modules;
use crate::page;
use crate::stamp::Stamp;
use crate::steps::Outcome;
use crate::tools;

const MODULE: &str = "aos2_0_6.wasm";
const FORMAT: &str = "wasm64-unknown-emscripten-draft_2024_02_15";
/// Columns: the name in an engine's answer, and the heading.
const COLUMNS: [(&str, &str); 4] = [
    ("start_ms", "start"),
    ("small_ms", "small message"),
    ("cpu_ms", "cpu message"),
    ("string_ms", "string message"),
];
/// The engine that others are compared with.
const REFERENCE: usize = 0;

/// One engine's name and answer.
struct Measured {
    name: &'static str,
    answer: Value,
}

/// Builds the engines, runs them one after the other, prints the table.
pub(crate) fn run(ctx: &Ctx) -> Result<bool> {
    let rows = lanes::run(ctx, &["bench-native", "bench-wasm", "modules", "npm-tests"], OnFailure::Stop)?;
    if !rows.iter().all(Row::ok) {
        return Ok(false);
    }
    let workload = ctx.own().join("bench-workload.json");
    let messages = Run::new("node").arg("tests/bench/workload.mjs").dir(&ctx.root).read()?;
    files::write(&workload, messages.as_bytes())?;
    let mut all = Vec::new();
    for (name, engine) in engines(ctx, &workload) {
        println!("measuring {name}");
        let said = engine.read().with_context(|| name.to_owned())?;
        all.push(Measured { name, answer: serde_json::from_str(&said).with_context(|| name.to_owned())? });
    }
    let report = report(&all)?;
    files::write(&ctx.own().join("bench.json"), report.to_string().as_bytes())?;
    if ctx.args.json {
        println!("{report}");
    } else {
        table(&all);
    }
    Ok(true)
}

/// The step `bench-native`.
pub(crate) fn native(ctx: &Ctx) -> Result<Outcome> {
    let cargo =
        ctx.cargo("build").args(["--locked", "--release", "-p", "weft-tests", "--example", "bench_native"]);
    page::cargo_step(cargo, &native_binary(ctx))
}

/// The step `bench-wasm`: the runtime as the page has it, for node, and for the test that compares it in a browser.
pub(crate) fn wasm(ctx: &Ctx) -> Result<Outcome> {
    let (outcome, built) = page::example(ctx, "bench")?;
    let stamp = Stamp::new(ctx, "bench-wasm").path(&built)?;
    if !stamp.fresh(&[bindings(ctx), browser_bindings(ctx).join("bench.js")]) {
        for (target, folder) in [("nodejs", ctx.own().join("bench")), ("web", browser_bindings(ctx))] {
            let run = Run::new(tools::bindgen(ctx)?).args(["--target", target, "--out-name", "bench"]);
            run.arg("--out-dir").arg(folder).arg(&built).go()?;
        }
        stamp.save()?;
    }
    Ok(outcome)
}

fn engines(ctx: &Ctx, workload: &PathBuf) -> [(&'static str, Run); 5] {
    let module = modules::dir(ctx).join(MODULE);
    let common = |run: Run| run.arg(&module).arg(FORMAT).arg(workload).dir(&ctx.root);
    let loader = |mode: &str| common(node().arg("tests/bench/loader.mjs")).arg(mode);
    let wasm32 = |engine: &str| common(node().arg("tests/bench/wasm32.mjs")).arg(bindings(ctx)).arg(engine);
    [
        ("ao-loader, in place", loader("in-place")),
        ("ao-loader, copying (its default)", loader("copying")),
        ("weft-wasm, native", common(Run::new(native_binary(ctx)))),
        ("weft-wasm, in wasm32, wasmi", wasm32("wasmi")),
        ("weft-wasm, in wasm32, V8's own", wasm32("native")),
    ]
}

/// node, with 64-bit memories switched on where that takes a flag.
fn node() -> Run {
    const FLAG: &str = "--experimental-wasm-memory64";
    let takes_it = Run::new("node").args([FLAG, "-e", "0"]).works();
    Run::new("node").args(takes_it.then_some(FLAG))
}

fn native_binary(ctx: &Ctx) -> PathBuf {
    ctx.target.join("release/examples").join(format!("bench_native{}", std::env::consts::EXE_SUFFIX))
}

/// Where the runtime for a browser is.
pub(crate) fn browser_bindings(ctx: &Ctx) -> PathBuf {
    ctx.own().join("bench-web")
}

fn bindings(ctx: &Ctx) -> PathBuf {
    ctx.own().join("bench/bench.js")
}

fn milliseconds(measured: &Measured, column: &str) -> Result<f64> {
    let time = measured.answer.get(column).and_then(Value::as_f64);
    time.with_context(|| format!("{} does not say {column}", measured.name))
}

/// The numbers of all engines with their ratios; an error when they did not compute the same.
fn report(all: &[Measured]) -> Result<Value> {
    let reference = all.get(REFERENCE).context("nothing was measured")?;
    let mut engines = Vec::new();
    for measured in all {
        if measured.answer.get("outputs") != reference.answer.get("outputs") {
            bail!("{} and {} gave different outputs", measured.name, reference.name);
        }
        let mut line = json!({ "engine": measured.name });
        for (column, _) in COLUMNS {
            let (time, base) = (milliseconds(measured, column)?, milliseconds(reference, column)?);
            line[column] = json!(time);
            line[column.replace("_ms", "_ratio")] = json!(time / base);
        }
        engines.push(line);
    }
    Ok(json!({ "module": MODULE, "reference": reference.name, "engines": engines }))
}

fn table(all: &[Measured]) {
    let head: String = COLUMNS.iter().map(|(_, heading)| format!("{heading:>26}")).collect();
    println!(
        "\n{MODULE}: medians in ms, and how many times the {} time\n",
        all.get(REFERENCE).map_or("", |r| r.name)
    );
    println!("{:<34}{head}", "");
    for measured in all {
        let cells = COLUMNS.iter().map(|(column, _)| {
            let (time, base) =
                (milliseconds(measured, column), all.get(REFERENCE).map(|r| milliseconds(r, column)));
            match (time, base) {
                (Ok(time), Some(Ok(base))) => format!("{time:>15.2} ({:>6.1} x)", time / base),
                _ => format!("{:>26}", "?"),
            }
        });
        println!("{:<34}{}", measured.name, cells.collect::<String>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(name: &'static str, time: f64, outputs: &str) -> Measured {
        let answer = json!({ "start_ms": time, "small_ms": time, "cpu_ms": time, "string_ms": time, "outputs": outputs });
        Measured { name, answer }
    }

    #[test]
    fn ratios_are_to_the_first_engine() {
        let report = report(&[measured("a", 2.0, "x"), measured("b", 5.0, "x")]).unwrap();
        assert_eq!(report["engines"][1]["small_ratio"], json!(2.5));
        assert_eq!(report["reference"], json!("a"));
    }

    #[test]
    fn engines_that_disagree_are_not_compared() {
        assert!(report(&[measured("a", 2.0, "x"), measured("b", 5.0, "y")]).is_err());
        assert!(report(&[]).is_err());
    }
}
