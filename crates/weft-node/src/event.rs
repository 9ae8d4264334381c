//! What a sync tells while it runs, and how it is told to stop.

use serde::{Deserialize, Serialize};
use weft_codec::Id;
use weft_core::SlotResult;

use crate::check::NodeCheck;

/// Where on the road a sync is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Fetching and verifying the process item.
    Process,
    /// Fetching and verifying the module.
    Module,
    /// Fetching pages of the history. Counts are slots.
    History,
    /// Proving. Counts are checks: signatures, ids, links of the hash chain.
    Verify,
    /// Replaying slots.
    Replay,
    /// Writing to the store.
    Store,
    /// Writing a receipt file. Counts are slots.
    Receipt,
}

/// One thing that happened. As JSON: an object with a `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// How far a phase is. Sent at its start and end, and about ten times a second between.
    Progress {
        /// The phase.
        phase: Phase,
        /// Slots done in this sync (bytes for process and module, checks for verify).
        done: u64,
        /// How many there will be, if it is known.
        total: Option<u64>,
        /// Bytes received so far in this sync.
        bytes: u64,
        /// What is counted, per second of this sync, rounded down.
        per_second: u64,
    },
    /// The process item is proved.
    Process {
        /// The process.
        process: Id,
        /// The module it names.
        module: Id,
        /// The scheduler it names.
        scheduler: String,
    },
    /// The module is proved and compiled.
    Module {
        /// The module.
        module: Id,
        /// Its `Module-Format`.
        format: String,
        /// The size of the program.
        bytes: u64,
    },
    /// A slot was replayed.
    Slot(Box<SlotResult>),
    /// A source failed; the next one is tried.
    Source {
        /// Its address, as the user gave it.
        url: String,
        /// The stable code.
        code: String,
        /// What happened.
        sentence: String,
    },
    /// A commit is in the store: a sync that stops now goes on from here.
    Committed {
        /// The last slot in the store.
        slot: u64,
    },
    /// How far the search for the first slot that differs is, in [`Node::check`](crate::Node::check). About ten times
    /// a second.
    Comparing {
        /// The node's URL.
        node: String,
        /// Slots gone through.
        done: u64,
        /// How many there are.
        total: u64,
    },
    /// A node was compared.
    Compared(Box<NodeCheck>),
}

/// Listens to a sync.
pub trait Observer {
    /// Called on the thread of the sync, in order. It must return soon.
    fn event(&self, event: Event);

    /// Asked between messages, between the slices of a long one, and between requests. `true` ends the sync with `cancelled`, after a commit.
    fn cancelled(&self) -> bool {
        false
    }
}

/// An [`Observer`] that does not listen and never cancels.
impl Observer for () {
    fn event(&self, _: Event) {}
}

impl<T: Observer + ?Sized> Observer for &T {
    fn event(&self, event: Event) {
        (**self).event(event);
    }

    fn cancelled(&self) -> bool {
        (**self).cancelled()
    }
}
