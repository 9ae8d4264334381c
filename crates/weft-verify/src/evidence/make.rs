//! Writes a receipt file, slot by slot, so that its text never has to be in one place.

use std::collections::BTreeSet;

use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use weft_codec::ao::Carrier;
use weft_codec::item::DataItem;
use weft_codec::{Address, Code, Error, Id, Result, base64url};

use super::agreement::Agreement;
use super::file::{CarrierTexts, Head, Origin, Scope, SlotText, malformed, write_seal};
use super::prove::{Carriers, Proving, subject};
use crate::history::{HistoryEntry, SchedulerPolicy};
use crate::layer1::{self, InclusionProof};
use crate::trust::Untrusted;

/// What a receipt begins with.
#[derive(Clone, Debug)]
pub struct ReceiptOpening {
    /// The program that makes it, with its version.
    pub made_by: String,
    /// What it is about.
    pub scope: Scope,
    /// The process.
    pub process: Carrier,
    /// The module, with which the results can be computed again.
    pub module: Option<Carrier>,
    /// The modules after it, in the order in which the process lists them.
    pub further_modules: Vec<Carrier>,
    /// The item that the process boots from.
    pub boot: Option<Carrier>,
    /// The assignment before the slot, of a slot but the first.
    pub previous: Option<DataItem>,
}

/// What a receipt ends with.
#[derive(Clone, Debug, Default)]
pub struct ReceiptEnding {
    /// When a process older than the boot loader began; there if and only if a result rests on it.
    pub origin: Option<Origin>,
    /// Of the memory after the last slot that has a result, in a history.
    pub memory_sha256: Option<Id>,
    /// Proofs that items of this receipt are in a block.
    pub inclusions: Vec<InclusionProof>,
    /// What several sources were asked.
    pub agreements: Vec<Agreement>,
}

/// A receipt in the making. Everything is proved again as it goes in: a receipt claims nothing that its own bytes do not
/// prove.
pub struct ReceiptWriter {
    proving: Proving,
    process: Id,
    text: Vec<u8>,
    digest: Sha256,
    first: bool,
}

impl ReceiptWriter {
    /// Begins. Errors: those of what does not prove; `receipt-malformed` if there is a `previous` and must be none, or
    /// the other way round.
    pub fn begin(opening: ReceiptOpening) -> Result<Self> {
        let ReceiptOpening { made_by, scope, process, module, further_modules, boot, previous } = opening;
        let process_texts = CarrierTexts::of(&process)?;
        let module_texts = module.as_ref().map(CarrierTexts::of).transpose()?;
        let further_texts = further_modules.iter().map(CarrierTexts::of).collect::<Result<Vec<_>>>()?;
        let boot_text = boot.as_ref().map(CarrierTexts::of).transpose()?;
        let previous_text = previous.as_ref().map(|item| base64url::encode(&item.to_bytes()));
        let policy = SchedulerPolicy {
            accepted: previous.iter().map(DataItem::owner_address).collect(),
            owners: owners([&process].into_iter().chain(&module).chain(&further_modules).chain(&boot))?,
        };
        let proving = Proving::open(
            scope.clone(),
            process,
            Carriers { module, further: further_modules, boot },
            previous,
            policy,
        )?;
        let process = proving.process.id;
        let head = Head {
            subject: subject(process, &scope),
            made_by,
            scope,
            process: process_texts.text(),
            module: module_texts.as_ref().map(CarrierTexts::text),
            further_modules: further_texts.iter().map(CarrierTexts::text).collect(),
            boot: boot_text.as_ref().map(CarrierTexts::text),
            previous: previous_text.as_deref(),
        };
        let mut text = Vec::new();
        head.write(&mut text).map_err(unwritten)?;
        Ok(Self { proving, process, text, digest: Sha256::new(), first: true })
    }

    /// Adds the next slot, with its result as JSON if there is one. Whoever signed the assignment was accepted when it
    /// came in; the receipt names the signer. Errors: those of what does not prove; `receipt-malformed`,
    /// `receipt-mismatch`.
    pub fn slot(&mut self, entry: HistoryEntry, result: Option<&str>) -> Result<()> {
        let result: Option<&RawValue> = result
            .map(serde_json::from_str)
            .transpose()
            .map_err(|cause| malformed("A result is no JSON.").because(cause))?;
        let assignment = base64url::encode(&entry.assignment.to_bytes());
        let message = entry.message.as_ref().filter(|message| message.id() != self.process);
        let message_text = message.map(|message| base64url::encode(&message.to_bytes()));
        self.proving.accept(entry.assignment.owner_address());
        self.proving.slot(entry, result)?;
        let slot = SlotText { assignment: &assignment, message: message_text.as_deref(), result };
        slot.write(&mut self.text, self.first).map_err(unwritten)?;
        self.first = false;
        Ok(())
    }

    /// Bytes of text that wait to be taken.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.text.len()
    }

    /// Takes the text written since the last time. The whole is all of it in order.
    pub fn take(&mut self) -> Vec<u8> {
        let text = std::mem::take(&mut self.text);
        self.digest.update(&text);
        text
    }

    /// Ends it: the rest of the text. An origin on which no result rests is left out. Errors: `receipt-malformed`, if slots
    /// are missing; `receipt-mismatch`; those of an inclusion that does not prove.
    pub fn finish(mut self, mut ending: ReceiptEnding) -> Result<Vec<u8>> {
        let mut text = self.take();
        ending.origin = ending.origin.filter(|_| self.proving.needs_origin());
        let start = text.len();
        self.proving.close(ending)?.write(&mut text).map_err(unwritten)?;
        self.digest.update(&text[start..]);
        write_seal(&mut text, Id(self.digest.finalize().into())).map_err(unwritten)?;
        Ok(text)
    }
}

/// The owners of carriers whose key is found from their signature: whoever took them in named them. The receipt's reader has
/// to name them again.
fn owners<'a>(carriers: impl Iterator<Item = &'a Carrier>) -> Result<BTreeSet<Address>> {
    let mut owners = BTreeSet::new();
    for carrier in carriers {
        if let Carrier::Transaction(transaction) = carrier
            && transaction.is_ecdsa()
        {
            let untrusted = Untrusted::new((**transaction).clone(), "this receipt");
            owners.insert(layer1::transaction(untrusted, None, None)?.owner_address());
        }
    }
    Ok(owners)
}

fn unwritten(cause: std::io::Error) -> Error {
    Error::new(Code::ReceiptMalformed, "A receipt cannot be written.").because(cause)
}
