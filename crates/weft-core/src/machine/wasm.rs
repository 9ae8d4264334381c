//! A wasm process: the `handle` ABI, and the environment beside each message.

use serde_json::Value;
use weft_codec::ao::{Module, Process};
use weft_codec::{Id, Result};
use weft_verify::{Entry, EntryKind, Verified};
use weft_wasm::{Machine, OnError, Outcome, Program, Progress, Snapshot, Step};

use super::{Evaluated, Evaluation, Place};
use crate::options::ModuleOptions;
use crate::result::SlotResult;
use crate::view;

pub(super) struct Wasm {
    process: Id,
    environment: String,
    machine: Machine,
}

impl Wasm {
    pub(super) fn new(
        process: &Verified<Process>,
        module: &Verified<Module>,
        program: &Program,
        options: &ModuleOptions,
    ) -> Result<Self> {
        let machine = Machine::new(program, options.limits(), OnError::RollBack)?;
        Ok(Self::around(process, module, machine))
    }

    pub(super) fn restore(
        process: &Verified<Process>,
        module: &Verified<Module>,
        program: &Program,
        options: &ModuleOptions,
        snapshot: &Snapshot,
    ) -> Result<Self> {
        let machine = Machine::restore(program, options.limits(), OnError::RollBack, snapshot)?;
        Ok(Self::around(process, module, machine))
    }

    fn around(process: &Verified<Process>, module: &Verified<Module>, machine: Machine) -> Self {
        let environment = view::environment(process, module).to_string();
        Self { process: process.id, environment, machine }
    }

    pub(super) fn boot(&mut self, process: &Verified<Process>, place: Place) -> Result<Evaluation<'_>> {
        let message = view::boot_message(process, place.block_height, place.timestamp).to_string();
        let step = self.machine.begin(message, self.environment.clone())?;
        Ok(Evaluation::wasm(WasmStep { step, place }))
    }

    pub(super) fn step(&mut self, entry: &Verified<Entry>, form: EntryKind) -> Result<Evaluation<'_>> {
        let message = view::evaluation_message(entry, form).to_string();
        let step = self.machine.begin(message, self.environment.clone())?;
        Ok(Evaluation::wasm(WasmStep { step, place: Place::of(entry) }))
    }

    pub(super) fn dry_run(&mut self, body: &Value, place: Place) -> Result<Evaluation<'_>> {
        let message = view::dry_run_message(self.process, body, place.block_height, place.timestamp);
        let step = self.machine.begin_dry_run(message.to_string(), self.environment.clone())?;
        Ok(Evaluation::wasm(WasmStep { step, place }))
    }

    pub(super) fn snapshot(&mut self) -> Result<Snapshot> {
        self.machine.snapshot()
    }

    pub(super) fn memory_sha256(&self) -> Id {
        Id(self.machine.memory_sha256())
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.machine.memory_bytes()
    }
}

pub(super) struct WasmStep<'a> {
    step: Step<'a>,
    place: Place,
}

impl<'a> WasmStep<'a> {
    pub(super) fn go_on(self, gas: u64) -> Result<Evaluated<'a>> {
        let place = self.place;
        Ok(match self.step.go_on(gas)? {
            Progress::Ended(outcome) => Evaluated::Ended(Box::new(result(place, outcome))),
            Progress::More(step) => Evaluated::More(Evaluation::wasm(Self { step, place })),
        })
    }
}

fn result(place: Place, outcome: Outcome) -> SlotResult {
    SlotResult {
        output: printed_output(outcome.output),
        messages: outcome.messages,
        spawns: outcome.spawns,
        assignments: outcome.assignments,
        error: outcome.error,
        gas: outcome.gas,
        rolled_back: outcome.rolled_back,
        failure: outcome.failure.map(|code| code.as_str().to_owned()),
        ..SlotResult::empty(place)
    }
}

/// `Output` as the compute unit keeps it (`effects/worker/evaluate.js` `mergeOutput`): nothing is empty text, a
/// number is its text.
fn printed_output(output: Value) -> Value {
    match output {
        Value::Null => Value::String(String::new()),
        Value::Number(number) => Value::String(number.to_string()),
        other => other,
    }
}
