//! The runtime alone: one machine, one message at a time, timed by its caller, for `cargo xtask bench`; and compared with
//! ao-loader, for the end-to-end test in Chromium.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;
use weft_wasm::{Error, Format, Limits, Machine, OnError, Program};

/// A process on wasmi inside wasm32.
#[wasm_bindgen]
pub struct Bench {
    machine: Machine,
    env: String,
}

#[wasm_bindgen]
impl Bench {
    /// Compiles a module, as the node does it.
    #[wasm_bindgen(constructor)]
    pub fn new(module: &[u8], format: &str, env: String) -> Result<Self, String> {
        Self::start(module, format, env).map_err(|error| error.to_string())
    }

    fn start(module: &[u8], format: &str, env: String) -> Result<Self, Error> {
        let limits = Limits::default();
        let program = Program::compile(module, Format::parse(format)?, &limits)?;
        Ok(Self { machine: Machine::new(&program, limits, OnError::RollBack)?, env })
    }

    /// Runs one message and returns its output as JSON.
    pub fn step(&mut self, message: &str) -> Result<String, String> {
        let outcome = self.machine.step(message, &self.env).map_err(|error| error.to_string())?;
        match outcome.error {
            Some(error) => Err(error.to_string()),
            None => Ok(outcome.output.to_string()),
        }
    }
}

/// Runs a workload and compares each outcome, and the memory where the reference hashed it. Returns what was compared:
/// messages, memories and messages that were rolled back; throws the first difference.
#[wasm_bindgen]
pub fn compare(module: &[u8], format: &str, workload: &str, reference: &str) -> Result<Vec<u32>, String> {
    // Cut as a sync cuts long messages, but finer.
    let report = weft_tests::differential::compare(module, format, workload, reference, usize::MAX, 100_003)?;
    let numbers = [report.messages, report.memories, report.rolled_back].map(u32::try_from);
    numbers.into_iter().collect::<Result<_, _>>().map_err(|error| error.to_string())
}
