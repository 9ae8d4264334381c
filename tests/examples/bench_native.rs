//! weft-wasm natively in the bench (`cargo xtask bench`): the loop of `tests/bench/measure.mjs`, on this machine.
//!
//! `bench MODULE FORMAT WORKLOAD` prints one line of JSON.
#![forbid(unsafe_code)]
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::print_stdout, reason = "its answer is a line on standard output")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Instant;

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use weft_wasm::{Format, Limits, Machine, OnError, Program};

#[derive(Deserialize)]
struct Workload {
    env: Value,
    messages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    kind: Option<String>,
    message: Value,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, format, workload] = arguments.as_slice() else {
        return Err("bench MODULE FORMAT WORKLOAD".into());
    };
    let workload: Workload = serde_json::from_slice(&std::fs::read(workload)?)?;
    let env = workload.env.to_string();

    let begun = Instant::now();
    let limits = Limits::default();
    let program = Program::compile(&std::fs::read(module)?, Format::parse(format)?, &limits)?;
    let mut machine = Machine::new(&program, limits, OnError::RollBack)?;
    let mut times = BTreeMap::from([("start".to_owned(), vec![milliseconds(begun)])]);
    let mut outputs = Sha256::new();
    for Entry { kind, message } in workload.messages {
        let before = Instant::now();
        let outcome = machine.step(&message.to_string(), &env)?;
        let took = milliseconds(before);
        if let Some(error) = outcome.error {
            return Err(error.to_string().into());
        }
        if let Some(kind) = kind {
            times.entry(kind).or_default().push(took);
        }
        outputs.update(outcome.output.to_string());
    }
    let mut line: BTreeMap<String, Value> =
        times.into_iter().map(|(kind, list)| (format!("{kind}_ms"), json!(median(list)))).collect();
    line.insert("outputs".to_owned(), json!(hex::encode(outputs.finalize())));
    println!("{}", json!(line));
    Ok(())
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Of a list that is not empty.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    let at = |index: usize| times.get(index).copied().unwrap_or(f64::NAN);
    if times.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle - 1), at(middle)) }
}
