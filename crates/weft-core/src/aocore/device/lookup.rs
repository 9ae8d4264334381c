//! `lookup@1.0`: reads the store (reference devices.md §10; HyperBEAM `dev_lookup.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | `read` | request: `target`, an id; `accept` | the message of that id, or `not_found`; with `accept: application/aos-2` its JSON for legacy clients as `body`, with its `content-type` |

use weft_codec::Result;
use weft_codec::message::{Message, Value};

use super::super::{Answer, Run, json_iface};
use super::Device;

/// The content type of the JSON.
const AOS_2: &str = "application/aos-2";

pub(super) struct Lookup;

impl Device for Lookup {
    fn name(&self) -> &str {
        "lookup@1.0"
    }

    fn call(&self, key: &str, _: &Message, request: &Message, run: &mut Run<'_>) -> Result<Option<Answer>> {
        if key == "read" { read(request, run).map(Some) } else { Ok(None) }
    }
}

/// The message that a request names under `target`.
pub(super) fn read(request: &Message, run: &Run<'_>) -> Result<Answer> {
    let target = run.own(request, "target")?;
    let Some(found) = target.as_ref().and_then(Value::as_text).map(|id| run.load(id)).transpose()?.flatten()
    else {
        return Ok(Answer::not_found());
    };
    let accept = run.own(request, "accept")?;
    match (&found, accept.as_ref().and_then(Value::as_text)) {
        (Value::Message(message), Some(AOS_2)) => {
            let json = json_iface::message(message, run.generation())?;
            Ok(Answer::ok(Message::new().with("body", json.to_string()).with("content-type", AOS_2)))
        }
        _ => Ok(Answer::ok(found)),
    }
}
