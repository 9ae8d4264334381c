//! `process@1.0` over `lua@5.3a`: assignments applied to a state, slot by slot (reference devices.md §2).

use num_bigint::BigInt;

use super::call::{Called, Device};
use super::held::{Held, Map};
use super::modules::Store;
use crate::{Limits, LuaError};

/// The device that runs a process's messages here.
const DEVICE: &str = "lua@5.3a";

/// A process and its state.
#[derive(Debug)]
pub struct Process {
    state: Map,
    device: Device,
    stuck: Option<Stuck>,
}

/// Why nothing computes any more.
#[derive(Clone, Debug)]
struct Stuck {
    slot: i64,
    answer: Outcome,
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
    /// What in it depended on more than the history: such a slot is not replayable.
    pub unreplayable: Vec<&'static str>,
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
        Ok(Self { state, device, stuck: None })
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
        if let Some(stuck) = &self.stuck {
            let outcome = Outcome::Stuck(stuck.slot, Box::new(stuck.answer.clone()));
            return Ok(Slot { outcome, unreplayable: Vec::new() });
        }
        let slot = self.at_slot() + 1;
        let mut base = self.state.clone();
        base.remove(&"results".into());
        base.insert("device".into(), DEVICE.into());
        let path = assignment.get(&"path".into()).and_then(Held::text).unwrap_or("compute");
        let key = path.trim_start_matches('/').split('/').next().unwrap_or("compute");
        let mut request = assignment.clone();
        request.entry("path".into()).or_insert_with(|| "compute".into());
        let outcome = match self.device.compute(key, &base, &request)? {
            Called::Returned(status, Held::Map(state)) if status == "ok" => self.take(state, slot),
            Called::Returned(status, Held::Map(message)) if status == "error" => failed(message, slot),
            // What is no message cannot be a state: setting a key of it fails.
            Called::Returned(status, _) if status == "ok" => {
                Outcome::Thrown("{unexpected,{error,not_found}}".to_owned())
            }
            Called::Returned(status, _) => Outcome::Thrown(format!("{{case_clause,{{{status},…}}}}")),
            Called::Failed(message) => failed(message, slot),
            Called::Thrown(reason) => Outcome::Thrown(reason),
        };
        if outcome != Outcome::Computed {
            self.stuck = Some(Stuck { slot, answer: outcome.clone() });
        }
        Ok(Slot { outcome, unreplayable: self.device.take_unreplayable() })
    }

    fn take(&mut self, state: Map, slot: i64) -> Outcome {
        // Setting a key makes the keys of the state itself texts.
        self.state = state.into_iter().map(|(key, value)| (super::Key::Text(key.normal()), value)).collect();
        self.state.insert("device".into(), "process@1.0".into());
        self.state.insert("at-slot".into(), Held::Int(BigInt::from(slot)));
        match Held::Map(self.state.clone()).unreadable() {
            Some(key) => Outcome::Unreadable(key),
            None => Outcome::Computed,
        }
    }
}

fn failed(mut message: Map, slot: i64) -> Outcome {
    message.insert("phase".into(), "compute".into());
    message.insert("attempted-slot".into(), slot.into());
    Outcome::Failed(message)
}
