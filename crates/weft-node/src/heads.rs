//! How far each source is with a history, and how fresh what it has is.

use serde::{Deserialize, Serialize};
use weft_codec::Id;

use crate::quorum::{Dissent, Silent, Tally};

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A scheduler unit.
    Scheduler,
    /// A gateway: its index of the assignments on Arweave.
    Gateway,
}

/// How a source's history stands to the verified one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It ends at the same slot, with the same assignment.
    Agrees,
    /// It has the same at our last slot, and says that there is more.
    Ahead,
    /// It ends earlier, with what we have there.
    Behind,
    /// It has another assignment at our last slot, or at its own last one.
    Differs,
    /// It did not say.
    Silent,
}

/// What a source said of its head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadSeen {
    /// Its address.
    pub url: String,
    /// What it is.
    pub of: SourceKind,
    /// How it stands to the verified history.
    pub standing: Standing,
    /// The last slot it has.
    pub slot: Option<u64>,
    /// The assignment there.
    pub assignment: Option<Id>,
    /// When that was assigned, by the scheduler's clock in milliseconds.
    pub timestamp: Option<u64>,
    /// When the source was asked, by this machine's clock.
    pub asked_at_ms: u64,
    /// How old its head was then. A quiet process has an old head.
    pub age_ms: Option<u64>,
    /// Why it did not say.
    pub failure: Option<Silent>,
}

impl HeadSeen {
    /// What it says, for a person and for the receipt.
    #[must_use]
    pub fn says(&self) -> String {
        let slot = self.slot.map_or_else(|| "no slot".to_owned(), |slot| format!("slot {slot}"));
        let assignment = self.assignment.map(|id| format!(" ({id})")).unwrap_or_default();
        match self.standing {
            Standing::Agrees | Standing::Behind => format!("ends at {slot}{assignment}"),
            Standing::Ahead => format!("goes on to {slot}{assignment}, which it does not prove"),
            Standing::Differs => format!("has another assignment; ends at {slot}{assignment}"),
            Standing::Silent => {
                self.failure.as_ref().map_or_else(String::new, |failure| failure.sentence.clone())
            }
        }
    }
}

/// The heads as answers to "where does the history end?". `to_slot` is whether the user asked for no more than this
/// slot: then a source that has more agrees too.
pub(crate) fn tally(heads: &[HeadSeen], needed: u32, value: String, to_slot: bool) -> Tally {
    let agrees =
        |head: &HeadSeen| head.standing == Standing::Agrees || (to_slot && head.standing == Standing::Ahead);
    let silent = |head: &HeadSeen| head.standing == Standing::Silent;
    let against = heads.iter().filter(|head| !agrees(head) && !silent(head));
    Tally {
        value,
        asked: u32::try_from(heads.len()).unwrap_or(u32::MAX),
        needed,
        by: heads.iter().filter(|head| agrees(head)).map(|head| head.url.clone()).collect(),
        against: against.map(|head| Dissent { url: head.url.clone(), says: head.says() }).collect(),
        silent: heads.iter().filter_map(|head| head.failure.clone()).collect(),
    }
}
