//! What a checkpoint of a wasm process costs in the store, and what becomes of one that is not as it was written.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::collections::BTreeMap;

use weft_codec::Code;
use weft_node::Options;
use weft_node::seams::{Batch, Store, Table};
use weft_tests::world::{Plan, SU, Stage, sources};

/// Bytes of a page.
const PAGE: usize = 4_096;

/// Those of checkpoints, without what was kept of the module.
async fn rows(stage: &Stage) -> BTreeMap<String, Vec<u8>> {
    let all = stage.store.scan(Table::Snapshots, "", "~", 10_000).await.unwrap();
    all.into_iter().filter(|(key, _)| !key.starts_with("rewritten")).collect()
}

fn pages(rows: &BTreeMap<String, Vec<u8>>) -> usize {
    rows.keys().filter(|key| key.contains("/page/")).count()
}

#[weft_tests::both_async]
async fn a_checkpoint_writes_what_changed_and_leaves_nothing_behind() {
    let stage = Stage::new(&Plan::default(), 3);
    stage.honest().await.unwrap();
    let before = rows(&stage).await;
    stage.world.send("four", &[]);
    stage.world.send("five", &[]);
    stage.honest().await.unwrap();
    let after = rows(&stage).await;
    let fresh = |key: &&String| before.get(*key) != after.get(*key);
    let written: Vec<&String> = after.keys().filter(fresh).collect();
    let dirtied = written.iter().filter(|key| key.contains("/page/")).count() * PAGE;
    let bytes: usize = written.iter().map(|key| after[*key].len()).sum();
    assert!(dirtied > 0 && bytes * 2 <= dirtied * 3, "{bytes} bytes for {dirtied}: {written:?}");
    // The messages write to the same pages: those of before are gone.
    assert_eq!(pages(&before), pages(&after));
}

#[weft_tests::both_async]
async fn a_checkpoint_that_was_changed_is_not_taken_up() {
    let stage = Stage::new(&Plan::default(), 3);
    stage.honest().await.unwrap();
    stage.world.send("four", &[]);
    let honest = rows(&stage).await;
    for (key, value) in &honest {
        for at in [0, value.len() / 2, value.len() - 1] {
            let mut changed = value.clone();
            changed[at] ^= 1;
            let mut batch = Batch::default();
            batch.put(Table::Snapshots, key.clone(), changed);
            stage.store.commit(batch).await.unwrap();
            // A new node: the one of before has the machine in memory.
            let error = stage.node().sync(stage.world.id(), &sources(&[SU]), &Options::default(), &()).await;
            assert_eq!(error.unwrap_err().code(), Code::StoreCorrupt, "{key}, byte {at}");
        }
        let mut batch = Batch::default();
        batch.delete(Table::Snapshots, key.clone());
        stage.store.commit(batch).await.unwrap();
        let error = stage.node().sync(stage.world.id(), &sources(&[SU]), &Options::default(), &()).await;
        assert_eq!(error.unwrap_err().code(), Code::StoreCorrupt, "{key}, deleted");
        let mut batch = Batch::default();
        batch.put(Table::Snapshots, key.clone(), value.clone());
        stage.store.commit(batch).await.unwrap();
    }
    // As it was written it is taken up.
    let summary =
        stage.node().sync(stage.world.id(), &sources(&[SU]), &Options::default(), &()).await.unwrap();
    assert_eq!((summary.replayed, summary.replayed_now), (Some(4), 1));
}

#[weft_tests::both_async]
async fn what_the_rewrite_made_is_kept_and_made_anew_where_it_was_changed() {
    let stage = Stage::new(&Plan::default(), 1);
    stage.honest().await.unwrap();
    let kept = async || stage.store.scan(Table::Snapshots, "rewritten/", "rewritten0", 10).await.unwrap();
    let made = kept().await;
    let [(key, value)] = made.as_slice() else { panic!("{} modules", made.len()) };
    for at in [None, Some(0), Some(1), Some(9), Some(20), Some(value.len() - 1)] {
        let mut batch = Batch::default();
        match at {
            None => batch.delete(Table::Snapshots, key.clone()),
            Some(at) => {
                let mut changed = value.clone();
                changed[at] ^= 1;
                batch.put(Table::Snapshots, key.clone(), changed);
            }
        }
        stage.store.commit(batch).await.unwrap();
        stage.world.send("more", &[]);
        // A new node: the one of before has the module compiled.
        let summary =
            stage.node().sync(stage.world.id(), &sources(&[SU]), &Options::default(), &()).await.unwrap();
        assert_eq!(summary.replayed_now, 1);
        assert_eq!(kept().await, made, "{at:?}");
    }
}
