//! What the store holds, typed. Keys are `process/slot` with the slot in 20 digits; every value begins with a
//! version byte and eight bytes of its SHA-256, so that what does not read back as written is `store-corrupt`
//! and never a wrong answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weft_codec::ao::Carrier;
use weft_codec::item::DataItem;
use weft_codec::message::{Tabm, packed};
use weft_codec::transaction::Transaction;
use weft_codec::{Address, Code, Error, Id, Result};
use weft_core::{EngineKind, SlotResult, Snapshot};
use weft_verify::{FraudProof, Head, HistoryEntry, InclusionProof, Status};

use crate::checkpoint;
use crate::heads::HeadSeen;
use crate::location::Location;
use crate::quorum::Tally as Said;
use crate::seams::{Batch, Store, Table};

/// The version of every value's encoding.
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 8;
const HEADER_BYTES: usize = 1 + CHECKSUM_BYTES;
/// How many keys one step of [`Archive::forget`] deletes.
const FORGET_STEP: usize = 256;
/// The most fraud proofs of one process that are read. One is enough to know.
const MAX_FRAUDS: usize = 64;
/// A slot has a message and an assignment.
const MAX_INCLUDED: usize = 2;

/// What is known of a process. One per process, written with every commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) process: Id,
    /// What its history is made of.
    #[serde(default, skip_serializing_if = "Form::is_items")]
    pub(crate) form: Form,
    pub(crate) module: Id,
    /// The modules after it, of a Lua process that lists several; known once it was run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) further_modules: Vec<Id>,
    pub(crate) scheduler: Address,
    /// What it runs on, as process and module say; known once it was run.
    #[serde(default)]
    pub(crate) engine: Option<EngineKind>,
    /// Counts commits; two syncs that write one process find each other out by it.
    pub(crate) revision: u64,
    /// The last verified slot.
    pub(crate) head: Option<Head>,
    /// The last replayed slot and its snapshot.
    pub(crate) replay: Option<ReplayHead>,
    /// What a process older than the boot loader was shown first, by the scheduler's word.
    pub(crate) boot: Option<Boot>,
    /// `Cron-Interval` tags the user chose to replay without.
    pub(crate) crons_left_out: Vec<String>,
    /// How often each check of the history was made, and how it came out.
    pub(crate) tallies: BTreeMap<String, Tally>,
    /// How far each source was when it was asked last, and how many must agree.
    #[serde(default)]
    pub(crate) heads: Vec<HeadSeen>,
    #[serde(default)]
    pub(crate) heads_needed: u32,
    /// Whether the last sync was asked to go no further than its last slot.
    #[serde(default)]
    pub(crate) heads_to_slot: bool,
    /// Where the scheduler was found, if not by the user's word.
    #[serde(default)]
    pub(crate) location: Option<Location>,
    /// What gateways said that Arweave has of the history, where it was rebuilt from there: of all pages the
    /// listing that the fewest agreed on.
    #[serde(default)]
    pub(crate) listing: Option<Said>,
}

/// What a history is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Form {
    /// Data items: a scheduler unit's.
    #[default]
    Items,
    /// Signed AO-Core messages: a HyperBEAM node's.
    Messages,
}

impl Form {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    fn is_items(&self) -> bool {
        *self == Self::Items
    }
}

/// How far the replay is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReplayHead {
    pub(crate) slot: u64,
    /// Of the linear memory after that slot. Taken at the end of a sync, not at every commit: it costs a pass
    /// over the whole memory.
    pub(crate) memory_sha256: Option<Id>,
    /// Messages evaluated, left out as second copies, and failed.
    pub(crate) evaluated: u64,
    pub(crate) duplicates: u64,
    pub(crate) failed: u64,
    /// Slots of a Lua process whose results depend on more than the history.
    #[serde(default)]
    pub(crate) not_replayable: u64,
    /// Gas of all slots. `None` if some were replayed by a version that did not add it up.
    #[serde(default)]
    pub(crate) gas: Option<u64>,
}

/// A proof that an item is in a block, and what gateways say of the last header of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptInclusion {
    pub(crate) proof: InclusionProof,
    /// Who gave it.
    pub(crate) source: String,
    /// The height of the last header.
    pub(crate) height: u64,
    /// Its hash, as the gateways say.
    pub(crate) said: Said,
}

/// The scheduler's word on when a process began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Boot {
    pub(crate) block_height: u64,
    pub(crate) timestamp: u64,
    pub(crate) source: String,
}

/// The outcomes of one kind of check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) proved: u64,
    /// By whose word, and how often.
    pub(crate) trusted: BTreeMap<String, u64>,
    /// The sentence of the first check of this kind.
    pub(crate) sentence: String,
}

impl Tally {
    pub(crate) fn saying(sentence: &str) -> Self {
        Self { sentence: sentence.to_owned(), ..Self::default() }
    }

    /// Counts how a check came out.
    pub(crate) fn count(&mut self, status: &Status) {
        match status {
            Status::Proved => self.proved += 1,
            Status::Trusted { by } => *self.trusted.entry(by.clone()).or_default() += 1,
            _ => {}
        }
    }
}

/// The typed layer over a [`Store`].
pub(crate) struct Archive<'a, S> {
    store: &'a S,
}

impl<'a, S: Store> Archive<'a, S> {
    pub(crate) fn new(store: &'a S) -> Self {
        Self { store }
    }

    pub(crate) async fn commit(&self, batch: Batch) -> Result<()> {
        self.store.commit(batch).await
    }

    pub(crate) async fn record(&self, process: Id) -> Result<Option<Record>> {
        let key = process.to_string();
        let Some(value) = self.store.get(Table::Processes, &key).await? else { return Ok(None) };
        decode_record(&key, &value).map(Some)
    }

    /// Errors: `store-failed` if another sync wrote to the record's process since it was read.
    pub(crate) async fn check_revision(&self, record: &Record) -> Result<()> {
        let stored = self.record(record.process).await?.map_or(0, |stored| stored.revision);
        if stored == record.revision {
            return Ok(());
        }
        let what = "Another sync wrote to this process meanwhile. Run this one again.";
        Err(Error::new(Code::StoreFailed, what))
    }

    /// Up to `limit` records, by process id.
    pub(crate) async fn records(&self, limit: usize) -> Result<Vec<Record>> {
        // Ids are base64url: every one sorts below `~`.
        let entries = self.store.scan(Table::Processes, "", "~", limit).await?;
        entries.iter().map(|(key, value)| decode_record(key, value)).collect()
    }

    /// The item or transaction stored under an id; who reads it proves it again.
    pub(crate) async fn carrier(&self, id: Id) -> Result<Option<Carrier>> {
        let key = id.to_string();
        let Some(value) = self.store.get(Table::Items, &key).await? else { return Ok(None) };
        let carrier = open(&value).and_then(decode_carrier);
        carrier.map(Some).ok_or_else(|| corrupt(Table::Items, &key))
    }

    /// A slot, from the store or from what waits for a commit.
    pub(crate) async fn slot(&self, pending: &Batch, process: Id, slot: u64) -> Result<Option<HistoryEntry>> {
        let key = slot_key(process, slot);
        let Some(value) = self.either(pending, Table::Slots, &key).await? else { return Ok(None) };
        let entry = open(&value).and_then(decode_entry);
        entry.map(Some).ok_or_else(|| corrupt(Table::Slots, &key))
    }

    /// The assignment of a slot of a schedule of messages, as it was shown to the process; who reads it proves it again.
    pub(crate) async fn signed_slot(&self, pending: &Batch, process: Id, slot: u64) -> Result<Option<Tabm>> {
        let key = slot_key(process, slot);
        let Some(value) = self.either(pending, Table::Slots, &key).await? else { return Ok(None) };
        let assignment = open(&value).and_then(|bytes| packed::unpack(bytes).ok());
        assignment.map(Some).ok_or_else(|| corrupt(Table::Slots, &key))
    }

    /// The message stored under an id, with its commitments; who reads it proves it again.
    pub(crate) async fn message(&self, id: Id) -> Result<Option<Tabm>> {
        let key = message_key(id);
        let Some(value) = self.store.get(Table::Items, &key).await? else { return Ok(None) };
        let message = open(&value).and_then(|bytes| packed::unpack(bytes).ok());
        message.map(Some).ok_or_else(|| corrupt(Table::Items, &key))
    }

    pub(crate) async fn result(&self, process: Id, slot: u64) -> Result<Option<SlotResult>> {
        let key = slot_key(process, slot);
        let Some(value) = self.store.get(Table::Results, &key).await? else { return Ok(None) };
        decode_result(&key, &value).map(Some)
    }

    pub(crate) async fn results(&self, process: Id, from: u64, limit: usize) -> Result<Vec<SlotResult>> {
        let entries =
            self.store.scan(Table::Results, &slot_key(process, from), &after(process), limit).await?;
        entries.iter().map(|(key, value)| decode_result(key, value)).collect()
    }

    pub(crate) async fn snapshot(&self, process: Id, slot: u64) -> Result<Option<Snapshot>> {
        let key = slot_key(process, slot);
        let Some(value) = self.store.get(Table::Snapshots, &key).await? else { return Ok(None) };
        let snapshot = match weft_wasm::Snapshot::is_head(&value) {
            true => checkpoint::read(self.store, process, &value).await.map(Snapshot::Wasm),
            false => Snapshot::from_bytes(&value),
        };
        match snapshot {
            Err(cause) if cause.code() == Code::SnapshotInvalid => {
                Err(corrupt(Table::Snapshots, &key).because(cause))
            }
            snapshot => snapshot.map(Some),
        }
    }

    /// Puts the snapshot of a slot into a batch.
    pub(crate) async fn put_snapshot(
        &self,
        batch: &mut Batch,
        process: Id,
        slot: u64,
        snapshot: &Snapshot,
    ) -> Result<()> {
        match snapshot {
            Snapshot::Wasm(snapshot) => checkpoint::write(self.store, batch, process, slot, snapshot).await,
            // It carries its own checksum.
            Snapshot::Lua(bytes) => {
                batch.put(Table::Snapshots, slot_key(process, slot), bytes.clone());
                Ok(())
            }
        }
    }

    /// What two engines made of a message at which they differed.
    pub(crate) async fn divergence(&self, process: Id) -> Result<Option<Vec<u8>>> {
        self.store.get(Table::Snapshots, &divergence_key(process)).await
    }

    /// The first slot of a message id.
    pub(crate) async fn slot_of(&self, pending: &Batch, process: Id, message: Id) -> Result<Option<u64>> {
        self.number(pending, &id_key(process, message)).await
    }

    /// The slot at which a message of this key was evaluated.
    pub(crate) async fn evaluated_at(&self, pending: &Batch, process: Id, key: &str) -> Result<Option<u64>> {
        self.number(pending, &seen_key(process, key)).await
    }

    async fn number(&self, pending: &Batch, key: &str) -> Result<Option<u64>> {
        let value = self.either(pending, Table::Messages, key).await?;
        value.map(|value| decode_number(key, &value)).transpose()
    }

    /// The first slot of each of these message ids, as far as they are committed.
    pub(crate) async fn slots_of(&self, process: Id, messages: &[Id]) -> Result<Vec<Option<u64>>> {
        let keys: Vec<String> = messages.iter().map(|message| id_key(process, *message)).collect();
        let values = self.store.get_many(Table::Messages, &keys).await?;
        let slots = keys.iter().zip(values);
        slots.map(|(key, value)| value.map(|value| decode_number(key, &value)).transpose()).collect()
    }

    async fn either(&self, pending: &Batch, table: Table, key: &str) -> Result<Option<Vec<u8>>> {
        match pending.writes.get(&(table, key.to_owned())) {
            Some(value) => Ok(value.clone()),
            None => self.store.get(table, key).await,
        }
    }

    /// The proofs that the scheduler of a process signed two assignments for one slot, by slot.
    pub(crate) async fn frauds(&self, process: Id) -> Result<Vec<FraudProof>> {
        let (from, to) = (format!("{process}/fraud/"), format!("{process}/fraud0"));
        let found = self.store.scan(Table::Slots, &from, &to, MAX_FRAUDS).await?;
        let proofs = found.iter().map(|(key, value)| {
            let proof = open(value).and_then(|json| FraudProof::from_json(json).ok());
            proof.ok_or_else(|| corrupt(Table::Slots, key))
        });
        proofs.collect()
    }

    /// The proofs that items of a slot are in a block, by item.
    pub(crate) async fn inclusions(&self, process: Id, slot: u64) -> Result<Vec<KeptInclusion>> {
        let (from, to) = included_keys(process, "inclusion", slot);
        let found = self.store.scan(Table::Slots, &from, &to, MAX_INCLUDED).await?;
        let read = |(key, value): &(String, Vec<u8>)| {
            let kept = open(value).and_then(|json| serde_json::from_slice(json).ok());
            kept.ok_or_else(|| corrupt(Table::Slots, key))
        };
        found.iter().map(read).collect()
    }

    /// The slots with such proofs, one for each item, up to `limit`.
    pub(crate) async fn included(&self, process: Id, limit: usize) -> Result<Vec<u64>> {
        let (from, to) = (format!("{process}/included/"), format!("{process}/included0"));
        let found = self.store.scan(Table::Slots, &from, &to, limit).await?;
        let slot = |(key, _): &(String, Vec<u8>)| {
            let slot = key.split('/').nth(2).and_then(|slot| slot.parse().ok());
            slot.ok_or_else(|| corrupt(Table::Slots, key))
        };
        found.iter().map(slot).collect()
    }

    /// Whether there is a proof for this slot.
    pub(crate) async fn has_fraud(&self, pending: &Batch, process: Id, slot: u64) -> Result<bool> {
        Ok(self.either(pending, Table::Slots, &fraud_key(process, slot)).await?.is_some())
    }

    /// Deletes all that is held of a process. The record goes first: what an interruption leaves is never
    /// taken for a history, and a second call removes it.
    pub(crate) async fn forget(&self, process: Id) -> Result<()> {
        let mut batch = Batch::default();
        batch.delete(Table::Processes, process.to_string());
        batch.delete(Table::Items, process.to_string());
        self.store.commit(batch).await?;
        for table in [Table::Snapshots, Table::Results, Table::Slots, Table::Messages] {
            loop {
                let found =
                    self.store.scan(table, &format!("{process}/"), &after(process), FORGET_STEP).await?;
                if found.is_empty() {
                    break;
                }
                let mut batch = Batch::default();
                for (key, _) in found {
                    batch.delete(table, key);
                }
                self.store.commit(batch).await?;
            }
        }
        Ok(())
    }
}

/// Writes, typed. They take effect when the batch is committed.
pub(crate) mod write {
    use super::*;

    pub(crate) fn record(batch: &mut Batch, record: &Record) -> Result<()> {
        batch.put(Table::Processes, record.process.to_string(), seal(&json(record)?));
        Ok(())
    }

    pub(crate) fn carrier(batch: &mut Batch, id: Id, carrier: &Carrier) {
        batch.put(Table::Items, id.to_string(), seal(&encode_carrier(carrier)));
    }

    /// Puts a slot; answers with its size in bytes.
    pub(crate) fn slot(
        batch: &mut Batch,
        process: Id,
        slot: u64,
        assignment: &DataItem,
        message: &DataItem,
    ) -> usize {
        let value = seal(&encode_entry(assignment, message));
        let size = value.len();
        batch.put(Table::Slots, slot_key(process, slot), value);
        size
    }

    /// Puts the assignment of a slot of a schedule of messages; answers with its size in bytes.
    pub(crate) fn signed_slot(batch: &mut Batch, process: Id, slot: u64, shown: &Tabm) -> Result<usize> {
        let value = seal(&packed::pack(shown)?);
        let size = value.len();
        batch.put(Table::Slots, slot_key(process, slot), value);
        Ok(size)
    }

    /// Puts a message with its commitments.
    pub(crate) fn message(batch: &mut Batch, id: Id, message: &Tabm) -> Result<()> {
        batch.put(Table::Items, message_key(id), seal(&packed::pack(message)?));
        Ok(())
    }

    /// Puts a proof that the scheduler signed two assignments for a slot beside that slot.
    pub(crate) fn fraud(batch: &mut Batch, proof: &FraudProof) {
        let json = proof.to_json().to_string();
        batch.put(Table::Slots, fraud_key(proof.process, proof.slot), seal(json.as_bytes()));
    }

    /// Puts a proof that an item of a slot is in a block beside that slot, and a mark that there is one: proofs are large.
    pub(crate) fn inclusion(batch: &mut Batch, process: Id, slot: u64, kept: &KeptInclusion) -> Result<()> {
        let item = kept.proof.item;
        batch.put(Table::Slots, format!("{process}/inclusion/{slot:020}/{item}"), seal(&json(kept)?));
        batch.put(Table::Slots, format!("{process}/included/{slot:020}/{item}"), seal(&[]));
        Ok(())
    }

    pub(crate) fn slot_of(batch: &mut Batch, process: Id, message: Id, slot: u64) {
        batch.put(Table::Messages, id_key(process, message), seal(&slot.to_le_bytes()));
    }

    /// Whether the batch says where a message came first.
    pub(crate) fn holds_slot_of(batch: &Batch, process: Id, message: Id) -> bool {
        batch.writes.contains_key(&(Table::Messages, id_key(process, message)))
    }

    pub(crate) fn evaluated_at(batch: &mut Batch, process: Id, key: &str, slot: u64) {
        batch.put(Table::Messages, seen_key(process, key), seal(&slot.to_le_bytes()));
    }

    /// Puts a result; answers with its size in bytes.
    pub(crate) fn result(batch: &mut Batch, process: Id, result: &SlotResult) -> Result<usize> {
        let value = seal(&json(result)?);
        let size = value.len();
        batch.put(Table::Results, slot_key(process, result.slot), value);
        Ok(size)
    }

    /// Puts what two engines made of a message; an earlier one goes.
    pub(crate) fn divergence(batch: &mut Batch, process: Id, report: Vec<u8>) {
        batch.put(Table::Snapshots, divergence_key(process), report);
    }

    pub(crate) fn drop_snapshot(batch: &mut Batch, process: Id, slot: u64) {
        batch.delete(Table::Snapshots, slot_key(process, slot));
    }
}

/// Beside the items: an item's key is its id.
fn message_key(id: Id) -> String {
    format!("message/{id}")
}

fn id_key(process: Id, message: Id) -> String {
    format!("{process}/id/{message}")
}

/// Beside the snapshots of the process's slots.
fn divergence_key(process: Id) -> String {
    format!("{process}/divergence")
}

fn seen_key(process: Id, key: &str) -> String {
    format!("{process}/seen/{key}")
}

/// Above all slots of a process: letters follow digits.
fn fraud_key(process: Id, slot: u64) -> String {
    format!("{process}/fraud/{slot:020}")
}

/// The keys of a slot's proofs, or of their marks, as a half-open range.
fn included_keys(process: Id, what: &str, slot: u64) -> (String, String) {
    (format!("{process}/{what}/{slot:020}/"), format!("{process}/{what}/{slot:020}0"))
}

pub(crate) fn slot_key(process: Id, slot: u64) -> String {
    format!("{process}/{slot:020}")
}

/// Above every key of a process: `0` follows `/`.
fn after(process: Id) -> String {
    format!("{process}0")
}

fn decode_number(key: &str, value: &[u8]) -> Result<u64> {
    let bytes = open(value).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u64::from_le_bytes).ok_or_else(|| corrupt(Table::Messages, key))
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
        .map_err(|cause| Error::new(Code::StoreFailed, "A value cannot be written as JSON.").because(cause))
}

pub(crate) fn seal(payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEADER_BYTES + payload.len());
    value.push(VERSION);
    value.extend_from_slice(&Id::sha256(payload).0[..CHECKSUM_BYTES]);
    value.extend_from_slice(payload);
    value
}

pub(crate) fn open(value: &[u8]) -> Option<&[u8]> {
    let (header, payload) = value.split_at_checked(HEADER_BYTES)?;
    let sum = Id::sha256(payload);
    (header[0] == VERSION && header[1..] == sum.0[..CHECKSUM_BYTES]).then_some(payload)
}

pub(crate) fn corrupt(table: Table, key: &str) -> Error {
    Error::new(
        Code::StoreCorrupt,
        format!(
            "The store's entry `{key}` in `{}` is not as it was written. Forget the process and sync it again.",
            table.name()
        ),
    )
}

fn decode_record(key: &str, value: &[u8]) -> Result<Record> {
    let record: Option<Record> = open(value).and_then(|payload| serde_json::from_slice(payload).ok());
    record.filter(|record| record.process.to_string() == key).ok_or_else(|| corrupt(Table::Processes, key))
}

fn decode_result(key: &str, value: &[u8]) -> Result<SlotResult> {
    open(value)
        .and_then(|payload| serde_json::from_slice(payload).ok())
        .ok_or_else(|| corrupt(Table::Results, key))
}

fn encode_carrier(carrier: &Carrier) -> Vec<u8> {
    match carrier {
        Carrier::Item(item) => [&[1], item.to_bytes().as_slice()].concat(),
        Carrier::Transaction(transaction) => {
            let header = Transaction { data: Vec::new(), ..(**transaction).clone() };
            let header = header.to_json().to_string().into_bytes();
            let size = u32::try_from(header.len()).unwrap_or(u32::MAX).to_le_bytes();
            [&[2], size.as_slice(), &header, &transaction.data].concat()
        }
    }
}

fn decode_carrier(payload: &[u8]) -> Option<Carrier> {
    match payload.split_first()? {
        (1, item) => DataItem::parse(item).ok().map(Carrier::from),
        (2, rest) => {
            let (header, data) = split_sized(rest)?;
            let mut transaction = Transaction::from_json(header).ok()?;
            transaction.data = data.to_vec();
            Some(transaction.into())
        }
        _ => None,
    }
}

fn encode_entry(assignment: &DataItem, message: &DataItem) -> Vec<u8> {
    let assignment = assignment.to_bytes();
    let size = u32::try_from(assignment.len()).unwrap_or(u32::MAX).to_le_bytes();
    [size.as_slice(), &assignment, &message.to_bytes()].concat()
}

fn decode_entry(payload: &[u8]) -> Option<HistoryEntry> {
    let (assignment, message) = split_sized(payload)?;
    Some(HistoryEntry {
        assignment: DataItem::parse(assignment).ok()?,
        message: Some(DataItem::parse(message).ok()?),
    })
}

fn split_sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*size)).ok()?)
}
