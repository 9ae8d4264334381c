//! `process@1.0` over `lua@5.3a`: assignments applied to a state, slot by slot (reference devices.md §2).

use num_bigint::BigInt;

use super::call::{Called, Device};
use super::held::{Held, Map};
use super::modules::Store;
use super::snapshot::digest;
use crate::{Limits, LuaError};

/// The device that runs a process's messages here.
pub(super) const DEVICE: &str = "lua@5.3a";

/// A process and its state.
#[derive(Debug)]
pub struct Process {
    pub(super) state: Map,
    /// The digest of the message that defines it: scripts may write what they like into the state.
    pub(super) origin: [u8; 32],
    pub(super) device: Device,
    pub(super) stuck: Option<Stuck>,
    /// The first slot that is not replayable: nothing after it is either.
    pub(super) clouded: Option<i64>,
    /// Whether what is on its way is to be kept.
    pub(super) keeps: bool,
}

/// Why nothing computes any more.
#[derive(Clone, Debug)]
pub(super) struct Stuck {
    pub(super) slot: i64,
    pub(super) answer: Outcome,
}

/// What a node answers for a slot.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The state after it; its `results` are the slot's.
    Computed,
    /// The function failed: the message a node answers. No later slot computes.
    Failed(Map),
    /// The node itself failed over what the function returned. No later slot computes.
    Thrown(String),
    /// The state holds an integer of more than fifteen digits, under this key: a node writes it, and can never read it again.
    /// No later slot computes.
    Unreadable(String),
    /// An earlier slot stopped the process; what came of that one.
    Stuck(i64, Box<Outcome>),
}

/// A slot after it was applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// What came of it.
    pub outcome: Outcome,
    /// The `results` of the state it led to, if it led to one.
    pub results: Option<Held>,
    /// What in it depended on more than the history: such a slot is not replayable.
    pub unreplayable: Vec<&'static str>,
    /// The earlier slot that was not replayable, whose state this one goes on from.
    pub follows: Option<i64>,
    /// The fuel it took.
    pub fuel: u64,
}

impl Process {
    /// The process that a signed message defines, before its first slot.
    ///
    /// # Errors
    /// What a node answers when its modules cannot be run.
    pub fn new(message: &Map, store: &Store, limits: Limits) -> Result<Self, Called> {
        let mut state = message.clone();
        state.remove(&"commitments".into());
        state.insert("process".into(), Held::Map(message.clone()));
        state.insert("device".into(), DEVICE.into());
        state.insert("input-prefix".into(), "process".into());
        let device = Device::new(&state, store, limits)?;
        state.insert("device".into(), "process@1.0".into());
        state.insert("initialized".into(), "true".into());
        state.insert("at-slot".into(), (-1).into());
        Ok(Self { state, origin: digest(message), device, stuck: None, clouded: None, keeps: true })
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> &Map {
        &self.state
    }

    /// The results of the last slot that computed.
    #[must_use]
    pub fn results(&self) -> Option<&Held> {
        self.state.get(&"results".into())
    }

    /// The slot the state is at; -1 before the first.
    #[must_use]
    pub fn at_slot(&self) -> i64 {
        match self.state.get(&"at-slot".into()) {
            Some(Held::Int(slot)) => i64::try_from(slot).unwrap_or(i64::MAX),
            _ => -1,
        }
    }

    /// Applies the next assignment. Where the outcome is not [`Outcome::Computed`] the state stays what it was, but for
    /// [`Outcome::Unreadable`]: that state was reached, and is lost to the node.
    ///
    /// # Errors
    /// A limit was reached. The state is what it was, and the slot can be tried again.
    pub fn apply(&mut self, assignment: &Map) -> Result<Slot, LuaError> {
        let mut slot = self.begin(assignment, true, u64::MAX)?;
        loop {
            match slot {
                Some(slot) => return Ok(slot),
                None => slot = self.go_on(u64::MAX)?,
            }
        }
    }

    /// As [`Self::apply`], for about this much fuel. `None`: it is not over; [`Self::go_on`] goes on with it, [`Self::cancel`]
    /// leaves it. What is not to be kept leaves the process as it was: a dry run.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn begin(&mut self, assignment: &Map, keep: bool, fuel: u64) -> Result<Option<Slot>, LuaError> {
        if let Some(stuck) = &self.stuck {
            let outcome = Outcome::Stuck(stuck.slot, Box::new(stuck.answer.clone()));
            return Ok(Some(self.not_run(outcome)));
        }
        let mut base = self.state.clone();
        base.remove(&"results".into());
        base.insert("device".into(), DEVICE.into());
        let path = assignment.get(&"path".into()).and_then(Held::text).unwrap_or("compute");
        let key = path.trim_start_matches('/').split('/').next().unwrap_or("compute");
        let mut request = assignment.clone();
        request.entry("path".into()).or_insert_with(|| "compute".into());
        self.keeps = keep;
        let called = self.device.begin(key, &base, &request, keep, fuel);
        self.settle(called)
    }

    /// Goes on with what [`Self::begin`] began.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn go_on(&mut self, fuel: u64) -> Result<Option<Slot>, LuaError> {
        let called = self.device.go_on(fuel);
        self.settle(called)
    }

    /// The next assignment cannot be read, for this reason: no later slot computes.
    pub fn stop(&mut self, reason: String) -> Slot {
        let outcome = match &self.stuck {
            Some(stuck) => Outcome::Stuck(stuck.slot, Box::new(stuck.answer.clone())),
            None => {
                let answer = Outcome::Thrown(reason);
                self.stuck = Some(Stuck { slot: self.at_slot() + 1, answer: answer.clone() });
                answer
            }
        };
        self.not_run(outcome)
    }

    fn not_run(&self, outcome: Outcome) -> Slot {
        Slot { outcome, results: None, unreplayable: Vec::new(), follows: self.clouded, fuel: 0 }
    }

    /// Leaves what is on its way: it never happened.
    pub fn cancel(&mut self) {
        self.device.cancel();
    }

    /// Bytes of memory that the machine uses.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.device.vm.memory()
    }

    fn settle(&mut self, called: Result<Option<Called>, LuaError>) -> Result<Option<Slot>, LuaError> {
        let called = match called {
            Ok(None) => return Ok(None),
            Ok(Some(called)) => called,
            Err(error) => {
                // The machine is as it was.
                self.device.take_unreplayable();
                self.device.take_output();
                return Err(error);
            }
        };
        let slot = self.at_slot() + 1;
        let (mut reached, unreplayable) = (None, self.device.take_unreplayable());
        let outcome = match called {
            Called::Returned(status, Held::Map(state)) if status == "ok" => {
                let state = next_state(state, slot);
                let unreadable = Held::Map(state.clone()).unreadable();
                reached = Some(state);
                unreadable.map_or(Outcome::Computed, Outcome::Unreadable)
            }
            Called::Returned(status, Held::Map(message)) if status == "error" => failed(message, slot),
            // What is no message cannot be a state: setting a key of it fails.
            Called::Returned(status, _) if status == "ok" => {
                Outcome::Thrown("{unexpected,{error,not_found}}".to_owned())
            }
            Called::Returned(status, _) => Outcome::Thrown(format!("{{case_clause,{{{status},…}}}}")),
            Called::Failed(message) => failed(message, slot),
            Called::Thrown(reason) => Outcome::Thrown(reason),
        };
        // What scripts print is a node's own log.
        self.device.take_output();
        let follows = self.clouded;
        let results = reached.as_ref().and_then(|state| state.get(&"results".into())).cloned();
        if self.keeps {
            if !unreplayable.is_empty() {
                self.clouded.get_or_insert(slot);
            }
            if let Some(state) = reached {
                self.state = state;
            }
            if outcome != Outcome::Computed {
                self.stuck = Some(Stuck { slot, answer: outcome.clone() });
            }
        }
        Ok(Some(Slot { outcome, results, unreplayable, follows, fuel: self.device.fuel_used() }))
    }
}

/// Setting a key makes the keys of the state itself texts.
fn next_state(state: Map, slot: i64) -> Map {
    let mut state: Map =
        state.into_iter().map(|(key, value)| (super::Key::Text(key.normal()), value)).collect();
    state.insert("device".into(), "process@1.0".into());
    state.insert("at-slot".into(), Held::Int(BigInt::from(slot)));
    state
}

fn failed(mut message: Map, slot: i64) -> Outcome {
    message.insert("phase".into(), "compute".into());
    message.insert("attempted-slot".into(), slot.into());
    Outcome::Failed(message)
}
