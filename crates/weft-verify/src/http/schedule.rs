//! The schedule of a HyperBEAM process (`~scheduler@1.0`): assignments that are HTTP-signed messages, and the history they
//! make (reference ao-messages.md §3.1 and §4, ao-core.md §4).
//!
//! An assignment is signed by itself, whoever shows it: the answer around it need not be believed. What is checked of each:
//! its signature; that the message in it is the one whose id was signed; slot, hash chain, time.

use weft_codec::message::httpsig::{self, Encoded};
use weft_codec::message::id::{id, sum};
use weft_codec::message::{Generation, Ids, Node, Tabm};
use weft_codec::{Address, Code, Error, Id, Result, base64url};

use super::commitment::{Committed, commitments};
use crate::history::Head;
use crate::receipt::Check;
use crate::trust::{Untrusted, Verified};

/// The key under which a message's commitments stand.
const COMMITMENTS: &str = "commitments";
/// The most signatures of a message of which some may have come later.
const MAX_MERGED: usize = 4;
/// The most assignments of one answer.
const MAX_ASSIGNMENTS: usize = 1_000;

/// An assignment that a HyperBEAM scheduler signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAssignment {
    /// The id of the signature.
    pub id: Id,
    /// The process.
    pub process: Id,
    /// The slot.
    pub slot: u64,
    /// `epoch`.
    pub epoch: u64,
    /// `hash-chain`.
    pub hash_chain: [u8; 32],
    /// The scheduler's clock, milliseconds since 1970.
    pub timestamp: u64,
    /// The Arweave height the scheduler saw.
    pub block_height: u64,
    /// Who signed.
    pub signer: Address,
    /// The assignment with its message and all commitments, as a process sees it: nothing is in it that was not signed.
    pub shown: Tabm,
    /// What the signature covers.
    pub signed: Tabm,
    /// What the message's first author signed of it; nothing, if nobody signed it.
    pub message: Option<Tabm>,
    /// The signed id of that message; its content's, if nobody signed it.
    pub message_id: Id,
    /// The ids it may have had when it was scheduled, that one first: a node merges signatures over the same content that come
    /// later into the message it shows.
    pub message_ids: Vec<Id>,
    /// Who signed the message; nobody, for one that the node scheduled unsigned.
    pub authors: Vec<Address>,
}

/// The assignments in the answer to `GET …/schedule`, each as it came, with its commitments. Nothing is proved by this.
/// Errors: those of reading the answer; `page-malformed` if it is not a schedule, `too-large`.
pub fn schedule_page(encoded: &Encoded) -> Result<Vec<Tabm>> {
    let page = httpsig::decode(encoded)?;
    let malformed = |what: &str| Error::new(Code::PageMalformed, what);
    let list = page.map("assignments").ok_or_else(|| malformed("The answer has no assignments in it."))?;
    if list.len() > MAX_ASSIGNMENTS {
        let what = format!("An answer has at most {MAX_ASSIGNMENTS} assignments.");
        return Err(Error::new(Code::TooLarge, what));
    }
    let mut found = Vec::new();
    for (_, node) in list.content().iter() {
        match node {
            Node::Map(assignment) => found.push(assignment.clone()),
            Node::Binary(_) => return Err(malformed("An assignment is no message.")),
        }
    }
    Ok(found)
}

/// Proves one assignment by itself. Errors: `signature-missing`, also for what stands in it and nobody signed; `signature-invalid`,
/// `not-an-assignment`; `message-missing` if the message in it did not come or is not the one that was signed.
pub fn signed_assignment(assignment: Untrusted<Tabm>) -> Result<Verified<SignedAssignment>> {
    let whole = assignment.peek().clone();
    let source = assignment.source().to_owned();
    let (committed, mut checks) = commitments(assignment)?.into_parts();
    let (id, signer, signed) = signed_part(committed)?;
    let text =
        |key: &str| signed.text(key).ok_or_else(|| refuse(format!("The signed assignment has no `{key}`.")));
    let number = |key: &str| -> Result<u64> {
        text(key)?.parse().map_err(|_| refuse(format!("The assignment's `{key}` is no number.")))
    };
    let process: Id = text("process")?.parse().map_err(|_| refuse("Its process is no id.".to_owned()))?;
    let chain = base64url::decode(text("hash-chain")?)?;
    let hash_chain = chain.try_into().map_err(|_| refuse("Its hash chain has not 32 bytes.".to_owned()))?;
    let slot = number("slot")?;
    let body = whole.map("body").ok_or_else(|| missing("it is a link", slot))?;
    // What the signature covers of a nested message is what follows from its signed id.
    if signed.map("body").is_none() {
        return Err(missing("what came is not of the signed id", slot));
    }
    let ScheduledMessage { ids: message_ids, said: message, authors, checks: of_message } =
        message_of(body, &source)?;
    checks.extend(of_message);
    check_only_signed(&whole, &signed, message.as_ref(), slot)?;
    let message_id = message_ids.first().copied().ok_or_else(|| missing("it has no id", slot))?;
    let found = SignedAssignment {
        id,
        process,
        slot,
        epoch: number("epoch")?,
        hash_chain,
        timestamp: number("timestamp")?,
        block_height: number("block-height")?,
        signer,
        shown: whole,
        signed,
        message,
        message_id,
        message_ids,
        authors,
    };
    checks.push(
        Check::proved("assigned-message", message_id, "The signed assignment has this message in it.")
            .with("slot", slot)
            .with("process", process)
            .with("from", source),
    );
    Ok(Verified::new(found, checks))
}

/// What is computed of an assignment may depend on all that stands in it: whoever hands it on must not be able to add to it.
fn check_only_signed(whole: &Tabm, signed: &Tabm, message: Option<&Tabm>, slot: u64) -> Result<()> {
    let (whole, signed) = (without_commitments(whole), without_commitments(signed));
    let said = message.map(without_commitments);
    let body = whole.map("body");
    if whole != signed || said.as_ref().is_some_and(|said| Some(said) != body) {
        let what = format!("The assignment of slot {slot} came with keys that nobody signed.");
        return Err(Error::new(Code::SignatureMissing, what).with("slot", slot));
    }
    Ok(())
}

/// The content of a message and of those in it.
fn without_commitments(message: &Tabm) -> Tabm {
    let inner = |node: Node| match node {
        Node::Map(map) => Node::Map(without_commitments(&map)),
        binary @ Node::Binary(_) => binary,
    };
    message.content().into_iter().map(|(key, node)| (key, inner(node))).collect()
}

fn refuse(what: String) -> Error {
    Error::new(Code::NotAnAssignment, what)
}

fn missing(why: &str, slot: u64) -> Error {
    Error::new(Code::MessageMissing, format!("The message of slot {slot} cannot be shown: {why}."))
}

/// The first commitment of a signer, and what it covers.
fn signed_part(committed: Committed) -> Result<(Id, Address, Tabm)> {
    let held = committed.held.into_iter().find_map(|held| Some((held.id, held.signer?, held.message)));
    let refused = committed.refused.into_iter().next();
    held.ok_or_else(|| match refused {
        Some(refused) => Error::new(refused.code, refused.sentence),
        None => Error::new(Code::SignatureMissing, "Nobody signed this assignment."),
    })
}

/// What is known of the message in an assignment.
struct ScheduledMessage {
    ids: Vec<Id>,
    said: Option<Tabm>,
    authors: Vec<Address>,
    checks: Vec<Check>,
}

/// A message's ids, what its first author signed of it, and its authors.
fn message_of(body: &Tabm, source: &str) -> Result<ScheduledMessage> {
    let whole = id(body, Ids::Signed, Generation::September2025)?;
    if !body.has(COMMITMENTS) {
        return Ok(ScheduledMessage {
            ids: vec![whole],
            said: None,
            authors: Vec::new(),
            checks: Vec::new(),
        });
    }
    let (committed, checks) = commitments(Untrusted::new(body.clone(), source))?.into_parts();
    // The id is of all commitments: one that does not hold makes it another's.
    if let Some(refused) = committed.refused.first() {
        return Err(Error::new(refused.code, refused.sentence.clone()));
    }
    let authors = committed.signers().into_iter().cloned().collect();
    let signed: Vec<Id> =
        committed.held.iter().filter(|held| held.signer.is_some()).map(|held| held.id).collect();
    let mut ids = vec![whole];
    ids.extend(sums(&signed).into_iter().filter(|sum| *sum != whole));
    let said = committed.held.into_iter().find(|held| held.signer.is_some()).map(|held| held.message);
    Ok(ScheduledMessage { ids, said, authors, checks })
}

/// The sums of some of these ids, each at least of one; none of more than four, since among many somebody could look for
/// ones that give a wanted sum.
fn sums(ids: &[Id]) -> Vec<Id> {
    if ids.len() > MAX_MERGED {
        return Vec::new();
    }
    let mut all: Vec<Id> = Vec::new();
    for one in ids {
        let with: Vec<Id> = all.iter().map(|before| sum(*before, *one)).collect();
        all.push(*one);
        all.extend(with);
    }
    all
}

/// A schedule, proved assignment by assignment from slot 0.
#[derive(Clone, Debug)]
pub struct ScheduleVerifier {
    process: Id,
    /// Whom the process names, once slot 0 was seen.
    scheduler: Option<String>,
    head: Option<Head>,
}

impl SignedAssignment {
    /// The head that this makes, once it is proved to be the next one.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            slot: self.slot,
            epoch: self.epoch,
            assignment_id: self.id,
            hash_chain: self.hash_chain,
            timestamp: self.timestamp,
            block_height: self.block_height,
        }
    }
}

impl ScheduleVerifier {
    /// A verifier of this process's schedule.
    #[must_use]
    pub fn new(process: Id) -> Self {
        Self { process, scheduler: None, head: None }
    }

    /// A verifier that goes on after a head. `scheduler` is what the process names, [`SignedProcess::scheduler`].
    #[must_use]
    pub fn resume(process: Id, scheduler: &str, head: Head) -> Self {
        Self { process, scheduler: Some(scheduler.to_owned()), head: Some(head) }
    }

    /// The last assignment that was proved.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Its slot.
    #[must_use]
    pub fn slot(&self) -> Option<u64> {
        self.head.as_ref().map(|head| head.slot)
    }

    /// Proves that an assignment is the next one. What is refused leaves the verifier as it was. Errors:
    /// `process-mismatch`, `slot-missing`, `slot-repeated`, `epoch-changed`, `scheduler-mismatch`, `hash-chain-broken`,
    /// `timestamp-backwards`, `block-height-backwards`; `message-mismatch` if slot 0 is not the process.
    pub fn next(&mut self, assignment: &Verified<SignedAssignment>) -> Result<Vec<Check>> {
        let next = assignment.value();
        if next.process != self.process {
            let what = format!("It is for process {}, not for {}.", next.process, self.process);
            return Err(Error::new(Code::ProcessMismatch, what));
        }
        let mut checks = vec![self.check_slot(next)?];
        let scheduler = match &self.scheduler {
            Some(known) => known.clone(),
            None => self.named(next)?,
        };
        checks.push(check_scheduler(next, &scheduler)?);
        checks.push(self.check_chain(next)?);
        checks.push(self.check_time(next)?);
        self.scheduler = Some(scheduler);
        self.head = Some(next.head());
        Ok(checks)
    }

    fn check_slot(&self, next: &SignedAssignment) -> Result<Check> {
        let wanted = self.head.as_ref().map_or(0, |head| head.slot.saturating_add(1));
        if next.slot != wanted {
            let (code, what) = match next.slot < wanted {
                true => (Code::SlotRepeated, format!("Slot {} comes again; {wanted} is next.", next.slot)),
                false => (Code::SlotMissing, format!("Slot {wanted} is missing before slot {}.", next.slot)),
            };
            return Err(Error::new(code, what).with("wanted", wanted));
        }
        if let Some(head) = self.head.as_ref().filter(|head| head.epoch != next.epoch) {
            let what = format!("The epoch goes from {} to {}.", head.epoch, next.epoch);
            return Err(Error::new(Code::EpochChanged, what));
        }
        let check = Check::proved("slot-order", next.id, "No slot is missing before this one.");
        Ok(check.with("slot", next.slot))
    }

    /// The scheduler that the process names, in slot 0: what its author signed.
    fn named(&self, first: &SignedAssignment) -> Result<String> {
        if !first.message_ids.contains(&self.process) {
            let what = format!("Slot 0 has the message {} and not the process.", first.message_id);
            return Err(Error::new(Code::MessageMismatch, what));
        }
        named_scheduler(first)
    }

    /// The link is the hash of the one before and the text of the message's id. A scheduler that was started again takes the
    /// one before as its text (reference ao-messages.md §4); what slot 0 follows on is nothing.
    fn check_chain(&self, next: &SignedAssignment) -> Result<Check> {
        let before = match &self.head {
            None => vec![Vec::new()],
            Some(head) => vec![head.hash_chain.to_vec(), Id(head.hash_chain).to_string().into_bytes()],
        };
        let links = |message: &&Id| {
            let text = message.to_string();
            before.iter().any(|before| Id::sha256(&[before, text.as_bytes()].concat()).0 == next.hash_chain)
        };
        let found = Id(next.hash_chain);
        let Some(message) = next.message_ids.iter().find(links) else {
            let what = format!("The hash chain of slot {} does not follow from what came before.", next.slot);
            return Err(Error::new(Code::HashChainBroken, what).with("found", found));
        };
        let sentence = "The hash chain commits to every message up to this one.";
        let check = Check::proved("hash-chain", next.id, sentence).with("hash-chain", found);
        Ok(check.with("message", message))
    }

    fn check_time(&self, next: &SignedAssignment) -> Result<Check> {
        let (timestamp, height) =
            self.head.as_ref().map_or((0, 0), |head| (head.timestamp, head.block_height));
        if next.timestamp < timestamp {
            let what = format!("The time goes back from {timestamp} to {} ms.", next.timestamp);
            return Err(Error::new(Code::TimestampBackwards, what));
        }
        if next.block_height < height {
            let what = format!("The block height goes back from {height} to {}.", next.block_height);
            return Err(Error::new(Code::BlockHeightBackwards, what));
        }
        let check = Check::proved("time-order", next.id, "Neither time nor block height goes back.");
        Ok(check.with("timestamp", next.timestamp).with("block-height", next.block_height))
    }
}

/// The scheduler that the process in slot 0 names, which its author signed. Error: `not-a-process`.
pub(super) fn named_scheduler(first: &SignedAssignment) -> Result<String> {
    let named = first.message.as_ref().and_then(|process| process.text("scheduler"));
    named.map(str::to_owned).ok_or_else(|| {
        Error::new(Code::NotAProcess, "The process does not name a scheduler that its author signed.")
    })
}

fn check_scheduler(next: &SignedAssignment, named: &str) -> Result<Check> {
    let signer = &next.signer;
    if !named.split(',').any(|one| one.trim() == signer.as_str()) {
        let what = format!("It is signed by {signer}; the process names {named}.");
        let error = Error::new(Code::SchedulerMismatch, what);
        return Err(error.with("signer", signer).with("scheduler", named));
    }
    let sentence = "It is signed by the scheduler that the process names.";
    Ok(Check::proved("scheduler", next.id, sentence).with("signer", signer))
}

/// Proves that two assignments of one signer for one slot contradict each other. Errors: `scheduler-mismatch`,
/// `process-mismatch`, `epoch-changed`; `fraud-unfounded` for two slots, and for one statement that was signed twice.
pub fn signed_fraud(one: &Verified<SignedAssignment>, other: &Verified<SignedAssignment>) -> Result<Check> {
    let (one, other) = (one.value(), other.value());
    if one.signer != other.signer {
        return Err(Error::new(Code::SchedulerMismatch, "Two signers, and not one that says two things."));
    }
    if one.process != other.process {
        return Err(Error::new(Code::ProcessMismatch, "The two are for different processes."));
    }
    if one.epoch != other.epoch {
        return Err(Error::new(Code::EpochChanged, "The two are of different epochs."));
    }
    let statement = |of: &SignedAssignment| {
        // Nested messages count by their ids, and signatures over the same say the same.
        let linked = of.signed.linked(Generation::September2025)?;
        id(&linked.content(), Ids::Unsigned, Generation::September2025)
    };
    if one.slot != other.slot || statement(one)? == statement(other)? {
        let what = "The two do not contradict each other: another slot, or the same statement signed twice.";
        return Err(Error::new(Code::FraudUnfounded, what));
    }
    let what = match one.message_id == other.message_id {
        true => {
            "The scheduler signed two assignments for this slot: the same message with another past, time or height."
        }
        false => "The scheduler signed two assignments for this slot: they give it to different messages.",
    };
    let check = Check::proved("scheduler-equivocation", format!("{}/{}", one.process, one.slot), what);
    Ok(check.with("scheduler", &one.signer).with("first", one.id).with("second", other.id))
}
