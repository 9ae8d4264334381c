//! Values as the vectors write them, and back: `$float`, `$atom`, `$link`, `$hex`.

use serde_json::{Map, Value as Json, json};
use weft_codec::message::{Generation, Message, Node, Tabm, Value, httpsig, structured};

/// A rich value.
pub(super) fn value(json: &Json) -> Result<Value, String> {
    Ok(match json {
        Json::String(text) => text.as_str().into(),
        Json::Number(number) => Value::Integer(
            number.as_i64().ok_or_else(|| format!("{number} is not a whole number of 64 bits"))?,
        ),
        Json::Bool(truth) => (*truth).into(),
        Json::Null => Value::Atom("null".to_owned()),
        Json::Array(values) => Value::List(values.iter().map(value).collect::<Result<_, _>>()?),
        Json::Object(map) => match (map.iter().next(), map.len()) {
            (Some((key, Json::String(text))), 1) if key.starts_with('$') => special(key, text)?,
            _ => Value::Message(message(json)?),
        },
    })
}

fn special(key: &str, text: &str) -> Result<Value, String> {
    let wrong = |what: &dyn std::fmt::Display| format!("{key} {text:?}: {what}");
    match key {
        "$float" => text.parse().map(Value::Float).map_err(|error| wrong(&error)),
        "$link" => text.parse().map(Value::Link).map_err(|error| wrong(&error)),
        "$hex" => hex::decode(text).map(Value::Binary).map_err(|error| wrong(&error)),
        "$atom" => Ok(Value::Atom(text.to_owned())),
        _ => Err(wrong(&"not known")),
    }
}

/// A rich message.
pub(super) fn message(json: &Json) -> Result<Message, String> {
    let map = json.as_object().ok_or_else(|| format!("{json} is no message"))?;
    map.iter().map(|(key, json)| Ok((key.clone(), value(json)?))).collect()
}

/// Headers and body, which stand in one map.
pub(super) fn received(json: &Json) -> Result<httpsig::Encoded, String> {
    let mut encoded = httpsig::Encoded::default();
    for (name, value) in json.as_object().ok_or("an encoded message is no map")? {
        let bytes =
            value.as_str().ok_or_else(|| format!("the header {name} is no text"))?.as_bytes().to_vec();
        if name == "body" {
            encoded.body = Some(bytes);
        } else {
            encoded.headers.insert(name.clone(), bytes);
        }
    }
    Ok(encoded)
}

/// A text, or `$hex` of bytes that are none.
pub(super) fn of_bytes(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({ "$hex": hex::encode_upper(bytes) }),
    }
}

pub(super) fn of_value(value: &Value) -> Json {
    match value {
        Value::Binary(bytes) => of_bytes(bytes),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => json!({ "$float": float_text(*number) }),
        Value::Atom(word) => match word.as_str() {
            "true" => true.into(),
            "false" => false.into(),
            "null" => Json::Null,
            word => json!({ "$atom": word }),
        },
        Value::List(values) => values.iter().map(of_value).collect(),
        Value::Message(message) => of_message(message),
        Value::Link(id) => json!({ "$link": id.to_string() }),
    }
}

pub(super) fn of_message(message: &Message) -> Json {
    Json::Object(message.iter().map(|(key, value)| (key.clone(), of_value(value))).collect::<Map<_, _>>())
}

pub(super) fn of_tabm(tabm: &Tabm) -> Json {
    let entries = tabm.iter().map(|(key, node)| match node {
        Node::Binary(bytes) => match key.strip_suffix("+link") {
            Some(plain) => (plain.to_owned(), json!({ "$link": of_bytes(bytes) })),
            None => (key.clone(), of_bytes(bytes)),
        },
        Node::Map(map) => (key.clone(), of_tabm(map)),
    });
    Json::Object(entries.collect::<Map<_, _>>())
}

pub(super) fn of_encoded(encoded: &httpsig::Encoded) -> Json {
    let body = encoded.body.as_ref().map(|body| ("body".to_owned(), of_bytes(body)));
    let headers = encoded.headers.iter().map(|(name, value)| (name.clone(), of_bytes(value)));
    Json::Object(headers.chain(body).collect::<Map<_, _>>())
}

pub(super) fn text<'a>(json: &'a Json, name: &str) -> Result<&'a str, String> {
    json[name].as_str().ok_or_else(|| format!("`{name}` is no text"))
}

/// A float as Erlang writes it.
fn float_text(number: f64) -> String {
    let tabm = structured::to_tabm(&Message::new().with("f", Value::Float(number)), Generation::June2025);
    tabm.ok().and_then(|tabm| tabm.text("f").map(str::to_owned)).unwrap_or_else(|| number.to_string())
}
