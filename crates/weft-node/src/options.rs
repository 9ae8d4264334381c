//! What the user chooses for a sync.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use weft_codec::{Address, Id};
use weft_core::{EngineKind, NodeLimits, Policy};
use weft_verify::SchedulerPolicy;

/// How to sync. [`Options::default`] replays the whole history and accepts only the scheduler the process names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The last slot wanted; `None` for as far as the scheduler goes.
    pub to: Option<u64>,
    /// Signers of assignments the user accepts beside the process's own `Scheduler`. The receipt lists each
    /// as trusted by the user.
    pub accepted_schedulers: BTreeSet<Address>,
    /// Owners the user names for a process or module that is an ECDSA transaction of layer 1: its id does not bind its
    /// fields, so without a named owner it is refused with `owner-unproved`.
    pub accepted_owners: BTreeSet<Address>,
    /// The most this node gives a process.
    pub limits: NodeLimits,
    /// Which WebAssembly engines run the process, where the node has a fast one ([`Node::with_engine`](crate::Node::with_engine)).
    pub engine: Policy,
    /// `false` fetches and verifies only; the module is then not needed.
    pub replay: bool,
    /// Replays a process that has `Cron-Interval` tags without its cron messages, which no signature covers.
    /// The receipt says so. Without it such a process is refused with `cron-unsupported`.
    pub without_crons: bool,
    /// Time between commits, in milliseconds. Commits of large states are spaced further apart, so that at
    /// most about a tenth of the time goes into them.
    pub commit_every_ms: u64,
    /// Slots asked for in one page, 1 to 5000 (scheduler-and-cu-api.md 1.1).
    pub page_limit: u32,
    /// How long one request may take.
    pub timeout_ms: u32,
    /// How often every source is tried before a transient failure is final, at least 1.
    pub attempts: u32,
    /// How many sources of one kind must say the same of what cannot be proved; of fewer sources, all. `None` for a
    /// majority.
    pub quorum: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            to: None,
            accepted_schedulers: BTreeSet::new(),
            accepted_owners: BTreeSet::new(),
            limits: NodeLimits::default(),
            engine: Policy::default(),
            replay: true,
            without_crons: false,
            commit_every_ms: 2_000,
            page_limit: 200,
            timeout_ms: 30_000,
            attempts: 3,
            quorum: None,
        }
    }
}

impl Options {
    /// Whose signatures count beside those that a process names.
    pub(crate) fn policy(&self) -> SchedulerPolicy {
        SchedulerPolicy { accepted: self.accepted_schedulers.clone(), owners: self.accepted_owners.clone() }
    }
}

/// What is known of a process after a sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The process.
    pub process: Id,
    /// The module it names.
    pub module: Id,
    /// The modules after it, of a Lua process that lists several; known once it was run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_modules: Vec<Id>,
    /// The scheduler it names.
    pub scheduler: Address,
    /// What it runs on, by its tags and its module's; `None` before its first replay.
    pub engine: Option<EngineKind>,
    /// The last verified slot in the store, `None` for an empty history.
    pub head: Option<u64>,
    /// The last replayed slot in the store.
    pub replayed: Option<u64>,
    /// SHA-256 of the process's memory after that slot, as an id-like text.
    pub memory_sha256: Option<Id>,
    /// Gas of all slots up to that one, the same on every machine. `None` before the first replay, and if a version replayed some that
    /// did not add it up.
    pub gas: Option<u64>,
    /// Slots fetched and verified by this sync.
    pub verified_now: u64,
    /// Slots replayed by this sync.
    pub replayed_now: u64,
    /// Bytes received by this sync.
    pub bytes: u64,
    /// Requests sent by this sync.
    pub requests: u64,
    /// How long this sync took, in milliseconds.
    pub elapsed_ms: u64,
}
