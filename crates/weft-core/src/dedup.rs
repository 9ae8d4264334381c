//! What a second copy of a message is recognised by (ao-messages.md 5; `servers/cu/src/effects/ao-evaluation.js`
//! `createMessageId`, `domain/lib/hydrateMessages.js`, `domain/lib/evaluate.js`).
//!
//! An MU may push one outbox message twice: two items with two ids and the same content. And any id may be
//! assigned again. A process must see each once.

use weft_codec::deep_hash::{Chunk, deep_hash};
use weft_codec::{base64url, tags};
use weft_verify::{Entry, EntryKind};

use crate::view::{anchor_text, is_pushed, printed_data};

/// The key of an evaluated slot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The message id (43 characters), or the deep hash of a pushed message (64 characters), base64url.
    pub text: String,
    /// The slot is left out if an earlier evaluated slot has the same key. Plain messages are never left out,
    /// yet their key is kept: a later Assign of the same id is.
    pub guarded: bool,
}

/// The key of an entry in the given [`crate::view::form`].
#[must_use]
pub fn key(entry: &Entry, form: EntryKind) -> Key {
    let id = || entry.message.id().to_string();
    match form {
        EntryKind::Assign => Key { text: id(), guarded: true },
        _ if is_pushed(&entry.message) => {
            Key { text: base64url::encode(&content_hash(entry, form)), guarded: true }
        }
        _ => Key { text: id(), guarded: false },
    }
}

/// The deep hash over what a pushed message says, without who signed it: empty owner, all tags in order, data
/// and anchor as the scheduler prints them, target = the process.
fn content_hash(entry: &Entry, form: EntryKind) -> [u8; 48] {
    let anchor = anchor_text(&entry.message).unwrap_or_default();
    let tags = tags::encode(&entry.message.tags);
    let data = printed_data(entry, form).unwrap_or_default();
    deep_hash(&Chunk::List(vec![
        Chunk::Blob(b"dataitem"),
        Chunk::Blob(b"1"),
        Chunk::Blob(b"1"),
        Chunk::Blob(b""),
        Chunk::Blob(entry.assignment.process.as_bytes()),
        Chunk::Blob(anchor.as_bytes()),
        Chunk::Blob(&tags),
        Chunk::Blob(data.as_bytes()),
    ]))
}
