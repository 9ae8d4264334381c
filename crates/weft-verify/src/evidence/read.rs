//! Checks a receipt file without a network: everything is proved again, and nothing may be claimed beyond that.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use weft_codec::ao::Process;
use weft_codec::{Address, Code, Error, Id, Result};

use super::file::{Body, CarrierText, Origin, Scope, SlotText, malformed, read_item};
use super::make::ReceiptEnding;
use super::prove::{Carriers, Proving, subject};
use crate::carriers::Modules;
use crate::history::{Entry, HistoryEntry, SchedulerPolicy};
use crate::receipt::{Check, Receipt};
use crate::trust::Verified;

/// A receipt file that was read. Nothing of it is proved yet: [`ReceiptProof`] does that.
#[derive(Clone, Debug)]
pub struct ReceiptFile<'a> {
    body: Body<'a>,
}

impl<'a> ReceiptFile<'a> {
    /// Reads a file. Only the text that Weft writes is read: the same values in another order, with other blanks or with
    /// something more are refused. Errors: `receipt-malformed`; `receipt-mismatch` where the file is not as it was
    /// written; `too-large`.
    pub fn parse(text: &'a [u8]) -> Result<Self> {
        Body::parse(text).map(|body| Self { body })
    }

    /// What it says it is about: a process's id, or `process/slot`.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.body.head.subject
    }

    /// The program that says it made it.
    #[must_use]
    pub fn made_by(&self) -> &str {
        &self.body.head.made_by
    }

    /// What it says it holds.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.body.head.scope
    }

    /// How many slots are in it.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.body.slots.len()
    }

    /// Signers beside the process's scheduler that it says its maker accepted.
    #[must_use]
    pub fn accepted_schedulers(&self) -> &BTreeSet<Address> {
        &self.body.tail.accepted_schedulers
    }

    /// The checks it claims.
    #[must_use]
    pub fn receipt(&self) -> Receipt {
        Receipt::new(self.subject(), self.body.tail.checks.clone())
    }
}

/// What is known of a receipt whose every check was made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvedReceipt {
    /// The process.
    pub process: Id,
    /// What it holds.
    pub scope: Scope,
    /// How many slots were proved.
    pub slots: u64,
    /// How many of them have a result, which is its maker's word until they are replayed.
    pub results: u64,
}

/// A slot that was proved.
#[derive(Clone, Debug)]
pub struct ProvedSlot<'a> {
    /// The entry.
    pub entry: Verified<Entry>,
    /// The result that the receipt gives, as JSON. It is its maker's word.
    pub result: Option<&'a str>,
}

/// The walk over a receipt's evidence: [`open`](Self::open), [`next`](Self::next) to the last slot,
/// [`finish`](Self::finish).
pub struct ReceiptProof<'f, 'a> {
    file: &'f ReceiptFile<'a>,
    proving: Proving,
    next: usize,
}

impl<'f, 'a> ReceiptProof<'f, 'a> {
    /// Proves the process, the module if it is there, and the assignment before a slot. `policy` is whom the reader
    /// accepts beside the process's scheduler: that the maker of the receipt accepted somebody is not enough. Errors:
    /// `receipt-malformed`, `receipt-mismatch`, `scheduler-mismatch`, and those of what does not prove.
    pub fn open(file: &'f ReceiptFile<'a>, policy: &SchedulerPolicy) -> Result<Self> {
        let head = &file.body.head;
        for signer in &file.body.tail.accepted_schedulers {
            if !policy.accepted.contains(signer) {
                let what = format!(
                    "The maker of this receipt accepted assignments that are signed by {signer}, which is not the \
                     scheduler that the process names. They count if you accept that address too."
                );
                return Err(Error::new(Code::SchedulerMismatch, what).with("signer", signer));
            }
        }
        let policy = SchedulerPolicy {
            accepted: file.body.tail.accepted_schedulers.clone(),
            owners: policy.owners.clone(),
        };
        let process = head.process.read().map_err(|error| error.at("process"))?;
        let module =
            head.module.map(|module| module.read().map_err(|error| error.at("module"))).transpose()?;
        let further = head.further_modules.iter().map(CarrierText::read).collect::<Result<Vec<_>>>();
        let further = further.map_err(|error| error.at("further_modules"))?;
        let boot = head.boot.map(|boot| boot.read().map_err(|error| error.at("boot"))).transpose()?;
        let previous = head.previous.map(read_item).transpose().map_err(|error| error.at("previous"))?;
        let proving =
            Proving::open(head.scope.clone(), process, Carriers { module, further, boot }, previous, policy)?;
        if head.subject != subject(proving.process.id, &head.scope) {
            return Err(mismatch("It is about something else than its evidence."));
        }
        Ok(Self { file, proving, next: 0 })
    }

    /// The process, proved.
    #[must_use]
    pub fn process(&self) -> &Verified<Process> {
        &self.proving.process
    }

    /// The modules, proved, if the receipt holds them.
    #[must_use]
    pub fn modules(&self) -> Option<&Modules> {
        self.proving.modules.as_ref()
    }

    /// When the process began, by its scheduler's word.
    #[must_use]
    pub fn origin(&self) -> Option<&'f Origin> {
        self.file.body.tail.origin.as_ref()
    }

    /// The hash of the memory after the last slot that has a result, by the maker's word.
    #[must_use]
    pub fn memory_sha256(&self) -> Option<Id> {
        self.file.body.tail.memory_sha256
    }

    /// Proves the next slot; `None` after the last. Errors: those of what does not prove, `receipt-malformed`,
    /// `receipt-mismatch`.
    #[expect(clippy::should_implement_trait, reason = "an iterator of results would go on after a refusal")]
    pub fn next(&mut self) -> Result<Option<ProvedSlot<'a>>> {
        let Some(slot) = self.file.body.slots.get(self.next) else { return Ok(None) };
        let entry = self.read_slot(slot).map_err(|error| error.at(format!("entry {}", self.next)))?;
        self.next += 1;
        let entry = self.proving.slot(entry, slot.result)?;
        Ok(Some(ProvedSlot { entry, result: slot.result.map(RawValue::get) }))
    }

    fn read_slot(&self, slot: &SlotText<'_>) -> Result<HistoryEntry> {
        let assignment = read_item(slot.assignment)?;
        let message = slot.message.map(read_item).transpose()?;
        if message.as_ref().is_some_and(|message| message.id() == self.proving.process.id) {
            return Err(malformed("The process is in it twice."));
        }
        Ok(HistoryEntry { assignment, message })
    }

    /// Compares what the receipt claims with what was proved. The answer's checks are those of the receipt. Errors:
    /// `receipt-malformed` if slots are missing; `receipt-mismatch` if it claims anything else than what follows from
    /// its evidence.
    pub fn finish(mut self) -> Result<Verified<ProvedReceipt>> {
        while self.next()?.is_some() {}
        let tail = &self.file.body.tail;
        let process = self.proving.process.id;
        let (slots, results) = self.proving.counts();
        let found = self.proving.close(ReceiptEnding {
            origin: tail.origin.clone(),
            memory_sha256: tail.memory_sha256,
            inclusions: tail.inclusions.clone(),
            agreements: tail.agreements.clone(),
        })?;
        if found.accepted_schedulers != tail.accepted_schedulers {
            return Err(mismatch("It names other signers than those of its assignments."));
        }
        compare(&tail.checks, &found.checks)?;
        let scope = self.file.body.head.scope.clone();
        Ok(Verified::new(ProvedReceipt { process, scope, slots, results }, found.checks))
    }
}

/// Claim, subject, status, evidence and sentence of each check, in order.
fn compare(claimed: &[Check], found: &[Check]) -> Result<()> {
    for (index, check) in claimed.iter().enumerate() {
        if found.get(index) != Some(check) {
            let what =
                format!("Its check {index}, `{}`, does not follow from its evidence.", shown(&check.claim));
            return Err(mismatch(&what));
        }
    }
    match found.get(claimed.len()) {
        None => Ok(()),
        Some(missing) => Err(mismatch(&format!("The check `{}` is missing.", missing.claim))),
    }
}

fn shown(claim: &str) -> String {
    claim.chars().take(40).collect()
}

fn mismatch(what: &str) -> Error {
    Error::new(Code::ReceiptMismatch, format!("The receipt does not say what its evidence proves. {what}"))
}
