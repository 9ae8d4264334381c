//! The runtime alone: one machine, one message at a time, timed by its caller, for `cargo xtask bench`; and compared with
//! ao-loader, for the end-to-end test in Chromium.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen::prelude::wasm_bindgen;
use weft_tests::differential::How;
use weft_wasm::engine::{Engine, Wasmi};
use weft_wasm::{Error, Format, Limits, Machine, OnError, Prepared, Program, Snapshot};
use weft_web::Native;

/// A process on an engine: wasmi inside wasm32, or the browser's own.
#[wasm_bindgen]
pub struct Bench {
    program: Program,
    machine: Machine,
    state: Option<Snapshot>,
    env: String,
}

#[wasm_bindgen]
impl Bench {
    /// Compiles a module, as the node does it.
    #[wasm_bindgen(constructor)]
    pub fn new(module: &[u8], format: &str, env: String, engine_name: &str) -> Result<Self, String> {
        Self::start(engine(engine_name)?, module, format, env).map_err(|error| error.to_string())
    }

    fn start(engine: &dyn Engine, module: &[u8], format: &str, env: String) -> Result<Self, Error> {
        let limits = Limits::default();
        let program = Program::compile_on(engine, module, Format::parse(format)?, &limits)?;
        let machine = Machine::new(&program, limits, OnError::RollBack)?;
        Ok(Self { program, machine, state: None, env })
    }

    /// What a node keeps of a module.
    pub fn kept(module: &[u8], format: &str) -> Result<Vec<u8>, String> {
        let made = || Prepared::of(module, Format::parse(format)?, &Limits::default());
        made().map(|prepared| prepared.to_bytes()).map_err(|error: Error| error.to_string())
    }

    /// As [`Self::new`], with what was kept.
    pub fn again(
        module: &[u8],
        kept: &[u8],
        format: &str,
        env: String,
        engine_name: &str,
    ) -> Result<Self, String> {
        let engine = engine(engine_name)?;
        let start = || -> Result<Self, Error> {
            let (format, limits) = (Format::parse(format)?, Limits::default());
            let prepared = Prepared::from_bytes(kept, &Prepared::key(module, format), format)?;
            let program = Program::of(engine, &prepared, &limits)?;
            let machine = Machine::new(&program, limits, OnError::RollBack)?;
            Ok(Self { program, machine, state: None, env })
        };
        start().map_err(|error| error.to_string())
    }

    /// Bytes of the process's memory.
    pub fn memory_bytes(&self) -> f64 {
        number(self.machine.memory_bytes())
    }

    /// Bytes of the memory that all of this has, beside that of processes on the browser's engine.
    pub fn runtime_bytes(&self) -> f64 {
        number(core::arch::wasm32::memory_size(0) as u64 * 65_536)
    }

    /// Runs one message and takes it back. It costs what [`Self::step`] costs, and the way back.
    pub fn dry_run(&mut self, message: &str) -> Result<String, String> {
        let outcome = self.machine.dry_run(message, &self.env).map_err(|error| error.to_string())?;
        Ok(outcome.output.to_string())
    }

    /// Takes the state, as for a checkpoint: how many pages have changed since the last time. All, the first time.
    pub fn checkpoint(&mut self) -> Result<u32, String> {
        let state = self.machine.snapshot().map_err(|error| error.to_string())?;
        let changed = match self.state.replace(state.clone()) {
            Some(before) => state.changed_since(&before),
            None => state.page_hashes().count(),
        };
        u32::try_from(changed).map_err(|error| error.to_string())
    }

    /// Makes a new machine in the state of the last checkpoint, as after a reload.
    pub fn restore(&mut self) -> Result<(), String> {
        let state = self.state.as_ref().ok_or("there is no checkpoint")?;
        let restored = Machine::restore(&self.program, Limits::default(), OnError::RollBack, state);
        self.machine = restored.map_err(|error| error.to_string())?;
        Ok(())
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

/// Sizes here are far from what a number of JavaScript cannot hold.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn number(bytes: u64) -> f64 {
    bytes as f64
}

fn engine(name: &str) -> Result<&'static dyn Engine, String> {
    match name {
        "wasmi" => Ok(&Wasmi),
        "native" => Ok(&Native::WHOLE),
        _ => Err(format!("there is no engine “{name}”")),
    }
}

/// Runs a workload and compares each outcome, and the memory where the reference hashed it. Returns what was compared:
/// messages, memories, messages that were rolled back, and the two halves of the gas; throws the first difference.
#[wasm_bindgen]
pub fn compare(
    module: &[u8],
    format: &str,
    workload: &str,
    reference: &str,
    engine_name: &str,
) -> Result<Vec<u32>, String> {
    let engine = engine(engine_name)?;
    // Cut as a sync cuts long messages, but finer.
    let how = How { engine, limit: usize::MAX, slice: 100_003 };
    let report = weft_tests::differential::compare(module, format, workload, reference, how)?;
    let numbers = [report.messages, report.memories, report.rolled_back].map(u32::try_from);
    let mut numbers: Vec<u32> =
        numbers.into_iter().collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    // Two halves: JavaScript gets it without loss.
    numbers.extend([report.gas >> 32, report.gas & 0xFFFF_FFFF].map(|half| u32::try_from(half).unwrap_or(0)));
    Ok(numbers)
}
