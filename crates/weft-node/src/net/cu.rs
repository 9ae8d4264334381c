//! The compute unit's routes (scheduler-and-cu-api.md §2; cu `routes/*.js`, `domain/lib/gatherResults.js`).
//!
//! Two things are better than there: `/results` evaluates what is not evaluated yet, and its `hasNextPage` counts
//! after errored evaluations are left out. `GasUsed` is in units of our own meter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use weft_codec::Id;
use weft_core::SlotResult;

use super::compute::State;
use super::local::LocalNet;
use super::reader::not_here;
use super::reply::{Handled, Refusal, Reply};
use super::target::Target;
use crate::seams::{Clock, Signer, Store};

/// `limit` of `/results` if it is not given.
const DEFAULT_LIMIT: usize = 25;
/// The longest page of results.
const MAX_LIMIT: usize = 10_000;

/// A place in a process's results: what a cursor says.
#[derive(Clone, Debug, Default)]
struct Cursor {
    timestamp: u64,
    /// The nonce; a plain timestamp has none.
    ordinate: Option<u64>,
    descending: Option<bool>,
}

impl Cursor {
    /// A cursor of ours or a timestamp (cu `domain/utils.js` `maybeParseCursor`).
    fn parse(text: &str) -> Option<Self> {
        let decoded =
            STANDARD.decode(text).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let number =
            |value: &Value| value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        match decoded {
            Some(value) if value.is_object() => Some(Self {
                timestamp: number(&value["timestamp"])?,
                ordinate: number(&value["ordinate"]),
                descending: value["sort"].as_str().map(|sort| sort.eq_ignore_ascii_case("DESC")),
            }),
            _ => text.parse().ok().map(|timestamp| Self { timestamp, ..Self::default() }),
        }
    }

    fn of(result: &SlotResult, sort: &str) -> String {
        let cursor = json!({
            "timestamp": result.timestamp,
            "ordinate": result.slot.to_string(),
            "sort": sort,
        });
        STANDARD.encode(cursor.to_string())
    }

    /// Whether a result lies after this cursor as `from`: evaluation ids are compared as text there, which makes
    /// a cursor exclusive and a bare timestamp inclusive (cu `effects/ao-evaluation.js`).
    fn before(&self, result: &SlotResult) -> bool {
        match self.ordinate {
            Some(ordinate) => (self.timestamp, ordinate) < (result.timestamp, result.slot),
            None => self.timestamp <= result.timestamp,
        }
    }

    /// Whether a result lies before this cursor as `to`, or on it.
    fn reaches(&self, result: &SlotResult) -> bool {
        (result.timestamp, result.slot) <= (self.timestamp, self.ordinate.unwrap_or(u64::MAX))
    }
}

/// The message of the reference's validator (zod), with the status it gets there.
fn invalid(field: &str, sentence: &str) -> Refusal {
    Refusal::new(500, format!("'{field}': {sentence}."))
}

fn process_id(target: &Target) -> Handled<Id> {
    let text = target.get("process-id").ok_or_else(|| invalid("processId", "Required"))?;
    known(text, "Process")
}

fn known(text: &str, what: &str) -> Handled<Id> {
    text.parse().map_err(|_| Refusal::new(404, format!("{what} {text} is not on the scheduler.")))
}

impl<S: Store, C: Clock, G: Signer> LocalNet<S, C, G> {
    pub(super) async fn cu_get(&self, target: &Target) -> Handled {
        match target.path().as_slice() {
            [] => {
                let timestamp = self.reader.clock().now_ms();
                Ok(Reply::json(200, &json!({"timestamp": timestamp, "address": self.reader.address()})))
            }
            ["result", message] => {
                let result = self.result(process_id(target)?, known(message, "Message")?).await?;
                Ok(Reply::json(200, &result.to_legacy()))
            }
            ["results", process] => self.results(known(process, "Process")?, target).await,
            // Cron messages are not made here, so no process has results of any.
            ["cron", process] => {
                known(process, "Process")?;
                Ok(Reply::json(200, &json!({"pageInfo": {"hasNextPage": false}, "edges": []})))
            }
            ["state", process] => self.state_of(known(process, "Process")?, target).await,
            _ => Err(not_here()),
        }
    }

    pub(super) async fn cu_post(&self, target: &Target, body: &[u8]) -> Handled {
        if target.path() != ["dry-run"] {
            return Err(not_here());
        }
        let process = process_id(target)?;
        let body: Value = serde_json::from_slice(body)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| invalid("dryRun", "Expected object"))?;
        let to = target.get("to").map(|to| known(to, "Message")).transpose()?;
        Ok(Reply::json(200, &self.dry_run(process, &body, to).await?.to_legacy()))
    }

    async fn results(&self, process: Id, target: &Target) -> Handled {
        let cursor = |name: &str| match target.get(name).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => Cursor::parse(text).map(Some).ok_or_else(|| invalid(name, "Invalid cursor")),
        };
        let (from, to) = (cursor("from")?, cursor("to")?);
        let asked = match target.get("sort") {
            None | Some("ASC") => false,
            Some("DESC") => true,
            Some(_) => return Err(invalid("sort", "Invalid enum value. Expected 'ASC' | 'DESC'")),
        };
        // A cursor's own sort comes first (cu `domain/lib/gatherResults.js`).
        let told = from.as_ref().and_then(|cursor| cursor.descending);
        let descending = told.or(to.as_ref().and_then(|cursor| cursor.descending)).unwrap_or(asked);
        let limit = match target.get("limit").map(str::parse::<usize>) {
            None => DEFAULT_LIMIT,
            Some(limit) => {
                limit.map_err(|_| invalid("limit", "Expected number, received nan"))?.min(MAX_LIMIT)
            }
        };
        self.catch_up(process).await?;
        let mut found = self.results_from(process, 0).await?;
        found.retain(|result| {
            result.error.is_none()
                && result.duplicate_of.is_none()
                && from.as_ref().is_none_or(|from| from.before(result))
                && to.as_ref().is_none_or(|to| to.reaches(result))
        });
        if descending {
            found.reverse();
        }
        let sort = if descending { "DESC" } else { "ASC" };
        let edges: Vec<Value> = found
            .iter()
            .take(limit)
            .map(|result| json!({"node": outbox(result), "cursor": Cursor::of(result, sort)}))
            .collect();
        Ok(Reply::json(200, &json!({"pageInfo": {"hasNextPage": found.len() > limit}, "edges": edges})))
    }

    /// A Lua process has no linear memory: its state is a message, which `PID~process@1.0/now` gives on HyperBEAM.
    async fn state_of(&self, process: Id, target: &Target) -> Handled {
        let (state, last) = self.state(process).await?;
        let to = target.get("to").map(|to| to.parse::<u64>().map_err(|_| invalid("to", "Expected number")));
        if let (Some(to), Some(last)) = (to.transpose()?, &last)
            && to < last.timestamp
        {
            let sentence = format!(
                "message at timestamp {to} not found cached, and earlier than latest known nonce {}",
                last.slot
            );
            return Err(Refusal::new(425, sentence));
        }
        let reply = match state {
            State::Memory(memory) => Reply::new(200, "application/octet-stream", memory),
            State::Message(message) => Reply::json(200, &message),
        };
        Ok(match last {
            None => reply,
            Some(last) => reply
                .with_header("last-timestamp", last.timestamp.to_string())
                .with_header("last-ordinate", last.slot.to_string())
                .with_header("last-block-height", last.block_height.to_string()),
        })
    }
}

/// A result as `/results` shows it: without gas.
fn outbox(result: &SlotResult) -> Value {
    json!({
        "Messages": result.messages,
        "Assignments": result.assignments,
        "Spawns": result.spawns,
        "Output": result.output,
    })
}
