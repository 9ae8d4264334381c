//! Signed items of a legacy schedule as HyperBEAM of September 2025 shows them to a process (`dev_scheduler_formats.erl`
//! `aos2_to_assignment`, `hb_gateway_client.erl` `result_to_message`, `dev_codec_ans104_from.erl`).
//!
//! The scheduler's JSON is what it reads: data are the text the scheduler prints, and an anchor is one only if it is text.
//! Tags become keys in lower case; some become integers; who signed stands in `commitments` alone.

use num_bigint::BigInt;
use serde_json::Value;
use weft_codec::ao::{Carrier, Module, Process};
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::message::{Generation, ans104, structured};
use weft_codec::tags::Tag;
use weft_codec::{Code, Error, Id, Result};
use weft_lua::device::{Held, Key, Map, read_message};
use weft_verify::{Entry, EntryKind, Verified};

use crate::machine::Place;
use crate::view;

/// The generation of HyperBEAM whose Lua processes are replayed.
const GENERATION: Generation = Generation::September2025;
/// The deepest nesting of a request.
const MAX_DEPTH: usize = 64;
/// Bytes of an RSA key and of its signature.
const RSA_BYTES: usize = 512;

/// A process's own item, as it stands under `process`. Error: `module-format-unsupported` for a layer-1 transaction.
pub(crate) fn process_message(process: &Process) -> Result<Map> {
    match &process.carrier {
        Carrier::Item(item) => message(item),
        Carrier::Transaction(_) => Err(Error::new(
            Code::ModuleFormatUnsupported,
            "The process is a layer-1 transaction, which this version does not run with Lua.",
        )),
    }
}

/// A module's item: what the device reads of it.
pub(crate) fn module_message(module: &Module) -> Map {
    let tags = module.tags.iter().rev();
    let mut map: Map =
        tags.map(|tag| (Key::from(tag.name.to_lowercase().as_str()), tag.value.as_str().into())).collect();
    map.insert("data".into(), Held::Binary(module.data.clone()));
    map
}

/// The assignment of an entry with its message under `body`. The inner error is the reason why a node cannot read it.
///
/// Errors: `message-malformed` and the like for items whose message is not known here, such as bundles.
pub(crate) fn shown_message(
    entry: &Verified<Entry>,
    form: EntryKind,
) -> Result<std::result::Result<Map, String>> {
    let mut body = entry.message.clone();
    if form != EntryKind::Assign {
        body.data = view::printed_data(entry, form).unwrap_or_default().into_bytes();
        plain_anchor(&mut body);
    }
    let mut assignment = entry.assignment.item.clone();
    // A scheduler does not print an assignment's data.
    assignment.data.clear();
    plain_anchor(&mut assignment);
    let (assignment, body) = (normal(message(&assignment)?), normal(message(&body)?));
    Ok(assignment.and_then(|mut assignment| {
        assignment.insert("body".into(), Held::Map(body?));
        Ok(assignment)
    }))
}

/// What a dry run shows: a message nobody signed, in an assignment nobody made.
pub(crate) fn request_message(process: &str, body: &Value, place: Place) -> Result<Map> {
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    let text = |name: &str| given(name).and_then(Value::as_str);
    let tags: Vec<Tag> =
        given("Tags").and_then(|tags| serde_json::from_value(tags.clone()).ok()).unwrap_or_default();
    let data = match given("Data") {
        None => Vec::new(),
        Some(Value::String(data)) => data.clone().into_bytes(),
        Some(other) => other.to_string().into_bytes(),
    };
    let target = text("Target").unwrap_or(process).parse::<Id>().ok();
    let unsigned = Unsigned { owner: vec![0; RSA_BYTES], target, anchor: None, tags, data };
    let mut shown = message(&unsigned.sign_with(vec![0; RSA_BYTES])?)?;
    shown.remove(&"commitments".into());
    if let Some(owner) = text("Owner").filter(|owner| !owner.is_empty()) {
        let commitment = [
            ("commitment-device", ans104::DEVICE.into()),
            ("type", ans104::RSA.into()),
            ("committer", owner.into()),
        ];
        let id = text("Id").map_or_else(|| place.message.to_string(), str::to_owned);
        let commitments = Map::from([(id.as_str().into(), Held::Map(map_of(commitment)))]);
        shown.insert("commitments".into(), Held::Map(commitments));
    }
    let number = |name: &str, default: u64| match given(name) {
        Some(Value::Number(number)) => number.as_u64().unwrap_or(default),
        Some(Value::String(number)) => number.trim().parse().unwrap_or(default),
        _ => default,
    };
    let mut assignment = map_of([
        ("data-protocol", "ao".into()),
        ("variant", "ao.TN.1".into()),
        ("type", "Assignment".into()),
        ("process", process.into()),
        ("epoch", Held::Int(0.into())),
        ("nonce", place.slot.to_string().as_str().into()),
        ("slot", Held::Int(place.slot.into())),
        ("timestamp", Held::Int(number("Timestamp", place.timestamp).into())),
        ("block-height", number("Block-Height", place.block_height).to_string().as_str().into()),
        ("block-hash", Id([0; 32]).to_string().as_str().into()),
    ]);
    let body = normal(shown).map_err(|reason| Error::new(Code::RequestInvalid, reason))?;
    assignment.insert("body".into(), Held::Map(body));
    Ok(assignment)
}

/// A JSON value of a request. Error: `too-large`.
pub(crate) fn held_of(value: &Value, depth: usize) -> Result<Held> {
    if depth > MAX_DEPTH {
        return Err(Error::new(Code::TooLarge, format!("A request nests at most {MAX_DEPTH} deep.")));
    }
    Ok(match value {
        Value::Null => Held::Atom("null".to_owned()),
        Value::Bool(truth) => Held::Atom(truth.to_string()),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Held::Int(number.into()),
            (None, Some(number)) => Held::Int(number.into()),
            (None, None) => Held::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(values) => {
            Held::List(values.iter().map(|value| held_of(value, depth + 1)).collect::<Result<_>>()?)
        }
        Value::Object(object) => {
            let entries =
                object.iter().map(|(key, value)| Ok((key.as_str().into(), held_of(value, depth + 1)?)));
            Held::Map(entries.collect::<Result<_>>()?)
        }
    })
}

fn map_of<const N: usize>(entries: [(&str, Held); N]) -> Map {
    entries.into_iter().map(|(key, value)| (key.into(), value)).collect()
}

fn message(item: &DataItem) -> Result<Map> {
    read_message(&structured::from_tabm(&ans104::from_item(item, GENERATION)?)?)
}

/// A scheduler prints an anchor as text, or not at all.
fn plain_anchor(item: &mut DataItem) {
    if view::anchor_text(item).is_none() {
        item.anchor = None;
    }
}

/// Gives some keys their types, and a block hash to what has none. The error is the reason a node fails for.
fn normal(mut message: Map) -> std::result::Result<Map, String> {
    integer(&mut message, "timestamp", "timestamp")?;
    if !message.contains_key(&"slot".into()) {
        integer(&mut message, "nonce", "slot")?;
    }
    integer(&mut message, "epoch", "epoch")?;
    integer(&mut message, "slot", "slot")?;
    message.entry("block-hash".into()).or_insert_with(|| Id([0; 32]).to_string().as_str().into());
    Ok(message)
}

/// The text under a key as an integer under another. Digits with a sign are one, as Erlang reads them.
fn integer(message: &mut Map, from: &str, to: &str) -> std::result::Result<(), String> {
    let Some(Held::Binary(bytes)) = message.get(&from.into()) else { return Ok(()) };
    let number = std::str::from_utf8(bytes).ok().filter(|text| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let number = number.and_then(|text| text.parse::<BigInt>().ok());
    let number = number
        .ok_or_else(|| format!("The message's `{from}` is no integer: a node cannot read the schedule."))?;
    message.insert(to.into(), Held::Int(number));
    Ok(())
}
