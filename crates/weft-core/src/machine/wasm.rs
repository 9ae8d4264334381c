//! A wasm process: the `handle` ABI, and the environment beside each message.

use serde_json::Value;
use weft_codec::ao::{Module, Process};
use weft_codec::{Id, Result};
use weft_verify::{Entry, EntryKind, Verified};
use weft_wasm::{Divergence, OnError, Outcome, RanOn, Runner, Setup, Snapshot, Turn, Turned};

use super::{Evaluated, Evaluation, Place};
use crate::options::ModuleOptions;
use crate::result::SlotResult;
use crate::view;

pub(super) struct Wasm {
    process: Id,
    environment: String,
    runner: Runner,
}

impl Wasm {
    pub(super) fn new(
        process: &Verified<Process>,
        module: &Verified<Module>,
        setup: &Setup,
        options: &ModuleOptions,
    ) -> Result<Self> {
        let runner = Runner::new(setup, options.limits(), OnError::RollBack)?;
        Ok(Self::around(process, module, runner))
    }

    pub(super) fn restore(
        process: &Verified<Process>,
        module: &Verified<Module>,
        setup: &Setup,
        options: &ModuleOptions,
        snapshot: &Snapshot,
    ) -> Result<Self> {
        let runner = Runner::restore(setup, options.limits(), OnError::RollBack, snapshot)?;
        Ok(Self::around(process, module, runner))
    }

    fn around(process: &Verified<Process>, module: &Verified<Module>, runner: Runner) -> Self {
        let environment = view::environment(process, module).to_string();
        Self { process: process.id, environment, runner }
    }

    pub(super) fn boot(&mut self, process: &Verified<Process>, place: Place) -> Result<Evaluation<'_>> {
        let message = view::boot_message(process, place.block_height, place.timestamp).to_string();
        let turn = self.runner.begin(message, self.environment.clone())?;
        Ok(Evaluation::wasm(WasmStep { turn, place }))
    }

    pub(super) fn step(&mut self, entry: &Verified<Entry>, form: EntryKind) -> Result<Evaluation<'_>> {
        let message = view::evaluation_message(entry, form).to_string();
        let turn = self.runner.begin(message, self.environment.clone())?;
        Ok(Evaluation::wasm(WasmStep { turn, place: Place::of(entry) }))
    }

    pub(super) fn dry_run(&mut self, body: &Value, place: Place) -> Result<Evaluation<'_>> {
        let message = view::dry_run_message(self.process, body, place.block_height, place.timestamp);
        let turn = self.runner.begin_dry_run(message.to_string(), self.environment.clone())?;
        Ok(Evaluation::wasm(WasmStep { turn, place }))
    }

    pub(super) fn snapshot(&mut self) -> Result<Snapshot> {
        self.runner.snapshot()
    }

    pub(super) fn is_checked(&self) -> bool {
        self.runner.is_checked()
    }

    pub(super) fn check_next(&mut self) {
        self.runner.check_next();
    }

    pub(super) fn check_last(&mut self) -> Result<Option<Evaluation<'_>>> {
        let place = Place { slot: 0, message: self.process, timestamp: 0, block_height: 0 };
        let turn = self.runner.begin_check()?;
        Ok(turn.map(|turn| Evaluation::wasm(WasmStep { turn, place })))
    }

    pub(super) fn divergence(&self) -> Option<Vec<u8>> {
        self.runner.divergence().map(Divergence::to_bytes)
    }

    pub(super) fn memory_sha256(&self) -> Id {
        Id(self.runner.memory_sha256())
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.runner.memory_bytes()
    }
}

pub(super) struct WasmStep<'a> {
    turn: Turn<'a>,
    place: Place,
}

impl<'a> WasmStep<'a> {
    pub(super) fn go_on(self, gas: u64) -> Result<Evaluated<'a>> {
        let place = self.place;
        Ok(match self.turn.go_on(gas)? {
            Turned::Ended(outcome, on) => Evaluated::Ended(Box::new(result(place, outcome, on))),
            Turned::More(turn) => Evaluated::More(Evaluation::wasm(Self { turn, place })),
        })
    }
}

fn result(place: Place, outcome: Outcome, on: RanOn) -> SlotResult {
    SlotResult {
        output: printed_output(outcome.output),
        messages: outcome.messages,
        spawns: outcome.spawns,
        assignments: outcome.assignments,
        error: outcome.error,
        gas: outcome.gas,
        ran_on: Some(on),
        gas_version: Some(weft_wasm::rewrite::VERSION),
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
