//! `cargo xtask bench lua`: Lua programs on Weft's machine, native and in wasm32, beside npm's wasmoon (PUC's Lua in wasm) and
//! fengari, and Luerl where Erlang is installed.
//!
//! Every engine gets the same texts and must give the same results. Times are medians; ratios are to Weft in wasm32.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::cmd::{self, Run};
use crate::ctx::Ctx;
use crate::files;
use crate::lanes::{self, OnFailure, Row};
use crate::modules;
use crate::page;
use crate::steps::Outcome;
use crate::tools;

/// Programs of `tests/bench/lua`. The last is hyper-aos with the messages of `tests/lua/hyper-aos.lua`.
const PROGRAMS: [(&str, &str); 7] = [
    ("fib", "fib(27)"),
    ("inserts", "1e6 inserts"),
    ("append", "1e5 times s = s .. \"x\""),
    ("join", "1e5 texts joined"),
    ("ledger", "1e5 transfers, 1e4 accounts"),
    ("json", "JSON in Lua"),
    (HYPER, "hyper-aos, 100 messages"),
];
const HYPER: &str = "hyper-aos";
const MESSAGES: u32 = 100;
const ROUNDS: u32 = 7;
const OURS: &str = "Weft, wasm32";
const LUERL: &str = "https://github.com/rvirding/luerl";
const LUERL_VERSION: &str = "v1.3.0";
/// Milliseconds that Luerl may take for one program.
const LUERL_LIMIT: &str = "20000";

/// An engine's name and its answer, an object by program; or why it has none.
struct Measured {
    name: &'static str,
    answer: Result<Value, String>,
}

/// Builds what is ours, runs the engines one after the other, prints the table.
pub(crate) fn run(ctx: &Ctx) -> Result<bool> {
    let steps = ["bench-lua-native", "bench-lua-wasm", "modules", "npm-tests"];
    let rows = lanes::run(ctx, &steps, OnFailure::Stop)?;
    if !rows.iter().all(Row::ok) {
        return Ok(false);
    }
    let programs = programs(ctx)?;
    let workload = ctx.own().join("bench-lua.workload.json");
    files::write(&workload, json!({ "rounds": ROUNDS, "programs": programs }).to_string().as_bytes())?;
    let node = |engine: PathBuf| {
        Run::new("node").arg("tests/bench/lua.mjs").arg(engine).arg(&workload).dir(&ctx.root)
    };
    let engines = [
        (OURS, node(bindings(ctx))),
        ("Weft, native", Run::new(native_binary(ctx)).arg(&workload)),
        ("wasmoon", node("wasmoon".into())),
        ("fengari", node("fengari".into())),
    ];
    let mut all = Vec::new();
    for (name, engine) in engines {
        println!("measuring {name}");
        let said = engine.read().with_context(|| name.to_owned())?;
        all.push(Measured {
            name,
            answer: Ok(serde_json::from_str(&said).with_context(|| name.to_owned())?),
        });
    }
    println!("measuring Luerl");
    all.push(Measured { name: "Luerl", answer: luerl(ctx, &programs).map_err(|error| format!("{error:#}")) });
    let report = report(&all)?;
    files::write(&ctx.own().join("bench-lua.json"), report.to_string().as_bytes())?;
    if ctx.args.json {
        println!("{report}");
    } else {
        table(&report);
    }
    Ok(true)
}

/// The step `bench-lua-native`.
pub(crate) fn native(ctx: &Ctx) -> Result<Outcome> {
    let cargo =
        ctx.cargo("build").args(["--locked", "--release", "-p", "weft-lua", "--example", "bench_lua"]);
    page::cargo_step(cargo, &native_binary(ctx))
}

/// The step `bench-lua-wasm`.
pub(crate) fn wasm(ctx: &Ctx) -> Result<Outcome> {
    let (outcome, built) = page::example(ctx, "bench_lua")?;
    let run = Run::new(tools::bindgen(ctx)?).args(["--target", "nodejs", "--out-name", "bench_lua"]);
    run.arg("--out-dir").arg(ctx.own().join("bench-lua")).arg(&built).go()?;
    Ok(outcome)
}

fn native_binary(ctx: &Ctx) -> PathBuf {
    ctx.target.join("release/examples").join(format!("bench_lua{}", std::env::consts::EXE_SUFFIX))
}

fn bindings(ctx: &Ctx) -> PathBuf {
    ctx.own().join("bench-lua/bench_lua.js")
}

/// The texts. hyper-aos prints while it is loaded, which is not measured.
fn programs(ctx: &Ctx) -> Result<Vec<Value>> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let folder = ctx.root.join("tests/bench/lua");
    let one = |name: &str| -> Result<Value> {
        if name != HYPER {
            return Ok(
                json!({ "name": name, "text": read(&folder.join(format!("{name}.lua")))?, "steps": 0 }),
            );
        }
        let module = read(&modules::dir(ctx).join(modules::HYPER_AOS))?;
        let messages = read(&ctx.root.join("tests/lua/hyper-aos.lua"))?;
        let text = format!("print = function() end\n{module}\n{messages}");
        Ok(json!({ "name": name, "text": text, "steps": MESSAGES }))
    };
    PROGRAMS.iter().map(|(name, _)| one(name)).collect()
}

/// Luerl's answer, or why there is none.
fn luerl(ctx: &Ctx, programs: &[Value]) -> Result<Value> {
    let beams = luerl_beams(ctx)?;
    let folder = ctx.own().join("bench-luerl");
    for program in programs {
        let text = |key: &str| program[key].as_str().unwrap_or_default();
        let file = folder.join(text("name"));
        files::write(&file.with_extension("lua"), text("text").as_bytes())?;
        files::write(&file.with_extension("steps"), program["steps"].to_string().as_bytes())?;
    }
    let source = ctx.root.join("tests/bench/luerl_bench.erl");
    Run::new("erlc").arg("-o").arg(&folder).arg(source).go()?;
    let erl = Run::new("erl").args(["-noshell", "-pa"]).arg(beams).arg("-pa").arg(&folder);
    let said = erl.args(["-s", "luerl_bench", "main"]).arg(&folder).arg(LUERL_LIMIT).read()?;
    let mut answer = json!({});
    for line in said.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(name), Some(time)) = (words.next(), words.next()) else { continue };
        answer[name] = match time.parse::<f64>() {
            Ok(time) => json!({ "ms": time, "result": words.next().unwrap_or_default() }),
            Err(_) => json!({ "cannot": format!("it fails, or takes more than {LUERL_LIMIT} ms") }),
        };
    }
    Ok(answer)
}

/// Where Luerl's compiled modules are: what `WEFT_LUERL` names, or built here once.
fn luerl_beams(ctx: &Ctx) -> Result<PathBuf> {
    if let Some(missing) =
        ["erl", "erlc", "escript", "make", "git"].iter().find(|tool| cmd::find(tool).is_none())
    {
        bail!("{missing} is not installed");
    }
    if let Some(given) = std::env::var_os("WEFT_LUERL") {
        return Ok(given.into());
    }
    let folder = ctx.own().join("luerl");
    if !folder.join("ebin/luerl.beam").is_file() {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let clone =
            Run::new("git").args(["clone", "--quiet", "--depth", "1", "--branch", LUERL_VERSION, LUERL]);
        clone.arg(&folder).go().context("Luerl cannot be fetched")?;
        Run::new("make").arg("-C").arg(&folder).go().context("Luerl cannot be built")?;
    }
    Ok(folder.join("ebin"))
}

/// All times with their ratios to ours; an error when results differ. hyper-aos's texts have each engine's own numbers.
fn report(all: &[Measured]) -> Result<Value> {
    let ours = all.first().and_then(|first| first.answer.as_ref().ok()).context("nothing was measured")?;
    let mut engines = Vec::new();
    for Measured { name, answer } in all {
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => {
                engines.push(json!({ "engine": name, "missing": why }));
                continue;
            }
        };
        let (mut programs, mut logs) = (json!({}), Vec::new());
        for (program, _) in PROGRAMS {
            let (said, base) = (&answer[program], &ours[program]);
            if let (Some(time), Some(base_time)) = (said["ms"].as_f64(), base["ms"].as_f64()) {
                if program != HYPER && said["result"] != base["result"] {
                    bail!("{name} and {OURS} gave different results for {program}");
                }
                logs.push((time / base_time).ln());
                programs[program] = json!({ "ms": time, "ratio": time / base_time });
            } else {
                programs[program] = json!({ "cannot": said["cannot"] });
            }
        }
        let mean = (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp());
        engines.push(json!({ "engine": name, "programs": programs, "geometric_mean": mean }));
    }
    Ok(json!({ "reference": OURS, "engines": engines }))
}

fn table(report: &Value) {
    let engines = report["engines"].as_array().cloned().unwrap_or_default();
    println!("\nmedians in ms, and how many times the time of {OURS}\n");
    let heads: String =
        engines.iter().map(|e| format!("{:>22}", e["engine"].as_str().unwrap_or_default())).collect();
    println!("{:<30}{heads}", "");
    for (program, about) in PROGRAMS {
        let cells = engines.iter().map(|engine| {
            let cell = &engine["programs"][program];
            match (cell["ms"].as_f64(), cell["ratio"].as_f64()) {
                (Some(time), Some(ratio)) => format!("{time:>12.1} ({ratio:>6.2} x)",),
                _ => format!("{:>22}", "–"),
            }
        });
        println!("{about:<30}{}", cells.collect::<String>());
    }
    let means = engines.iter().map(|engine| match engine["geometric_mean"].as_f64() {
        Some(mean) => format!("{mean:>20.2} x"),
        None => format!("{:>22}", "–"),
    });
    println!("{:<30}{}", "geometric mean of those", means.collect::<String>());
    for engine in &engines {
        if let Some(why) = engine["missing"].as_str() {
            println!("{} is missing: {why}", engine["engine"].as_str().unwrap_or_default());
        }
        for (program, about) in PROGRAMS {
            if let Some(why) = engine["programs"][program]["cannot"].as_str() {
                println!("{} cannot run {about}: {why}", engine["engine"].as_str().unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(name: &'static str, time: f64, result: &str) -> Measured {
        let mut answer = json!({});
        for (program, _) in PROGRAMS {
            answer[program] = json!({ "ms": time, "result": result });
        }
        Measured { name, answer: Ok(answer) }
    }

    #[test]
    fn ratios_are_to_ours_and_what_is_missing_is_said() {
        let gone = Measured { name: "c", answer: Err("not installed".to_owned()) };
        let report = report(&[measured("a", 2.0, "x"), measured("b", 5.0, "x"), gone]).unwrap();
        assert_eq!(report["engines"][1]["programs"]["fib"]["ratio"], json!(2.5));
        assert!((report["engines"][1]["geometric_mean"].as_f64().unwrap() - 2.5).abs() < 1e-9);
        assert_eq!(report["engines"][2]["missing"], json!("not installed"));
    }

    #[test]
    fn engines_that_disagree_are_not_compared() {
        assert!(report(&[measured("a", 2.0, "x"), measured("b", 5.0, "y")]).is_err());
        assert!(report(&[]).is_err());
    }
}
