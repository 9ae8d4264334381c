//! Hashpaths: what a message came from (reference ao-core.md §8; HyperBEAM `hb_path.erl` `hashpath/2..4`, `hb_crypto.erl`).
//!
//! A message that came out of a request carries its hashpath under `priv/hashpath`; any other is its own beginning, the id of
//! all its commitments. `hashpath-alg` of the base says how two become one: `sha-256-chain`, which is also meant if nothing
//! is said, or `accumulate-256`.

use weft_codec::message::{Generation, Ids, Message, Value, id, structured};
use weft_codec::{Code, Error, Id, Result};

use super::path::is_id;

/// Where a message's hashpath is.
const KEY: &str = "hashpath";
/// Where what is a node's own business is.
const PRIVATE: &str = "priv";

/// The id that a message's hashpath begins with, or the hashpath it came by. Errors: `message-malformed`, `too-large`.
pub fn of(message: &Message, generation: Generation) -> Result<String> {
    match carried(message) {
        Some(hashpath) => Ok(hashpath.to_owned()),
        None => Ok(id::id(&structured::to_tabm(message, generation)?, Ids::All, generation)?.to_string()),
    }
}

/// The hashpath of bytes: their SHA-256.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> String {
    Id::sha256(bytes).to_string()
}

/// The hashpath a message carries.
#[must_use]
pub fn carried(message: &Message) -> Option<&str> {
    message.get(PRIVATE)?.as_message()?.get(KEY)?.as_text()
}

/// The hashpath of what a request to a message gives. Errors: `message-malformed` (an algorithm that is none, or that cannot
/// take this path), `too-large`.
pub fn after(base: &Message, request: &Message, generation: Generation) -> Result<String> {
    let before = of(base, generation)?;
    let request = id::request_part(&structured::to_tabm(request, generation)?, generation)?;
    match base.get("hashpath-alg").map(Value::as_text) {
        None | Some(Some("sha-256-chain")) => Ok(id::hashpath(&before, &request)),
        Some(Some("accumulate-256")) => accumulated(&before, &request),
        Some(_) => Err(Error::new(Code::MessageMalformed, "`hashpath-alg` names no algorithm.")),
    }
}

fn accumulated(before: &str, request: &str) -> Result<String> {
    let Some((first, second)) = before.split_once('/') else { return Ok(format!("{before}/{request}")) };
    let number = |part: &str| {
        part.parse::<Id>().or_else(|cause| match <[u8; 32]>::try_from(part.as_bytes()) {
            Ok(bytes) if is_id(part) => Ok(Id(bytes)),
            _ => Err(Error::new(Code::MessageMalformed, "`accumulate-256` takes paths of ids only.")
                .because(cause)),
        })
    };
    Ok(format!("{}/{request}", id::sum(number(first)?, number(second)?)))
}

/// Writes a message's hashpath.
pub(super) fn put(message: &mut Message, hashpath: String) {
    let mut private = taken(message);
    private.set(KEY, hashpath);
    message.set(PRIVATE, private);
}

/// Takes a message's hashpath away; what else is private stays.
pub(super) fn drop(message: &mut Message) {
    let mut private = taken(message);
    private.remove(KEY);
    message.set(PRIVATE, private);
}

fn taken(message: &mut Message) -> Message {
    match message.remove(PRIVATE) {
        Some(Value::Message(private)) => private,
        _ => Message::new(),
    }
}
