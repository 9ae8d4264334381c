//! Proof that a scheduler signed two assignments that cannot both stand.
//!
//! # What counts
//!
//! Two assignments for the same process, epoch and slot, each with a valid signature of the same key, whose signed
//! bytes differ. A hash chain has one assignment for a slot (reference ao-messages.md §4), so whoever signs a second one
//! shows different readers different histories.
//!
//! - Another message in the slot counts, and so does the same message with another time, height, past or anchor: what a
//!   process sees, or what the next hash chain commits to, is another then. [`Difference`] names the gravest.
//! - The same bytes signed twice do not count: RSA-PSS signatures are random, and the statement is the same.
//! - The same nonce in another epoch does not count: that is another place in the schedule.
//! - A slot left out, or a chain that does not follow from the slot before, is refused by the history's verifier; it is
//!   not this proof.
//!
//! The proof is about a key. That the process names this key as its scheduler stands in the process, which can be in the
//! file too: then that is proved, and without it it is the word of whoever gave the file.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use weft_codec::ao::{Assignment, Carrier};
use weft_codec::item::DataItem;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Address, Code, Error, Id, Result, base64url};

use crate::history::assignment;
use crate::receipt::Check;
use crate::trust::{Untrusted, Verified};
use crate::{carriers, signed};

/// `kind` of the JSON file.
pub const FRAUD_KIND: &str = "weft-fraud-proof";
/// `version` of the JSON file.
pub const FRAUD_VERSION: u64 = 1;
/// The longest file that is read: an assignment has 4 KiB of tags and no data.
pub const MAX_FRAUD_BYTES: usize = 1 << 20;

/// The largest process that goes into a file: what is beside it fits then.
const MAX_PROCESS_BYTES: usize = MAX_FRAUD_BYTES / 2;

/// Two assignments and what they are said to prove. Nothing of it is checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FraudProof {
    /// Who signed both.
    pub scheduler: Address,
    /// The process whose history forks.
    pub process: Id,
    /// The slot that both are for.
    pub slot: u64,
    /// One assignment, the bytes of its data item. Of the two, the one with the lower id.
    pub first: Vec<u8>,
    /// The other one.
    pub second: Vec<u8>,
    /// The process, the bytes of its data item: it names the key.
    pub process_item: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct File {
    kind: String,
    version: u64,
    scheduler: Address,
    process: Id,
    slot: u64,
    first: String,
    second: String,
    #[serde(default)]
    process_item: Option<String>,
}

impl FraudProof {
    /// The proof that two assignments make, if they make one: [`fraud`] says so. Error: `not-an-assignment`.
    pub fn of(one: &DataItem, other: &DataItem) -> Result<Self> {
        let (first, second) = if one.id() <= other.id() { (one, other) } else { (other, one) };
        let assignment = Assignment::read(first.clone())?;
        Ok(Self {
            scheduler: first.owner_address(),
            process: assignment.process,
            slot: assignment.slot,
            first: first.to_bytes(),
            second: second.to_bytes(),
            process_item: None,
        })
    }

    /// The proof with the process in it, if it is a data item that is not too large for a file and names the signer.
    #[must_use]
    pub fn naming(mut self, process: &Carrier) -> Self {
        if let Carrier::Item(item) = process
            && item.tags.tag("Scheduler") == Some(self.scheduler.as_str())
        {
            self.process_item = Some(item.to_bytes()).filter(|bytes| bytes.len() <= MAX_PROCESS_BYTES);
        }
        self
    }

    /// Reads the JSON file. Errors: `too-large`, `json-invalid`, `base64-invalid`; `request-invalid` for another kind or
    /// a version this one does not know.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        if json.len() > MAX_FRAUD_BYTES {
            let what = format!("A fraud proof has at most {MAX_FRAUD_BYTES} bytes.");
            return Err(Error::new(Code::TooLarge, what));
        }
        let file: File = serde_json::from_slice(json)
            .map_err(|cause| Error::new(Code::JsonInvalid, "This is not a fraud proof.").because(cause))?;
        if file.kind != FRAUD_KIND || file.version != FRAUD_VERSION {
            let what = format!("Only {FRAUD_KIND} of version {FRAUD_VERSION} is known here.");
            return Err(Error::new(Code::RequestInvalid, what));
        }
        Ok(Self {
            scheduler: file.scheduler,
            process: file.process,
            slot: file.slot,
            first: base64url::decode(&file.first).map_err(|error| error.at("first"))?,
            second: base64url::decode(&file.second).map_err(|error| error.at("second"))?,
            process_item: file
                .process_item
                .map(|item| base64url::decode(&item).map_err(|error| error.at("process_item")))
                .transpose()?,
        })
    }

    /// The JSON file: kind, version, scheduler, process, slot, and the items in base64url.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "kind": FRAUD_KIND,
            "version": FRAUD_VERSION,
            "scheduler": self.scheduler,
            "process": self.process,
            "slot": self.slot,
            "first": base64url::encode(&self.first),
            "second": base64url::encode(&self.second),
        });
        if let (Some(item), Some(object)) = (&self.process_item, json.as_object_mut()) {
            object.insert("process_item".to_owned(), base64url::encode(item).into());
        }
        json
    }
}

/// In what two assignments for one slot differ, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// They give the slot to different messages.
    Message,
    /// They commit to different assignments before.
    Past,
    /// The process sees another time, height or exclusion.
    Context,
    /// Only their ids differ, and so the hash chains after them.
    Id,
}

impl Difference {
    fn between(one: &Assignment, other: &Assignment) -> Self {
        let message = |a: &Assignment| a.message.unwrap_or(a.process);
        let excluded =
            |a: &Assignment| a.tags.iter().filter(|tag| tag.name == "Exclude").cloned().collect::<Vec<_>>();
        if message(one) != message(other) {
            Self::Message
        } else if one.hash_chain != other.hash_chain {
            Self::Past
        } else if (one.timestamp, one.block_height) != (other.timestamp, other.block_height)
            || excluded(one) != excluded(other)
        {
            Self::Context
        } else {
            Self::Id
        }
    }

    /// For a person, after "The scheduler signed two assignments for this slot: ".
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Message => "they give it to different messages.",
            Self::Past => "they commit to different histories before it.",
            Self::Context => "the process sees another time, height or exclusion.",
            Self::Id => "the message is the same, but what follows commits to one of them only.",
        }
    }
}

/// A proved equivocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fraud {
    /// Who signed both.
    pub scheduler: Address,
    /// The process.
    pub process: Id,
    /// The slot.
    pub slot: u64,
    /// In what they differ.
    pub difference: Difference,
    /// One assignment.
    pub first: Assignment,
    /// The other one.
    pub second: Assignment,
    /// Whether it is proved that the process names the signer as its scheduler.
    pub named: bool,
}

/// Proves that a scheduler signed two assignments for one slot. What counts stands at the head of this module. Errors:
/// those of an item and its signature, with the assignment's number in front; `not-an-assignment`,
/// `scheduler-mismatch`, `process-mismatch`, `epoch-changed`; `fraud-unfounded` if the two do not contradict each other.
pub fn fraud(proof: Untrusted<FraudProof>) -> Result<Verified<Fraud>> {
    let (proof, source) = proof.into_parts();
    let (first, mut checks) = side(&proof, &proof.first, &source).map_err(|error| error.at("first"))?;
    let (second, more) = side(&proof, &proof.second, &source).map_err(|error| error.at("second"))?;
    checks.extend(more);
    if first.epoch != second.epoch {
        let what = format!("One is of epoch {}, the other of {}.", first.epoch, second.epoch);
        return Err(Error::new(Code::EpochChanged, what));
    }
    if first.item.signing_payload() == second.item.signing_payload() {
        let what = "Both are the same assignment: signed twice is not said twice.";
        return Err(Error::new(Code::FraudUnfounded, what));
    }
    let difference = Difference::between(&first, &second);
    checks.push(named(&proof, &source).map_err(|error| error.at("process_item"))?);
    let what = format!("The scheduler signed two assignments for this slot: {}", difference.sentence());
    let subject = format!("{}/{}", proof.process, proof.slot);
    checks.push(
        Check::proved("scheduler-equivocation", subject, what)
            .with("scheduler", &proof.scheduler)
            .with("first", first.id)
            .with("second", second.id)
            .with("from", source),
    );
    let FraudProof { scheduler, process, slot, process_item, .. } = proof;
    let named = process_item.is_some();
    Ok(Verified::new(Fraud { scheduler, process, slot, difference, first, second, named }, checks))
}

/// That the process names the signer as its scheduler.
fn named(proof: &FraudProof, source: &str) -> Result<Check> {
    let FraudProof { scheduler, process, process_item, .. } = proof;
    let Some(bytes) = process_item else {
        let what = "That the process names this signer as its scheduler is not in the file.";
        let check = Check::proved("scheduler", process, what).with("signer", scheduler);
        return Ok(check.trusted(source));
    };
    let item = DataItem::parse(bytes)?;
    let item = signed::item(Untrusted::new(item, source), Some(*process))?;
    let carrier = carriers::process(item)?;
    if carrier.scheduler != *scheduler {
        let what = format!("The process names the scheduler {}, not {scheduler}.", carrier.scheduler);
        return Err(Error::new(Code::SchedulerMismatch, what));
    }
    let what = "The process, signed by its owner, names this signer as its scheduler.";
    Ok(Check::proved("scheduler", process, what).with("signer", scheduler).with("owner", &carrier.owner))
}

fn side(proof: &FraudProof, bytes: &[u8], source: &str) -> Result<(Assignment, Vec<Check>)> {
    let item = DataItem::parse(bytes)?;
    let (assignment, checks) = assignment(Untrusted::new(item, source))?.into_parts();
    let signer = assignment.item.owner_address();
    if signer != proof.scheduler {
        let what = format!("It is signed by {signer}, not by {}.", proof.scheduler);
        return Err(Error::new(Code::SchedulerMismatch, what));
    }
    if assignment.process != proof.process {
        let what = format!("It is for process {}, not for {}.", assignment.process, proof.process);
        return Err(Error::new(Code::ProcessMismatch, what));
    }
    if assignment.slot != proof.slot {
        let what = format!("It is for slot {}, not for {}.", assignment.slot, proof.slot);
        return Err(Error::new(Code::FraudUnfounded, what));
    }
    Ok((assignment, checks))
}
