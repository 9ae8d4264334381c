//! Histories as files: `GET /gateway/history/{process}` writes one, `POST /gateway/history` takes one in. What is taken in was
//! proved first, and is served by this network's gateway and scheduler as if it had been written here. Only a process that
//! names this scheduler can be written to afterwards.

use serde_json::json;
use weft_codec::ao::Process;
use weft_codec::item::DataItem;
use weft_codec::tags::TagsExt as _;
use weft_codec::{Code, Error, Id, Result};
use weft_verify::{Entry, EntryKind};

use super::ledger::{EntryRow, Filed, Head, Ledger};
use super::local::LocalNet;
use super::reader::Reader;
use super::reply::{Handled, Refusal, Reply};
use super::schedule::pushed_hash;
use crate::history_file::{self, HistoryFile};
use crate::memory::{ManualClock, MemoryStore};
use crate::seams::{Batch, Clock, Fetch, Request, Response, Signer, Store};

/// Slots read at a time.
const STEP: usize = 256;

impl<S: Store, C: Clock, G: Signer> LocalNet<S, C, G> {
    /// Answers `GET /gateway/history/{process}`.
    pub(super) async fn history_get(&self, id: &str) -> Handled {
        let id: Id = id.parse().map_err(|_| Refusal::new(400, "A process's id has 43 characters."))?;
        let file = self.export(id).await?;
        let name = format!("attachment; filename=\"{id}.ans104\"");
        Ok(Reply::new(200, "application/octet-stream", file).with_header("content-disposition", name))
    }

    /// A process's history as a file, with its modules and the item it boots from.
    ///
    /// # Errors
    /// `not-found` for a process that is not here, and for an item that is not; `too-large`; those of the store.
    pub async fn export(&self, id: Id) -> Result<Vec<u8>> {
        let ledger = self.reader.ledger();
        if ledger.head(id).await?.is_none() {
            return Err(Error::new(Code::NotFound, format!("Process {id} is not on this scheduler.")));
        }
        let item = self.on_gateway(id).await?;
        let process = Process::read(item.clone())?;
        let mut others = Vec::new();
        for id in named(&process)? {
            others.push(self.on_gateway(id).await?);
        }
        let (mut entries, mut from) = (Vec::new(), 0);
        loop {
            let rows = ledger.entries(id, from, STEP).await?;
            let Some((last, _)) = rows.last() else { break };
            from = last.saturating_add(1);
            for (_, row) in &rows {
                entries.push(self.history_entry(row).await?);
            }
        }
        history_file::write(item, others, entries)
    }

    async fn on_gateway(&self, id: Id) -> Result<DataItem> {
        let item = self.reader.ledger().item(id).await?;
        item.ok_or_else(|| Error::new(Code::NotFound, format!("The item {id} is not on this gateway.")))
    }

    /// Answers `POST /gateway/history`: `{"process", "slots", "added"}`.
    pub(super) async fn history_post(&self, body: &[u8]) -> Handled {
        let file = HistoryFile::read(body).map_err(|error| refused(&error))?;
        let added = take_in(self.reader.ledger(), &file).await?;
        let slots = file.entries().count();
        Ok(Reply::json(200, &json!({"process": file.process().id, "slots": slots, "added": added})))
    }

    /// Whether messages for a process get their slots here. One that was taken in may have another scheduler.
    pub(super) async fn orders(&self, process: Id) -> Result<bool> {
        let row = self.reader.ledger().row(process).await?;
        Ok(row.is_some_and(|row| row.tags.tag("Scheduler") == Some(self.reader.address())))
    }
}

/// The items that a process names: its modules, and what it boots from.
fn named(process: &Process) -> Result<Vec<Id>> {
    let mut ids = process.listed_modules()?.unwrap_or_else(|| vec![process.module]);
    ids.extend(process.tags.tag("On-Boot").and_then(|id| id.parse::<Id>().ok()));
    Ok(ids)
}

/// What a file that does not prove is answered with: 422, for it was understood.
fn refused(error: &Error) -> Refusal {
    let status = match error.code() {
        Code::TooLarge => 413,
        Code::BundleMalformed | Code::ItemMalformed | Code::ItemTruncated | Code::TagsMalformed => 400,
        _ => 422,
    };
    Refusal::of(status, error)
}

/// Writes what is new of a proved history, in one transaction; how many slots that were. A history that says something else than
/// the one that is here is refused.
async fn take_in<S: Store>(ledger: &Ledger<S>, file: &HistoryFile) -> Handled<usize> {
    let process = file.process();
    let mut batch = Batch::default();
    let mut items: Vec<(&DataItem, u64)> = Vec::new();
    let first = file.entries().next().map_or(0, |entry| entry.assignment.timestamp);
    let boot = process.carrier.item().into_iter();
    items.extend(boot.chain(file.others()).map(|item| (item, first)));
    let mut added = 0;
    for entry in file.entries() {
        match ledger.entry(process.id, entry.slot).await? {
            Some(known) if known.assignment == entry.assignment.id => continue,
            Some(known) => {
                let sentence = format!(
                    "Slot {} is {} here and {} in the file: these are two histories of one process.",
                    entry.slot, known.assignment, entry.assignment.id
                );
                return Err(Refusal::new(409, sentence));
            }
            None => added += 1,
        }
        items.extend([
            (&entry.assignment.item, entry.assignment.timestamp),
            (&entry.message, entry.assignment.timestamp),
        ]);
        ledger.put_entry(&mut batch, process.id, entry.slot, &row(entry))?;
        if entry.message.tags.tag("From-Process").is_some() || entry.kind == EntryKind::Assign {
            ledger.put_pushed(&mut batch, process.id, &pushed_hash(&entry.message));
        }
        ledger.put_head(&mut batch, process.id, &head(entry))?;
    }
    let filed: Vec<Filed<'_>> =
        items.iter().map(|(item, timestamp)| Filed::honest(item, *timestamp)).collect();
    ledger.put_items(&mut batch, &filed).await?;
    ledger.commit(batch).await?;
    Ok(added)
}

fn row(entry: &Entry) -> EntryRow {
    // A scheduler shows no message beside the assignment of an Assign: it is elsewhere.
    let shown = entry.kind != EntryKind::Assign;
    EntryRow {
        assignment: entry.assignment.id,
        message: shown.then(|| entry.message.id()),
        timestamp: entry.assignment.timestamp,
    }
}

fn head(entry: &Entry) -> Head {
    Head {
        slot: entry.slot,
        assignment: entry.assignment.id,
        hash_chain: Id(entry.assignment.hash_chain),
        timestamp: entry.assignment.timestamp,
    }
}

/// A network that has the history of a file and nothing else: a sync proves it once more, as it proves what a scheduler says.
#[derive(Debug)]
pub struct HistoryFetch(Reader<MemoryStore, ManualClock>);

impl HistoryFetch {
    /// Where its units are: a host that no name server knows (RFC 6761).
    pub const ORIGIN: &str = "http://history.invalid";

    /// Loads a file that was proved.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn new(file: &HistoryFile) -> Result<Self> {
        let now = file.entries().last().map_or(0, |entry| entry.assignment.timestamp);
        let scheduler = file.process().scheduler.to_string();
        let reader = Reader::new(MemoryStore::new(), ManualClock::new(now, 0), scheduler);
        take_in(reader.ledger(), file).await.map_err(Refusal::into_error)?;
        Ok(Self(reader))
    }
}

impl Fetch for HistoryFetch {
    async fn fetch(&self, request: Request) -> Result<Response> {
        self.0.fetch(request).await
    }
}
