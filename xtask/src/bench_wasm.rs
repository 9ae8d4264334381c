//! `cargo xtask bench wasm`: wasm processes in Chromium, Weft's engines beside npm ao-loader, the same messages in one run.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::bench;
use crate::cmd::Run;
use crate::ctx::Ctx;
use crate::files;
use crate::lanes::{self, OnFailure, Row};
use crate::modules;

/// Of 32 bits: in today's Chromium ao-loader 0.0.49 does not get through a message of a 64-bit module.
const MODULE: &str = "aos2_0_4_32.wasm";
const FORMAT: &str = "wasm32-unknown-emscripten4";
/// Columns: the name in an engine's answer, and the heading.
const COLUMNS: [(&str, &str); 4] = [
    ("start_ms", "start"),
    ("small_ms", "small message"),
    ("cpu_ms", "cpu message"),
    ("string_ms", "string message"),
];
/// What starting again and the memory of a process cost on the browser's engine.
const MEMORY: [(&str, &str); 11] = [
    ("again_ms", "ms to start with what was kept of the module"),
    ("first_ms", "ms for a small message, of the first 1,000 of 10,000"),
    ("last_ms", "ms for one of the last 1,000"),
    ("early_process_mib", "MiB of the process's memory after 1,000"),
    ("late_process_mib", "MiB of it after 10,000"),
    ("early_runtime_mib", "MiB of the runtime's own memory after 1,000"),
    ("late_runtime_mib", "MiB of it after 10,000"),
    ("undo_ms", "ms to undo a small message"),
    ("checkpoint_ms", "ms to take a checkpoint after one"),
    ("pages_of_a_message", "pages of 4,096 bytes that one changes"),
    ("restore_ms", "ms to start from a checkpoint"),
];

/// Builds the runtime, runs everybody in pages of one browser, prints the tables.
pub(crate) fn run(ctx: &Ctx) -> Result<bool> {
    let steps = ["bench-wasm", "modules", "npm-tests", "npm", "browser"];
    let rows = lanes::run(ctx, &steps, OnFailure::Stop)?;
    if !rows.iter().all(Row::ok) {
        return Ok(false);
    }
    let (workload, loader) = (ctx.own().join("bench-workload.json"), ctx.own().join("ao-loader.js"));
    let messages = Run::new("node").arg("tests/bench/workload.mjs").dir(&ctx.root).read()?;
    files::write(&workload, messages.as_bytes())?;
    Run::new("node").arg("tests/bench/loader-page.mjs").arg(&loader).dir(&ctx.root).go()?;
    println!("measuring in Chromium, which takes some minutes");
    let browser = ctx.browser.get().context("the step `browser` has not run")?;
    let run = Run::new("node").arg("tests/bench/wasm.mjs").arg(modules::dir(ctx).join(MODULE)).arg(FORMAT);
    let run = run.arg(&workload).arg(bench::browser_bindings(ctx)).arg(&loader).dir(&ctx.root);
    let said = run.env("CHROMIUM", &browser.chromium).read()?;
    let measured: Value = serde_json::from_str(&said).context("the bench did not answer with JSON")?;
    let report = report(&measured)?;
    files::write(&ctx.own().join("bench-wasm.json"), report.to_string().as_bytes())?;
    if ctx.args.json {
        println!("{report}");
    } else {
        table(&report);
    }
    Ok(true)
}

/// The numbers of all engines with their ratios to the first; an error where outputs differ that should not.
fn report(measured: &Value) -> Result<Value> {
    let engines = measured["engines"].as_array().context("the bench names no engines")?;
    let first = engines.first().context("nothing was measured")?;
    let mut lines = Vec::new();
    for engine in engines {
        let mut line = engine.clone();
        // Whoever ran fewer messages has other outputs.
        if engine["messages"] == first["messages"] && engine["outputs"] != first["outputs"] {
            bail!("{} and {} gave different outputs", engine["engine"], first["engine"]);
        }
        for (column, _) in COLUMNS {
            let (time, base) = (engine[column].as_f64(), first[column].as_f64());
            let (time, base) =
                time.zip(base).with_context(|| format!("{} does not say {column}", engine["engine"]))?;
            line[column.replace("_ms", "_ratio")] = json!(time / base);
        }
        lines.push(line);
    }
    Ok(
        json!({ "module": MODULE, "browser": measured["browser"], "reference": first["engine"], "engines": lines }),
    )
}

fn table(report: &Value) {
    let head: String = COLUMNS.iter().map(|(_, heading)| format!("{heading:>26}")).collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    println!(
        "\n{MODULE} in Chromium {}: medians in ms, and how many times those of {}\n",
        text(&report["browser"]),
        text(&report["reference"])
    );
    println!("{:<36}{head}", "");
    let engines = report["engines"].as_array().map_or(&[][..], Vec::as_slice);
    for engine in engines {
        let cell = |(column, _): &(&str, &str)| {
            let ratio = engine[column.replace("_ms", "_ratio")].as_f64().unwrap_or_default();
            format!("{:>15.2} ({ratio:>6.2} x)", engine[column].as_f64().unwrap_or_default())
        };
        println!("{:<36}{}", text(&engine["engine"]), COLUMNS.iter().map(cell).collect::<String>());
    }
    println!();
    for engine in engines.iter().filter(|engine| engine.get("undo_ms").is_some()) {
        for (name, what) in MEMORY {
            println!("{:>12.2}  {what}", engine[name].as_f64().unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine(name: &str, time: f64, outputs: &str) -> Value {
        json!({ "engine": name, "start_ms": time, "small_ms": time, "cpu_ms": time, "string_ms": time, "outputs": outputs, "messages": 3 })
    }

    #[test]
    fn ratios_are_to_the_first_engine() {
        let measured = json!({ "browser": "1", "engines": [engine("a", 2.0, "x"), engine("b", 5.0, "x")] });
        assert_eq!(report(&measured).unwrap()["engines"][1]["cpu_ratio"], json!(2.5));
    }

    #[test]
    fn engines_that_disagree_are_not_compared() {
        assert!(report(&json!({ "engines": [engine("a", 2.0, "x"), engine("b", 5.0, "y")] })).is_err());
        assert!(report(&json!({ "engines": [] })).is_err());
    }
}
