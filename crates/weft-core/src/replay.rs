//! A whole history in memory: each proved entry in, its result out. The node does the same over its store.

use std::collections::BTreeMap;

use serde::Deserialize;
use weft_codec::ao::Process;
use weft_codec::{Code, Error, Id, Result};
use weft_verify::{Entry, EntryKind, Modules, Origin, ProvedSlot, Verified};
use weft_wasm::{Engines, RanOn};

use crate::limits::NodeLimits;
use crate::machine::{ProcessMachine, compile};
use crate::options::ModuleOptions;
use crate::result::SlotResult;
use crate::{dedup, view};

/// A process from its first slot on.
pub struct Replay {
    process: Verified<Process>,
    machine: ProcessMachine,
    /// The first slot of each message.
    slots: BTreeMap<Id, u64>,
    /// The slot at which each key was evaluated.
    evaluated: BTreeMap<String, u64>,
}

impl Replay {
    /// Before slot 0. Errors: those of [`ModuleOptions::read`] and [`compile`].
    pub fn new(process: &Verified<Process>, modules: &Modules, limits: &NodeLimits) -> Result<Self> {
        let module = modules.first();
        let options = ModuleOptions::read(&process.tags, &module.tags, limits)?;
        let program = compile(process, modules, &options, &Engines::default())?;
        let machine = ProcessMachine::new(process, module, &program, &options)?;
        Ok(Self { process: process.clone(), machine, slots: BTreeMap::new(), evaluated: BTreeMap::new() })
    }

    /// Shows the process the next entry; they must come in their order, from slot 0. `origin` is when a process began
    /// whose slot 0 is a message: without it such a history is refused with `request-invalid`. Other errors: only what is
    /// wrong with this host.
    pub fn next(&mut self, entry: &Verified<Entry>, origin: Option<&Origin>) -> Result<SlotResult> {
        if entry.slot == 0 && entry.kind != EntryKind::Process && self.machine.begins_with_itself() {
            let origin = origin.ok_or_else(|| {
                Error::new(
                    Code::RequestInvalid,
                    "When the process began is not known, and it is shown that first.",
                )
            })?;
            self.machine.boot(&self.process, origin.block_height, origin.timestamp)?.finish()?;
        }
        let first = *self.slots.entry(entry.message.id()).or_insert(entry.slot);
        let form = view::form(entry, first < entry.slot);
        let key = dedup::key(entry, form);
        if key.guarded
            && self.machine.leaves_out_copies()
            && let Some(earlier) = self.evaluated.get(&key.text)
        {
            return Ok(SlotResult::duplicate(entry, *earlier));
        }
        self.evaluated.insert(key.text, entry.slot);
        self.machine.step(entry, form)?.finish()
    }

    /// SHA-256 of the memory after the last entry, as [`ProcessMachine::memory_sha256`].
    pub fn memory_sha256(&mut self) -> Result<Id> {
        self.machine.memory_sha256()
    }
}

/// What made a result.
#[derive(Deserialize)]
struct Made {
    #[serde(default)]
    ran_on: Option<RanOn>,
}

/// Computes the results of a receipt again, and compares: text with text.
pub struct ResultCheck {
    replay: Replay,
    origin: Option<Origin>,
    compared: u64,
}

impl ResultCheck {
    /// Over a receipt that begins at slot 0. Errors as [`Replay::new`].
    pub fn new(
        process: &Verified<Process>,
        modules: &Modules,
        origin: Option<&Origin>,
        limits: &NodeLimits,
    ) -> Result<Self> {
        let replay = Replay::new(process, modules, limits)?;
        Ok(Self { replay, origin: origin.cloned(), compared: 0 })
    }

    /// The next slot of the receipt. Error: `receipt-mismatch`, with the slot as a field, where the result is another.
    pub fn slot(&mut self, slot: &ProvedSlot<'_>) -> Result<()> {
        let Some(claimed) = slot.result else { return Ok(()) };
        let mut found = self.replay.next(&slot.entry, self.origin.as_ref())?;
        // Which engine made it there is no part of what is computed; text that is none does not match below.
        found.ran_on = serde_json::from_str(claimed).map_or(None, |claimed: Made| claimed.ran_on);
        let text = serde_json::to_string(&found)
            .map_err(|cause| Error::new(Code::ResultMalformed, "A result is no JSON.").because(cause))?;
        if text != claimed {
            let at = slot.entry.slot;
            let what = format!("Slot {at}: a replay gives another result than the receipt.");
            return Err(Error::new(Code::ReceiptMismatch, what).with("slot", at));
        }
        self.compared += 1;
        Ok(())
    }

    /// How many results were compared, after the last slot. `memory` is what the receipt says of the memory. Error:
    /// `receipt-mismatch`.
    pub fn finish(mut self, memory: Option<Id>) -> Result<u64> {
        if let Some(expected) = memory {
            let found = self.replay.memory_sha256()?;
            if found != expected {
                let what = format!("A replay leaves the memory {found}; the receipt says {expected}.");
                return Err(Error::new(Code::ReceiptMismatch, what)
                    .with("expected", expected)
                    .with("found", found));
            }
        }
        Ok(self.compared)
    }
}
