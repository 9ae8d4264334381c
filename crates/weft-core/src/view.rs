//! What a process sees: the message and the environment that go into `handle`, as JSON.
//!
//! Field for field and in the key order of the legacy compute unit (`servers/cu/src/effects/ao-su.js` `mapNode`,
//! `domain/lib/hydrateMessages.js`, `domain/lib/evaluate.js`, `domain/model.js` `messageSchema`): the order
//! matters, since a program may keep it in its memory. That schema also drops what it does not name, so a
//! process never sees the assignment's `Message` tag.

use serde_json::{Map, Value, json};
use weft_codec::ao::{Carrier, Module, Process};
use weft_codec::item::DataItem;
use weft_codec::tags::{Tag, TagsExt as _};
use weft_codec::{Address, Id, base64url};
use weft_verify::{Entry, EntryKind};

/// How a process sees an entry, which decides some of its fields.
///
/// The compute unit goes by whether the scheduler printed the message or only its id. No signature covers that,
/// so this goes by what is signed: a message for somebody else is an Assign, and so is one that has a slot of
/// this history already (`seen`), since a scheduler takes a message only once. (A message addressed to the
/// process that was first assigned and never sent is taken for a message.)
#[must_use]
pub fn form(entry: &Entry, seen: bool) -> EntryKind {
    match entry.kind {
        EntryKind::Message if seen => EntryKind::Assign,
        kind => kind,
    }
}

/// The message of a slot, in the given [`form`].
#[must_use]
pub fn evaluation_message(entry: &Entry, form: EntryKind) -> Value {
    let item = &entry.message;
    let owner = item.owner_address();
    let assignment = &entry.assignment;
    let excluded = |field: &str| {
        form == EntryKind::Assign
            && assignment
                .tags
                .tag_all("Exclude")
                .any(|value| value.split(',').any(|name| name.trim() == field))
    };
    let mut message = Map::new();
    put(&mut message, "Id", json!(item.id()));
    if !excluded("Signature") {
        put(&mut message, "Signature", json!(base64url::encode(&item.signature)));
    }
    if !excluded("Data") {
        put(&mut message, "Data", printed_data(entry, form).map_or(Value::Null, Value::String));
    }
    put(&mut message, "Owner", json!(owner));
    put(&mut message, "Target", json!(target(entry, form)));
    if !excluded("Anchor") {
        put(&mut message, "Anchor", anchor(entry, form));
    }
    put(&mut message, "From", json!(from(&item.tags, &owner)));
    // An Assign is filled in after this field is made, so it has none.
    if form != EntryKind::Assign && is_pushed(item) {
        put(&mut message, "Forwarded-By", json!(owner));
    }
    let tags = if excluded("Tags") { json!([]) } else { visible_tags(&item.tags) };
    put(&mut message, "Tags", tags);
    put(&mut message, "Epoch", json!(assignment.epoch));
    put(&mut message, "Nonce", json!(assignment.slot));
    put(&mut message, "Timestamp", json!(assignment.timestamp));
    put(&mut message, "Block-Height", json!(assignment.block_height));
    put(&mut message, "Hash-Chain", json!(base64url::encode(&assignment.hash_chain)));
    put(&mut message, "Cron", json!(false));
    put(&mut message, "Read-Only", json!(false));
    Value::Object(message)
}

/// The process itself as first message, for processes older than the boot loader, whose slot 0 is a message
/// (`domain/lib/loadMessages.js` `maybePrependProcessMessage`). Height and time are those the scheduler tells
/// of the process; no signature covers them.
#[must_use]
pub fn boot_message(process: &Process, block_height: u64, timestamp: u64) -> Value {
    let (signature, anchor) = match &process.carrier {
        Carrier::Item(item) => (&item.signature, printed_anchor(item)),
        Carrier::Transaction(transaction) => (&transaction.signature, Value::Null),
    };
    let mut message = Map::new();
    put(&mut message, "Id", json!(process.id));
    put(&mut message, "Signature", json!(base64url::encode(signature)));
    put(&mut message, "Data", json!(text_of_body(process.carrier.data())));
    put(&mut message, "Owner", json!(process.owner));
    put(&mut message, "Target", json!(process.id));
    put(&mut message, "Anchor", anchor);
    put(&mut message, "From", json!(from(&process.tags, &process.owner)));
    put(&mut message, "Tags", visible_tags(&process.tags));
    put(&mut message, "Timestamp", json!(timestamp));
    put(&mut message, "Block-Height", json!(block_height));
    put(&mut message, "Cron", json!(false));
    put(&mut message, "Read-Only", json!(false));
    Value::Object(message)
}

/// What a dry run evaluates: the caller's fields over defaults from the last slot, marked `Read-Only`
/// (`domain/api/dryRun.js`). Fields the compute unit does not know are dropped.
#[must_use]
pub fn dry_run_message(process: Id, body: &Value, block_height: u64, timestamp: u64) -> Value {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null()).cloned();
    let tags: Vec<Tag> = given("Tags").and_then(|tags| serde_json::from_value(tags).ok()).unwrap_or_default();
    let owner = given("Owner").and_then(|owner| owner.as_str().map(str::to_owned)).unwrap_or_default();
    let mut message = Map::new();
    for name in ["Id", "Signature", "Data"] {
        if let Some(value) = given(name) {
            put(&mut message, name, value);
        }
    }
    put(&mut message, "Owner", json!(owner));
    put(&mut message, "Target", given("Target").unwrap_or_else(|| json!(process)));
    if let Some(value) = given("Anchor") {
        put(&mut message, "Anchor", value);
    }
    let from = tags.tag("From-Process").filter(|value| !value.is_empty()).unwrap_or(&owner);
    put(&mut message, "From", json!(from));
    put(&mut message, "Tags", visible_tags(&tags));
    put(&mut message, "Timestamp", number(given("Timestamp")).unwrap_or_else(|| json!(timestamp)));
    put(&mut message, "Block-Height", number(given("Block-Height")).unwrap_or_else(|| json!(block_height)));
    put(&mut message, "Cron", json!(false));
    put(&mut message, "Read-Only", json!(true));
    Value::Object(message)
}

/// The second argument of `handle` (wasm-modules.md 4.1): process and module with their tags as given.
#[must_use]
pub fn environment(process: &Process, module: &Module) -> Value {
    json!({
        "Process": { "Id": process.id, "Owner": process.owner, "Tags": process.tags },
        "Module": { "Id": module.id, "Owner": module.owner, "Tags": module.tags },
    })
}

/// Whether an MU pushed the message for another process: it has a `From-Process` tag.
pub(crate) fn is_pushed(item: &DataItem) -> bool {
    item.tags.tag("From-Process").is_some()
}

/// The data as the scheduler prints it: text, with what is not UTF-8 replaced.
pub(crate) fn printed_data(entry: &Entry, form: EntryKind) -> Option<String> {
    match form {
        // `data_if_string` in servers/su/src/domain/core/bytes.rs: a process with binary data shows none.
        EntryKind::Process => String::from_utf8(entry.message.data.clone()).ok(),
        EntryKind::Message => Some(String::from_utf8_lossy(&entry.message.data).into_owned()),
        // Read from a gateway with the body's `text()`.
        EntryKind::Assign => Some(text_of_body(&entry.message.data)),
    }
}

/// The anchor as the scheduler prints it: its 32 bytes as text, or nothing if they are not UTF-8.
pub(crate) fn anchor_text(item: &DataItem) -> Option<&str> {
    item.anchor.as_ref().and_then(|anchor| std::str::from_utf8(anchor).ok())
}

/// UTF-8 as `Response.text()` decodes it: a byte order mark at the start is dropped.
fn text_of_body(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned()
}

fn anchor(entry: &Entry, form: EntryKind) -> Value {
    match form {
        // From a gateway's GraphQL: base64url, empty for none.
        EntryKind::Assign => {
            json!(entry.message.anchor.map(|anchor| base64url::encode(&anchor)).unwrap_or_default())
        }
        _ => printed_anchor(&entry.message),
    }
}

fn printed_anchor(item: &DataItem) -> Value {
    anchor_text(item).map_or(Value::Null, |text| json!(text))
}

fn target(entry: &Entry, form: EntryKind) -> String {
    match form {
        EntryKind::Assign => entry.message.target.map(|id| id.to_string()).unwrap_or_default(),
        _ => entry.assignment.process.to_string(),
    }
}

fn from(tags: &[Tag], owner: &Address) -> String {
    match tags.tag("From-Process") {
        Some(process) if !process.is_empty() => process.to_owned(),
        _ => owner.to_string(),
    }
}

/// Without tags that would pass for the fields a process trusts.
fn visible_tags(tags: &[Tag]) -> Value {
    let visible: Vec<&Tag> = tags.iter().filter(|tag| tag.name != "From" && tag.name != "Owner").collect();
    json!(visible)
}

/// A number, or text that is one.
fn number(value: Option<Value>) -> Option<Value> {
    match value? {
        Value::Number(number) => Some(Value::Number(number)),
        Value::String(text) => text.trim().parse::<u64>().ok().map(|number| json!(number)),
        _ => None,
    }
}

fn put(message: &mut Map<String, Value>, name: &str, value: Value) {
    message.insert(name.to_owned(), value);
}
