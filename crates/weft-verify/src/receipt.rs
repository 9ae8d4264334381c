//! What a person or a program can read about why something is believed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How far a claim goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// Follows from bytes that were checked here.
    Proved,
    /// Is not proved; somebody answers for it.
    Trusted {
        /// Who: `you`, or a source.
        by: String,
    },
}

/// One claim and what supports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The stable name of the claim: `item-id`, `item-signature`, `transaction-id`, `transaction-signature`,
    /// `data-root`, `bundle-header`, `process`, `module-id`, `assigned-process`, `scheduler`, `slot-order`,
    /// `hash-chain`, `time-order`, `assigned-message`.
    pub claim: String,
    /// What it is about: an id.
    pub subject: String,
    /// How far it goes.
    pub status: Status,
    /// The values that were compared or computed, by name; `from` is the source.
    pub evidence: BTreeMap<String, String>,
    /// The claim for a person.
    pub sentence: String,
}

impl Check {
    pub(crate) fn proved(claim: &str, subject: impl ToString, sentence: impl Into<String>) -> Self {
        Self {
            claim: claim.to_owned(),
            subject: subject.to_string(),
            status: Status::Proved,
            evidence: BTreeMap::new(),
            sentence: sentence.into(),
        }
    }

    pub(crate) fn trusted(mut self, by: &str) -> Self {
        self.status = Status::Trusted { by: by.to_owned() };
        self
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.evidence.insert(name.to_owned(), value.to_string());
        self
    }
}

/// The checks about one subject, in the order they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What it is about: an id, or `process/slot`.
    pub subject: String,
    /// The checks.
    pub checks: Vec<Check>,
}

impl Receipt {
    /// A receipt.
    pub fn new(subject: impl Into<String>, checks: Vec<Check>) -> Self {
        Self { subject: subject.into(), checks }
    }

    /// The claims that are trusted, not proved.
    pub fn trusted(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.status != Status::Proved)
    }

    /// Whether every claim is proved.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.trusted().next().is_none()
    }
}
