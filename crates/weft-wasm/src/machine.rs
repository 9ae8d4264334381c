//! A running process: messages go in one after the other, the state stays in place.

use std::collections::BTreeSet;

use weft_codec::{Code, Error, Result};

use crate::instance::Instance;
use crate::limits::{Limits, OnError};
use crate::outcome::{Outcome, Verdict};
use crate::pages::Pages;
use crate::program::Program;
use crate::snapshot::{Outside, Snapshot};

/// A running process.
///
/// The state is that of all messages so far; a message that fails leaves it as [`OnError`] says. Two machines given the
/// same program and messages are in the same state, byte by byte, whether or not a [`Snapshot`] was taken in between.
pub struct Machine {
    program: Program,
    limits: Limits,
    on_error: OnError,
    instance: Instance,
    /// The memory as it was when it was last looked at.
    known: Option<Pages>,
    /// Pages that may have changed since.
    changed: BTreeSet<u32>,
    /// Where the last message can be taken back to.
    before: Option<Before>,
    /// The message that was begun and has not ended.
    under_way: Option<UnderWay>,
    /// This machine failed in the middle of a message and could not go back.
    broken: bool,
}

/// The state before a message, but for the memory, which the engine can bring back.
struct Before {
    outside: Outside,
    memory_bytes: u64,
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The state after it.
    Keep,
    /// Its outcome alone.
    DryRun,
}

/// A message on its way, cut into slices of gas. What it does, and the gas it takes, do not depend on the cuts. Dropped
/// before its end, it never happened: the machine goes back when it is used again.
#[must_use]
pub struct Step<'a> {
    machine: &'a mut Machine,
}

/// The message that is being evaluated.
struct UnderWay {
    message: String,
    env: String,
    kind: Kind,
    /// Whether the module has seen it.
    begun: bool,
}

/// How far a [`Step`] came.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one, moved once a message; on wasm32 it is small")]
pub enum Progress<'a> {
    /// To its end.
    Ended(Outcome),
    /// There is more to do.
    More(Step<'a>),
}

impl<'a> Step<'a> {
    /// Goes on for about this much gas. A little more goes where the module or the host cannot stop: within the calls that
    /// the host makes for itself, such as the module's `malloc`, and wherever an engine cannot stop a call.
    ///
    /// # Errors
    /// As [`Machine::step`].
    pub fn go_on(self, gas: u64) -> Result<Progress<'a>> {
        Ok(match self.machine.go_on(gas)? {
            Some(outcome) => Progress::Ended(outcome),
            None => Progress::More(self),
        })
    }
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
        Ok(Self::around(program, limits, on_error, instance, Some(snapshot.pages().clone())))
    }

    fn around(
        program: &Program,
        limits: Limits,
        on_error: OnError,
        instance: Instance,
        known: Option<Pages>,
    ) -> Self {
        Self {
            program: program.clone(),
            limits,
            on_error,
            instance,
            known,
            changed: BTreeSet::new(),
            before: None,
            under_way: None,
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
        self.start(message_json.to_owned(), env_json.to_owned(), Kind::Keep)?;
        self.finish()
    }

    /// As [`Machine::step`], one slice at a time.
    ///
    /// # Errors
    /// As [`Machine::step`].
    pub fn begin(&mut self, message_json: String, env_json: String) -> Result<Step<'_>> {
        self.start(message_json, env_json, Kind::Keep)?;
        Ok(Step { machine: self })
    }

    /// Makes ready for a message.
    pub(crate) fn start(&mut self, message: String, env: String, kind: Kind) -> Result<()> {
        self.check()?;
        self.keep()?;
        let (outside, memory_bytes) = (self.instance.outside(), self.instance.memory_bytes());
        self.before = Some(Before { outside, memory_bytes });
        self.under_way = Some(UnderWay { message, env, kind, begun: false });
        Ok(())
    }

    /// Goes on with the message for about this much gas; its outcome once it has ended.
    pub(crate) fn go_on(&mut self, gas: u64) -> Result<Option<Outcome>> {
        let Some(mut under_way) = self.under_way.take() else {
            return Err(Error::new(Code::EngineFailed, "there is no message to go on with"));
        };
        let outcome = match under_way.begun {
            true => self.instance.go_on(gas),
            false => self.instance.begin(&under_way.message, &under_way.env, gas),
        };
        let Some(outcome) = outcome.transpose() else {
            under_way.begun = true;
            self.under_way = Some(under_way);
            return Ok(None);
        };
        let outcome = match under_way.kind {
            Kind::Keep => self.settle(outcome),
            Kind::DryRun => self.forget(outcome),
        };
        outcome.map(Some)
    }

    fn finish(&mut self) -> Result<Outcome> {
        loop {
            if let Some(outcome) = self.go_on(u64::MAX)? {
                return Ok(outcome);
            }
        }
    }

    /// From here on is where a message can be taken back to.
    fn keep(&mut self) -> Result<()> {
        self.before = None;
        self.changed.extend(self.instance.keep()?);
        Ok(())
    }

    /// The state after a message that ended.
    fn settle(&mut self, outcome: Result<Outcome>) -> Result<Outcome> {
        let mut outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.broken = !self.go_back(Kind::Keep);
                return Err(error);
            }
        };
        let verdict = outcome.verdict();
        if self.on_error == OnError::Keep || verdict == Verdict::Advance {
            return Ok(outcome);
        }
        outcome.rolled_back = true;
        self.broken = true;
        match verdict {
            // What is beyond the memory of before stays.
            Verdict::Overwrite => self.instance.back()?,
            Verdict::Advance | Verdict::Drop => {
                self.undo()?;
                self.instance.renew()?;
            }
        }
        self.broken = false;
        Ok(outcome)
    }

    /// Goes to the state before the last message. It stays known.
    fn undo(&mut self) -> Result<()> {
        let unknown = || Error::new(Code::EngineFailed, "the last message cannot be taken back");
        let Before { outside, memory_bytes } = self.before.as_ref().ok_or_else(unknown)?;
        self.instance.back()?;
        if self.instance.memory_bytes() == *memory_bytes {
            return self.instance.set_outside(outside);
        }
        // Memories do not shrink: another instance gets what this one had.
        let pages = self.instance.pages(*memory_bytes);
        let snapshot = Snapshot::new(self.program.sha256(), outside.clone(), pages.clone());
        self.instance = Instance::restore(&self.program, self.limits, &snapshot)?;
        self.instance.keep()?;
        self.known = Some(pages);
        self.changed.clear();
        Ok(())
    }

    /// Goes to the state before the last message, whatever came of it. Whether that is still known: until the next one, or a
    /// snapshot.
    ///
    /// # Errors
    /// As [`Machine::step`].
    pub(crate) fn take_back(&mut self) -> Result<bool> {
        self.check()?;
        if self.on_error == OnError::Keep || self.before.is_none() {
            return Ok(false);
        }
        self.broken = true;
        self.undo()?;
        self.before = None;
        self.broken = false;
        Ok(true)
    }

    /// Evaluates one message and forgets it: the state is unchanged afterwards. `rolled_back` is always set.
    ///
    /// # Errors
    /// As [`Machine::step`].
    pub fn dry_run(&mut self, message_json: &str, env_json: &str) -> Result<Outcome> {
        self.start(message_json.to_owned(), env_json.to_owned(), Kind::DryRun)?;
        self.finish()
    }

    /// As [`Machine::dry_run`], one slice at a time.
    ///
    /// # Errors
    /// As [`Machine::step`].
    pub fn begin_dry_run(&mut self, message_json: String, env_json: String) -> Result<Step<'_>> {
        self.start(message_json, env_json, Kind::DryRun)?;
        Ok(Step { machine: self })
    }

    /// The state before a message that ended.
    fn forget(&mut self, outcome: Result<Outcome>) -> Result<Outcome> {
        if let Err(error) = self.undo() {
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
        self.keep()?;
        let bytes = self.instance.memory_bytes();
        let pages = match self.known.take() {
            None => self.instance.pages(bytes),
            Some(mut pages) => {
                pages.grow(bytes);
                for index in std::mem::take(&mut self.changed) {
                    // One beyond the memory was looked at, not written to.
                    if let Some(page) = self.instance.page(index.into()) {
                        pages.set(index.into(), &page);
                    }
                }
                pages
            }
        };
        self.changed.clear();
        self.known = Some(pages.clone());
        Ok(Snapshot::new(self.program.sha256(), self.instance.outside(), pages))
    }

    /// The whole state, all of the memory looked at: also what an engine wrote to that saved nothing. The referee's question.
    ///
    /// # Errors
    /// As [`Machine::snapshot`].
    pub(crate) fn whole_snapshot(&mut self) -> Result<Snapshot> {
        let snapshot = self.snapshot()?;
        let mut pages = snapshot.pages().clone();
        self.instance.look_over(&mut pages);
        self.known = Some(pages.clone());
        Ok(Snapshot::new(self.program.sha256(), snapshot.outside().clone(), pages))
    }

    /// Goes to the state of a snapshot of the same module.
    ///
    /// # Errors
    /// As [`Machine::restore`]; this machine is where it was then, or has no state.
    pub(crate) fn go_to(&mut self, snapshot: &Snapshot) -> Result<()> {
        self.under_way = None;
        if self.instance.memory_bytes() == snapshot.memory_bytes() && !self.broken {
            let now = self.snapshot()?;
            self.broken = true;
            self.instance.take_over(snapshot, now.pages())?;
        } else {
            self.broken = true;
            self.instance = Instance::restore(&self.program, self.limits, snapshot)?;
        }
        self.keep()?;
        self.changed.clear();
        self.known = Some(snapshot.pages().clone());
        self.broken = false;
        Ok(())
    }

    /// Goes to the state before a message that did not end. Whether that can be had.
    fn go_back(&mut self, from: Kind) -> bool {
        (self.on_error == OnError::RollBack || from == Kind::DryRun) && self.undo().is_ok()
    }

    fn check(&mut self) -> Result<()> {
        if let Some(left) = self.under_way.take().filter(|left| left.begun) {
            self.broken |= !self.go_back(left.kind);
        }
        if self.broken {
            return Err(Error::new(
                Code::MemoryLimit,
                "this process lost its state in a fault of this machine; start it again from its last snapshot",
            ));
        }
        Ok(())
    }
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

impl std::fmt::Debug for Step<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Step").field("machine", &self.machine).finish_non_exhaustive()
    }
}
