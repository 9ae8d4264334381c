//! `scheduler@1.0`: the schedules of processes (reference devices.md §3; HyperBEAM `dev_scheduler.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | `schedule` GET | `from`, `to`, both included; `accept` | at most a thousand assignments under `assignments`; with `accept: application/aos-2` the JSON of a legacy scheduler |
//! | `schedule` POST | the signed item of the request | its assignment |
//! | `slot` | | `process`, `current`, `timestamp`, `block-height`, `block-hash` |
//! | `status` | | `address`, `processes` |
//! | `location` | | refused: none is known by an address |
//! | `init`, `checkpoint` | | the base |
//!
//! The process is the base, or for `target` in the request that one.

use weft_codec::message::{Message, Value};
use weft_codec::{Code, Id, Result};

use super::super::{Answer, Need, Run};
use super::Device;
use super::process::{is_post, process_id, slot_of};

/// The content type that asks for the JSON of a legacy scheduler.
const AOS_2: &str = "application/aos-2";

pub(super) struct Scheduler;

impl Device for Scheduler {
    fn name(&self) -> &str {
        "scheduler@1.0"
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        Ok(Some(match key {
            "schedule" => schedule(base, request, run)?,
            "slot" => match run.own(request, "target")? {
                Some(target) if base.get("process").is_none() => of_target(&target, run)?,
                _ => slot(base, run)?,
            },
            "status" => status(run)?,
            "location" => {
                let address = node_address(run)?;
                Answer::refused(404, &format!("No location found for address: {address}"))
            }
            "init" | "checkpoint" => Answer::ok(base.clone()),
            _ => return Ok(None),
        }))
    }
}

fn node_address(run: &Run<'_>) -> Result<String> {
    let node = run.ask(&Need::Node)?;
    let address = node.value.as_message().and_then(|node| node.get("address"));
    Ok(address.and_then(Value::as_text).unwrap_or_default().to_owned())
}

fn status(run: &Run<'_>) -> Result<Answer> {
    let processes = run.ask(&Need::Processes)?;
    if !processes.is_ok() {
        return Ok(processes);
    }
    let status = Message::new()
        .with("address", node_address(run)?)
        .with("processes", processes.value)
        .with("cache-control", "no-store");
    Ok(Answer::ok(status))
}

fn of_target(target: &Value, run: &Run<'_>) -> Result<Answer> {
    match target.as_text().and_then(|target| target.parse::<Id>().ok()) {
        Some(process) => run.ask(&Need::Slot(process)),
        None => Ok(Answer::refused(400, "`target` is no id.")),
    }
}

/// The last slot of the process that the base is.
pub(super) fn slot(base: &Message, run: &Run<'_>) -> Result<Answer> {
    run.ask(&Need::Slot(process_id(base, run)?))
}

/// A page of assignments; for a POST a new one.
pub(super) fn schedule(base: &Message, request: &Message, run: &Run<'_>) -> Result<Answer> {
    if is_post(request) {
        return match signed_item(request) {
            Some(item) => run.ask(&Need::Append { item }),
            None => Ok(unsigned(request)),
        };
    }
    let target =
        run.own(request, "target")?.filter(|_| base.get("process").is_none() && base.get("type").is_none());
    let process = match target.as_ref().and_then(Value::as_text).map(str::parse::<Id>) {
        Some(Ok(process)) => process,
        Some(Err(_)) => return Ok(Answer::refused(400, "`target` is no id.")),
        None => process_id(base, run)?,
    };
    let bound = |key: &str| run.own(request, key)?.map(|slot| slot_of(&slot)).transpose();
    let (from, to) = (bound("from")?.unwrap_or(0), bound("to")?);
    let accept = run.own(request, "accept")?;
    let legacy = accept.as_ref().and_then(Value::as_text) == Some(AOS_2);
    run.ask(&Need::Schedule { process, from, to, legacy })
}

/// What a node says to a message that nobody signed; of one that is signed as an HTTP message, that it would have to be a data
/// item: assignments of the local schedules are of items, so that others can prove them.
pub(super) fn unsigned(request: &Message) -> Answer {
    let commitments = request.get("commitments").and_then(Value::as_message);
    let signed =
        |(_, value): (&String, &Value)| value.as_message().is_some_and(|map| map.get("committer").is_some());
    if commitments.is_some_and(|all| all.iter().any(signed)) {
        let refusal = Message::new()
            .with("status", 415)
            .with("error", Code::SignatureUnsupported.as_str())
            .with("body", "Messages signed as httpsig@1.0 get no slot here: sign a data item (ans104@1.0).");
        return Answer::error(refusal);
    }
    let refusal = Message::new()
        .with("status", 400)
        .with("body", "Message is not valid.")
        .with("reason", "Given message is invalid.");
    Answer::error(refusal)
}

/// The id of the signed item that a request is.
pub(super) fn signed_item(request: &Message) -> Option<Id> {
    let commitments = request.get("commitments")?.as_message()?;
    commitments.iter().find_map(|(id, commitment)| {
        let device = commitment.as_message()?.get("commitment-device")?.as_text()?;
        (device == "ans104@1.0").then(|| id.parse().ok())?
    })
}
