//! weft-lua natively in `cargo xtask bench lua`: the loop of `tests/bench/lua.mjs`, on this machine.
//!
//! `bench_lua WORKLOAD` prints one line of JSON.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "its answer is a line on standard output")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::error::Error;
use std::time::Instant;

use serde_json::{Value, json};
use weft_lua::{Limits, Profile, Vm};

fn main() -> Result<(), Box<dyn Error>> {
    let workload = std::env::args().nth(1).ok_or("bench_lua WORKLOAD")?;
    let workload: Value = serde_json::from_slice(&std::fs::read(workload)?)?;
    let programs = workload["programs"].as_array().ok_or("the workload has no programs")?;
    let rounds = workload["rounds"].as_u64().ok_or("the workload has no rounds")?;
    let mut line = json!({});
    for program in programs {
        let mut times = Vec::new();
        let mut result = String::new();
        for _ in 0..rounds {
            let mut vm = Vm::new(Profile::Luerl, Limits::default());
            let begun = Instant::now();
            result = run(&mut vm, program);
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2);
        line[program["name"].as_str().unwrap_or_default()] = json!({ "ms": median, "result": result });
    }
    println!("{line}");
    Ok(())
}

/// Runs a program, then its steps; a step that fails leaves the state before it. What is returned is the last value.
fn run(vm: &mut Vm, program: &Value) -> String {
    let mut said = call(vm, program["text"].as_str().unwrap_or_default());
    for number in 1..=program["steps"].as_u64().unwrap_or_default() {
        vm.begin();
        said = call(vm, &format!("return step({number})"));
        if said.starts_with("error") { vm.roll_back() } else { vm.commit() }
    }
    said
}

fn call(vm: &mut Vm, text: &str) -> String {
    let outcome = vm.load(text.as_bytes(), "bench").and_then(|chunk| vm.call(chunk, &[]));
    match outcome {
        Ok(values) => values
            .first()
            .map(|value| String::from_utf8_lossy(&vm.plain_text(*value)).into_owned())
            .unwrap_or_default(),
        Err(error) => format!("error: {}", String::from_utf8_lossy(&vm.error_text(&error))),
    }
}
