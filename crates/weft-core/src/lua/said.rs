//! A Lua process's results in the form of a compute unit's.

use num_bigint::BigInt;
use serde_json::{Map as Object, Value, json};
use weft_codec::base64url;
use weft_codec::message::{Generation, Message, Node, structured};
use weft_lua::device::{Held, Map};

/// The largest whole number that every reader of JSON takes as it is.
const MAX_SAFE: i64 = (1 << 53) - 1;
/// Keys of an outbox entry that are no tags.
const FIELDS: [&str; 6] = ["target", "anchor", "data", "body", "commitments", "ao-types"];

/// A value as JSON: words that are not true, false or null are texts, integers of more than 53 bits texts of digits, bytes that
/// are no text `{"base64url": …}`.
pub(crate) fn json_of(value: &Held) -> Value {
    match value {
        Held::Atom(word) => match word.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            word => word.into(),
        },
        Held::Int(number) => json_of_integer(number),
        Held::Float(number) => json!(number),
        Held::Binary(bytes) => json_of_bytes(bytes),
        Held::List(values) => values.iter().map(json_of).collect(),
        Held::Map(map) => {
            let entries = map.iter().map(|(key, value)| (text_of(&key.normal()), json_of(value)));
            Value::Object(entries.collect::<Object<_, _>>())
        }
    }
}

/// An integer; beyond 53 bits its digits as a text.
pub(super) fn json_of_integer(number: &BigInt) -> Value {
    match i64::try_from(number) {
        Ok(small) if (-MAX_SAFE..=MAX_SAFE).contains(&small) => small.into(),
        _ => number.to_string().into(),
    }
}

/// A text, or `{"base64url": …}` of bytes that are none.
pub(super) fn json_of_bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({ "base64url": base64url::encode(bytes) }),
    }
}

/// The entries of an outbox, in their order, as a messenger takes them.
pub(crate) fn outbox(value: &Held) -> Vec<Value> {
    match value {
        Held::List(values) => values.iter().map(entry).collect(),
        Held::Map(map) => {
            let mut entries: Vec<(Vec<u8>, &Held)> =
                map.iter().map(|(key, value)| (key.normal(), value)).collect();
            // Numbers in their order, then the rest.
            entries.sort_by_key(|(key, _)| {
                std::str::from_utf8(key).ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(u64::MAX)
            });
            entries.into_iter().map(|(_, value)| entry(value)).collect()
        }
        _ => Vec::new(),
    }
}

/// `{Target, Anchor, Data, Tags}` of a message: its other keys are tags, named as in headers. A message within it is none.
fn entry(value: &Held) -> Value {
    let Some(map) = value.map() else { return json_of(value) };
    let lower: Map = map
        .iter()
        .map(|(key, value)| (text_of(&key.normal()).to_lowercase().as_str().into(), value.clone()))
        .collect();
    let text = |name: &str| lower.get(&name.into()).map_or_else(|| Value::String(String::new()), as_text);
    let data = if lower.contains_key(&"data".into()) { text("data") } else { text("body") };
    json!({ "Target": text("target"), "Anchor": text("anchor"), "Tags": tags(&lower), "Data": data })
}

/// A scalar as the text a tag has.
fn as_text(value: &Held) -> Value {
    match value {
        Held::Binary(bytes) => text_of(bytes).into(),
        Held::Atom(word) => word.as_str().into(),
        Held::Int(number) => number.to_string().into(),
        other => json_of(other),
    }
}

fn tags(lower: &Map) -> Vec<Value> {
    let plain = lower.iter().filter(|(key, value)| {
        let key = text_of(&key.normal());
        !FIELDS.contains(&key.as_str()) && !matches!(value, Held::Map(_))
    });
    let message: Option<Message> =
        plain.map(|(key, value)| Some((text_of(&key.normal()), value.written().ok()?))).collect();
    let Some(tabm) =
        message.and_then(|message| structured::to_tabm(&message, Generation::September2025).ok())
    else {
        return Vec::new();
    };
    let texts = tabm.iter().filter_map(|(key, node)| match node {
        Node::Binary(bytes) => Some(json!({ "name": header_case(key), "value": text_of(bytes) })),
        Node::Map(_) => None,
    });
    texts.collect()
}

/// `from-process` as `From-Process`.
fn header_case(key: &str) -> String {
    let words = key.split('-').filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    });
    words.collect::<Vec<String>>().join("-")
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
