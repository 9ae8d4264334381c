//! Checkpoints of wasm processes: the pages of a memory by what is in them, so that one costs what changed since the last.
//!
//! | key in `snapshots` | value |
//! |---|---|
//! | `process/slot` | the head: what is outside of the memory, its size and its root |
//! | `process/map/at` | of 64 pages: which are not zero, and the SHA-256 of each |
//! | `process/page/hash` | a page of 4,096 bytes, compressed (LZ4) where that is shorter |
//!
//! All rows of a checkpoint are in the batch of the slots it stands for. What the new one does not name any more is deleted in the same
//! batch. Reading one proves every page by its hash and all of them by the root.

use std::collections::{BTreeMap, BTreeSet};

use weft_codec::{Code, Error, Id, Result};
use weft_wasm::{PAGE, Snapshot};

use crate::archive::{open, seal};
use crate::seams::{Batch, Store, Table};

/// Pages of one row of the map.
const ROW: u64 = 64;

/// Rows that are read at a time.
const STEP: usize = 2_048;

/// The first byte of a page's value.
const PLAIN: u8 = 0;
const LZ4: u8 = 1;

/// What is in which page.
type Map = BTreeMap<u64, Id>;

/// Puts a checkpoint into a batch, in the place of the one that the store has of the process.
///
/// Errors: those of the store.
pub(crate) async fn write(
    store: &impl Store,
    batch: &mut Batch,
    process: Id,
    slot: u64,
    snapshot: &Snapshot,
) -> Result<()> {
    // What does not read back is written anew.
    let old = read_map(store, process).await?.unwrap_or_default();
    let new: Map = snapshot.page_hashes().map(|(index, hash, _)| (index, hash)).collect();
    let had: BTreeSet<&Id> = old.values().collect();
    let has: BTreeSet<&Id> = new.values().collect();
    for (_, hash, page) in snapshot.page_hashes().filter(|(_, hash, _)| !had.contains(hash)) {
        batch.put(Table::Snapshots, page_key(process, hash), packed(page));
    }
    for hash in had.difference(&has) {
        batch.delete(Table::Snapshots, page_key(process, **hash));
    }
    let differs = |index: &&u64| old.get(index) != new.get(index);
    let rows: BTreeSet<u64> = old.keys().chain(new.keys()).filter(differs).map(|index| index / ROW).collect();
    for row in rows {
        let pages = new.range(row * ROW..(row + 1) * ROW);
        let value: Vec<u8> = pages
            .flat_map(|(index, hash)| std::iter::once(u8::try_from(index % ROW).unwrap_or(0)).chain(hash.0))
            .collect();
        match value.is_empty() {
            true => batch.delete(Table::Snapshots, map_key(process, row)),
            false => batch.put(Table::Snapshots, map_key(process, row), seal(&value)),
        }
    }
    batch.put(Table::Snapshots, crate::archive::slot_key(process, slot), snapshot.head_bytes());
    Ok(())
}

/// The checkpoint with this head.
///
/// Errors: `snapshot-invalid` for what is not as it was written; those of the store.
pub(crate) async fn read(store: &impl Store, process: Id, head: &[u8]) -> Result<Snapshot> {
    let damaged =
        |what: &str| Error::new(Code::SnapshotInvalid, format!("the checkpoint's {what} do not read back"));
    let map = read_map(store, process).await?.ok_or_else(|| damaged("map"))?;
    let mut pages = BTreeMap::new();
    let prefix = page_key_of(process);
    each(store, &prefix, |key, value| {
        let hash = key.strip_prefix(prefix.as_str()).and_then(|hash| hash.parse::<Id>().ok());
        let page = unpacked(value);
        let (hash, page) = hash.zip(page).ok_or_else(|| damaged("pages"))?;
        pages.insert(hash, page);
        Ok(())
    })
    .await?;
    let page = |(index, hash): (u64, Id)| Some((index, &**pages.get(&hash)?));
    let found: Option<Vec<(u64, &[u8; PAGE])>> = map.into_iter().map(page).collect();
    Snapshot::from_parts(head, found.ok_or_else(|| damaged("pages"))?)
}

/// The map of the stored checkpoint: `None` if it does not read back.
async fn read_map(store: &impl Store, process: Id) -> Result<Option<Map>> {
    let (mut map, mut sound) = (Map::new(), true);
    let prefix = format!("{process}/map/");
    each(store, &prefix, |key, value| {
        let row = key.strip_prefix(prefix.as_str()).and_then(|row| row.parse::<u64>().ok());
        let Some((row, value)) = row.zip(open(value)) else {
            sound = false;
            return Ok(());
        };
        let (pages, rest) = value.as_chunks::<33>();
        sound &= rest.is_empty();
        for [place, hash @ ..] in pages {
            map.insert(row.saturating_mul(ROW).saturating_add(u64::from(*place)), Id(*hash));
        }
        Ok(())
    })
    .await?;
    Ok(sound.then_some(map))
}

/// Shows the rows below a prefix that ends with `/`, in order.
async fn each(
    store: &impl Store,
    prefix: &str,
    mut see: impl FnMut(&str, &[u8]) -> Result<()>,
) -> Result<()> {
    // `0` follows `/`.
    let end = format!("{}0", prefix.trim_end_matches('/'));
    let mut from = prefix.to_owned();
    loop {
        let rows = store.scan(Table::Snapshots, &from, &end, STEP).await?;
        for (key, value) in &rows {
            see(key, value)?;
        }
        match rows.last() {
            // The next key after this one.
            Some((last, _)) if rows.len() == STEP => from = format!("{last}\0"),
            _ => return Ok(()),
        }
    }
}

fn packed(page: &[u8]) -> Vec<u8> {
    let mut value = vec![LZ4];
    value.extend(lz4_flex::block::compress(page));
    if value.len() > page.len() {
        value = [&[PLAIN], page].concat();
    }
    value
}

fn unpacked(value: &[u8]) -> Option<Box<[u8; PAGE]>> {
    let (kind, bytes) = value.split_first()?;
    let page = match *kind {
        PLAIN => bytes.to_vec(),
        LZ4 => lz4_flex::block::decompress(bytes, PAGE).ok()?,
        _ => return None,
    };
    page.into_boxed_slice().try_into().ok()
}

fn map_key(process: Id, row: u64) -> String {
    format!("{process}/map/{row:08}")
}

fn page_key_of(process: Id) -> String {
    format!("{process}/page/")
}

fn page_key(process: Id, hash: Id) -> String {
    format!("{process}/page/{hash}")
}
