//! What the local network keeps, and where: items with an index for GraphQL, and the scheduler's histories.
//!
//! | table | key | value |
//! |---|---|---|
//! | `items` | `item/{id}` | the item's bytes |
//! | `items` | `index/{number}` | an [`IndexRow`], in order of arrival |
//! | `items` | `number/{id}` | the number of that row |
//! | `processes` | `{process}` | a [`Head`] |
//! | `slots` | `{process}/{slot}` | an [`EntryRow`] |
//! | `messages` | `{process}/id/{message or assignment id}` | the slot |
//! | `messages` | `{process}/pushed/{deep hash}` | empty: that pushed message was there before |
//! | `settings` | `next` | the number of the next index row |
//!
//! `chain.rs` has the tables of the blocks. Numbers, slots, heights and offsets have 16 digits, so that text order is their order.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use weft_codec::item::DataItem;
use weft_codec::tags::{Tag, TagsExt as _};
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Error, Id, Result, base64url};

use super::blocks::BlockRow;
use crate::seams::{Batch, Store, Table};

/// An item as GraphQL shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexRow {
    /// The id it is kept under.
    pub id: Id,
    /// Its place in the order of arrival.
    pub number: u64,
    /// When it arrived, milliseconds since 1970.
    pub timestamp: u64,
    /// The anchor, base64url; empty for none.
    pub anchor: String,
    /// The signature, base64url.
    pub signature: String,
    /// The target, base64url; empty for none.
    pub recipient: String,
    /// `SHA256(key)`, base64url, for every key type, as gateways print it.
    pub address: String,
    /// The public key, base64url.
    pub key: String,
    /// Bytes of data.
    pub size: u64,
    /// The tags as text.
    pub tags: Vec<Tag>,
    /// The block it is in; `None` while it waits for one.
    #[serde(default)]
    pub block: Option<BlockRow>,
    /// The transaction whose bundle it is in; `None` while it waits, and for a transaction.
    #[serde(default)]
    pub bundled_in: Option<Id>,
}

/// An item on its way into the index.
#[derive(Clone, Copy, Debug)]
pub struct Filed<'a> {
    /// The id it is kept under.
    pub id: Id,
    /// The item.
    pub item: &'a DataItem,
    /// The bytes of data the index tells.
    pub size: u64,
    /// When it arrived, milliseconds since 1970.
    pub timestamp: u64,
}

impl<'a> Filed<'a> {
    /// An item under its own id, with its own size.
    #[must_use]
    pub fn honest(item: &'a DataItem, timestamp: u64) -> Self {
        Self { id: item.id(), item, size: item.data.len() as u64, timestamp }
    }
}

/// One entry of a history, by the ids its items are kept under.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EntryRow {
    /// The assignment.
    pub assignment: Id,
    /// The message; `None` for an Assign of an item that is elsewhere.
    pub message: Option<Id>,
    /// The assignment's `Timestamp`.
    pub timestamp: u64,
}

/// The end of a history: what the next assignment follows from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The last slot.
    pub slot: u64,
    /// Its assignment.
    pub assignment: Id,
    /// Its `Hash-Chain`, 32 bytes.
    pub hash_chain: Id,
    /// Its `Timestamp`.
    pub timestamp: u64,
}

/// A row for a number: 16 digits.
pub(super) fn padded(number: u64) -> String {
    format!("{number:016}")
}

/// The keys `{prefix}/…`, as a half-open range for [`Store::scan`].
pub(super) fn below(prefix: &str) -> (String, String) {
    // '0' follows '/' in ASCII.
    (format!("{prefix}/"), format!("{prefix}0"))
}

/// Items and histories over a [`Store`].
#[derive(Debug)]
pub struct Ledger<S> {
    store: S,
}

impl<S: Store> Ledger<S> {
    /// A ledger in this store.
    pub fn new(store: S) -> Self {
        Self { store }
    }

    /// The store underneath.
    pub fn store(&self) -> &S {
        &self.store
    }

    pub(super) async fn read<T: DeserializeOwned>(&self, table: Table, key: &str) -> Result<Option<T>> {
        self.store.get(table, key).await?.map(|bytes| decode(table, key, &bytes)).transpose()
    }

    /// The bytes kept under an id.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn bytes(&self, id: Id) -> Result<Option<Vec<u8>>> {
        self.store.get(Table::Items, &format!("item/{id}")).await
    }

    /// The item kept under an id.
    ///
    /// # Errors
    /// Those of the store and of [`DataItem::parse`].
    pub async fn item(&self, id: Id) -> Result<Option<DataItem>> {
        self.bytes(id).await?.map(|bytes| DataItem::parse(&bytes)).transpose()
    }

    /// The items kept under some ids, in the order of the ids.
    ///
    /// # Errors
    /// As [`Self::item`].
    pub async fn items(&self, ids: &[Id]) -> Result<Vec<Option<DataItem>>> {
        let keys: Vec<String> = ids.iter().map(|id| format!("item/{id}")).collect();
        let found = self.store.get_many(Table::Items, &keys).await?;
        found.into_iter().map(|bytes| bytes.map(|bytes| DataItem::parse(&bytes)).transpose()).collect()
    }

    /// An item's index row.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn row(&self, id: Id) -> Result<Option<IndexRow>> {
        match self.read::<u64>(Table::Items, &format!("number/{id}")).await? {
            Some(number) => self.read(Table::Items, &format!("index/{}", padded(number))).await,
            None => Ok(None),
        }
    }

    /// The index rows with `from <= number < to`, in order.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn rows(&self, from: u64, to: u64) -> Result<Vec<IndexRow>> {
        let (from, to) = (format!("index/{}", padded(from)), format!("index/{}", padded(to)));
        let found = self.store.scan(Table::Items, &from, &to, usize::MAX).await?;
        found.iter().map(|(key, bytes)| decode(Table::Items, key, bytes)).collect()
    }

    /// The number the next indexed item gets.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn next_number(&self) -> Result<u64> {
        Ok(self.read(Table::Settings, "next").await?.unwrap_or(0))
    }

    /// Adds items to a batch. An item that is there already stays as it is. Call it once a batch: the numbers
    /// of a batch follow from what the store holds.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn put_items(&self, batch: &mut Batch, items: &[Filed<'_>]) -> Result<()> {
        let mut number = self.next_number().await?;
        let keys: Vec<String> = items.iter().map(|filed| format!("number/{}", filed.id)).collect();
        let known = self.store.get_many(Table::Items, &keys).await?;
        for ((filed, key), known) in items.iter().zip(keys).zip(known) {
            if known.is_some() || batch.writes.contains_key(&(Table::Items, key.clone())) {
                continue;
            }
            batch.put(Table::Items, format!("item/{}", filed.id), filed.item.to_bytes());
            batch.put(Table::Items, key, encode(&number)?);
            batch.put(
                Table::Items,
                format!("index/{}", padded(number)),
                encode(&IndexRow::new(filed, number))?,
            );
            number += 1;
        }
        batch.put(Table::Settings, "next", encode(&number)?);
        Ok(())
    }

    /// Adds an entry to a batch, and the ids it is found by. Its items are added with [`Self::put_items`].
    ///
    /// # Errors
    /// None but those of JSON.
    pub fn put_entry(&self, batch: &mut Batch, process: Id, slot: u64, row: &EntryRow) -> Result<()> {
        batch.put(Table::Slots, format!("{process}/{}", padded(slot)), encode(row)?);
        for id in [Some(row.assignment), row.message].into_iter().flatten() {
            batch.put(Table::Messages, format!("{process}/id/{id}"), encode(&slot)?);
        }
        Ok(())
    }

    /// Adds the end of a history to a batch.
    ///
    /// # Errors
    /// None but those of JSON.
    pub fn put_head(&self, batch: &mut Batch, process: Id, head: &Head) -> Result<()> {
        batch.put(Table::Processes, process.to_string(), encode(head)?);
        Ok(())
    }

    /// The end of a history; `None` if the process is not here.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn head(&self, process: Id) -> Result<Option<Head>> {
        self.read(Table::Processes, &process.to_string()).await
    }

    /// One entry.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn entry(&self, process: Id, slot: u64) -> Result<Option<EntryRow>> {
        self.read(Table::Slots, &format!("{process}/{}", padded(slot))).await
    }

    /// The entries of the slots `from..=to`, in order.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn entries_at(&self, process: Id, from: u64, to: u64) -> Result<Vec<Option<EntryRow>>> {
        let keys: Vec<String> = (from..=to).map(|slot| format!("{process}/{}", padded(slot))).collect();
        let found = self.store.get_many(Table::Slots, &keys).await?;
        let each = keys.iter().zip(found);
        each.map(|(key, bytes)| bytes.map(|bytes| decode(Table::Slots, key, &bytes)).transpose()).collect()
    }

    /// Up to `limit` entries from a slot on, with their slots.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn entries(&self, process: Id, from: u64, limit: usize) -> Result<Vec<(u64, EntryRow)>> {
        let (_, to) = below(&process.to_string());
        let from = format!("{process}/{}", padded(from));
        let found = self.store.scan(Table::Slots, &from, &to, limit).await?;
        let each = found.iter().map(|(key, bytes)| {
            let slot = key.rsplit('/').next().and_then(|slot| slot.parse().ok());
            Ok((slot.ok_or_else(|| corrupt(Table::Slots, key))?, decode(Table::Slots, key, bytes)?))
        });
        each.collect()
    }

    /// The slot of a message or of an assignment.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn slot_of(&self, process: Id, id: Id) -> Result<Option<u64>> {
        self.read(Table::Messages, &format!("{process}/id/{id}")).await
    }

    /// Whether a pushed message with this deep hash is in the history.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn was_pushed(&self, process: Id, hash: &str) -> Result<bool> {
        Ok(self.store.get(Table::Messages, &format!("{process}/pushed/{hash}")).await?.is_some())
    }

    /// Remembers a pushed message.
    pub fn put_pushed(&self, batch: &mut Batch, process: Id, hash: &str) {
        batch.put(Table::Messages, format!("{process}/pushed/{hash}"), Vec::new());
    }

    /// Writes a batch.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn commit(&self, batch: Batch) -> Result<()> {
        self.store.commit(batch).await
    }
}

impl IndexRow {
    fn new(filed: &Filed<'_>, number: u64) -> Self {
        let item = filed.item;
        Self {
            id: filed.id,
            number,
            timestamp: filed.timestamp,
            anchor: item.anchor.map_or_else(String::new, |anchor| base64url::encode(&anchor)),
            signature: base64url::encode(&item.signature),
            recipient: item.target.map_or_else(String::new, |target| target.to_string()),
            address: Id::sha256(&item.owner).to_string(),
            key: base64url::encode(&item.owner),
            size: filed.size,
            tags: item.tags.clone(),
            block: None,
            bundled_in: None,
        }
    }

    /// The row of a transaction in a block.
    pub(super) fn of_transaction(transaction: &Transaction, number: u64, block: &BlockRow) -> Self {
        Self {
            id: transaction.id,
            number,
            timestamp: block.timestamp.saturating_mul(1000),
            anchor: base64url::encode(&transaction.last_tx),
            signature: base64url::encode(&transaction.signature),
            recipient: transaction.target.map_or_else(String::new, |target| target.to_string()),
            address: Id::sha256(&transaction.owner).to_string(),
            key: base64url::encode(&transaction.owner),
            size: transaction.data_size,
            tags: transaction.tags_text(),
            block: Some(block.clone()),
            bundled_in: None,
        }
    }

    /// The node of GraphQL, with every field of arweave.md §8.
    #[must_use]
    pub fn node(&self) -> Value {
        let around = self.bundled_in.map(|id| json!({ "id": id }));
        json!({
            "id": self.id,
            "anchor": self.anchor,
            "signature": self.signature,
            "recipient": self.recipient,
            "owner": { "address": self.address, "key": self.key },
            "fee": { "winston": "0", "ar": "0.000000000000" },
            "quantity": { "winston": "0", "ar": "0.000000000000" },
            "data": { "size": self.size.to_string(), "type": self.tags.tag("Content-Type") },
            "tags": self.tags,
            "block": self.block,
            "bundledIn": around,
            "parent": around,
        })
    }
}

pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
        .map_err(|cause| Error::new(Code::StoreFailed, "A row does not become JSON.").because(cause))
}

fn decode<T: DeserializeOwned>(table: Table, key: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|cause| corrupt(table, key).because(cause))
}

pub(super) fn corrupt(table: Table, key: &str) -> Error {
    Error::new(Code::StoreCorrupt, format!("The row `{key}` of table {} does not read back.", table.name()))
}
