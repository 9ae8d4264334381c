//! One walk over the evidence, for who makes a receipt and who reads one: the same bytes give the same checks.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;
use weft_codec::ao::{Carrier, Module, Process};
use weft_codec::item::DataItem;
use weft_codec::{Address, Code, Error, Id, Result};

use super::agreement::HISTORY_COMPLETE;
use super::file::{Scope, Tail, malformed};
use super::make::ReceiptEnding;
use super::words::Rests;
use crate::carriers::{BootItem, Modules};
use crate::history::{Entry, EntryKind, HistoryEntry, HistoryVerifier, SchedulerPolicy};
use crate::receipt::{Check, Status};
use crate::trust::{Untrusted, Verified};
use crate::{carriers, layer1, signed};

/// What every proof here is from.
const SOURCE: &str = "this receipt";

/// The checks of a history, counted by claim and outcome. A thousand slots have a dozen lines.
#[derive(Clone, Debug, Default)]
struct Tallies(BTreeMap<(String, Status), (u64, String)>);

impl Tallies {
    fn count(&mut self, checks: &[Check]) {
        for check in checks {
            let key = (check.claim.clone(), check.status.clone());
            self.0.entry(key).or_insert_with(|| (0, check.sentence.clone())).0 += 1;
        }
    }

    fn checks(self, subject: Id) -> impl Iterator<Item = Check> {
        self.0.into_iter().map(move |((claim, status), (count, sentence))| {
            Check { status, ..Check::proved(&claim, subject, sentence) }.with("count", count)
        })
    }
}

/// The part of a result that ties it to its slot.
#[derive(Deserialize)]
struct ResultHead {
    slot: u64,
    message: Id,
}

/// What the results depend on beside the history.
#[derive(Default)]
pub(super) struct Carriers {
    pub(super) module: Option<Carrier>,
    pub(super) further: Vec<Carrier>,
    pub(super) boot: Option<Carrier>,
}

/// What is proved so far.
pub(super) struct Proving {
    pub(super) process: Verified<Process>,
    pub(super) modules: Option<Modules>,
    scope: Scope,
    verifier: HistoryVerifier,
    checks: Vec<Check>,
    tallies: Tallies,
    accepted: BTreeSet<Address>,
    signers: BTreeSet<String>,
    /// The items and transactions that were proved: an inclusion proof is about one of them.
    ids: BTreeSet<Id>,
    slots: u64,
    results: u64,
    /// A slot had no result: none may follow.
    without_result: bool,
    /// Slot 0 is a message.
    begins_with_message: bool,
}

impl Proving {
    /// Proves process, module and the assignment before a slot.
    pub(super) fn open(
        scope: Scope,
        process: Carrier,
        modules: Carriers,
        previous: Option<DataItem>,
        policy: SchedulerPolicy,
    ) -> Result<Self> {
        let process = prove_process(process, &policy.owners).map_err(|error| error.at("process"))?;
        let mut checks = process.checks().to_vec();
        let modules = prove_modules(modules, &process, &policy.owners)?;
        checks.extend(modules.iter().flat_map(Modules::checks).cloned());
        let ids = std::iter::once(process.id).chain(modules.iter().flat_map(Modules::all_ids)).collect();
        let mut proving = Self {
            verifier: HistoryVerifier::new(&process, policy),
            process,
            modules,
            scope,
            checks,
            tallies: Tallies::default(),
            accepted: BTreeSet::new(),
            signers: BTreeSet::new(),
            ids,
            slots: 0,
            results: 0,
            without_result: false,
            begins_with_message: false,
        };
        proving.open_previous(previous)?;
        Ok(proving)
    }

    fn open_previous(&mut self, previous: Option<DataItem>) -> Result<()> {
        let Scope::Slot(slot) = self.scope else {
            return match previous {
                None => Ok(()),
                Some(_) => Err(malformed("A history has no slot before its first.")),
            };
        };
        let Some(before) = slot.checked_sub(1) else {
            return match previous {
                None => Ok(()),
                Some(_) => Err(malformed("There is no slot before slot 0.")),
            };
        };
        let previous = previous.ok_or_else(|| malformed("The assignment before the slot is missing."))?;
        let previous = Untrusted::new(previous, SOURCE);
        let proved = match before {
            0 => self.verifier.next_assignment(previous),
            _ => self.verifier.begin_after(previous),
        };
        let proved = proved.map_err(|error| error.at("the assignment before"))?;
        if proved.slot != before {
            let what = format!("Before slot {slot} comes slot {before}, and not slot {}.", proved.slot);
            return Err(Error::new(Code::SlotMissing, what));
        }
        let checks = proved.checks().to_vec();
        self.keep(&checks);
        self.checks.extend(checks);
        Ok(())
    }

    /// Whose assignments count from here on, beside the scheduler's.
    pub(super) fn accept(&mut self, signer: Address) {
        self.verifier.accept(signer);
    }

    /// Proves the next slot. `result` is its result's JSON.
    pub(super) fn slot(&mut self, entry: HistoryEntry, result: Option<&RawValue>) -> Result<Verified<Entry>> {
        let wanted = match self.scope {
            Scope::History { to, .. } => self.slots <= to,
            Scope::Slot(_) => self.slots == 0,
        };
        if !wanted {
            return Err(malformed("There are more slots than it says."));
        }
        let entry = self.verifier.next(Untrusted::new(entry, SOURCE))?;
        self.slots += 1;
        self.ids.extend([entry.assignment.id, entry.message.id()]);
        self.begins_with_message |= entry.slot == 0 && entry.kind != EntryKind::Process;
        let checks = entry.checks().to_vec();
        self.keep(&checks);
        match self.scope {
            Scope::History { .. } => self.tallies.count(&checks),
            Scope::Slot(_) => self.checks.extend(checks),
        }
        self.take_result(&entry, result).map_err(|error| error.at(format!("slot {}", entry.slot)))?;
        Ok(entry)
    }

    /// Signers that are not the scheduler are those that somebody accepted.
    fn keep(&mut self, checks: &[Check]) {
        let signers = checks.iter().filter(|check| matches!(check.status, Status::Trusted { .. }));
        let signers = signers.filter_map(|check| check.evidence.get("signer")?.parse().ok());
        self.accepted.extend(signers);
        self.signers.extend(checks.iter().filter_map(|check| check.evidence.get("signer").cloned()));
    }

    fn take_result(&mut self, entry: &Entry, result: Option<&RawValue>) -> Result<()> {
        let Some(result) = result else {
            self.without_result = true;
            return Ok(());
        };
        if self.without_result {
            return Err(malformed("It has a result, and an earlier slot has none."));
        }
        let head: ResultHead = serde_json::from_str(result.get())
            .map_err(|cause| malformed("Its result is none.").because(cause))?;
        if head.slot != entry.slot || head.message != entry.message.id() {
            let what = format!("The result is that of slot {} and message {}.", head.slot, head.message);
            return Err(Error::new(Code::ReceiptMismatch, what));
        }
        self.results += 1;
        Ok(())
    }

    /// Slots and results so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.slots, self.results)
    }

    /// Whether the results rest on when the process began, which is not in the history.
    pub(super) fn needs_origin(&self) -> bool {
        self.begins_with_message && self.results > 0
    }

    /// All checks, of what is proved and of what is left to believe, and what else follows from the slots. Errors:
    /// `receipt-malformed` where the slots are not those of the scope.
    pub(super) fn close(self, ending: ReceiptEnding) -> Result<Tail> {
        let inclusions_found = self.inclusions(&ending)?;
        let ReceiptEnding { origin, memory_sha256, inclusions, agreements } = ending;
        let whole = match self.scope {
            Scope::History { to, .. } => to.checked_add(1) == Some(self.slots),
            Scope::Slot(slot) => {
                self.verifier.head().is_some_and(|head| head.slot == slot) && self.slots == 1
            }
        };
        let head = self.verifier.head().filter(|_| whole);
        let head = head.ok_or_else(|| malformed("It has other slots than it says."))?;
        if self.needs_origin() != origin.is_some() {
            return Err(malformed("When the process began is missing, or of no use."));
        }
        if memory_sha256.is_some() && (self.results == 0 || matches!(self.scope, Scope::Slot(_))) {
            return Err(malformed("There is a hash of a memory, and nothing was computed."));
        }
        let rests = Rests {
            process: &self.process,
            signers: self.signers.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            scope: &self.scope,
            head,
            results: self.results,
            origin: origin.as_ref(),
            memory: memory_sha256.map(|memory| memory.to_string()),
            included: inclusions.len(),
            end: agreements.iter().find(|agreement| agreement.claim == HISTORY_COMPLETE),
        };
        let rests = rests.checks()?;
        let mut checks = self.checks;
        checks.extend(self.tallies.checks(self.process.id));
        checks.extend(inclusions_found);
        let mut agreed = Vec::new();
        for agreement in agreements.iter().filter(|agreement| agreement.claim != HISTORY_COMPLETE) {
            agreed.push(agreement.check()?);
        }
        let others = checks.iter().chain(&rests).map(|check| check.claim.as_str());
        let others: BTreeSet<&str> = others.collect();
        if agreed.iter().any(|check| others.contains(check.claim.as_str())) {
            return Err(malformed("Sources are said to agree on what is checked here."));
        }
        checks.extend(agreed);
        checks.extend(rests);
        let accepted_schedulers = self.accepted;
        Ok(Tail { origin, accepted_schedulers, memory_sha256, inclusions, agreements, checks })
    }

    /// What was proved beside the history: places in blocks, up to the header that sources agree on if they do.
    fn inclusions(&self, ending: &ReceiptEnding) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        for proof in &ending.inclusions {
            if !self.ids.contains(&proof.item) {
                let what =
                    format!("An inclusion proof is about {}, which is not in this receipt.", proof.item);
                return Err(Error::new(Code::ReceiptMismatch, what));
            }
            let expected = proof.item;
            let agreed = ending.agreements.iter().find_map(|agreement| agreement.header(proof));
            let proved = layer1::inclusion(Untrusted::new(proof.clone(), SOURCE), expected, agreed.as_ref());
            checks.extend(proved.map_err(|error| error.at("inclusion"))?.into_parts().1);
        }
        Ok(checks)
    }
}

/// What a receipt's subject is written as.
pub(super) fn subject(process: Id, scope: &Scope) -> String {
    match scope {
        Scope::History { .. } => process.to_string(),
        Scope::Slot(slot) => format!("{process}/{slot}"),
    }
}

fn prove_process(carrier: Carrier, owners: &BTreeSet<Address>) -> Result<Verified<Process>> {
    match carrier {
        Carrier::Item(item) => carriers::process(signed::item(Untrusted::new(*item, SOURCE), None)?),
        Carrier::Transaction(transaction) => carriers::process_from_transaction(
            layer1::transaction(Untrusted::new(*transaction, SOURCE), None, None)?,
            owners,
        ),
    }
}

/// The module, and those after it: all that the process lists or none, in its order. Errors: those of what does not prove;
/// `module-mismatch` where the list is another; `receipt-malformed`.
fn prove_modules(
    modules: Carriers,
    process: &Process,
    owners: &BTreeSet<Address>,
) -> Result<Option<Modules>> {
    let Carriers { module, further, boot } = modules;
    let Some(first) = module else {
        return match further.is_empty() && boot.is_none() {
            true => Ok(None),
            false => {
                Err(malformed("It has modules after the first, or an item to boot from, and not the first."))
            }
        };
    };
    let boot = prove_boot(boot, process, owners).map_err(|error| error.at("boot"))?;
    let first = prove_module(first, process.module, owners).map_err(|error| error.at("module"))?;
    if further.is_empty() {
        return Ok(Some(Modules::from(first).with_boot(boot)));
    }
    let wanted = process.listed_modules()?.unwrap_or_default();
    let wanted = wanted.get(1..).unwrap_or_default();
    if wanted.len() != further.len() {
        let what = format!(
            "The process lists {} modules after its first; {} are here.",
            wanted.len(),
            further.len()
        );
        return Err(Error::new(Code::ModuleMismatch, what).at("further_modules"));
    }
    let proved = further.into_iter().zip(wanted).enumerate().map(|(index, (carrier, id))| {
        prove_module(carrier, *id, owners).map_err(|error| error.at(format!("further module {index}")))
    });
    Ok(Some(Modules::new(first, proved.collect::<Result<_>>()?).with_boot(boot)))
}

fn prove_boot(
    boot: Option<Carrier>,
    process: &Process,
    owners: &BTreeSet<Address>,
) -> Result<Option<Verified<BootItem>>> {
    let Some(carrier) = boot else { return Ok(None) };
    let expected = process.boot_item().ok_or_else(|| malformed("The process boots from no item."))?;
    let proved = match carrier {
        Carrier::Item(item) => {
            carriers::boot_item(signed::item(Untrusted::new(*item, SOURCE), None)?, expected)
        }
        Carrier::Transaction(transaction) => carriers::boot_item_from_transaction(
            layer1::transaction(Untrusted::new(*transaction, SOURCE), None, None)?,
            expected,
            owners,
        ),
    };
    proved.map(Some)
}

fn prove_module(carrier: Carrier, expected: Id, owners: &BTreeSet<Address>) -> Result<Verified<Module>> {
    match carrier {
        Carrier::Item(item) => carriers::module(signed::item(Untrusted::new(*item, SOURCE), None)?, expected),
        Carrier::Transaction(transaction) => carriers::module_from_transaction(
            layer1::transaction(Untrusted::new(*transaction, SOURCE), None, None)?,
            expected,
            owners,
        ),
    }
}
