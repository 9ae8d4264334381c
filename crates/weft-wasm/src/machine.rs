//! A running process: messages go in one after the other, the state stays in place.

use weft_codec::{Code, Error, Result};

use crate::instance::Instance;
use crate::limits::{Limits, OnError};
use crate::outcome::{Outcome, Verdict};
use crate::program::Program;
use crate::rollback::{Event, History};
use crate::snapshot::Snapshot;

/// A running process.
///
/// The state is that of all messages so far; a message that fails leaves it as [`OnError`] says. Two machines given the
/// same program and messages are in the same state, byte by byte, whether or not a [`Snapshot`] was taken in between.
pub struct Machine {
    program: Program,
    limits: Limits,
    on_error: OnError,
    instance: Instance,
    history: History,
    /// This machine failed in the middle of a message and could not go back.
    broken: bool,
}

impl Machine {
    /// A new process, before its first message.
    ///
    /// # Errors
    /// `module-invalid`, `trap`, `gas-limit` or `memory-limit` if the module does not start.
    pub fn new(program: &Program, limits: Limits, on_error: OnError) -> Result<Self> {
        let instance = Instance::new(program, limits)?;
        Ok(Self::around(program, limits, on_error, instance, None))
    }

    /// A process in the state of a snapshot.
    ///
    /// # Errors
    /// `snapshot-invalid` if the snapshot is of another module; `memory-limit` if it needs more than `limits` allow.
    pub fn restore(
        program: &Program,
        limits: Limits,
        on_error: OnError,
        snapshot: &Snapshot,
    ) -> Result<Self> {
        let instance = Instance::restore(program, limits, snapshot)?;
        Ok(Self::around(program, limits, on_error, instance, Some(snapshot.clone())))
    }

    fn around(
        program: &Program,
        limits: Limits,
        on_error: OnError,
        instance: Instance,
        base: Option<Snapshot>,
    ) -> Self {
        Self {
            program: program.clone(),
            limits,
            on_error,
            instance,
            history: History::new(base),
            broken: false,
        }
    }

    /// Evaluates one message. Both texts are JSON in the form of ao-loader (wasm-modules §4.1); their bytes are part of
    /// what the process sees, so use the same spelling everywhere.
    ///
    /// # Errors
    /// Only if this machine cannot say what the message gives, for example because it ran out of memory of its own. A
    /// message that fails is an [`Outcome`].
    pub fn step(&mut self, message_json: &str, env_json: &str) -> Result<Outcome> {
        self.check()?;
        let mut outcome = match self.instance.run(message_json, env_json) {
            Ok(outcome) => outcome,
            Err(error) => return Err(self.go_back(error)),
        };
        if self.on_error == OnError::Keep {
            return Ok(outcome);
        }
        let verdict = outcome.verdict();
        if verdict == Verdict::Advance {
            self.history.push(message_json, env_json, outcome.gas);
            self.rebase_if_due();
            return Ok(outcome);
        }
        outcome.rolled_back = true;
        if let Err(error) = self.roll_back(verdict) {
            self.broken = true;
            return Err(error);
        }
        Ok(outcome)
    }

    fn rebase_if_due(&mut self) {
        if self.history.is_due(self.instance.memory_bytes()) {
            self.history.rebase(self.instance.snapshot());
        }
    }

    fn roll_back(&mut self, verdict: Verdict) -> Result<()> {
        if verdict == Verdict::Overwrite {
            let mut before = self.base_instance()?;
            run_events(&mut before, self.history.events())?;
            self.instance.overwrite(&before);
            self.history.rebase(self.instance.snapshot());
            return Ok(());
        }
        self.rebuild()?;
        self.instance.renew()?;
        self.history.failed();
        self.rebase_if_due();
        Ok(())
    }

    /// Evaluates one message and forgets it: the state is unchanged afterwards. `rolled_back` is always set.
    ///
    /// # Errors
    /// As [`Machine::step`].
    pub fn dry_run(&mut self, message_json: &str, env_json: &str) -> Result<Outcome> {
        self.check()?;
        if self.on_error == OnError::Keep || !self.history.is_empty() {
            self.history.rebase(self.instance.snapshot());
        }
        let outcome = self.instance.run(message_json, env_json);
        if let Err(error) = self.rebuild() {
            self.broken = true;
            return Err(error);
        }
        let mut outcome = outcome?;
        outcome.rolled_back = true;
        Ok(outcome)
    }

    /// The memory's size in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.instance.memory_bytes()
    }

    /// SHA-256 of the whole memory.
    #[must_use]
    pub fn memory_sha256(&self) -> [u8; 32] {
        self.instance.memory_sha256()
    }

    /// The whole state.
    ///
    /// # Errors
    /// The error of the step that left this machine without a state.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        self.check()?;
        let snapshot = self.instance.snapshot();
        if self.on_error == OnError::RollBack {
            self.history.rebase(snapshot.clone());
        }
        Ok(snapshot)
    }

    /// Goes to the state before the last message: the base, and what happened since.
    fn rebuild(&mut self) -> Result<()> {
        let in_place = match self.history.base() {
            Some(base) => self.instance.return_to(base)?,
            None => false,
        };
        if !in_place {
            self.instance = self.base_instance()?;
        }
        run_events(&mut self.instance, self.history.events())
    }

    /// A new instance in the state of the base.
    fn base_instance(&self) -> Result<Instance> {
        match self.history.base() {
            Some(base) => Instance::restore(&self.program, self.limits, base),
            None => Instance::new(&self.program, self.limits),
        }
    }

    /// After a fault of this machine: the state before the message, if it can be had.
    fn go_back(&mut self, error: Error) -> Error {
        self.broken = self.on_error == OnError::Keep || self.rebuild().is_err();
        error
    }

    fn check(&self) -> Result<()> {
        if self.broken {
            return Err(Error::new(
                Code::MemoryLimit,
                "this process lost its state in a fault of this machine; start it again from its last snapshot",
            ));
        }
        Ok(())
    }
}

/// Runs what happened since the base again.
fn run_events(instance: &mut Instance, events: &[Event]) -> Result<()> {
    for event in events {
        let Event::Message(message, env) = event else {
            instance.renew()?;
            continue;
        };
        if instance.run(message, env)?.verdict() != Verdict::Advance {
            let sentence = "a message gave something else when it ran again";
            return Err(Error::new(Code::SnapshotInvalid, sentence));
        }
    }
    Ok(())
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("format", &self.program.format())
            .field("on_error", &self.on_error)
            .field("memory_bytes", &self.memory_bytes())
            .finish_non_exhaustive()
    }
}
