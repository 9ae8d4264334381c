//! Compares weft-wasm with what npm `@permaweb/ao-loader` answered to the same messages.
//!
//! `tests/differential/workload.mjs` makes the messages, `tests/differential/reference.mjs` asks the loader. This part is
//! pure, so that a browser can run it as well.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use weft_core::weavedrive::transaction_file;
use weft_wasm::engine::Engine;
use weft_wasm::{Drive, Format, Limits, Machine, OnError, Outcome, Program, Progress};

/// The workload: one environment, many messages, each in the loader's form.
#[derive(Deserialize)]
struct Workload {
    env: Value,
    messages: Vec<Value>,
    /// Bytes of memory, if not the usual limit.
    memory_limit: Option<u64>,
    /// What a gateway has, for processes with WeaveDrive.
    drive: Option<Gateway>,
}

/// Texts of items (none of one that is not available) and blocks, and transactions.
#[derive(Deserialize)]
struct Gateway {
    data: BTreeMap<String, Option<String>>,
    block: BTreeMap<String, String>,
    tx: BTreeMap<String, Value>,
}

impl Gateway {
    fn drive(&self) -> weft_codec::Result<Drive> {
        let drive = Drive::new();
        for (id, text) in &self.data {
            match text {
                Some(text) => drive.put(format!("/data/{id}"), text.as_bytes()),
                None => drive.refuse(format!("/data/{id}")),
            }
        }
        for (height, text) in &self.block {
            drive.put(format!("/block/{height}"), text.as_bytes());
        }
        for (id, json) in &self.tx {
            drive.put(format!("/tx/{id}"), transaction_file(&json.to_string())?.into_bytes());
        }
        Ok(drive)
    }
}

#[derive(Deserialize)]
struct Reference {
    mode: String,
    format: String,
    results: Vec<Answer>,
}

/// What the loader answered to one message.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    error: Value,
    /// An exception of JavaScript: a trap, an abort, an exit.
    #[serde(rename = "exception")]
    exception: Option<String>,
    output: Value,
    messages: Value,
    spawns: Value,
    assignments: Value,
    patches: Value,
    #[serde(rename = "memory_sha256")]
    memory_sha256: Option<String>,
    /// The root over the memory, base64url, of the last ones.
    #[serde(rename = "memory_root")]
    memory_root: Option<String>,
    #[serde(rename = "memory_bytes")]
    memory_bytes: Option<u64>,
}

/// What was compared, when all of it was equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages whose output, messages, spawns, assignments, patches and error were equal.
    pub messages: usize,
    /// Messages after which the Merkle root over its pages was.
    pub roots: usize,
    /// Messages after which the SHA-256 of the whole memory was equal.
    pub memories: usize,
    /// Messages that failed, in the loader and here.
    pub failures: usize,
    /// Messages that were rolled back.
    pub rolled_back: usize,
    /// Gas of all messages.
    pub gas: u64,
}

fn step(machine: &mut Machine, message: &Value, env: &str, slice: u64) -> weft_codec::Result<Outcome> {
    let mut step = machine.begin(message.to_string(), env.to_owned())?;
    loop {
        match step.go_on(slice)? {
            Progress::Ended(outcome) => return Ok(outcome),
            Progress::More(rest) => step = rest,
        }
    }
}

/// How a workload is run.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// What runs the module.
    pub engine: &'a dyn Engine,
    /// How many messages at most.
    pub limit: usize,
    /// Gas of a slice.
    pub slice: u64,
}

/// Runs a workload and compares each outcome, and the memory where the reference hashed it.
///
/// # Errors
/// The first difference, or why there is nothing to compare.
pub fn compare(
    module: &[u8],
    format: &str,
    workload_json: &str,
    reference_json: &str,
    how: How<'_>,
) -> Result<Report, String> {
    let workload: Workload = serde_json::from_str(workload_json).map_err(|e| format!("the workload: {e}"))?;
    let reference: Reference =
        serde_json::from_str(reference_json).map_err(|e| format!("the reference: {e}"))?;
    if reference.format != format || reference.results.len() != workload.messages.len() {
        return Err("the reference is not of this workload and format".to_owned());
    }
    let on_error = match reference.mode.as_str() {
        "keep" => OnError::Keep,
        "roll-back" => OnError::RollBack,
        other => return Err(format!("the reference's mode is “{other}”")),
    };
    let usual = Limits::default();
    let limits = Limits { memory_bytes: workload.memory_limit.unwrap_or(usual.memory_bytes), ..usual };
    let format = Format::parse(format).map_err(|e| format!("{e:?}"))?;
    let mut program =
        Program::compile_on(how.engine, module, format, &limits).map_err(|e| format!("{e:?}"))?;
    if let Some(gateway) = &workload.drive {
        program = program.with_drive(gateway.drive().map_err(|e| format!("{e:?}"))?);
    }
    let mut machine = Machine::new(&program, limits, on_error).map_err(|e| format!("{e:?}"))?;
    let env = workload.env.to_string();
    let mut report = Report::default();
    for (slot, (message, answer)) in
        workload.messages.iter().zip(&reference.results).take(how.limit).enumerate()
    {
        let outcome =
            step(&mut machine, message, &env, how.slice).map_err(|e| format!("message {slot}: {e:?}"))?;
        let ours = serde_json::to_value(&outcome).map_err(|e| e.to_string())?;
        let failed = answer.exception.is_some() || !answer.error.is_null();
        compare_outcome(&ours, answer).map_err(|what| {
            format!(
                "message {slot} ({}): {what}",
                message.get("Data").and_then(Value::as_str).unwrap_or_default()
            )
        })?;
        report.messages += 1;
        report.failures += usize::from(failed);
        report.rolled_back += usize::from(outcome.rolled_back);
        report.gas += outcome.gas;
        if let (Some(hash), Some(bytes)) = (&answer.memory_sha256, answer.memory_bytes) {
            if machine.memory_bytes() != bytes {
                let ours = machine.memory_bytes();
                return Err(format!("message {slot}: the memory has {ours} bytes, the loader's {bytes}"));
            }
            if hex::encode(machine.memory_sha256()) != *hash {
                return Err(format!("message {slot}: the memory differs from the loader's"));
            }
            report.memories += 1;
            if let Some(root) = &answer.memory_root {
                let ours = machine.snapshot().map_err(|e| format!("message {slot}: {e:?}"))?.memory_root();
                if ours.to_string() != *root {
                    return Err(format!(
                        "message {slot}: the memory's root is {ours}, that of the loader's memory {root}"
                    ));
                }
                report.roots += 1;
            }
        }
    }
    Ok(report)
}

fn compare_outcome(all: &Value, answer: &Answer) -> Result<(), String> {
    let lists =
        [("messages", &answer.messages), ("spawns", &answer.spawns), ("assignments", &answer.assignments)];
    for (name, theirs) in lists.into_iter().chain([("output", &answer.output), ("patches", &answer.patches)])
    {
        let ours = all.get(name).unwrap_or(&Value::Null);
        let both_empty = theirs.is_null() && ours.as_array().is_some_and(Vec::is_empty);
        if !both_empty && !same(ours, theirs) {
            let failure = [all.get("failure"), all.get("error")];
            return Err(format!("its {name} are {ours} ({failure:?}), the loader's {theirs}"));
        }
    }
    let (error, failure) =
        (all.get("error").unwrap_or(&Value::Null), all.get("failure").unwrap_or(&Value::Null));
    match &answer.exception {
        Some(exception) if failure.is_null() => {
            Err(format!("it gave no failure; the loader threw {exception}"))
        }
        None if !same(error, &answer.error) => {
            Err(format!("its error is {error} ({failure}), the loader's {}", answer.error))
        }
        _ => Ok(()),
    }
}

/// Equal as JavaScript sees it: numbers have one type.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
