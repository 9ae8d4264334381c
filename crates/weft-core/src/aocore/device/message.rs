//! `message@1.0`: a message answers for itself (reference ao-core.md §7.2; HyperBEAM `dev_message.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | `id` | `committers`, `commitments`: `all`, `none` or a list | the id |
//! | `commit` | `type`, `commitment-device`, `committed`, `bundle`, `target` | the message with its commitments |
//! | `verify` | `committers`, `commitments`, `target` | whether those hold |
//! | `committed` | the same, `raw` | the keys that all of them are over |
//! | `committers` | | who signed |
//! | `keys` | | the keys that are not private |
//! | `set` | keys and values, `set-mode` | the message with them; a value `unset` takes a key away |
//! | `set_path` | `value` | the message with another `path` |
//! | `remove` | `item` or `items` | the message without them |
//! | `index` | | refused: no index is set |
//! | any other | | the value, or `not_found`; letters may be small or capital |
//!
//! Differences from HyperBEAM: `get` and `info`, over which a node fails, are keys like any other. Keys are in byte order also
//! where there are more than 32. The value of a parameter that is a path is resolved whether or not it is used.

use weft_codec::Result;
use weft_codec::message::{Message, Value};

use super::super::resolve::path_parts;
use super::super::{Answer, Run, is_private, list_of};
use super::{Device, commitments};

/// Keys that `set` does not set.
const RESERVED: [&str; 9] =
    ["id", "commitments", "committers", "keys", "path", "set", "remove", "verify", "set-mode"];

/// The device.
pub(super) struct MessageDevice;

impl Device for MessageDevice {
    fn name(&self) -> &str {
        "message@1.0"
    }

    fn call(&self, _: &str, base: &Message, request: &Message, run: &mut Run<'_>) -> Result<Option<Answer>> {
        // The key as it was written: keys of messages may have capitals.
        let path = request.get("path").map(path_parts).transpose()?.unwrap_or_default();
        path.first().map(|key| answer(key, base, request, run)).transpose()
    }
}

/// The answer to a key, written in any way.
pub(in super::super) fn answer(
    key: &str,
    base: &Message,
    request: &Message,
    run: &mut Run<'_>,
) -> Result<Answer> {
    match key.to_lowercase().replace('-', "_").as_str() {
        "id" => commitments::id(base, request, run),
        "commit" => commitments::commit(base, request, run),
        "verify" => commitments::verify(base, request, run),
        "committed" => commitments::committed(base, request, run),
        "committers" => Ok(commitments::committers(base)),
        "keys" => Ok(keys(base)),
        "set" => set(base, request, run),
        "set_path" => Ok(set_path(base, request)),
        "remove" => Ok(remove(base, request)),
        "index" => Ok(Answer::error("No default index message set.")),
        _ => Ok(get(key, base)),
    }
}

/// The value under a key.
pub(super) fn get(key: &str, base: &Message) -> Answer {
    if is_private(key) {
        return Answer::not_found();
    }
    let found = base.get(key).or_else(|| base.get(&key.to_lowercase()));
    found.map_or_else(Answer::not_found, |value| Answer::ok(value.clone()))
}

/// The keys that are not private.
pub(super) fn keys(base: &Message) -> Answer {
    let keys = base.iter().map(|(key, _)| key).filter(|key| !is_private(key));
    Answer::ok(Value::List(keys.map(|key| key.as_str().into()).collect()))
}

/// New values for keys. Values that are messages go into each other, unless `set-mode` is `explicit`. Where a committed key
/// gets another value, no commitment is left.
pub(in super::super) fn set(base: &Message, request: &Message, run: &Run<'_>) -> Result<Answer> {
    let is_set = |key: &str| !RESERVED.contains(&key) && !is_private(key);
    let unset = Value::Atom("unset".to_owned());
    let undefined = Value::Atom("undefined".to_owned());
    let explicit = request.get("set-mode").and_then(Value::as_text) == Some("explicit");
    let mut merged = base.clone();
    for (key, value) in request {
        if *value == unset {
            // Also a reserved key is taken away.
            merged.remove(key);
        } else if is_set(key) && *value != undefined {
            let value = match merged.remove(key) {
                Some(old) if !explicit => deep(old, value),
                _ => value.clone(),
            };
            merged.set(key.clone(), value);
        }
    }
    let content = |message: &Message| -> Message {
        let kept = message.iter().filter(|(key, _)| !is_private(key));
        kept.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    if content(&merged) != content(base) {
        let committed = commitments::committed_by_all(base, run)?;
        if committed
            .iter()
            .any(|key| is_set(key) && request.get(key).is_some_and(|value| *value != undefined))
        {
            merged.remove("commitments");
        }
    }
    Ok(Answer::ok(merged))
}

/// A message gets the keys of a message; any other value is replaced. The recursion is bounded by the depth of the messages.
fn deep(old: Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Message(mut old), Value::Message(new)) => {
            for (key, value) in new {
                let value = match old.remove(key) {
                    Some(before) => deep(before, value),
                    None => value.clone(),
                };
                old.set(key.clone(), value);
            }
            Value::Message(old)
        }
        (_, new) => new.clone(),
    }
}

fn set_path(base: &Message, request: &Message) -> Answer {
    let mut message = base.clone();
    match request.get("value") {
        None => return Answer::not_found(),
        Some(Value::Atom(word)) if word == "unset" => {
            message.remove("path");
        }
        Some(value) => {
            message.set("path", value.clone());
        }
    }
    Answer::ok(message)
}

fn remove(base: &Message, request: &Message) -> Answer {
    let items = match (request.get("item"), request.get("items")) {
        (Some(item), _) => vec![item],
        (None, Some(items)) => match list_of(items) {
            Some(items) => items,
            None => return Answer::refused(400, "`items` is no list of keys."),
        },
        (None, None) => return Answer::refused(400, "There is no `item` to remove."),
    };
    let mut message = base.clone();
    for item in items.into_iter().filter_map(Value::as_text) {
        message.remove(item);
    }
    Answer::ok(message)
}
