//! What a place of data items says, as messages (reference scheduler-and-cu-api.md §5.3; HyperBEAM `dev_scheduler_formats.erl`).

use serde_json::{Value as Json, json};
use weft_codec::item::DataItem;
use weft_codec::message::{Message, Value, ans104, structured};
use weft_codec::tags::TagsExt as _;
use weft_codec::{Id, Result};
use weft_core::SlotResult;
use weft_core::aocore::device::Devices;
use weft_core::aocore::{Answer, Core, json_iface};

use super::GENERATION;

/// Keys of a request by HTTP that are no tags of the message that is tried.
const OF_HTTP: [&str; 18] = [
    "accept",
    "accept-bundle",
    "accept-codec",
    "accept-encoding",
    "accept-language",
    "ao-types",
    "cache-control",
    "codec-device",
    "commitments",
    "content-digest",
    "content-type",
    "data",
    "host",
    "method",
    "path",
    "require-codec",
    "signing-format",
    "user-agent",
];
/// Where patches are among the results of a process of the legacy network.
const PATCH_FROM: &str = "/results/outbox";

/// A data item as a message.
pub(super) fn item(item: &DataItem) -> Result<Message> {
    structured::from_tabm(&ans104::from_item(item, GENERATION)?)
}

/// What the node says of itself.
pub(super) fn node(address: &str) -> Message {
    Message::new()
        .with("address", address)
        .with("node", "Weft")
        .with("version", env!("CARGO_PKG_VERSION"))
        .with("initialized", "permanent")
}

fn number(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A tag of an assignment that is a number.
fn numbered_tag(assignment: &DataItem, name: &str) -> Value {
    number(assignment.tags.tag(name).and_then(|text| text.parse().ok()).unwrap_or_default())
}

fn place(message: Message, assignment: &DataItem) -> Message {
    let placed = message
        .with("timestamp", numbered_tag(assignment, "Timestamp"))
        .with("block-height", numbered_tag(assignment, "Block-Height"));
    // A scheduler of data items need not say the block's hash.
    match assignment.tags.tag("Block-Hash") {
        Some(hash) => placed.with("block-hash", hash),
        None => placed,
    }
}

/// The last slot of a process.
pub(super) fn slot(process: Id, slot: u64, assignment: &DataItem, address: &str) -> Result<Message> {
    let message = Message::new()
        .with("process", process.to_string())
        .with("current", number(slot))
        .with("cache-control", "no-store")
        .with("addresses", Value::List(vec![address.into()]));
    Ok(place(message, assignment))
}

/// An assignment with its message under `body`.
pub(super) fn assignment(slot: u64, assignment: &DataItem, message: Option<&DataItem>) -> Result<Message> {
    let mut told = item(assignment)?.with("slot", number(slot));
    if let Some(message) = message {
        told.set("body", item(message)?);
    }
    Ok(told)
}

type Entry = (u64, DataItem, Option<DataItem>);

/// A page of a schedule.
pub(super) fn page(process: Id, entries: &[Entry], more: bool, last: &DataItem) -> Result<Message> {
    let mut assignments = Message::new();
    for (slot, entry, message) in entries {
        assignments.set(slot.to_string(), assignment(*slot, entry, message.as_ref())?);
    }
    let page = Message::new()
        .with("type", "schedule")
        .with("process", process.to_string())
        .with("continues", more)
        .with("assignments", assignments);
    Ok(place(page, last))
}

/// The same as the JSON of a legacy scheduler.
pub(super) fn legacy_page(process: Id, entries: &[Entry], more: bool, last: &DataItem) -> Result<Message> {
    let mut edges = Vec::new();
    for (slot, entry, message) in entries {
        // A process's first assignment is of the process itself.
        let assigned = item(message.as_ref().unwrap_or(entry))?;
        let whole = item(entry)?.with("slot", number(*slot)).with("body", assigned);
        edges.push(json!({ "cursor": slot, "node": json_iface::assignment(&whole, GENERATION)? }));
    }
    let tag = |name: &str| last.tags.tag(name).unwrap_or_default();
    let page = json!({
        "page_info": {
            "process": process.to_string(),
            "has_next_page": more,
            "timestamp": tag("Timestamp"),
            "block-height": tag("Block-Height"),
            "block-hash": tag("Block-Hash"),
        },
        "edges": edges,
    });
    Ok(Message::new().with("content-type", "application/json").with("body", page.to_string()))
}

/// Where a signed assignment says it is.
fn signed_place(message: Message, assignment: &Message) -> Message {
    let of = |key: &str, own: &str| assignment.get(own).or_else(|| assignment.get(key)).cloned();
    let placed =
        [("timestamp", "block-timestamp"), ("block-height", "block-height"), ("block-hash", "block-hash")];
    placed.into_iter().fold(message, |message, (key, own)| match of(key, own) {
        Some(value) => message.with(key, value),
        None => message,
    })
}

/// The last slot of a process of a HyperBEAM node.
pub(super) fn signed_slot(process: Id, slot: u64, newest: &Message, scheduler: &str) -> Message {
    let message = Message::new()
        .with("process", process.to_string())
        .with("current", number(slot))
        .with("cache-control", "no-store")
        .with("addresses", Value::List(vec![scheduler.into()]));
    signed_place(message, newest)
}

/// A page of the schedule of such a process.
pub(super) fn signed_page(
    process: Id,
    entries: Vec<(u64, Message)>,
    more: bool,
    newest: &Message,
    legacy: bool,
) -> Result<Message> {
    if !legacy {
        let page = Message::new()
            .with("type", "schedule")
            .with("process", process.to_string())
            .with("continues", more)
            .with(
                "assignments",
                entries.into_iter().map(|(slot, one)| (slot.to_string(), one.into())).collect::<Message>(),
            );
        return Ok(signed_place(page, newest));
    }
    let mut edges = Vec::new();
    for (slot, assignment) in entries {
        edges.push(json!({ "cursor": slot, "node": json_iface::assignment(&assignment, GENERATION)? }));
    }
    let place = signed_place(Message::new(), newest);
    let text = |key: &str| match place.get(key) {
        Some(Value::Integer(number)) => number.to_string(),
        Some(value) => value.as_text().unwrap_or_default().to_owned(),
        None => String::new(),
    };
    let page = json!({
        "page_info": {
            "process": process.to_string(),
            "has_next_page": more,
            "timestamp": text("timestamp"),
            "block-height": text("block-height"),
            "block-hash": text("block-hash"),
        },
        "edges": edges,
    });
    Ok(Message::new().with("content-type", "application/json").with("body", page.to_string()))
}

/// What a node says of a slot that has no message yet.
pub(super) fn not_yet(newest: u64) -> Answer {
    let refusal = Message::new()
        .with("status", 404)
        .with("reason", "Requested slot not yet available in schedule.")
        .with("phase", "get-schedule")
        .with("attempted-slot", number(newest.saturating_add(1)));
    Answer::error(refusal)
}

/// The results of a slot; with `raw`, also as a legacy compute unit has them.
pub(super) fn results(result: &SlotResult, raw: bool) -> Result<Message> {
    let legacy = result.to_legacy();
    let mut told = match (&result.results, &legacy) {
        (Some(results), _) => match json_iface::value(results)? {
            Value::Message(message) => message,
            other => Message::new().with("data", other),
        },
        (None, Json::Object(object)) => json_iface::results(object)?,
        (None, _) => Message::new(),
    };
    if result.results.is_none() {
        let json = Message::new().with("content-type", "application/json").with("body", legacy.to_string());
        told.set("json", json);
    }
    if raw {
        told.set("raw", json_iface::value(&legacy)?);
    }
    Ok(told)
}

/// A message with its slot.
pub(super) fn at_slot(message: Message, slot: u64) -> Message {
    message.with("slot", number(slot))
}

/// What is told of a message of an outbox that went nowhere.
pub(super) fn not_sent(message: &Json) -> Message {
    let target = message.get("Target").and_then(Json::as_str).unwrap_or_default();
    Message::new().with("response", "error").with("target", target).with("reason", "It was not sent.")
}

/// The state of a Lua process after a slot; of one that a message stopped, what stopped it.
pub(super) fn lua_state(state: Message, result: &SlotResult) -> Answer {
    match (&result.failure, &result.error) {
        (Some(failure), error) => {
            let sentence = match error {
                Some(Json::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => "The process failed.".to_owned(),
            };
            let refusal = Message::new()
                .with("status", 500)
                .with("error", failure.as_str())
                .with("body", sentence)
                .with("phase", "compute")
                .with("attempted-slot", number(result.slot));
            Answer { status: weft_core::aocore::Status::Failure, value: refusal.into() }
        }
        _ => Answer::ok(state),
    }
}

/// What can be told of a wasm process after a slot: its message, what it patched into it, and the results of the slot.
pub(super) fn wasm_state(process: &Message, slot: u64, results: &[SlotResult]) -> Result<Message> {
    let devices = Devices::standard();
    let core = Core::new(&devices, GENERATION);
    let mut state = process.clone();
    state.remove("commitments");
    for result in results {
        if !result.messages.iter().any(patches) {
            continue;
        }
        let base = state
            .clone()
            .with("device", "patch@1.0")
            .with("patch-from", PATCH_FROM)
            .with("results", self::results(result, false)?);
        if let Value::Message(patched) = core.get(&base, "compute")?.value {
            state = patched;
            for key in ["results", "patch-from", "device"] {
                state.remove(key);
            }
        }
    }
    if let Some(last) = results.iter().find(|result| result.slot == slot) {
        state.set("results", self::results(last, false)?);
    }
    Ok(state
        .with("device", "process@1.0")
        .with("at-slot", number(slot))
        .with("initialized", "true")
        .with("process", process.clone()))
}

/// Whether a message of an outbox is a patch of the state.
fn patches(message: &Json) -> bool {
    let tags = message.get("Tags").and_then(Json::as_array);
    tags.is_some_and(|tags| {
        tags.iter().any(|tag| {
            let text = |key: &str| tag.get(key).and_then(Json::as_str).unwrap_or_default();
            let (name, value) = (text("name").to_lowercase(), text("value"));
            (name == "device" && value == "patch@1.0") || (name == "method" && value == "PATCH")
        })
    })
}

/// The keys of a request as a message to a process that nobody signed, in the JSON of a compute unit's dry run.
pub(super) fn dry_run(process: Id, request: &Message) -> Result<Json> {
    let mut tags = Vec::new();
    for (key, value) in request {
        if OF_HTTP.contains(&key.to_lowercase().as_str()) || key == "target" {
            continue;
        }
        let text = match value {
            Value::Integer(number) => number.to_string(),
            Value::Atom(word) => word.clone(),
            other => match other.as_text() {
                Some(text) => text.to_owned(),
                None => continue,
            },
        };
        tags.push(json!({ "name": json_iface::header_case(key), "value": text }));
    }
    let owner = request.get("commitments").and_then(Value::as_message).and_then(|commitments| {
        let committer = |(_, value): (&String, &Value)| {
            value.as_message()?.get("committer")?.as_text().map(str::to_owned)
        };
        commitments.iter().find_map(committer)
    });
    let data =
        request.get("data").or_else(|| request.get("body")).and_then(Value::as_text).unwrap_or_default();
    let owner = owner.unwrap_or_else(|| "1234".to_owned());
    Ok(json!({
        "Id": "1234",
        "Target": process.to_string(),
        "Owner": owner,
        "From": owner,
        "Anchor": "0",
        "Data": data,
        "Tags": tags,
    }))
}
