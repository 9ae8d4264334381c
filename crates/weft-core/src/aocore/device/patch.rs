//! `patch@1.0`: moves parts of a message to other places of it (reference devices.md §9; HyperBEAM `dev_patch.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | `patches`, `compute` | from: `patch-from` of request or base, else `from` of either; to: `patch-to`, else `to`, else `/` | the base; the messages at `from` that have `method: PATCH` or `device: patch@1.0` are no longer there, and their keys, without `method`, are set at `to` |
//! | `all` | the same | the same, with all that is at `from` |
//! | `init`, `normalize`, `snapshot` | | the base as it is |
//!
//! `from` may begin with `base:` or `req:`; what is taken from the request is put into the request. Where there is nothing at
//! `from` the answer is `not_found`, over which a stack goes on. Difference from HyperBEAM: a `from` of `/` is refused; a node
//! makes a key `/` of it.

use weft_codec::message::{Message, Value};
use weft_codec::{Code, Error, Result};

use super::super::resolve::path_parts;
use super::super::{Answer, Run, is_private, numbered};
use super::Device;

pub(super) struct Patch;

impl Device for Patch {
    fn name(&self) -> &str {
        "patch@1.0"
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        Ok(match key {
            "init" | "normalize" | "snapshot" => Some(Answer::ok(base.clone())),
            "compute" | "patches" => Some(moved(false, base, request, run)?),
            "all" => Some(moved(true, base, request, run)?),
            _ => None,
        })
    }
}

fn moved(all: bool, base: &Message, request: &Message, run: &mut Run<'_>) -> Result<Answer> {
    let (from, path) = source(base, request, run)?;
    let to = place("to", base, request, run)?;
    let found =
        run.internal(|run| run.resolve(&from.clone().into(), &Message::new().with("path", path.as_str())))?;
    let found = match found.value {
        _ if found.status != super::super::Status::Ok => return Ok(found),
        Value::Message(message) => message,
        Value::List(values) => numbered(values),
        _ => return Err(failed("There is no message at `from`.")),
    };
    let (mut written, mut left) = (Message::new(), Message::new());
    for (key, value) in found.into_iter().filter(|(key, _)| !is_private(key)) {
        if all {
            written.set(key, value);
        } else if is_patch(&value, run)? {
            let Value::Message(mut patch) = run.unlinked(value)? else { continue };
            patch.remove("method");
            written = run.set(&written, &patch)?;
        } else {
            left.set(key, value);
        }
    }
    // Another value goes between, so that the new one is not merged into the old.
    let without = run.set_at(&from, &path, "patch-error".into())?;
    let rest = if all { Value::Atom("unset".to_owned()) } else { left.into() };
    let without = run.set_at(&without, &path, rest)?;
    Ok(Answer::ok(run.set_at(&without, &to, written.into())?))
}

/// The message to take from, and the path in it.
fn source(base: &Message, request: &Message, run: &mut Run<'_>) -> Result<(Message, String)> {
    let path = place("from", base, request, run)?;
    let mut parts = path_parts(&path.as_str().into())?;
    let mut from = base;
    if let Some(first) = parts.first_mut() {
        match first.split_once(':') {
            Some(("base", rest)) => *first = rest.to_owned(),
            Some(("req", rest)) => {
                from = request;
                *first = rest.to_owned();
            }
            _ => {}
        }
    }
    if parts.iter().all(String::is_empty) {
        return Err(failed("`patch-from` is the message itself; it must be a part of it."));
    }
    Ok((from.clone(), parts.join("/")))
}

/// A path that request or base name.
fn place(which: &str, base: &Message, request: &Message, run: &mut Run<'_>) -> Result<String> {
    for key in [format!("patch-{which}"), which.to_owned()] {
        for message in [request, base] {
            if let Some(path) = run.get(message, &key)? {
                return path
                    .as_text()
                    .map(str::to_owned)
                    .ok_or_else(|| failed("A path of a patch is no text."));
            }
        }
    }
    Ok("/".to_owned())
}

fn is_patch(value: &Value, run: &mut Run<'_>) -> Result<bool> {
    let Value::Message(message) = run.unlinked(value.clone())? else { return Ok(false) };
    let is = |run: &mut Run<'_>, key: &str, wanted: &str| -> Result<bool> {
        Ok(run.get(&message, key)?.is_some_and(|value| value.as_text() == Some(wanted)))
    };
    Ok(is(run, "method", "PATCH")? || is(run, "device", "patch@1.0")?)
}

fn failed(sentence: &str) -> Error {
    Error::new(Code::DeviceFailed, sentence)
}
