//! The seam `Store` over IndexedDB, through rexie: one object store per table, binary keys, binary values.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use futures_util::future::{join, try_join, try_join_all};
use js_sys::Uint8Array;
use rexie::{KeyRange, ObjectStore, Rexie, TransactionMode, TransactionResult};
use wasm_bindgen::{JsCast, JsValue};
use weft_codec::{Code, Error, Result};
use weft_node::seams::{Batch, Store, Table};

/// The layout below. A change of layout is a new version, and a builder step that makes it.
const VERSION: u32 = 1;

/// A key, and what it is to hold: `None` for nothing.
type Write = (String, Option<Vec<u8>>);

/// A database of this origin. A clone is another handle on the same connection.
#[derive(Clone)]
pub struct IndexedStore {
    database: Rc<Rexie>,
}

impl IndexedStore {
    /// Opens the database, and makes it if it is not there.
    ///
    /// Errors: `store-failed` where the browser refuses, as in some private windows.
    pub async fn open(name: &str) -> Result<Self> {
        let builder = Table::ALL.iter().fold(Rexie::builder(name).version(VERSION), |b, table| {
            b.add_object_store(ObjectStore::new(table.name()))
        });
        let database = builder.build().await.map_err(failed)?;
        Ok(Self { database: Rc::new(database) })
    }

    /// Deletes a database of this origin. Waits until other tabs have closed it.
    ///
    /// Errors: `store-failed`.
    pub async fn delete(name: &str) -> Result<()> {
        Rexie::delete(name).await.map_err(failed)
    }
}

impl Store for IndexedStore {
    async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>> {
        let transaction =
            self.database.transaction(&[table.name()], TransactionMode::ReadOnly).map_err(failed)?;
        let store = transaction.store(table.name()).map_err(failed)?;
        let value = store.get(to_key(key)).await.map_err(failed)?;
        value.map(to_bytes).transpose()
    }

    /// All in one transaction, placed before the first is waited for: each costs a way to the browser's process and back.
    async fn get_many(&self, table: Table, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let transaction =
            self.database.transaction(&[table.name()], TransactionMode::ReadOnly).map_err(failed)?;
        let store = transaction.store(table.name()).map_err(failed)?;
        let values = try_join_all(keys.iter().map(|key| store.get(to_key(key)))).await.map_err(failed)?;
        values.into_iter().map(|value| value.map(to_bytes).transpose()).collect()
    }

    async fn scan(&self, table: Table, from: &str, to: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>> {
        // IndexedDB throws on an empty range, and reads a limit of zero as none.
        if from >= to || limit == 0 {
            return Ok(Vec::new());
        }
        let range = || KeyRange::bound(&to_key(from), &to_key(to), Some(false), Some(true));
        let limit = Some(u32::try_from(limit).unwrap_or(u32::MAX));
        let transaction =
            self.database.transaction(&[table.name()], TransactionMode::ReadOnly).map_err(failed)?;
        let store = transaction.store(table.name()).map_err(failed)?;
        let (first, second) =
            (range().map_err(|e| failed(e.into()))?, range().map_err(|e| failed(e.into()))?);
        // Both see the same transaction, so they pair up.
        let (keys, values) =
            try_join(store.get_all_keys(Some(first), limit), store.get_all(Some(second), limit))
                .await
                .map_err(failed)?;
        if keys.len() != values.len() {
            return Err(Error::new(Code::StoreFailed, "The browser's database answered unevenly."));
        }
        keys.into_iter().zip(values).map(|(key, value)| Ok((from_key(key)?, to_bytes(value)?))).collect()
    }

    /// Places every write before it first waits, so that even a worker that is ended, or a future that is dropped,
    /// leaves all of the batch or none of it.
    async fn commit(&self, batch: Batch) -> Result<()> {
        let mut by_table: BTreeMap<Table, Vec<Write>> = BTreeMap::new();
        for ((table, key), value) in batch.writes {
            by_table.entry(table).or_default().push((key, value));
        }
        if by_table.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = by_table.keys().map(|table| table.name()).collect();
        let transaction = self.database.transaction(&names, TransactionMode::ReadWrite).map_err(failed)?;
        let mut stores = Vec::new();
        for (table, writes) in by_table {
            stores.push((transaction.store(table.name()).map_err(failed)?, writes));
        }
        let mut operations: Vec<Pin<Box<dyn Future<Output = rexie::Result<()>> + '_>>> = Vec::new();
        for (store, writes) in &stores {
            let puts = writes
                .iter()
                .filter_map(|(key, value)| value.as_ref().map(|bytes| (to_value(bytes), Some(to_key(key)))));
            operations.push(Box::pin(store.put_all(puts)));
            for (key, _) in writes.iter().filter(|(_, value)| value.is_none()) {
                operations.push(Box::pin(store.delete(to_key(key))));
            }
        }
        let mut writes = pin!(try_join_all(operations));
        let placed = poll_fn(|context| Poll::Ready(writes.as_mut().poll(context))).await;
        if let Poll::Ready(Err(error)) = placed {
            // One was refused on the spot; the others must not go through without it.
            let _ = transaction.abort().await;
            return Err(failed(error));
        }
        let rest = async {
            match placed {
                Poll::Ready(result) => result,
                Poll::Pending => writes.await,
            }
        };
        let (written, ended) = join(rest, transaction.done()).await;
        written.map_err(failed)?;
        match ended.map_err(failed)? {
            TransactionResult::Committed => Ok(()),
            TransactionResult::Aborted => {
                Err(Error::new(Code::StoreFailed, "The browser undid a write; its storage may be full."))
            }
        }
    }
}

/// Keys are UTF-8 bytes: IndexedDB orders text by UTF-16 units, and the seam by UTF-8 bytes.
fn to_key(key: &str) -> JsValue {
    Uint8Array::from(key.as_bytes()).into()
}

fn from_key(key: JsValue) -> Result<String> {
    // A binary key reads back as an `ArrayBuffer`.
    let bytes = Uint8Array::new(&key).to_vec();
    String::from_utf8(bytes).map_err(|e| {
        Error::new(Code::StoreCorrupt, "A key of the browser's database is not text.").because(e)
    })
}

fn to_value(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

fn to_bytes(value: JsValue) -> Result<Vec<u8>> {
    value
        .dyn_into::<Uint8Array>()
        .map(|bytes| bytes.to_vec())
        .map_err(|_| Error::new(Code::StoreCorrupt, "A value of the browser's database is not bytes."))
}

fn failed(error: rexie::Error) -> Error {
    Error::new(
        Code::StoreFailed,
        "The browser's database refused; it may be full, or storage may be off for this site.",
    )
    .because(error)
}
