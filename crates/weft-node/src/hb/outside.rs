//! Devices that something else runs than this program, such as a page's JavaScript. They see messages as plain JSON, without their
//! commitments and types, and answer in it.

use std::pin::Pin;

use serde_json::{Map, Value as Json};
use weft_codec::message::{Message, Value};
use weft_codec::{Code, Error, Result};
use weft_core::aocore::{Answer, json_iface};

use crate::net::Handled;

/// The most bytes of what a device is given, and of what it answers.
const MAX_BYTES: usize = 8 << 20;

/// What such a device says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A value, as JSON.
    Value(String),
    /// A refusal: an HTTP status and a sentence.
    Refused(u16, String),
}

/// The answer on its way.
pub type Saying<'a> = Pin<Box<dyn Future<Output = Result<Said>> + 'a>>;

/// Runs such devices.
pub trait Outside {
    /// Asks a device for a key of `base`; both messages are JSON objects.
    ///
    /// Errors: `device-failed`, `device-silent` (it did not answer in time).
    fn ask<'a>(&'a self, device: &'a str, key: &'a str, base: String, request: String) -> Saying<'a>;
}

/// Asks a device.
pub(super) async fn ask(
    outside: &dyn Outside,
    device: &str,
    key: &str,
    base: &Message,
    request: &Message,
) -> Handled<Answer> {
    let (base, request) = (given(device, base)?, given(device, request)?);
    match outside.ask(device, key, base, request).await.map_err(|error| error.with("device", device))? {
        Said::Refused(status, sentence) => Ok(Answer::refused(i64::from(status), &sentence)),
        Said::Value(text) if text.len() > MAX_BYTES => Err(too_large(device).into()),
        Said::Value(text) => {
            let json: Json = serde_json::from_str(&text).map_err(|cause| {
                Error::new(Code::DeviceFailed, format!("The device `{device}` answered no JSON."))
                    .because(cause)
            })?;
            Ok(Answer::ok(json_iface::value(&without_nulls(json))?))
        }
    }
}

fn given(device: &str, message: &Message) -> Result<String> {
    let text = object(message)?.to_string();
    if text.len() > MAX_BYTES { Err(too_large(device)) } else { Ok(text) }
}

fn too_large(device: &str) -> Error {
    let sentence = format!("The device `{device}` is given and answers at most {MAX_BYTES} bytes.");
    Error::new(Code::TooLarge, sentence)
}

/// The recursion is bounded by the depth of messages.
fn object(message: &Message) -> Result<Json> {
    let public = message.iter().filter(|(key, _)| *key != "commitments" && !key.starts_with("priv"));
    let entries = public.map(|(key, value)| Ok((key.to_owned(), json(key, value)?)));
    Ok(Json::Object(entries.collect::<Result<Map<_, _>>>()?))
}

fn json(key: &str, value: &Value) -> Result<Json> {
    Ok(match value {
        Value::Binary(_) => value.as_text().map(Json::from).ok_or_else(|| {
            let sentence = format!("`{key}` is bytes that are no text, which a device outside is not given.");
            Error::new(Code::DeviceFailed, sentence)
        })?,
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Atom(word) => match word.as_str() {
            "true" => true.into(),
            "false" => false.into(),
            "null" | "undefined" => Json::Null,
            word => word.into(),
        },
        Value::List(values) => {
            Json::Array(values.iter().map(|value| json(key, value)).collect::<Result<_>>()?)
        }
        Value::Message(message) => object(message)?,
        Value::Link(id) => id.to_string().into(),
    })
}

/// A message has no key without a value.
fn without_nulls(json: Json) -> Json {
    match json {
        Json::Object(object) => {
            let kept = object.into_iter().filter(|(_, value)| !value.is_null());
            Json::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Json::Array(values) => Json::Array(values.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
