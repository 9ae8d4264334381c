//! `json@1.0`: messages as JSON (reference ao-core.md §9; HyperBEAM `dev_codec_json.erl`).
//!
//! There are two forms. A [`Tabm`] is an object of texts and objects ([`encode_tabm`], the codec of June 2025). A rich message
//! has JSON's own numbers, lists and words ([`encode`]); what JSON has no word for is a text, which in September 2025 its
//! `ao-types` notes. [`decode`] reads both.
//!
//! An integer of more than 64 bits is refused, or, beyond those of 64 bits without a sign, read as a float. A float is written as `serde_json` writes it (`10000000000.0`), where Erlang may write an exponent (`1.0e10`).

use serde_json::{Map, Number, Value as Json};

use super::types::{self, Types};
use super::{Generation, LINK, MAX_DEPTH, Message, Node, PRIVATE, TYPES, Tabm, Value, malformed, too_deep};
use crate::error::{Code, Error, Result};
use crate::id::Id;

/// A message of texts and messages as JSON; private keys are left out. Errors: `message-malformed` (bytes that are no text),
/// `too-large`.
pub fn encode_tabm(tabm: &Tabm) -> Result<String> {
    tabm.check_depth()?;
    Ok(tabm_json(tabm)?.to_string())
}

/// The recursion is bounded by the check before it.
fn tabm_json(tabm: &Tabm) -> Result<Json> {
    let public = tabm.iter().filter(|(key, _)| !key.starts_with(PRIVATE));
    let entries = public.map(|(key, node)| {
        let json = match node {
            Node::Binary(bytes) => text(bytes)?.into(),
            Node::Map(map) => tabm_json(map)?,
        };
        Ok((key.clone(), json))
    });
    entries.collect::<Result<Map<_, _>>>().map(Json::Object)
}

/// A rich message as JSON; private keys are left out. Errors: `message-malformed` (bytes that are no text, a float that is not
/// finite), `too-large`.
pub fn encode(message: &Message, generation: Generation) -> Result<String> {
    Ok(message_json(message, generation, 0)?.to_string())
}

fn message_json(message: &Message, generation: Generation, depth: usize) -> Result<Json> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let (mut object, mut noted) = (Map::new(), Types::new());
    for (key, value) in message.iter().filter(|(key, _)| !key.starts_with(PRIVATE)) {
        if let (Value::Atom(_), Generation::September2025) = (value, generation) {
            noted.insert(key.clone(), "atom".to_owned());
        }
        match value {
            Value::Link(id) => object.insert(format!("{key}{LINK}"), id.to_string().into()),
            value => object.insert(key.clone(), value_json(value, generation, depth)?),
        };
    }
    if !noted.is_empty() {
        object.insert(TYPES.to_owned(), types::encode(&noted)?.into());
    }
    // In byte order, as the keys were before the links had their endings.
    let sorted: std::collections::BTreeMap<String, Json> = object.into_iter().collect();
    Ok(Json::Object(sorted.into_iter().collect()))
}

fn value_json(value: &Value, generation: Generation, depth: usize) -> Result<Json> {
    Ok(match value {
        Value::Binary(bytes) => text(bytes)?.into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => Number::from_f64(*number)
            .ok_or_else(|| malformed("A float of a message is infinite, or not a number."))?
            .into(),
        Value::Atom(word) => match (word.as_str(), generation) {
            ("true", Generation::June2025) => true.into(),
            ("false", Generation::June2025) => false.into(),
            ("null", Generation::June2025) => Json::Null,
            (word, _) => word.into(),
        },
        Value::List(_) if depth >= MAX_DEPTH => return Err(too_deep()),
        Value::List(values) if values.iter().any(|value| is_noted(value, generation)) => {
            listed_json(values, generation, depth)?
        }
        Value::List(values) => {
            let json = values.iter().map(|value| value_json(value, generation, depth + 1));
            json.collect::<Result<Vec<_>>>()?.into()
        }
        Value::Message(message) => message_json(message, generation, depth + 1)?,
        Value::Link(id) => id.to_string().into(),
    })
}

/// Whether a value says what it is beside itself.
fn is_noted(value: &Value, generation: Generation) -> bool {
    match value {
        Value::Link(_) => true,
        Value::Atom(_) => generation == Generation::September2025,
        _ => false,
    }
}

/// A list with such values: the message of its numbers, whose types note that it is a list.
fn listed_json(values: &[Value], generation: Generation, depth: usize) -> Result<Json> {
    let mut noted = Types::from([(".".to_owned(), "list".to_owned())]);
    let mut object = Map::new();
    for (number, value) in (1_usize..).zip(values) {
        match value {
            Value::Link(id) => object.insert(format!("{number}{LINK}"), id.to_string().into()),
            value => object.insert(number.to_string(), value_json(value, generation, depth + 1)?),
        };
        if is_noted(value, generation) && !matches!(value, Value::Link(_)) {
            noted.insert(number.to_string(), "atom".to_owned());
        }
    }
    object.insert(TYPES.to_owned(), types::encode(&noted)?.into());
    Ok(Json::Object(object))
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes)
        .map_err(|cause| malformed("Bytes that are no text have no JSON.").because(cause))
}

/// The message that a JSON object is: `ao-types` is applied to its texts, a key that ends in `+link` is a link, and numbers,
/// lists and words are themselves.
///
/// Errors: `json-invalid`, `message-malformed` (no object, a number of more than 64 bits), `too-large`.
pub fn decode(json: &[u8]) -> Result<Message> {
    bounded(json)?;
    let json: Json = serde_json::from_slice(json)
        .map_err(|cause| Error::new(Code::JsonInvalid, "The message is not JSON.").because(cause))?;
    match decode_value(json)? {
        Value::Message(message) => Ok(message),
        _ => Err(malformed("The JSON is no message.")),
    }
}

/// Refuses text that nests deeper than messages do, before a reader that recurses sees it.
fn bounded(json: &[u8]) -> Result<()> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH + 1 {
            return Err(too_deep());
        }
    }
    Ok(())
}

/// The recursion is bounded by the check before it.
fn decode_value(json: Json) -> Result<Value> {
    Ok(match json {
        Json::Null => Value::Atom("null".to_owned()),
        Json::Bool(truth) => truth.into(),
        Json::String(text) => text.into(),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Value::Integer(number),
            (None, Some(float)) if float.is_finite() && number.is_f64() => Value::Float(float),
            _ => return Err(malformed("A number of a message has more than 64 bits.")),
        },
        Json::Array(values) => Value::List(values.into_iter().map(decode_value).collect::<Result<_>>()?),
        Json::Object(object) => decode_object(object)?,
    })
}

fn decode_object(mut object: Map<String, Json>) -> Result<Value> {
    let noted = match object.remove(TYPES) {
        Some(Json::String(field)) => types::decode(field.as_bytes())?,
        Some(_) => return Err(malformed("The types of a message are no text.")),
        None => Types::new(),
    };
    let mut message = Message::new();
    for (key, json) in object {
        let (key, value) = match (key.strip_suffix(LINK), json, noted.get(&key)) {
            (Some(name), Json::String(id), _) => {
                let id: Id = id.parse().map_err(|cause| malformed("A link is not an id.").because(cause))?;
                (name.to_owned(), Value::Link(id))
            }
            (_, Json::String(text), Some(kind)) => {
                let value = super::structured::decode_value(kind, text.as_bytes())?;
                (key, value)
            }
            (_, json, _) => (key, decode_value(json)?),
        };
        if message.set(key, value).is_some() {
            return Err(malformed("A key of a message is both there and linked."));
        }
    }
    if noted.get(".").is_some_and(|kind| kind == "list") {
        return super::structured::list_of(message);
    }
    Ok(Value::Message(message))
}
