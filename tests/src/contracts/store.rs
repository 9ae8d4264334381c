//! The contract of [`Store`].

use weft_codec::Code;
use weft_node::seams::{Batch, Store, Table};

/// All of it, on an empty store. It leaves the store empty.
///
/// # Panics
///
/// If the store breaks the contract.
pub async fn holds(store: &impl Store) {
    reads_what_was_written(store).await;
    keeps_tables_apart(store).await;
    scans_in_the_order_of_bytes(store).await;
    commits_a_batch_as_one(store).await;
    takes_any_value(store).await;
    is_empty(store).await;
}

/// What one handle wrote, a handle opened after it was closed reads. `open` gives handles on one and the same store.
///
/// # Panics
///
/// If the store breaks the contract.
pub async fn lasts<S: Store>(open: impl AsyncFn() -> S) {
    let first = open().await;
    put(&first, Table::Slots, &[("p/1", b"one"), ("p/2", b"two")]).await;
    drop(first);
    let second = open().await;
    assert_eq!(get(&second, Table::Slots, "p/1").await.as_deref(), Some(&b"one"[..]));
    assert_eq!(scan(&second, "p/", "p0", 9).await, ["p/1", "p/2"]);
    remove(&second, &[(Table::Slots, "p/1"), (Table::Slots, "p/2")]).await;
}

async fn reads_what_was_written(store: &impl Store) {
    assert_eq!(get(store, Table::Items, "a").await, None);
    put(store, Table::Items, &[("a", b"1")]).await;
    assert_eq!(get(store, Table::Items, "a").await.as_deref(), Some(&b"1"[..]));
    put(store, Table::Items, &[("a", b"2")]).await;
    assert_eq!(get(store, Table::Items, "a").await.as_deref(), Some(&b"2"[..]));
    remove(store, &[(Table::Items, "a")]).await;
    assert_eq!(get(store, Table::Items, "a").await, None);
    put(store, Table::Items, &[("a", b"1"), ("c", b"3")]).await;
    let keys = ["c", "b", "a", "c"].map(str::to_owned);
    let several = store.get_many(Table::Items, &keys).await.map_err(|error| error.code());
    let wanted = [Some(b"3".to_vec()), None, Some(b"1".to_vec()), Some(b"3".to_vec())];
    assert_eq!(several, Ok::<_, Code>(wanted.to_vec()), "in the order of the keys");
    let none = store.get_many(Table::Items, &[]).await.map_err(|error| error.code());
    assert_eq!(none, Ok::<_, Code>(Vec::new()));
    remove(store, &[(Table::Items, "a"), (Table::Items, "c")]).await;
    // Deleting what is not there is no error, and an empty batch is none.
    remove(store, &[(Table::Items, "a")]).await;
    commit(store, Batch::default()).await;
}

async fn keeps_tables_apart(store: &impl Store) {
    for table in Table::ALL {
        put(store, table, &[("same", table.name().as_bytes())]).await;
    }
    for table in Table::ALL {
        assert_eq!(get(store, table, "same").await.as_deref(), Some(table.name().as_bytes()));
    }
    let all: Vec<(Table, &str)> = Table::ALL.into_iter().map(|table| (table, "same")).collect();
    remove(store, &all).await;
}

async fn scans_in_the_order_of_bytes(store: &impl Store) {
    // The order of UTF-16, which JavaScript sorts by, is another one for the last two.
    let keys =
        ["", "A", "a", "a/00000000000000000002", "a/00000000000000000010", "a0", "b", "ä", "\u{ffff}", "😀"];
    let mut batch = Batch::default();
    for key in keys.iter().rev() {
        batch.put(Table::Slots, *key, key.as_bytes().to_vec());
    }
    commit(store, batch).await;
    assert_eq!(scan(store, "", "\u{10ffff}", 100).await, keys);
    assert_eq!(scan(store, "a/", "a0", 100).await, &keys[3..5]);
    assert_eq!(scan(store, "a", "b", 100).await, &keys[2..6], "from is in, to is out");
    assert_eq!(scan(store, "a", "b", 2).await, &keys[2..4]);
    for (from, to, limit) in [("a", "b", 0), ("b", "a", 9), ("a", "a", 9), ("x", "y", 9)] {
        assert!(scan(store, from, to, limit).await.is_empty(), "{from} {to} {limit}");
    }
    let all: Vec<(Table, &str)> = keys.into_iter().map(|key| (Table::Slots, key)).collect();
    remove(store, &all).await;
}

async fn commits_a_batch_as_one(store: &impl Store) {
    put(store, Table::Slots, &[("old", b"x")]).await;
    let mut batch = Batch::default();
    batch.put(Table::Slots, "new", b"1".to_vec());
    batch.put(Table::Results, "new", b"2".to_vec());
    batch.delete(Table::Slots, "old");
    batch.put(Table::Snapshots, "twice", b"first".to_vec());
    batch.put(Table::Snapshots, "twice", b"second".to_vec());
    batch.put(Table::Settings, "gone", b"soon".to_vec());
    batch.delete(Table::Settings, "gone");
    commit(store, batch).await;
    assert_eq!(get(store, Table::Slots, "old").await, None);
    assert_eq!(get(store, Table::Slots, "new").await.as_deref(), Some(&b"1"[..]));
    assert_eq!(get(store, Table::Results, "new").await.as_deref(), Some(&b"2"[..]));
    assert_eq!(get(store, Table::Snapshots, "twice").await.as_deref(), Some(&b"second"[..]));
    assert_eq!(get(store, Table::Settings, "gone").await, None);
    let all = [(Table::Slots, "new"), (Table::Results, "new"), (Table::Snapshots, "twice")];
    remove(store, &all).await;
}

async fn takes_any_value(store: &impl Store) {
    let long = vec![0xa5; 3 << 20];
    let every: Vec<u8> = (0..=255).collect();
    put(store, Table::Snapshots, &[("long", &long), ("every", &every), ("none", b"")]).await;
    assert!(get(store, Table::Snapshots, "long").await == Some(long));
    assert_eq!(get(store, Table::Snapshots, "every").await, Some(every));
    assert_eq!(get(store, Table::Snapshots, "none").await, Some(Vec::new()));
    let all = [(Table::Snapshots, "long"), (Table::Snapshots, "every"), (Table::Snapshots, "none")];
    remove(store, &all).await;
}

async fn is_empty(store: &impl Store) {
    for table in Table::ALL {
        let left = store.scan(table, "", "\u{10ffff}", 9).await.map_err(|error| error.code());
        assert_eq!(left, Ok::<_, Code>(Vec::new()));
    }
}

async fn put(store: &impl Store, table: Table, entries: &[(&str, &[u8])]) {
    let mut batch = Batch::default();
    for (key, value) in entries {
        batch.put(table, *key, value.to_vec());
    }
    commit(store, batch).await;
}

async fn remove(store: &impl Store, keys: &[(Table, &str)]) {
    let mut batch = Batch::default();
    for (table, key) in keys {
        batch.delete(*table, *key);
    }
    commit(store, batch).await;
}

#[expect(clippy::expect_used, reason = "a store that fails fails the contract")]
async fn commit(store: &impl Store, batch: Batch) {
    store.commit(batch).await.expect("a commit");
}

#[expect(clippy::expect_used, reason = "a store that fails fails the contract")]
async fn get(store: &impl Store, table: Table, key: &str) -> Option<Vec<u8>> {
    store.get(table, key).await.expect("a read")
}

#[expect(clippy::expect_used, reason = "a store that fails fails the contract")]
async fn scan(store: &impl Store, from: &str, to: &str, limit: usize) -> Vec<String> {
    let found = store.scan(Table::Slots, from, to, limit).await.expect("a scan");
    found.into_iter().map(|(key, _)| key).collect()
}
