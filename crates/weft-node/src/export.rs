//! Receipt files, from the store to wherever their text goes, piece by piece.

use std::collections::VecDeque;

use weft_codec::ao::{Carrier, Process};
use weft_codec::{Code, Error, Id, Result};
use weft_verify::{
    Agreement, HistoryEntry, InclusionProof, Origin, ReceiptEnding, ReceiptOpening, ReceiptWriter, Scope,
    Vouched, claims_of_entry,
};

use crate::archive::{Archive, Record, corrupt};
use crate::event::{Event, Observer, Phase};
use crate::node::Node;
use crate::receipts;
use crate::seams::{Batch, Clock, Fetch, Store, Table};
use crate::signatures::{Signatures, vouch};

/// Text that is gathered before it is handed on, in bytes.
const PIECE: usize = 1 << 20;
/// Slots, and bytes of their messages, whose signatures the platform is given at a time.
const STEP_SLOTS: usize = 256;
const STEP_BYTES: usize = 4 << 20;
/// Work between two breaths, and between two events of progress, in milliseconds.
const BREATH_MS: u64 = 25;
const PROGRESS_MS: u64 = 100;

/// The most inclusion proofs of one receipt file.
const MAX_INCLUDED: usize = 1_000;

/// Who makes receipts here.
const MADE_BY: &str = concat!("weft ", env!("CARGO_PKG_VERSION"));

/// What a receipt file shall hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRequest {
    /// Which slots.
    pub slots: ReceiptSlots,
    /// Whether the module goes into the file too. With it, a reader can compute the results again; it is as large as the
    /// module.
    pub module: bool,
}

/// Which slots go into a receipt file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptSlots {
    /// The history from slot 0 to this slot, or to the last one in the store.
    History {
        /// The last slot; `None` for the last one in the store.
        to: Option<u64>,
    },
    /// This slot.
    Slot(u64),
}

impl<S: Store, F: Fetch, C: Clock> Node<S, F, C> {
    /// Writes a receipt file of what is stored: all its evidence, proved again on the way, in pieces of about a megabyte
    /// to `sink`. Answers with its size in bytes. The text is the same for the same store.
    ///
    /// `observer` hears of progress (phase `receipt`, in slots) and can stop it. Errors: `not-found` for what is not
    /// stored; `request-invalid` for a history of a HyperBEAM node; `store-corrupt` where the store does not prove; `cancelled`; those of `sink`.
    pub async fn export_receipt<O: Observer>(
        &self,
        process: Id,
        request: &ReceiptRequest,
        observer: &O,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<u64> {
        let record = self.known_items(process, "receipt file").await?;
        let (archive, signatures, clock) = (self.archive(), &*self.signatures, self.clock());
        let export = Export { archive, signatures, record: &record, clock, observer };
        Box::pin(export.run(request, sink)).await
    }
}

struct Export<'a, S, C, O> {
    archive: Archive<'a, S>,
    signatures: &'a dyn Signatures,
    record: &'a Record,
    clock: &'a C,
    observer: &'a O,
}

impl<S: Store, C: Clock, O: Observer> Export<'_, S, C, O> {
    async fn run(&self, request: &ReceiptRequest, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<u64> {
        let (first, last, scope) = self.range(request.slots)?;
        let opening = self.opening(first, scope.clone(), request.module).await?;
        let mut writer = ReceiptWriter::begin(opening).map_err(|cause| self.damaged(first, cause))?;
        let mut bytes = 0_u64;
        let mut pass = |piece: Vec<u8>| {
            bytes += piece.len() as u64;
            sink(&piece)
        };
        let started = self.clock.now_ms();
        let (mut breath, mut told) = (started, started);
        self.tell(started, started, 0, last - first + 1);
        let mut step = VecDeque::new();
        let mut vouched = Vouched::new();
        for slot in first..=last {
            if step.is_empty() {
                step = self.entries(slot, last).await?;
                let claims: Vec<_> = step.iter().flat_map(claims_of_entry).collect();
                vouched = vouch(self.signatures, &claims).await;
            }
            let entry = step.pop_front().ok_or_else(|| self.missing(slot))?;
            self.add(&mut writer, &vouched, entry, slot).await?;
            if writer.waiting() >= PIECE {
                pass(writer.take())?;
            }
            let now = self.clock.now_ms();
            if now.saturating_sub(told) >= PROGRESS_MS {
                told = now;
                self.tell(started, now, slot - first + 1, last - first + 1);
            }
            if now.saturating_sub(breath) >= BREATH_MS {
                self.clock.breathe().await;
                breath = self.clock.now_ms();
            }
            if self.observer.cancelled() {
                return Err(Error::new(Code::Cancelled, "Stopped before the receipt was whole."));
            }
        }
        let ending = self.ending(&scope).await?;
        pass(writer.finish(ending).map_err(|cause| self.damaged(last, cause))?)?;
        self.tell(started, self.clock.now_ms(), last - first + 1, last - first + 1);
        Ok(bytes)
    }

    fn range(&self, slots: ReceiptSlots) -> Result<(u64, u64, Scope)> {
        let head = self.record.head.as_ref().map(|head| head.slot);
        let head =
            head.ok_or_else(|| Error::new(Code::NotFound, "No slot of this process is in the store."))?;
        let (first, last) = match slots {
            ReceiptSlots::History { to } => (0, to.unwrap_or(head)),
            ReceiptSlots::Slot(slot) => (slot, slot),
        };
        if last > head {
            return Err(Error::new(Code::NotFound, format!("Slot {last} is not in the store.")));
        }
        let scope = match slots {
            ReceiptSlots::History { .. } => Scope::History { to: last, newest: last == head },
            ReceiptSlots::Slot(slot) => Scope::Slot(slot),
        };
        Ok((first, last, scope))
    }

    async fn opening(&self, first: u64, scope: Scope, module: bool) -> Result<ReceiptOpening> {
        let process = self.carrier(self.record.process).await?;
        let process = process.ok_or_else(|| corrupt(Table::Items, &self.record.process.to_string()))?;
        // A module that was never needed is not there.
        let module = if module { self.carrier(self.record.module).await? } else { None };
        let mut further_modules = Vec::new();
        for id in self.record.further_modules.iter().filter(|_| module.is_some()) {
            let carrier = self.carrier(*id).await?;
            further_modules.push(carrier.ok_or_else(|| corrupt(Table::Items, &id.to_string()))?);
        }
        let boot = match (&module, Process::read(process.clone())?.boot_item()) {
            (Some(_), Some(id)) => self.carrier(id).await?,
            _ => None,
        };
        let previous = match first.checked_sub(1) {
            Some(before) => Some(self.entry(before).await?.assignment),
            None => None,
        };
        Ok(ReceiptOpening {
            made_by: MADE_BY.to_owned(),
            scope,
            process,
            module,
            further_modules,
            boot,
            previous,
        })
    }

    /// The next entries, as many as the platform is given at a time.
    async fn entries(&self, first: u64, last: u64) -> Result<VecDeque<HistoryEntry>> {
        let (mut entries, mut bytes) = (VecDeque::new(), 0);
        for slot in (first..=last).take(STEP_SLOTS) {
            let entry = self.entry(slot).await?;
            bytes += entry.message.as_ref().map_or(0, |message| message.data.len());
            entries.push_back(entry);
            if bytes >= STEP_BYTES {
                break;
            }
        }
        Ok(entries)
    }

    /// Proves an entry again, without what the platform has vouched for, and writes it down.
    async fn add(
        &self,
        writer: &mut ReceiptWriter,
        vouched: &Vouched,
        entry: HistoryEntry,
        slot: u64,
    ) -> Result<()> {
        let result = self.archive.result(self.record.process, slot).await?;
        let result = result.map(|result| serde_json::to_string(&result)).transpose().map_err(|cause| {
            Error::new(Code::StoreFailed, "A result cannot be written as JSON.").because(cause)
        })?;
        vouched.during(|| writer.slot(entry, result.as_deref())).map_err(|cause| self.damaged(slot, cause))
    }

    /// What a history ends with: the memory's hash is known where the replay stands, and nowhere before.
    async fn ending(&self, scope: &Scope) -> Result<ReceiptEnding> {
        let origin = self.record.boot.as_ref().map(|boot| Origin {
            block_height: boot.block_height,
            timestamp: boot.timestamp,
            source: boot.source.clone(),
        });
        let memory = match (scope, &self.record.replay) {
            (Scope::History { to, .. }, Some(replay)) if replay.slot <= *to => replay.memory_sha256,
            _ => None,
        };
        let (inclusions, blocks) = self.inclusions(scope).await?;
        let mut agreements = self.agreements(scope);
        agreements.extend(blocks);
        Ok(ReceiptEnding { origin, memory_sha256: memory, inclusions, agreements })
    }

    /// The proofs that items are in blocks, and what gateways say of the blocks they end with.
    async fn inclusions(&self, scope: &Scope) -> Result<(Vec<InclusionProof>, Vec<Agreement>)> {
        let process = self.record.process;
        let mut slots = self.archive.included(process, MAX_INCLUDED).await?;
        slots.dedup();
        slots.retain(|slot| match scope {
            Scope::History { to, .. } => slot <= to,
            Scope::Slot(one) => slot == one,
        });
        let (mut proofs, mut blocks) = (Vec::new(), Vec::<Agreement>::new());
        for slot in slots {
            for kept in self.archive.inclusions(process, slot).await? {
                let said = kept.said.evidence("block", kept.height);
                if !blocks.contains(&said) {
                    blocks.push(said);
                }
                proofs.push(kept.proof);
            }
        }
        Ok((proofs, blocks))
    }

    /// What sources were asked of the history that no signature says.
    fn agreements(&self, scope: &Scope) -> Vec<Agreement> {
        let record = self.record;
        let mut found = Vec::new();
        if let (Scope::History { newest: true, .. }, Some(head)) = (scope, &record.head) {
            let end = receipts::end_of(record, head);
            if record.heads.len() > 1 && !end.by.is_empty() {
                found.push(end.evidence("history-complete", record.process));
            }
        }
        if let (Scope::History { .. }, Some(listing)) = (scope, &record.listing) {
            found.push(listing.evidence("assignment-listing", record.process));
        }
        if let Some(location) = &record.location {
            found.push(location.tally.evidence("scheduler-location", &record.scheduler));
        }
        found
    }

    async fn carrier(&self, id: Id) -> Result<Option<Carrier>> {
        self.archive.carrier(id).await
    }

    async fn entry(&self, slot: u64) -> Result<HistoryEntry> {
        let entry = self.archive.slot(&Batch::default(), self.record.process, slot).await?;
        entry.ok_or_else(|| self.missing(slot))
    }

    fn missing(&self, slot: u64) -> Error {
        corrupt(Table::Slots, &format!("{}/{slot}", self.record.process))
    }

    /// What was proved when it was stored proves again, or the store is not as it was written.
    fn damaged(&self, slot: u64, cause: Error) -> Error {
        corrupt(Table::Slots, &format!("{}/{slot}", self.record.process)).because(cause)
    }

    fn tell(&self, started: u64, now: u64, done: u64, total: u64) {
        let per_second = done.saturating_mul(1_000) / now.saturating_sub(started).max(1);
        let phase = Phase::Receipt;
        self.observer.event(Event::Progress { phase, done, total: Some(total), bytes: 0, per_second });
    }
}
