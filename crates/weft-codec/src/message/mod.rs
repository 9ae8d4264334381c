//! AO-Core messages and their codecs (reference ao-core.md §1 to §5, §8, §9).
//!
//! | type | what |
//! |---|---|
//! | [`Message`], [`Value`] | what a person or a device works with: numbers, lists, messages in messages |
//! | [`Tabm`] | the same as binaries and maps, the types noted in `ao-types`: what is hashed, stored and signed |
//! | [`httpsig::Encoded`] | a [`Tabm`] as headers and a body |
//! | [`Commitment`] | who vouches for which keys of a message |
//!
//! `Message` ⇄ `Tabm` is [`structured`], `Tabm` ⇄ headers and body is [`httpsig`], `Tabm` ⇄ paths is [`flat`], both ⇄ JSON is [`json`],
//! `Tabm` ⇄ the bytes of a store is [`packed`].
//! Ids and hashpaths are in [`id`]. HyperBEAM changed its rules in 2025 so that one message has another id since: every
//! function that depends on it takes a [`Generation`].
//!
//! Nothing here proves a signature: that is `weft-verify`. All maps are in byte order, and all input is bounded by the
//! constants below.

pub mod ans104;
mod commitment;
mod commitments;
pub mod flat;
mod generation;
pub mod httpsig;
pub mod id;
pub mod json;
pub mod packed;
pub mod structured;
mod tabm;
mod types;
mod value;

pub use commitment::Commitment;
pub use commitments::{CommittedForm, committed_form, signature_base, to_sign, unsigned_commitment};
pub use generation::Generation;
pub use id::Ids;
pub use tabm::{Node, Tabm};
pub use value::{Message, Value};

use crate::error::{Code, Error};

/// The deepest nesting of messages and lists.
pub const MAX_DEPTH: usize = 64;
/// The most headers of a message, and the most parts of a body.
pub const MAX_PARTS: usize = 65_536;
/// The longest body that is taken apart, in bytes.
pub const MAX_BODY: usize = 256 * 1024 * 1024;
/// Keys that begin so are a node's own business: never written, hashed or sent (reference ao-core.md §1).
const PRIVATE: &str = "priv";
/// What the name of a linked key ends with.
const LINK: &str = "+link";
/// Where a message's commitments are.
const COMMITMENTS: &str = "commitments";
/// Where a message's types are.
const TYPES: &str = "ao-types";

fn malformed(sentence: impl Into<String>) -> Error {
    Error::new(Code::MessageMalformed, sentence)
}

fn too_deep() -> Error {
    Error::new(Code::TooLarge, format!("A message is nested more than {MAX_DEPTH} deep."))
}

/// The key without its `+link`.
fn without_link(key: &str) -> &str {
    key.strip_suffix(LINK).unwrap_or(key)
}

/// A key as a person may see it in a sentence.
fn shown(key: &str) -> String {
    key.chars().take(60).collect()
}
