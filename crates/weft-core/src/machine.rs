//! A process as a fold: its machine, its environment, and the rules around each step.

use serde_json::Value;
use weft_codec::ao::{Module, Process};
use weft_codec::{Id, Result};
use weft_verify::{Entry, EntryKind, Verified};
use weft_wasm::{Machine, OnError, Outcome, Program, Progress, Snapshot, Step};

use crate::options::ModuleOptions;
use crate::result::SlotResult;
use crate::view;

/// A process that runs. Only verified entries move it.
pub struct ProcessMachine {
    process: Id,
    environment: String,
    machine: Machine,
}

/// Compiles a proved module for the options of a process. Errors: `module-invalid`,
/// `module-format-unsupported`, `memory-limit`.
pub fn compile(module: &Verified<Module>, options: &ModuleOptions) -> Result<Program> {
    Program::compile(&module.data, options.format, &options.limits())
}

impl ProcessMachine {
    /// A process before its first slot. `program` is [`compile`]'s of the same module.
    pub fn new(
        process: &Verified<Process>,
        module: &Verified<Module>,
        program: &Program,
        options: &ModuleOptions,
    ) -> Result<Self> {
        let machine = Machine::new(program, options.limits(), OnError::RollBack)?;
        Ok(Self::around(process, module, machine))
    }

    /// A process as a [`Self::snapshot`] left it. Errors: `snapshot-invalid`.
    pub fn restore(
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

    /// Shows the process its own item before slot 0, for histories whose slot 0 is a message. Its result is
    /// nobody's: the compute unit does not keep it either.
    ///
    /// Errors: those of this host, as of all that is begun here.
    pub fn boot(
        &mut self,
        process: &Verified<Process>,
        block_height: u64,
        timestamp: u64,
    ) -> Result<Evaluation<'_>> {
        let message = view::boot_message(process, block_height, timestamp).to_string();
        let place = Place { slot: 0, message: process.id, timestamp, block_height };
        let step = self.machine.begin(message, self.environment.clone())?;
        Ok(Evaluation { step, place })
    }

    /// Evaluates one slot. A message that fails is a result with `error`, and leaves the state as it was.
    /// `form` is [`view::form`]'s.
    pub fn step(&mut self, entry: &Verified<Entry>, form: EntryKind) -> Result<Evaluation<'_>> {
        let message = view::evaluation_message(entry, form).to_string();
        let step = self.machine.begin(message, self.environment.clone())?;
        Ok(Evaluation { step, place: Place::of(entry) })
    }

    /// Evaluates a message nobody signed on a copy of the state, which stays as it is. `body` is that of
    /// `POST /dry-run` (scheduler-and-cu-api.md 2.3); `last` gives time and height where the body does not.
    pub fn dry_run(&mut self, body: &Value, last: Option<&SlotResult>) -> Result<Evaluation<'_>> {
        let (slot, block_height, timestamp) =
            last.map_or((0, 0, 0), |last| (last.slot, last.block_height, last.timestamp));
        let message = view::dry_run_message(self.process, body, block_height, timestamp);
        let id = body.get("Id").and_then(Value::as_str).and_then(|id| id.parse().ok()).unwrap_or(Id([0; 32]));
        let step = self.machine.begin_dry_run(message.to_string(), self.environment.clone())?;
        Ok(Evaluation { step, place: Place { slot, message: id, timestamp, block_height } })
    }

    /// The state, to go on from later. Fails only after [`Self::step`] did.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        self.machine.snapshot()
    }

    /// SHA-256 of the linear memory.
    #[must_use]
    pub fn memory_sha256(&self) -> Id {
        Id(self.machine.memory_sha256())
    }

    /// Bytes of linear memory.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.machine.memory_bytes()
    }
}

/// Where a result belongs.
#[derive(Clone, Copy, Debug)]
struct Place {
    slot: u64,
    message: Id,
    timestamp: u64,
    block_height: u64,
}

impl Place {
    fn of(entry: &Entry) -> Self {
        let assignment = &entry.assignment;
        Self {
            slot: entry.slot,
            message: entry.message.id(),
            timestamp: assignment.timestamp,
            block_height: assignment.block_height,
        }
    }
}

/// A message on its way, one slice of gas after the other. Dropped before its end, it never happened.
#[derive(Debug)]
#[must_use]
pub struct Evaluation<'a> {
    step: Step<'a>,
    place: Place,
}

/// How far an [`Evaluation`] came.
#[derive(Debug)]
pub enum Evaluated<'a> {
    /// To its end.
    Ended(Box<SlotResult>),
    /// There is more to do.
    More(Evaluation<'a>),
}

impl<'a> Evaluation<'a> {
    /// Goes on for about this much gas. Errors: only what is wrong with this host.
    pub fn go_on(self, gas: u64) -> Result<Evaluated<'a>> {
        let place = self.place;
        Ok(match self.step.go_on(gas)? {
            Progress::Ended(outcome) => Evaluated::Ended(Box::new(SlotResult::new(place, outcome))),
            Progress::More(step) => Evaluated::More(Self { step, place }),
        })
    }

    /// Goes on to the end. Errors: only what is wrong with this host.
    pub fn finish(mut self) -> Result<SlotResult> {
        loop {
            match self.go_on(u64::MAX)? {
                Evaluated::Ended(result) => return Ok(*result),
                Evaluated::More(rest) => self = rest,
            }
        }
    }
}

impl SlotResult {
    fn new(place: Place, outcome: Outcome) -> Self {
        let Place { slot, message, timestamp, block_height } = place;
        Self {
            slot,
            message,
            timestamp,
            block_height,
            output: printed_output(outcome.output),
            messages: outcome.messages,
            spawns: outcome.spawns,
            assignments: outcome.assignments,
            error: outcome.error,
            gas: outcome.gas,
            rolled_back: outcome.rolled_back,
            failure: outcome.failure.map(|code| code.as_str().to_owned()),
            duplicate_of: None,
        }
    }

    /// The result of a slot that repeats an earlier one: nothing ran, nothing changed.
    #[must_use]
    pub fn duplicate(entry: &Entry, earlier: u64) -> Self {
        let Place { slot, message, timestamp, block_height } = Place::of(entry);
        Self {
            slot,
            message,
            timestamp,
            block_height,
            output: Value::String(String::new()),
            messages: Vec::new(),
            spawns: Vec::new(),
            assignments: Vec::new(),
            error: None,
            gas: 0,
            rolled_back: false,
            failure: None,
            duplicate_of: Some(earlier),
        }
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
