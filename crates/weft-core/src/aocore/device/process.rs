//! `process@1.0`: a process by its schedule and its states (reference devices.md §2; HyperBEAM `dev_process.erl`).
//!
//! The base is the process's message, or a state of it, which has that message under `process`.
//!
//! | key | in | out |
//! |---|---|---|
//! | `schedule`, `slot` | as `scheduler@1.0` | as `scheduler@1.0` |
//! | `compute` | `compute` or `slot`: a slot, or none for the newest | the state after it |
//! | `now` | | the state after the newest slot |
//! | `push` | as `push@1.0` | as `push@1.0` |
//! | `results=N` | `results`: a slot, or the id of a message | what that message gave; `raw`, as a legacy compute unit has it |
//! | `as` | `as`: `execution`, `scheduler`, `push` | the process under that device of it |
//! | `snapshot` | | refused: snapshots are of this node's own engines |
//!
//! `compute/results=N` is what aoconnect asks; a node has no such key, and answers with the results of the newest state.

use weft_codec::message::{Ids, Message, Value, id, structured};
use weft_codec::{Code, Error, Id, Result};

use super::super::{Answer, At, Need, Run};
use super::{Device, push, scheduler};

/// What runs a process that does not say it.
const EXECUTION: &str = "genesis-wasm@1.0";

pub(super) struct Process;

impl Device for Process {
    fn name(&self) -> &str {
        "process@1.0"
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        Ok(Some(match key {
            "schedule" => scheduler::schedule(base, request, run)?,
            "slot" => scheduler::slot(base, run)?,
            "compute" => compute(base, request, run)?,
            "now" => state(base, None, run)?,
            "push" => push::push(base, request, run)?,
            "results" => match run.own(request, "results")? {
                Some(at) => results(base, &at, run)?,
                None => return Ok(None),
            },
            "as" => as_device(base, request, run)?,
            "snapshot" => {
                Answer::refused(404, "A snapshot is of this node's own engines, and of no use elsewhere.")
            }
            _ => return Ok(None),
        }))
    }
}

fn compute(base: &Message, request: &Message, run: &mut Run<'_>) -> Result<Answer> {
    let asked = match run.own(request, "compute")? {
        None | Some(Value::Atom(_)) => run.own(request, "slot")?,
        some => some,
    };
    match asked {
        None | Some(Value::Atom(_)) => state(base, None, run),
        Some(slot) => {
            let slot = slot_of(&slot)?;
            state(base, Some(slot), run)
        }
    }
}

fn state(base: &Message, slot: Option<u64>, run: &Run<'_>) -> Result<Answer> {
    run.ask(&Need::State { process: process_id(base, run)?, slot })
}

fn results(base: &Message, at: &Value, run: &Run<'_>) -> Result<Answer> {
    let at = match at.as_text().and_then(|text| text.parse::<Id>().ok()) {
        Some(id) => At::Message(id),
        None => At::Slot(slot_of(at)?),
    };
    run.ask(&Need::Results { process: process_id(base, run)?, at })
}

/// The process with one of its devices in the place of its own.
fn as_device(base: &Message, request: &Message, run: &Run<'_>) -> Result<Answer> {
    let which = run.own(request, "as")?;
    let which = which.as_ref().and_then(Value::as_text).unwrap_or("execution");
    let standard = match which {
        "execution" => EXECUTION,
        "scheduler" => "scheduler@1.0",
        "push" => "push@1.0",
        _ => return Ok(Answer::refused(404, "A process is `as` its execution, its scheduler or its push.")),
    };
    let device = run.own(base, &format!("{which}-device"))?.unwrap_or_else(|| standard.into());
    let process = base.get("process").cloned().unwrap_or_else(|| base.clone().into());
    let mut under = base.clone();
    under.remove("commitments");
    Ok(Answer::ok(under.with("device", device).with("process", process).with("input-prefix", "process")))
}

/// A slot as it is asked for.
pub(super) fn slot_of(value: &Value) -> Result<u64> {
    let slot = match value {
        Value::Integer(slot) => u64::try_from(*slot).ok(),
        other => other.as_text().and_then(|text| text.parse().ok()),
    };
    slot.ok_or_else(|| Error::new(Code::RequestInvalid, "A slot is a whole number from 0 on."))
}

/// The id of the process that a message is, or is a state of.
pub(super) fn process_id(base: &Message, run: &Run<'_>) -> Result<Id> {
    let process = match run.own(base, "process")? {
        Some(Value::Message(process)) => process,
        Some(other) => {
            let id = other.as_text().and_then(|text| text.parse().ok());
            return id.ok_or_else(|| Error::new(Code::NotAProcess, "What is under `process` is no process."));
        }
        None => base.clone(),
    };
    id::id(&structured::to_tabm(&process, run.generation())?, Ids::Signed, run.generation())
}

/// Whether a request came as a POST.
pub(super) fn is_post(request: &Message) -> bool {
    request.get("method").and_then(Value::as_text).is_some_and(|method| method.eq_ignore_ascii_case("POST"))
}
