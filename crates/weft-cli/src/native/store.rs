//! A store in one file, by redb.

use std::path::Path;

use redb::{Database, ReadableDatabase as _, TableDefinition, TableError};
use weft_codec::{Code, Error, Result};
use weft_node::seams::{Batch, Store, Table};

/// The file inside the folder.
const FILE: &str = "weft.redb";

/// A store in a folder of its own. One program has it open at a time.
#[derive(Debug)]
pub struct FileStore {
    database: Database,
}

impl FileStore {
    /// Opens the store in a folder, or makes both. Errors: `unreadable` for a folder that cannot be made,
    /// `store-failed` for a file that is no store or that another program has open.
    pub fn open(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|cause| {
            let what = format!("The folder {} cannot be made.", folder.display());
            Error::new(Code::Unreadable, what).because(cause)
        })?;
        let path = folder.join(FILE);
        let database = Database::create(&path).map_err(|cause| {
            let what = format!("The store {} cannot be opened. Does another program use it?", path.display());
            Error::new(Code::StoreFailed, what).because(cause)
        })?;
        Ok(Self { database })
    }
}

fn definition(table: Table) -> TableDefinition<'static, &'static str, &'static [u8]> {
    TableDefinition::new(table.name())
}

fn unreadable(cause: impl Into<redb::Error>) -> Error {
    Error::new(Code::StoreFailed, "The store cannot be read.").because(cause.into())
}

fn unwritable(cause: impl Into<redb::Error>) -> Error {
    Error::new(Code::StoreFailed, "The store cannot be written.").because(cause.into())
}

impl Store for FileStore {
    async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>> {
        let read = self.database.begin_read().map_err(unreadable)?;
        let table = match read.open_table(definition(table)) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(None),
            Err(cause) => return Err(unreadable(cause)),
        };
        Ok(table.get(key).map_err(unreadable)?.map(|value| value.value().to_vec()))
    }

    async fn scan(&self, table: Table, from: &str, to: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>> {
        if from >= to {
            return Ok(Vec::new());
        }
        let read = self.database.begin_read().map_err(unreadable)?;
        let table = match read.open_table(definition(table)) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(cause) => return Err(unreadable(cause)),
        };
        let mut found = Vec::new();
        for entry in table.range(from..to).map_err(unreadable)?.take(limit) {
            let (key, value) = entry.map_err(unreadable)?;
            found.push((key.value().to_owned(), value.value().to_vec()));
        }
        Ok(found)
    }

    async fn commit(&self, batch: Batch) -> Result<()> {
        let write = self.database.begin_write().map_err(unwritable)?;
        let mut writes = batch.writes.into_iter().peekable();
        // The writes are sorted by table: each is opened once.
        while let Some(((table, _), _)) = writes.peek() {
            let of = *table;
            let mut open = write.open_table(definition(of)).map_err(unwritable)?;
            while let Some(((_, key), value)) = writes.next_if(|((table, _), _)| *table == of) {
                match value {
                    Some(value) => open.insert(key.as_str(), value.as_slice()).map_err(unwritable)?,
                    None => open.remove(key.as_str()).map_err(unwritable)?,
                };
            }
        }
        write.commit().map_err(unwritable)
    }
}
