//! What a sync tells while it runs, and how it is told to stop.

use serde::{Deserialize, Serialize};
use weft_codec::Id;
use weft_core::SlotResult;
use weft_verify::Difference;

use crate::check::NodeCheck;
use crate::heads::HeadSeen;
use crate::quorum::Tally;
use crate::scores::SourceHealth;

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
        /// What runs it.
        engine: String,
        /// Why the fast engine does not, where it was asked to.
        #[serde(skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
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
    /// How sources are doing: one of them after it failed, all of this session at the end of a sync.
    Health {
        /// Each of them.
        sources: Vec<SourceHealth>,
    },
    /// How far a source's history is, and how fresh.
    Head(Box<HeadSeen>),
    /// Sources were asked about something that none of them can prove. `against` is not empty when they disagree.
    Quorum {
        /// What it was about, by the name of the receipt's check: `history-complete`, `assignment-listing`,
        /// `scheduler-location`, `tip`, `block`.
        claim: String,
        /// What they said.
        tally: Box<Tally>,
    },
    /// A scheduler signed two assignments for one slot. The proof is in the store from the next commit on.
    Fraud {
        /// The process.
        process: Id,
        /// The first slot for which it was found.
        slot: u64,
        /// Who signed both.
        scheduler: String,
        /// Who showed the other one.
        url: String,
        /// In what they differ.
        difference: Difference,
        /// The file that `weft verify` checks, as JSON.
        proof: serde_json::Value,
    },
    /// A scheduler was found by the record it published on Arweave.
    Located {
        /// Whose record it is.
        scheduler: String,
        /// Where it says that it is.
        url: String,
        /// The record.
        record: Id,
        /// For how long it holds, in milliseconds.
        ttl_ms: u64,
    },
    /// No scheduler answers: the history is rebuilt from the assignments on Arweave.
    Rebuild {
        /// The first slot that is asked for.
        from: u64,
        /// The last slot that is there.
        to: u64,
    },
    /// Slots that no gateway has an assignment of, as ranges with both ends.
    Holes {
        /// The ranges, in order.
        slots: Vec<(u64, u64)>,
        /// Whether there are more after them.
        more: bool,
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
