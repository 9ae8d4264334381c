//! A process's history: every entry signed by its scheduler, each after the one before (reference ao-messages.md
//! §2.5 and §4).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use weft_codec::ao::{Assignment, Generation, Process};
use weft_codec::item::DataItem;
use weft_codec::{Address, Code, Error, Id, Result};

use crate::receipt::Check;
use crate::signed::item_checks;
use crate::trust::{Untrusted, Verified};

/// Whom else the user lets order a process's messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchedulerPolicy {
    /// Addresses accepted by name in place of the process's own `Scheduler`. What they sign is trusted by the user,
    /// not proved.
    pub accepted: BTreeSet<Address>,
    /// Owners of processes and modules whose key is found from their signature (ECDSA transactions of layer 1): the user
    /// knows them from elsewhere. Nobody else's count.
    pub owners: BTreeSet<Address>,
}

/// The newest verified entry: all that is needed to go on from there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its slot.
    pub slot: u64,
    /// Its epoch.
    #[serde(default)]
    pub epoch: u64,
    /// The id of its assignment.
    pub assignment_id: Id,
    /// Its hash chain.
    #[serde(with = "base64url_32")]
    pub hash_chain: [u8; 32],
    /// The scheduler's clock, in milliseconds.
    pub timestamp: u64,
    /// The Arweave height the scheduler saw.
    pub block_height: u64,
}

impl Head {
    /// The head that an assignment makes, once it is proved.
    #[must_use]
    pub fn at(assignment: &Assignment) -> Self {
        Self {
            slot: assignment.slot,
            epoch: assignment.epoch,
            assignment_id: assignment.id,
            hash_chain: assignment.hash_chain,
            timestamp: assignment.timestamp,
            block_height: assignment.block_height,
        }
    }
}

/// What a scheduler gives for one slot, and for an Assign the message had from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The assignment.
    pub assignment: DataItem,
    /// The message it assigns. A process's own slot 0 can do without: the process is at hand.
    pub message: Option<DataItem>,
}

/// How a message came into the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// The process itself, at slot 0.
    Process,
    /// A message with the process as its target.
    Message,
    /// A message for somebody else that was assigned to the process. (An Assign of a message whose target is the
    /// process looks like a message: nothing signed tells them apart.)
    Assign,
}

/// One verified slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The slot.
    pub slot: u64,
    /// The scheduler's assignment.
    pub assignment: Assignment,
    /// The message, or the process at its own slot 0.
    pub message: DataItem,
    /// How it came in.
    pub kind: EntryKind,
}

/// Checks the entries of one process in their order. A refused entry leaves it as it was.
#[derive(Clone, Debug)]
pub struct HistoryVerifier {
    process: Id,
    item: Option<DataItem>,
    scheduler: Address,
    policy: SchedulerPolicy,
    head: Option<Head>,
}

impl HistoryVerifier {
    /// From slot 0.
    #[must_use]
    pub fn new(process: &Verified<Process>, policy: SchedulerPolicy) -> Self {
        Self {
            process: process.id,
            item: process.carrier.item().cloned(),
            scheduler: process.scheduler.clone(),
            policy,
            head: None,
        }
    }

    /// From the slot after a head this crate gave earlier and the node stored.
    #[must_use]
    pub fn resume(process: &Verified<Process>, policy: SchedulerPolicy, head: Head) -> Self {
        Self { head: Some(head), ..Self::new(process, policy) }
    }

    /// The newest verified entry.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Proves the next entry and moves on. Errors, all with the slot in front and the fields `slot`, `subject` and `id`: `not-an-assignment`,
    /// `signature-invalid`, `signature-unsupported`, `anchor-missing`, `scheduler-mismatch`, `process-mismatch`,
    /// `epoch-changed`, `slot-missing`, `slot-repeated`, `hash-chain-broken`, `timestamp-backwards`,
    /// `block-height-backwards`, `message-missing`, `message-mismatch`.
    pub fn next(&mut self, entry: Untrusted<HistoryEntry>) -> Result<Verified<Entry>> {
        let (entry, source) = entry.into_parts();
        let (assignment, head, mut checks) = self.check_assignment(entry.assignment, &source)?;
        let slot = assignment.slot;
        let (message, kind) = self
            .check_message(&assignment, entry.message, &source, &mut checks)
            .map_err(|error| refused(error, &assignment))?;
        self.head = Some(head);
        Ok(Verified::new(Entry { slot, assignment, message, kind }, checks))
    }

    /// Proves the next assignment without its message and moves on: the order of the history is proved then, what
    /// happened in this slot is not. Errors as [`Self::next`], but for those of the message.
    pub fn next_assignment(&mut self, assignment: Untrusted<DataItem>) -> Result<Verified<Assignment>> {
        let (assignment, source) = assignment.into_parts();
        let (assignment, head, checks) = self.check_assignment(assignment, &source)?;
        self.head = Some(head);
        Ok(Verified::new(assignment, checks))
    }

    /// Proves an assignment as one of this process's, wherever it stands, and goes on after it. What came before it is
    /// not proved.
    pub(crate) fn begin_after(&mut self, assignment: Untrusted<DataItem>) -> Result<Verified<Assignment>> {
        let (item, source) = assignment.into_parts();
        let assignment = Assignment::read(item)?;
        let checks = self.checks_of_origin(&assignment, &source)?;
        self.head = Some(Head::at(&assignment));
        Ok(Verified::new(assignment, checks))
    }

    /// From here on the user accepts this signer too.
    pub(crate) fn accept(&mut self, signer: Address) {
        self.policy.accepted.insert(signer);
    }

    fn check_assignment(&self, item: DataItem, source: &str) -> Result<(Assignment, Head, Vec<Check>)> {
        let assignment = Assignment::read(item).map_err(|error| error.with("subject", "assignment"))?;
        let checks = self.checks_of(&assignment, source).map_err(|error| refused(error, &assignment))?;
        let head = Head::at(&assignment);
        Ok((assignment, head, checks))
    }

    fn checks_of(&self, assignment: &Assignment, source: &str) -> Result<Vec<Check>> {
        let mut checks = self.checks_of_origin(assignment, source)?;
        checks.push(self.check_slot(assignment)?);
        checks.push(self.check_chain(assignment)?);
        checks.push(self.check_time(assignment)?);
        Ok(checks)
    }

    /// The signature comes first: nothing an assignment says means anything before.
    fn checks_of_origin(&self, assignment: &Assignment, source: &str) -> Result<Vec<Check>> {
        let mut checks =
            assignment_checks(&assignment.item, source).map_err(|error| error.at("assignment"))?;
        checks.push(self.check_scheduler(assignment)?);
        if assignment.process != self.process {
            let what =
                format!("The assignment is for process {}, not for {}.", assignment.process, self.process);
            let error = Error::new(Code::ProcessMismatch, what);
            return Err(error.with("expected", self.process).with("found", assignment.process));
        }
        checks.push(Check::proved("assigned-process", assignment.id, "The assignment is for this process."));
        Ok(checks)
    }

    fn check_scheduler(&self, assignment: &Assignment) -> Result<Check> {
        let signer = assignment.item.owner_address();
        let check = |sentence: &str| {
            Check::proved("scheduler", assignment.id, sentence)
                .with("signer", &signer)
                .with("scheduler", &self.scheduler)
        };
        if signer == self.scheduler {
            return Ok(check("The assignment is signed by the scheduler that the process names."));
        }
        if self.policy.accepted.contains(&signer) {
            let sentence =
                "The assignment is signed by an address that you accepted in place of the scheduler.";
            return Ok(check(sentence).trusted("you"));
        }
        let named = &self.scheduler;
        let what = format!("The process names the scheduler {named}; this is signed by {signer}.");
        Err(Error::new(Code::SchedulerMismatch, what).with("scheduler", named).with("signer", signer))
    }

    fn check_slot(&self, assignment: &Assignment) -> Result<Check> {
        let (epoch, wanted) = match &self.head {
            None => (assignment.epoch, 0),
            // The last slot there can be has no next one: `slot < wanted` refuses whatever comes.
            Some(head) => (head.epoch, head.slot.saturating_add(1)),
        };
        let slot = assignment.slot;
        if assignment.epoch != epoch {
            let what = format!("The epoch goes from {epoch} to {}.", assignment.epoch);
            return Err(differs(Code::EpochChanged, what, epoch, assignment.epoch));
        }
        if slot < wanted || self.head.as_ref().is_some_and(|head| head.slot == slot) {
            let what = format!("Slot {slot} comes again; {wanted} is next.");
            return Err(Error::new(Code::SlotRepeated, what).with("wanted", wanted));
        }
        if slot > wanted {
            let what = format!("Slot {wanted} is missing before slot {slot}.");
            return Err(Error::new(Code::SlotMissing, what).with("wanted", wanted));
        }
        Ok(Check::proved("slot-order", assignment.id, "No slot is missing before this one.")
            .with("slot", slot))
    }

    /// The link that comes next, in every form that is one. For a scheduler unit: the hash of the process's id, then
    /// that of the assignment before and its link. For HyperBEAM: the hash of the link before (nothing at slot 0; its
    /// 32 bytes, or after a restart their text) and the text of the message's id.
    fn next_links(&self, assignment: &Assignment) -> Vec<Id> {
        match (assignment.generation, &self.head) {
            (Generation::Legacy, None) => vec![Id::sha256(self.process.as_bytes())],
            (Generation::Legacy, Some(head)) => {
                vec![Id::sha256(&[*head.assignment_id.as_bytes(), head.hash_chain].concat())]
            }
            (Generation::HyperBeam, head) => {
                let message = assignment.message.unwrap_or(self.process).to_string();
                let link = |before: &[u8]| Id::sha256(&[before, message.as_bytes()].concat());
                match head {
                    None => vec![link(&[])],
                    Some(head) => {
                        vec![link(&head.hash_chain), link(Id(head.hash_chain).to_string().as_bytes())]
                    }
                }
            }
        }
    }

    fn check_chain(&self, assignment: &Assignment) -> Result<Check> {
        let (links, found) = (self.next_links(assignment), Id(assignment.hash_chain));
        if !links.contains(&found) {
            let wanted: Vec<String> = links.iter().map(Id::to_string).collect();
            let wanted = wanted.join(" or ");
            let what = format!("The hash chain is {found}; it must be {wanted} after what came before.");
            return Err(differs(Code::HashChainBroken, what, wanted, found));
        }
        let sentence = match assignment.generation {
            Generation::Legacy => "The hash chain commits to every assignment before this one.",
            Generation::HyperBeam => "The hash chain commits to every message up to this one.",
        };
        Ok(Check::proved("hash-chain", assignment.id, sentence).with("hash-chain", found))
    }

    fn check_time(&self, assignment: &Assignment) -> Result<Check> {
        let (timestamp, height) =
            self.head.as_ref().map_or((0, 0), |head| (head.timestamp, head.block_height));
        if assignment.timestamp < timestamp {
            let what = format!("The time goes back from {timestamp} to {} ms.", assignment.timestamp);
            return Err(differs(Code::TimestampBackwards, what, timestamp, assignment.timestamp));
        }
        if assignment.block_height < height {
            let what = format!("The block height goes back from {height} to {}.", assignment.block_height);
            return Err(differs(Code::BlockHeightBackwards, what, height, assignment.block_height));
        }
        Ok(Check::proved("time-order", assignment.id, "Neither time nor block height goes back.")
            .with("timestamp", assignment.timestamp)
            .with("block-height", assignment.block_height))
    }

    fn check_message(
        &self,
        assignment: &Assignment,
        message: Option<DataItem>,
        source: &str,
        checks: &mut Vec<Check>,
    ) -> Result<(DataItem, EntryKind)> {
        let named = match assignment.message {
            Some(id) => id,
            None if assignment.slot == 0 => self.process,
            None => {
                let error = Error::new(Code::NotAnAssignment, "The assignment names no message.");
                return Err(error.with("subject", "assignment"));
            }
        };
        let at_hand = || if named == self.process { self.item.clone() } else { None };
        let message = message.or_else(at_hand).ok_or_else(|| {
            let what = format!("The message {named} is not there: get it from a gateway.");
            Error::new(Code::MessageMissing, what).with("subject", "message").with("id", named)
        })?;
        let found = message.id();
        if found != named {
            let what = format!("The assignment names the message {named}; this is {found}.");
            let error = differs(Code::MessageMismatch, what, named, found);
            return Err(error.with("subject", "message").with("id", named));
        }
        let refused = |error: Error| error.at("message").with("subject", "message").with("id", named);
        checks.extend(item_checks(&message, source, Some(named)).map_err(refused)?);
        let sentence = "The message is the one that the assignment names.";
        checks.push(Check::proved("assigned-message", named, sentence).with("assignment", assignment.id));
        let kind = if found == self.process && assignment.slot == 0 {
            EntryKind::Process
        } else if message.target == Some(self.process) {
            EntryKind::Message
        } else {
            EntryKind::Assign
        };
        Ok((message, kind))
    }
}

/// Proves an assignment by itself: its id and its signature, whoever made it. Its place in a history is not proved.
/// Errors: `not-an-assignment`, `signature-invalid`, `signature-unsupported`, `anchor-missing`.
pub fn assignment(item: Untrusted<DataItem>) -> Result<Verified<Assignment>> {
    let (item, source) = item.into_parts();
    let checks = assignment_checks(&item, &source)?;
    Ok(Verified::new(Assignment::read(item)?, checks))
}

/// A scheduler gives every assignment a random anchor, and its default page leaves them all out (reference
/// scheduler-and-cu-api.md §1.2): that is not a forgery, and there is something to do about it.
fn assignment_checks(item: &DataItem, source: &str) -> Result<Vec<Check>> {
    item_checks(item, source, None).map_err(|error| {
        if error.code() != Code::SignatureInvalid || item.anchor.is_some() {
            return error;
        }
        let what = "The source left out the assignment's anchor, so its signature cannot be checked: ask the \
                    scheduler with show-anchor.";
        Error::new(Code::AnchorMissing, what).because(error)
    })
}

/// A refusal with its place. What is not the message's fault is the assignment's.
fn refused(error: Error, assignment: &Assignment) -> Error {
    let slot = assignment.slot;
    error
        .at(format!("slot {slot}"))
        .with("slot", slot)
        .with("subject", "assignment")
        .with("id", assignment.id)
}

fn differs(code: Code, what: String, expected: impl ToString, found: impl ToString) -> Error {
    Error::new(code, what).with("expected", expected.to_string()).with("found", found.to_string())
}

/// 32 bytes as text, so that a stored head can be read by a person.
mod base64url_32 {
    use serde::{Deserialize, Deserializer, Serializer};
    use weft_codec::{Error, Id};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Id(*bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<Id>().map(|id| id.0).map_err(|error: Error| serde::de::Error::custom(error.sentence()))
    }
}
