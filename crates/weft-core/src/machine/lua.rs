//! A Lua process: `process@1.0` over `lua@5.3a`, which sees AO-Core messages.

use serde::Serialize;
use serde_json::Value;
use weft_codec::ao::Process;
use weft_codec::message::Message;
use weft_codec::{Code, Error, Result};
use weft_lua::device::{Called, Held, Map, Outcome, Script, Slot, Store, read_message, write_message};
use weft_lua::{ErrorKind, LuaError};
use weft_verify::{Entry, EntryKind, Verified};

use super::{Evaluated, Evaluation, Place};
use crate::lua::{held_of, json_of, outbox, process_message, request_message, shown_message};
use crate::options::ModuleOptions;
use crate::result::SlotResult;

pub(super) struct Lua {
    process: weft_lua::device::Process,
    limits: weft_lua::Limits,
    id: String,
}

impl Lua {
    pub(super) fn new(process: &Verified<Process>, store: &Store, options: &ModuleOptions) -> Result<Self> {
        let message = process_message(process)?;
        Self::of_message(process.id.to_string(), &message, store, options.lua_limits())
    }

    /// The process that a message defines.
    pub(super) fn of_message(
        id: String,
        message: &Map,
        store: &Store,
        limits: weft_lua::Limits,
    ) -> Result<Self> {
        let process = weft_lua::device::Process::new(message, store, limits).map_err(|called| {
            let what = format!("The Lua module does not run: {}", reason(&called));
            Error::new(Code::ModuleInvalid, what)
        })?;
        Ok(Self { process, limits, id })
    }

    pub(super) fn restore(
        process: &Verified<Process>,
        options: &ModuleOptions,
        bytes: &[u8],
    ) -> Result<Self> {
        let message = process_message(process)?;
        Self::restore_message(process.id.to_string(), &message, options.lua_limits(), bytes)
    }

    pub(super) fn restore_message(
        id: String,
        message: &Map,
        limits: weft_lua::Limits,
        bytes: &[u8],
    ) -> Result<Self> {
        let process =
            weft_lua::device::Process::restore(message, limits, bytes).map_err(|error| lua_error(&error))?;
        Ok(Self { process, limits, id })
    }

    /// Evaluates an assignment as it is.
    pub(super) fn apply(&mut self, place: Place, assignment: Map) -> Evaluation<'_> {
        self.evaluation(place, assignment, true)
    }

    pub(super) fn step(&mut self, entry: &Verified<Entry>, form: EntryKind) -> Result<Evaluation<'_>> {
        let place = Place::of(entry);
        match shown_message(entry, form)? {
            Ok(assignment) => Ok(self.evaluation(place, assignment, true)),
            // A node reads the schedule before it computes, and fails there, now and whenever it is asked again.
            Err(reason) => {
                let slot = self.process.stop(reason);
                Ok(Evaluation::ended(slot_result(place, &slot)))
            }
        }
    }

    pub(super) fn dry_run(&mut self, body: &Value, place: Place) -> Result<Evaluation<'_>> {
        let assignment = request_message(&self.id, body, place)?;
        Ok(self.evaluation(place, assignment, false))
    }

    fn evaluation(&mut self, place: Place, assignment: Map, keep: bool) -> Evaluation<'_> {
        let way = Way { process: &mut self.process, begun: false };
        Evaluation::lua(LuaStep { way, assignment, keep, place })
    }

    pub(super) fn run(&self, script: &str, function: &str, params: &Value) -> Result<LuaRun> {
        let params = match params {
            Value::Null => Map::new(),
            Value::Object(_) => match held_of(params, 0)? {
                Held::Map(map) => map,
                _ => Map::new(),
            },
            _ => {
                return Err(Error::new(
                    Code::RequestInvalid,
                    "The parameters of a Lua function are an object.",
                ));
            }
        };
        let state = self.process.state();
        Ok(LuaRun { script: Script::new(state, script.as_bytes(), function, &params, self.limits) })
    }

    pub(super) fn state(&self) -> Value {
        json_of(&Held::Map(self.process.state().clone()))
    }

    pub(super) fn state_message(&self) -> Result<Message> {
        write_message(self.process.state())
    }

    pub(super) fn snapshot(&mut self) -> Result<Vec<u8>> {
        self.process.snapshot().map_err(|error| lua_error(&error))
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        u64::try_from(self.process.memory()).unwrap_or(u64::MAX)
    }
}

pub(super) struct LuaStep<'a> {
    way: Way<'a>,
    assignment: Map,
    keep: bool,
    place: Place,
}

/// A call that is left when it is dropped before its end.
struct Way<'a> {
    process: &'a mut weft_lua::device::Process,
    /// A call is on its way.
    begun: bool,
}

impl Drop for Way<'_> {
    fn drop(&mut self) {
        if self.begun {
            self.process.cancel();
        }
    }
}

impl<'a> LuaStep<'a> {
    pub(super) fn go_on(mut self, gas: u64) -> Result<Evaluated<'a>> {
        let begun = std::mem::replace(&mut self.way.begun, false);
        let slot = match begun {
            true => self.way.process.go_on(gas),
            false => self.way.process.begin(&self.assignment, self.keep, gas),
        };
        match slot.map_err(|error| lua_error(&error).with("slot", self.place.slot))? {
            None => {
                self.way.begun = true;
                Ok(Evaluated::More(Evaluation::lua(self)))
            }
            Some(slot) => {
                let mut result = slot_result(self.place, &slot);
                result.rolled_back |= !self.keep;
                Ok(Evaluated::Ended(Box::new(result)))
            }
        }
    }
}

fn slot_result(place: Place, slot: &Slot) -> SlotResult {
    let mut result = SlotResult::empty(place);
    result.gas = slot.fuel;
    result.not_replayable = slot.unreplayable.iter().map(|name| (*name).to_owned()).collect();
    result.follows_not_replayable = slot.follows.and_then(|slot| u64::try_from(slot).ok());
    if let Some(results) = &slot.results {
        result.results = Some(json_of(results));
        if let Some(map) = results.map() {
            let key = |name: &str| map.get(&name.into());
            result.messages = key("outbox").map(outbox).unwrap_or_default();
            result.spawns = key("spawns").map(outbox).unwrap_or_default();
            result.assignments = key("assignments").map(outbox).unwrap_or_default();
            if let Some(output) = key("output").or_else(|| key("data")) {
                result.output = json_of(output);
            }
            result.error = key("error").map(json_of);
        }
    }
    let stopped = |code: &str, reason: Value| (Some(code.to_owned()), Some(reason));
    let (failure, error) = match &slot.outcome {
        Outcome::Computed => return result,
        Outcome::Failed(message) => stopped("lua-failed", json_of(&Held::Map(message.clone()))),
        Outcome::Thrown(reason) => stopped("lua-thrown", reason.as_str().into()),
        Outcome::Unreadable(key) => stopped("lua-unreadable", unreadable(key).into()),
        Outcome::Stuck(at, cause) => {
            result.stopped_at = u64::try_from(*at).ok();
            stopped("lua-stuck", format!("Slot {at} stopped the process: {}", why(cause)).into())
        }
    };
    result.rolled_back = !matches!(slot.outcome, Outcome::Unreadable(_));
    (result.failure, result.error) = (failure, error);
    result
}

fn unreadable(key: &str) -> String {
    format!(
        "The state has an integer of more than fifteen digits under `{key}`: a node can never read it again."
    )
}

/// In a few words.
fn why(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Failed(message) => match message.get(&"body".into()).and_then(Held::text) {
            Some(body) => body.to_owned(),
            None => "its function failed.".to_owned(),
        },
        Outcome::Thrown(reason) => reason.clone(),
        Outcome::Unreadable(key) => unreadable(key),
        Outcome::Computed | Outcome::Stuck(..) => String::new(),
    }
}

fn reason(called: &Called) -> String {
    match called {
        Called::Thrown(reason) => reason.clone(),
        Called::Failed(message) => json_of(&Held::Map(message.clone())).to_string(),
        Called::Returned(status, _) => status.clone(),
    }
}

/// An error of a machine as one of the house.
fn lua_error(error: &LuaError) -> Error {
    let sentence = match error.term() {
        weft_lua::Term::Text(sentence) => sentence.clone(),
        other => format!("{other:?}"),
    };
    Error::new(code(error.kind()), sentence)
}

/// The code of a machine's error.
pub(crate) const fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Lua => Code::LuaError,
        ErrorKind::Crash => Code::LuaCrash,
        ErrorKind::Syntax => Code::LuaSyntax,
        ErrorKind::OutOfFuel => Code::LuaOutOfFuel,
        ErrorKind::OutOfMemory => Code::LuaOutOfMemory,
        ErrorKind::TooDeep => Code::LuaTooDeep,
        ErrorKind::Unsupported => Code::LuaUnsupported,
        ErrorKind::Snapshot => Code::SnapshotInvalid,
    }
}

/// A function of a script over a state, slice after slice.
#[must_use]
pub struct LuaRun {
    script: Script,
}

/// What a function of a script gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LuaAnswer {
    /// `ok`, or what the function gave first of two values.
    pub status: String,
    /// The value.
    pub result: Value,
    /// What it printed.
    pub output: String,
    /// Units of the meter.
    pub gas: u64,
    /// What made the answer depend on more than the state.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_replayable: Vec<String>,
}

impl LuaRun {
    /// A function of a script over a message, with another as its second argument. Nothing runs yet.
    ///
    /// Errors: `too-large` and the like for messages that are none to Lua.
    pub fn over(state: &Message, script: &str, function: &str, request: &Message) -> Result<Self> {
        let (state, request) = (read_message(state)?, read_message(request)?);
        let limits = weft_lua::Limits::default();
        Ok(Self { script: Script::new(&state, script.as_bytes(), function, &request, limits) })
    }

    /// Goes on for about this much gas. `None`: there is more to do.
    ///
    /// Errors: `lua-error`, `lua-crash`, `lua-syntax`, `lua-out-of-fuel`, `lua-out-of-memory`, `lua-too-deep`,
    /// `lua-unsupported`. Their field `output` has what was printed before.
    pub fn go_on(&mut self, gas: u64) -> Result<Option<LuaAnswer>> {
        let answer = self.script.go_on(gas).map_err(|error| {
            let printed = self.script.take_output();
            Error::new(code(error.kind()), self.script.error_text(&error))
                .with_output(&String::from_utf8_lossy(&printed))
        })?;
        Ok(answer.map(|answer| LuaAnswer {
            status: answer.status,
            result: json_of(&answer.result),
            output: String::from_utf8_lossy(&answer.output).into_owned(),
            gas: answer.fuel,
            not_replayable: answer.unreplayable.iter().map(|name| (*name).to_owned()).collect(),
        }))
    }
}
