//! A history as a file: one ANS-104 bundle with the process first, then what it runs on, then each slot's assignment and
//! message. All of it is signed by those who wrote it, so the file needs nobody's word, and any tool that reads bundles
//! reads it.

use std::collections::{BTreeMap, BTreeSet};

use weft_codec::ao::{Assignment, Process};
use weft_codec::item::DataItem;
use weft_codec::{Code, Error, Id, Result, bundle};
use weft_verify::{Entry, HistoryEntry, HistoryVerifier, SchedulerPolicy, Untrusted, Verified};

/// The most bytes of a file.
pub const MAX_HISTORY_BYTES: usize = 64 << 20;
/// Where what it holds comes from, in checks.
const SOURCE: &str = "the history file";

/// A history that was proved: every item's signature, the chain of assignments, and that each message is the one assigned.
#[derive(Debug)]
pub struct HistoryFile {
    process: Verified<Process>,
    entries: Vec<Verified<Entry>>,
    others: Vec<DataItem>,
}

impl HistoryFile {
    /// Reads and proves a file.
    ///
    /// # Errors
    /// `too-large`, `bundle-malformed`; `not-a-process` if the first item is none; those of an item, of
    /// [`weft_verify::process`] and of [`HistoryVerifier::next`].
    pub fn read(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_HISTORY_BYTES {
            let sentence =
                format!("A history file has at most {MAX_HISTORY_BYTES} bytes, this has {}.", bytes.len());
            return Err(Error::new(Code::TooLarge, sentence));
        }
        let mut items = bundle::parse(bytes)?.into_iter();
        let Some((id, first)) = items.next() else {
            return Err(Error::new(
                Code::BundleMalformed,
                "The bundle is empty: a history begins with its process.",
            ));
        };
        let process = weft_verify::process(weft_verify::item(Untrusted::new(first, SOURCE), Some(id))?)?;
        let mut parts = Parts { items: BTreeMap::new(), slots: BTreeMap::new() };
        for (id, item) in items {
            parts.sort(process.id, id, item)?;
        }
        let entries = parts.prove(&process)?;
        let mut others = Vec::with_capacity(parts.items.len());
        for (id, item) in parts.items {
            others.push(weft_verify::item(Untrusted::new(item, SOURCE), Some(id))?.into_parts().0);
        }
        Ok(Self { process, entries, others })
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its slots, from 0 on, none left out.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|entry| &**entry)
    }

    /// What else there is: modules, and items that messages name.
    #[must_use]
    pub fn others(&self) -> &[DataItem] {
        &self.others
    }
}

/// A file's items, sorted.
struct Parts {
    /// All but the process and the assignments.
    items: BTreeMap<Id, DataItem>,
    slots: BTreeMap<u64, DataItem>,
}

impl Parts {
    fn sort(&mut self, process: Id, printed: Id, item: DataItem) -> Result<()> {
        if item.id() != printed {
            let sentence =
                format!("The header of the history file prints {printed}, the item there is {}.", item.id());
            return Err(Error::new(Code::IdMismatch, sentence));
        }
        // What is no assignment of this process, or of a slot that has one, may be a message all the same.
        match Assignment::read(item.clone()) {
            Ok(assignment) if assignment.process == process && !self.slots.contains_key(&assignment.slot) => {
                self.slots.insert(assignment.slot, item);
            }
            _ => drop(self.items.insert(printed, item)),
        }
        Ok(())
    }

    /// Proves slot after slot; the messages are taken out of the items.
    fn prove(&mut self, process: &Verified<Process>) -> Result<Vec<Verified<Entry>>> {
        let mut verifier = HistoryVerifier::new(process, SchedulerPolicy::default());
        if self.slots.is_empty() {
            let sentence = format!("The history file has no assignment of process {}.", process.id);
            return Err(Error::new(Code::SlotMissing, sentence));
        }
        let mut entries = Vec::with_capacity(self.slots.len());
        let mut used = BTreeSet::new();
        for assignment in self.slots.values() {
            let named = Assignment::read(assignment.clone())?.message;
            let message = named.and_then(|id| self.items.get(&id).or_else(|| self.assignment(id))).cloned();
            used.extend(named);
            let entry = HistoryEntry { assignment: assignment.clone(), message };
            entries.push(verifier.next(Untrusted::new(entry, SOURCE))?);
        }
        self.items.retain(|id, _| !used.contains(id));
        Ok(entries)
    }

    /// An assignment that is assigned as a message.
    fn assignment(&self, id: Id) -> Option<&DataItem> {
        self.slots.values().find(|item| item.id() == id)
    }
}

/// Writes a file.
///
/// # Errors
/// `too-large`.
pub(crate) fn write(process: DataItem, others: Vec<DataItem>, entries: Vec<HistoryEntry>) -> Result<Vec<u8>> {
    let mut known = BTreeSet::new();
    let slots = entries.into_iter().flat_map(|entry| [Some(entry.assignment), entry.message]).flatten();
    let items: Vec<DataItem> =
        std::iter::once(process).chain(others).chain(slots).filter(|item| known.insert(item.id())).collect();
    let bytes = bundle::encode(&items);
    if bytes.len() > MAX_HISTORY_BYTES || items.len() as u64 > bundle::MAX_ITEMS {
        let sentence = format!(
            "This history has {} items in {} bytes; a history file has at most {} and {MAX_HISTORY_BYTES}.",
            items.len(),
            bytes.len(),
            bundle::MAX_ITEMS
        );
        return Err(Error::new(Code::TooLarge, sentence));
    }
    Ok(bytes)
}
