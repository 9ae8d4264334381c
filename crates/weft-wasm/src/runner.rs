//! A process on the engines that a policy names: a fast one, wasmi as its referee, or wasmi alone.
//!
//! The referee runs a message a second time, from the state before it, and compares what both say: the outcome, the gas, and the
//! whole state afterwards. Where they differ there is no outcome, and the process stands still: [`Divergence`] keeps what each
//! made of it. A message that the fast engine cannot bring to an end (see [`Stop::Engine`](crate::engine::Stop)) is wasmi's.

use std::cell::OnceCell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use weft_codec::{Code, Error, Result};

use crate::divergence::Divergence;
use crate::drive::Drive;
use crate::engine::{Engine, Wasmi};
use crate::format::Format;
use crate::limits::{Limits, OnError};
use crate::machine::{Kind, Machine};
use crate::outcome::Outcome;
use crate::prepared::Prepared;
use crate::program::Program;
use crate::snapshot::Snapshot;

/// Which engines run a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The fast one, and wasmi runs some messages again: every so many, and each that a checkpoint rests on.
    #[default]
    Referee,
    /// wasmi.
    Reference,
    /// The fast one.
    Fast,
}

/// What made an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RanOn {
    /// wasmi.
    Reference,
    /// The fast engine.
    Fast,
    /// Both, and they agreed.
    Both,
}

impl RanOn {
    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Fast => "fast",
            Self::Both => "both",
        }
    }
}

/// The engines there are, and how they are used.
#[derive(Clone, Default)]
pub struct Engines {
    /// A fast one, where there is any.
    pub fast: Option<Rc<dyn Engine>>,
    /// Which of them run a process.
    pub policy: Policy,
}

/// The referee looks at every message of this number, beside those that a checkpoint rests on.
const EVERY: u64 = 250;

/// A module compiled for the engines of a policy. Cloning is cheap.
#[derive(Clone)]
pub struct Setup {
    inner: Rc<Inner>,
}

struct Inner {
    program: Program,
    /// On wasmi, once that was needed.
    reference: OnceCell<Program>,
    referee: bool,
    refused: Option<String>,
}

impl Setup {
    /// Compiles a module. Where the fast engine does not take one that is valid, wasmi runs it: see [`Setup::refused`].
    ///
    /// # Errors
    /// As [`Program::compile`].
    pub fn compile(module: &[u8], format: Format, limits: &Limits, engines: &Engines) -> Result<Self> {
        Self::of(&Prepared::of(module, format, limits)?, None, limits, engines)
    }

    /// As [`Setup::compile`], of a module that is ready, with the files of Arweave that it may read.
    ///
    /// # Errors
    /// As [`Program::of`].
    pub fn of(module: &Prepared, drive: Option<Drive>, limits: &Limits, engines: &Engines) -> Result<Self> {
        let fast = engines.fast.as_ref().filter(|_| engines.policy != Policy::Reference);
        let mut refused = None;
        let compiled = match fast.map(|engine| Program::of(&**engine, module, limits)) {
            Some(Err(error)) if error.code() == Code::EngineFailed => {
                refused = Some(error.to_string());
                None
            }
            compiled => compiled.transpose()?,
        };
        let referee = compiled.is_some() && engines.policy == Policy::Referee;
        let program = match compiled {
            Some(program) => program,
            None => Program::of(&Wasmi, module, limits)?,
        };
        let program = match drive {
            Some(drive) => program.with_drive(drive),
            None => program,
        };
        Ok(Self { inner: Rc::new(Inner { program, reference: OnceCell::new(), referee, refused }) })
    }

    /// Why the fast engine does not run it, where it was asked to.
    #[must_use]
    pub fn refused(&self) -> Option<&str> {
        self.inner.refused.as_deref()
    }

    /// The name of the engine that runs it.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        self.inner.program.engine()
    }

    /// Whether wasmi looks at what the fast engine does.
    #[must_use]
    pub fn has_referee(&self) -> bool {
        self.inner.referee
    }

    fn reference(&self) -> Result<&Program> {
        if self.inner.reference.get().is_none() {
            // Nobody else can have set it meanwhile.
            let _set = self.inner.reference.set(self.inner.program.on(&Wasmi)?);
        }
        let missing = || Error::new(Code::EngineFailed, "wasmi has no program");
        self.inner.reference.get().ok_or_else(missing)
    }
}

/// A running process.
pub struct Runner {
    setup: Setup,
    limits: Limits,
    on_error: OnError,
    machine: Machine,
    /// The same process on wasmi, at some earlier state.
    referee: Option<Machine>,
    /// Messages since the referee looked at one.
    since: u64,
    /// Whether it looked at the last one, or there was none.
    checked: bool,
    /// Whether it is to look at the next one.
    wanted: bool,
    under_way: Option<UnderWay>,
    /// What the message gave that now runs once more.
    again: Option<Outcome>,
    /// The last message, while nobody looked at it.
    last: Option<(String, String, Outcome)>,
    divergence: Option<Box<Divergence>>,
}

/// The message that is being evaluated.
struct UnderWay {
    message: String,
    env: String,
    kind: Kind,
    phase: Phase,
}

#[allow(clippy::large_enum_variant, reason = "there is one; on wasm32 it is small")]
enum Phase {
    /// On the process's own engine. With the state before it, if the referee is to look.
    First(Option<Snapshot>),
    /// On wasmi, from the state before it; with what the fast engine gave, if it could say.
    Second(Snapshot, Option<Outcome>),
}

/// What a message gave, and what made it.
type Given = (Outcome, RanOn);

/// A message on its way, one slice of gas after the other. Dropped before its end, it never happened.
#[must_use]
pub struct Turn<'a> {
    runner: &'a mut Runner,
}

/// How far a [`Turn`] came.
#[allow(clippy::large_enum_variant, reason = "there is one, moved once a message; on wasm32 it is small")]
pub enum Turned<'a> {
    /// To its end.
    Ended(Outcome, RanOn),
    /// There is more to do.
    More(Turn<'a>),
}

impl<'a> Turn<'a> {
    /// Goes on for about this much gas; an engine that cannot stop takes the whole message.
    ///
    /// # Errors
    /// As [`Machine::step`], and `engines-differ`: see [`Runner::divergence`].
    pub fn go_on(self, gas: u64) -> Result<Turned<'a>> {
        Ok(match self.runner.go_on(gas)? {
            Some((outcome, on)) => Turned::Ended(outcome, on),
            None => Turned::More(self),
        })
    }
}

impl Runner {
    /// A new process, before its first message.
    ///
    /// # Errors
    /// As [`Machine::new`].
    pub fn new(setup: &Setup, limits: Limits, on_error: OnError) -> Result<Self> {
        let program = &setup.inner.program;
        let machine = match Machine::new(program, limits, on_error) {
            // It gives up where the module starts: wasmi says what becomes of that.
            Err(error) if error.code() == Code::EngineFailed && setup.engine() != Wasmi.name() => {
                let state = Machine::new(setup.reference()?, limits, on_error)?.snapshot()?;
                Machine::restore(program, limits, on_error, &state)?
            }
            machine => machine?,
        };
        Ok(Self::around(setup, limits, on_error, machine))
    }

    /// A process in the state of a snapshot.
    ///
    /// # Errors
    /// As [`Machine::restore`].
    pub fn restore(setup: &Setup, limits: Limits, on_error: OnError, snapshot: &Snapshot) -> Result<Self> {
        let machine = Machine::restore(&setup.inner.program, limits, on_error, snapshot)?;
        Ok(Self::around(setup, limits, on_error, machine))
    }

    fn around(setup: &Setup, limits: Limits, on_error: OnError, machine: Machine) -> Self {
        Self {
            setup: setup.clone(),
            limits,
            on_error,
            machine,
            referee: None,
            since: 0,
            checked: true,
            wanted: false,
            under_way: None,
            last: None,
            again: None,
            divergence: None,
        }
    }

    /// Begins a message. See [`Machine::begin`].
    ///
    /// # Errors
    /// As [`Machine::step`].
    pub fn begin(&mut self, message_json: String, env_json: String) -> Result<Turn<'_>> {
        self.start(message_json, env_json, Kind::Keep)
    }

    /// Begins a message that leaves the state as it is. The referee looks at each of these.
    ///
    /// # Errors
    /// As [`Machine::step`].
    pub fn begin_dry_run(&mut self, message_json: String, env_json: String) -> Result<Turn<'_>> {
        self.start(message_json, env_json, Kind::DryRun)
    }

    fn start(&mut self, message: String, env: String, kind: Kind) -> Result<Turn<'_>> {
        self.check()?;
        self.again = None;
        let due = self.wanted || kind == Kind::DryRun || self.since.saturating_add(1) >= EVERY;
        let before = match self.setup.has_referee() && due {
            true => Some(self.machine.snapshot()?),
            false => None,
        };
        self.machine.start(message.clone(), env.clone(), kind)?;
        self.under_way = Some(UnderWay { message, env, kind, phase: Phase::First(before) });
        Ok(Turn { runner: self })
    }

    /// Runs the last message once more, for the referee to look at it. `None` if it did, or if there is none to look.
    ///
    /// # Errors
    /// As [`Machine::step`].
    pub fn begin_check(&mut self) -> Result<Option<Turn<'_>>> {
        self.check()?;
        if self.is_checked() {
            return Ok(None);
        }
        let unknown = || Error::new(Code::EngineFailed, "the last message cannot be taken back");
        let (message, env, outcome) = self.last.take().ok_or_else(unknown)?;
        if !self.machine.take_back()? {
            return Err(unknown());
        }
        self.wanted = true;
        let turn = self.start(message, env, Kind::Keep)?;
        turn.runner.again = Some(outcome);
        Ok(Some(turn))
    }

    fn go_on(&mut self, gas: u64) -> Result<Option<Given>> {
        let Some(under_way) = self.under_way.take() else {
            return Err(Error::new(Code::EngineFailed, "there is no message to go on with"));
        };
        match under_way.phase {
            Phase::First(_) => self.first(under_way, gas),
            Phase::Second(..) => self.second(under_way, gas),
        }
    }

    fn first(&mut self, under_way: UnderWay, gas: u64) -> Result<Option<Given>> {
        let UnderWay { message, env, kind, phase } = under_way;
        let before = match phase {
            Phase::First(before) => before,
            Phase::Second(before, _) => Some(before),
        };
        let given = match self.machine.go_on(gas) {
            Ok(None) => {
                let phase = Phase::First(before);
                self.under_way = Some(UnderWay { message, env, kind, phase });
                return Ok(None);
            }
            Ok(Some(outcome)) => Some(outcome),
            Err(error) if error.code() == Code::EngineFailed && self.setup.engine() != Wasmi.name() => None,
            Err(error) => return Err(error),
        };
        let before = match (before, &given) {
            (Some(before), _) => before,
            // The machine went back.
            (None, None) => self.machine.snapshot()?,
            (None, Some(outcome)) => {
                if kind == Kind::Keep && self.setup.has_referee() {
                    self.last = Some((message, env, outcome.clone()));
                }
                return Ok(self.end(kind, given.map(|outcome| (outcome, self.alone()))));
            }
        };
        self.second_from(&before, &message, &env, kind)?;
        self.under_way = Some(UnderWay { message, env, kind, phase: Phase::Second(before, given) });
        Ok(None)
    }

    fn alone(&self) -> RanOn {
        if self.setup.engine() == Wasmi.name() { RanOn::Reference } else { RanOn::Fast }
    }

    /// Makes wasmi ready for the message.
    fn second_from(&mut self, before: &Snapshot, message: &str, env: &str, kind: Kind) -> Result<()> {
        let mut referee = match self.referee.take() {
            Some(mut referee) => {
                referee.go_to(before)?;
                referee
            }
            None => Machine::restore(self.setup.reference()?, self.limits, self.on_error, before)?,
        };
        referee.start(message.to_owned(), env.to_owned(), kind)?;
        self.referee = Some(referee);
        Ok(())
    }

    fn second(&mut self, under_way: UnderWay, gas: u64) -> Result<Option<Given>> {
        let Some(referee) = self.referee.as_mut() else {
            return Err(Error::new(Code::EngineFailed, "the referee is not there"));
        };
        let theirs = match referee.go_on(gas) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => {
                self.under_way = Some(under_way);
                return Ok(None);
            }
            Err(error) => {
                self.referee = None;
                self.under_way = Some(under_way);
                return Err(error);
            }
        };
        let (kind, after) = (under_way.kind, referee.snapshot()?);
        let Phase::Second(before, given) = under_way.phase else { return Ok(None) };
        let gave_up = given.is_none();
        if gave_up {
            self.machine.go_to(&after)?;
        }
        // What was said of it before is judged, not what is said now.
        let Some(ours) = self.again.take().or(given) else {
            return Ok(self.end(kind, Some((theirs, RanOn::Reference))));
        };
        let state = self.machine.whole_snapshot()?;
        if ours == theirs && state == after {
            let on = if gave_up { RanOn::Reference } else { RanOn::Both };
            return Ok(self.end(kind, Some((ours, on))));
        }
        let divergence = Divergence {
            engine: self.setup.engine(),
            message: under_way.message,
            env: under_way.env,
            before,
            outcomes: [ours, theirs],
            after: [state, after],
        };
        let error = divergence.error();
        self.divergence = Some(Box::new(divergence));
        Err(error)
    }

    /// Counts a message that ended.
    fn end(&mut self, kind: Kind, given: Option<Given>) -> Option<Given> {
        if kind == Kind::Keep {
            self.checked = given.as_ref().is_some_and(|(_, on)| *on != RanOn::Fast);
            self.since = if self.checked { 0 } else { self.since.saturating_add(1) };
            self.wanted &= !self.checked;
        }
        given
    }

    /// Whether a checkpoint may rest on this state: the referee looked at the last message, or there is none to look.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        !self.setup.has_referee() || self.checked
    }

    /// Has the referee look at the next message.
    pub fn check_next(&mut self) {
        self.wanted = true;
    }

    /// What both engines made of the message at which they differed. The process stands still from there on.
    #[must_use]
    pub fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_deref()
    }

    /// What runs it.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The state, to go on from later.
    ///
    /// # Errors
    /// As [`Machine::snapshot`], and `engines-differ`.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        self.check()?;
        self.machine.snapshot()
    }

    /// SHA-256 of the whole memory.
    #[must_use]
    pub fn memory_sha256(&self) -> [u8; 32] {
        self.machine.memory_sha256()
    }

    /// The memory's size in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.machine.memory_bytes()
    }

    /// A message that was left on its way never happened.
    fn check(&mut self) -> Result<()> {
        if let Some(divergence) = &self.divergence {
            return Err(divergence.error());
        }
        if let Some(UnderWay { phase: Phase::Second(before, _), .. }) = self.under_way.take() {
            self.machine.go_to(&before)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("machine", &self.machine).finish_non_exhaustive()
    }
}
