//! `json@1.0`: messages as JSON and back (reference ao-core.md §9; HyperBEAM `dev_codec_json.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | `serialize` | the base | `body`, the JSON of the base without what is private, and its `content-type` |
//! | `deserialize` | request: `target`, the base's key with the JSON (`body` if it is not there) | the message; `404` if there is no such key |
//! | `content-type` | | `application/json` |
//!
//! Nested messages stand in the JSON, where a node of September 2025 links them unless `bundle` is asked for.

use weft_codec::message::{Message, Value, json};
use weft_codec::{Code, Error, Result};

use super::super::{Answer, Run};
use super::Device;

const CONTENT_TYPE: &str = "application/json";

pub(super) struct Json;

impl Device for Json {
    fn name(&self) -> &str {
        "json@1.0"
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        Ok(match key {
            "serialize" => {
                let text = json::encode(base, run.generation())?;
                Some(Answer::ok(Message::new().with("content-type", CONTENT_TYPE).with("body", text)))
            }
            "deserialize" => Some(deserialized(base, request, run)?),
            "content-type" | "content_type" => Some(Answer::ok(CONTENT_TYPE)),
            _ => None,
        })
    }
}

fn deserialized(base: &Message, request: &Message, run: &mut Run<'_>) -> Result<Answer> {
    let target = run.own(request, "target")?;
    let target = target.as_ref().and_then(Value::as_text).unwrap_or("body");
    match run.get(base, target)? {
        None => Ok(Answer::refused(404, "The message has no JSON under that key.")),
        Some(Value::Binary(text)) => Ok(Answer::ok(json::decode(&text)?)),
        Some(Value::Message(message)) => Ok(Answer::ok(message)),
        Some(_) => Err(Error::new(Code::DeviceFailed, "What is to be read as JSON is no text.")),
    }
}
