//! `manifest@1.0`: path manifests (reference ans104.md §6; HyperBEAM `dev_manifest.erl`, September 2025).
//!
//! | key | in | out |
//! |---|---|---|
//! | `index` | the base's `data`, or `body`: a manifest in JSON | what `index` of the manifest names by its `path` |
//! | any other but `keys`, `set`, `committers` | the same | what `paths` of the manifest has under the key: the stored message, or the paths below |
//!
//! Letters count. Difference from HyperBEAM: a path of `index` that stands as a whole in `paths`, `a/b.html`, is found; a node
//! looks for its parts only. A path that is not there is `not_found`, where a node answers with that word as a result.

use weft_codec::message::{Message, Value, json};
use weft_codec::{Code, Error, Result};

use super::super::resolve::path_parts;
use super::super::{Answer, Run};
use super::Device;

pub(super) struct Manifest;

impl Device for Manifest {
    fn name(&self) -> &str {
        "manifest@1.0"
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        if ["keys", "set", "committers"].contains(&key) {
            return Ok(None);
        }
        let manifest = manifest(base, run)?;
        let asked = request.get("path").map(path_parts).transpose()?.unwrap_or_default();
        let path = match (key, asked.first()) {
            ("index", _) => index(&manifest),
            (_, asked) => asked.map(String::as_str),
        };
        let paths = manifest.get("paths").and_then(Value::as_message);
        let found = path.zip(paths).and_then(|(path, paths)| found(paths, path));
        match found {
            Some(value) => run.unlinked(linked(value)).map(|value| Some(Answer::ok(value))),
            None => Ok(Some(Answer::not_found())),
        }
    }
}

fn manifest(base: &Message, run: &Run<'_>) -> Result<Message> {
    let json = match run.own(base, "data")? {
        None => run.own(base, "body")?,
        found => found,
    };
    match json {
        Some(Value::Binary(json)) => json::decode(&json),
        _ => Err(Error::new(Code::DeviceFailed, "The message has no manifest under `data` or `body`.")),
    }
}

fn index(manifest: &Message) -> Option<&str> {
    manifest.get("index")?.as_message()?.get("path")?.as_text()
}

/// The entry of a path: as a whole, or part by part.
fn found<'m>(paths: &'m Message, path: &str) -> Option<&'m Value> {
    if let Some(whole) = paths.get(path) {
        return Some(whole);
    }
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = paths.get(parts.next()?);
    parts.fold(first, |at, part| at?.as_message()?.get(part))
}

/// Every `{id}` as a link. The recursion is bounded by the depth of JSON that is read.
fn linked(value: &Value) -> Value {
    match value {
        Value::Message(message) => {
            let id = message.get("id").and_then(Value::as_text).and_then(|id| id.parse().ok());
            match id {
                Some(id) => Value::Link(id),
                None => {
                    let entries = message.iter().map(|(key, value)| (key.clone(), linked(value)));
                    Value::Message(entries.collect())
                }
            }
        }
        Value::List(values) => Value::List(values.iter().map(linked).collect()),
        other => other.clone(),
    }
}
