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
    /// Cannot be proved here; this many sources were asked and say the same. Agreement never becomes proof.
    Agreed {
        /// How many say it.
        k: u32,
        /// How many were asked.
        n: u32,
        /// Who says it.
        by: Vec<String>,
        /// Who says otherwise, each with what it says. Who is in neither list gave no answer.
        against: Vec<String>,
    },
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
    /// `hash-chain`, `time-order`, `assigned-message`, `message-commitment`, `http-signature`.
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

    /// What `by` say and `against` (each with its answer) deny, of `n` sources that were asked. Agreement is what a
    /// node finds among its sources, not what this crate checks: so this is the one check that others make.
    #[must_use]
    pub fn agreed(
        claim: &str,
        subject: impl ToString,
        n: u32,
        by: Vec<String>,
        against: Vec<String>,
        sentence: impl Into<String>,
    ) -> Self {
        let k = u32::try_from(by.len()).unwrap_or(u32::MAX);
        Self { status: Status::Agreed { k, n, by, against }, ..Self::proved(claim, subject, sentence) }
    }

    pub(crate) fn trusted(mut self, by: &str) -> Self {
        self.status = Status::Trusted { by: by.to_owned() };
        self
    }

    /// Adds a value to the evidence.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
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

    /// The claims that are one party's word.
    pub fn trusted(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| matches!(check.status, Status::Trusted { .. }))
    }

    /// The claims that several sources were asked about.
    pub fn agreed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| matches!(check.status, Status::Agreed { .. }))
    }

    /// Whether every claim is proved.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.checks.iter().all(|check| check.status == Status::Proved)
    }
}
