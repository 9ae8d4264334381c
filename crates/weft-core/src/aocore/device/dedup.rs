//! `dedup@1.0`: lets a message through once (reference devices.md §9; HyperBEAM `dev_dedup.erl`).
//!
//! | key | in | out |
//! |---|---|---|
//! | any but `keys` and `set` | base or request: `dedup-subject`, the key of the subject (`body` if it is not there; `request` for the whole request); base: `pass`, `dedup` | `skip` if the subject's id is in `dedup`; else the base with the id in front of it |
//!
//! After the first pass, and without a subject, the base is let through as it is. `id` and `commit` are answered so too, as
//! a node does.

use weft_codec::message::{Ids, Message, Value, id, structured};
use weft_codec::{Code, Error, Id, Result};

use super::super::{Answer, Run, Status, list_of};
use super::Device;
use super::multipass::count;

pub(super) struct Dedup;

impl Device for Dedup {
    fn name(&self) -> &str {
        "dedup@1.0"
    }

    fn call(
        &self,
        key: &str,
        base: &Message,
        request: &Message,
        run: &mut Run<'_>,
    ) -> Result<Option<Answer>> {
        if ["keys", "set"].contains(&key) {
            return Ok(None);
        }
        let subject = subject(base, request, run)?;
        let Some(subject) = subject.filter(|_| count(base, "pass", run).is_ok_and(|pass| pass == 1)) else {
            return Ok(Some(Answer::ok(base.clone())));
        };
        let id = id_of(&subject, run)?;
        let seen = run.own(base, "dedup")?.unwrap_or_else(|| Value::List(Vec::new()));
        let seen = list_of(&seen).ok_or_else(|| failed("`dedup` is no list."))?;
        if seen.iter().any(|seen| seen.as_text() == Some(&id)) {
            return Ok(Some(Answer { status: Status::Skip, value: base.clone().into() }));
        }
        let seen: Vec<Value> = std::iter::once(Value::from(id)).chain(seen.into_iter().cloned()).collect();
        let with = run.set(base, &Message::new().with("dedup", Value::List(seen)))?;
        Ok(Some(Answer::ok(with)))
    }
}

fn subject(base: &Message, request: &Message, run: &Run<'_>) -> Result<Option<Value>> {
    let first = |key: &str| -> Result<Option<Value>> {
        Ok(match run.own(base, key)? {
            None => run.own(request, key)?,
            found => found,
        })
    };
    let key = first("dedup-subject")?;
    match key.as_ref().map_or(Some("body"), Value::as_text) {
        Some("request") => Ok(Some(request.clone().into())),
        Some(key) => first(key),
        None => Err(failed("`dedup-subject` is no key.")),
    }
}

/// The id of all signers, or of the content; of bytes, their hash.
fn id_of(subject: &Value, run: &Run<'_>) -> Result<String> {
    match subject {
        Value::Message(message) => {
            let tabm = structured::to_tabm(message, run.generation())?;
            Ok(id::id(&tabm, Ids::Signed, run.generation())?.to_string())
        }
        // What has the length of an id is one.
        Value::Binary(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if text.parse::<Id>().is_ok() => Ok(text.to_owned()),
            _ => Ok(Id::sha256(bytes).to_string()),
        },
        _ => Err(failed("The subject is neither a message nor bytes, so it has no id.")),
    }
}

fn failed(sentence: &str) -> Error {
    Error::new(Code::DeviceFailed, sentence)
}
