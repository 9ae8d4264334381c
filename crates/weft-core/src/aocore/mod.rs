//! AO-Core: requests resolved over messages by devices (reference ao-core.md §6 to §8, §10).
//!
//! | part | what |
//! |---|---|
//! | [`path`] | the path grammar: a request as steps |
//! | [`Core`], [`Run`] | the resolver: each step asked of the result of the one before |
//! | [`device`] | what answers: [`device::Device`], found by name in [`device::Devices`] |
//! | [`hashpath`] | what a result came from, in one id |
//! | [`json_iface`] | messages in the JSON that aos and legacy clients read |
//!
//! All of it is synchronous and pure. What a node adds is behind three traits: [`Store`], where a message is found by its id,
//! [`Signer`], a key, and [`Host`], processes and schedules. Steps and nesting of a request are bounded by [`Limits`].
//!
//! A node of the network has more stages than are here: it keeps results by hashpath, lets requests for the same wait for
//! each other, and calls hooks (`hb_ao.erl`, stages 2, 4, 7, 10 to 12). Those belong to whoever drives this.

mod answer;
pub mod device;
pub mod hashpath;
mod host;
pub mod json_iface;
pub mod path;
mod resolve;
mod set;

pub use answer::{Answer, Status};
pub use host::{At, Host, Need, NoHost};
pub use resolve::{Core, Limits, Run};

use weft_codec::message::{Generation, Message, Value};
use weft_codec::{Id, Result};

/// Where messages are found.
pub trait Store {
    /// What is stored under an id; none if nothing is. Errors are the store's own.
    fn load(&self, id: Id) -> Result<Option<Value>>;
}

/// A store of nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStore;

impl Store for NoStore {
    fn load(&self, _: Id) -> Result<Option<Value>> {
        Ok(None)
    }
}

/// An RSA key that messages are committed with.
pub trait Signer {
    /// The modulus, big-endian.
    fn public_key(&self) -> Vec<u8>;
    /// RSA-PSS with SHA-512 over these bytes.
    fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>>;
}

/// Whether a key is a node's own business.
fn is_private(key: &str) -> bool {
    key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("priv"))
}

/// Whether a key is made anew by every codec.
fn is_made_anew(key: &str) -> bool {
    ["content-digest", "unsigned_id"].contains(&key)
}

/// A message with its keys as the generation has them. Of two that are the same the later counts.
fn normal_keys(message: Message, generation: Generation) -> Message {
    message.into_iter().map(|(key, value)| (generation.key(&key), value)).collect()
}

/// A list as the message it is to paths: `1`, `2`, ….
fn numbered(values: Vec<Value>) -> Message {
    (1_usize..).zip(values).map(|(number, value)| (number.to_string(), value)).collect()
}

/// The values of a list, or of a message whose keys are `1`, `2`, …, in their order.
fn list_of(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::List(values) => Some(values.iter().collect()),
        Value::Message(message) => {
            let public = message.iter().filter(|(key, _)| !is_private(key)).count();
            (1..=public).map(|number| message.get(&number.to_string())).collect()
        }
        _ => None,
    }
}
