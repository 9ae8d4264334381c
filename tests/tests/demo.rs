//! The demo archive: the same bytes every time, synced without a network, and refused when falsified.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::rc::Rc;

use weft_cli::demo_archive;
use weft_codec::{Code, Id, Result};
use weft_core::SlotResult;
use weft_node::demo::tamper::{self, Tampering};
use weft_node::demo::{DemoArchive, DemoFetch, DemoProcess, FORGED_SLOT};
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::{Node, Options, Summary};

type DemoNode = Node<Rc<MemoryStore>, DemoFetch, ManualClock>;

async fn archive() -> DemoArchive {
    demo_archive::build(&weft_tests::world::wasm()).await.unwrap()
}

async fn node(store: &Rc<MemoryStore>, archive: &DemoArchive) -> DemoNode {
    let fetch = DemoFetch::new(archive).await.unwrap();
    Node::new(Rc::clone(store), fetch, ManualClock::new(archive.now, 1))
}

async fn sync(store: &Rc<MemoryStore>, archive: &DemoArchive, id: Id, to: Option<u64>) -> Result<Summary> {
    let options = Options { to, ..Options::default() };
    node(store, archive).await.sync(id, &DemoFetch::sources(), &options, &()).await
}

async fn results(store: &Rc<MemoryStore>, archive: &DemoArchive, id: Id) -> Vec<SlotResult> {
    node(store, archive).await.results(id, 0, 1_000).await.unwrap()
}

#[tokio::test]
async fn the_archive_is_the_same_every_time_and_reads_back() {
    let archive = archive().await;
    let bytes = archive.encode().unwrap();
    assert_eq!(bytes, self::archive().await.encode().unwrap());
    assert_eq!(DemoArchive::decode(&bytes).unwrap(), archive);
}

#[tokio::test]
async fn the_demo_syncs_from_nothing_but_its_archive() {
    let (archive, store) = (archive().await, Rc::default());
    for process in &archive.processes {
        let summary = sync(&store, &archive, process.id(), None).await.unwrap();
        assert_eq!(summary.head, Some(process.slots() - 1));
        assert_eq!(summary.replayed, summary.head);
        assert_eq!(summary.scheduler, archive.scheduler);
        assert!(process.slots() > 20);
    }
    assert_eq!(archive.processes.len(), 2, "one in Rust, one in Lua");
}

/// The store before the refused slot stands as it was, and the honest archive goes on from there to the same end.
async fn refused_at(tampering: &Tampering, honest: &DemoArchive, process: Id, slot: u64, whole: &Summary) {
    let id = tampering.id;
    let falsified = tampering.apply(honest, process).unwrap();
    let store = Rc::default();
    sync(&store, honest, process, Some(slot - 1)).await.unwrap();
    let before = results(&store, honest, process).await;
    let error = sync(&store, &falsified, process, None).await.expect_err(id);
    assert_eq!(error.code(), tampering.code, "{id}: {error}");
    assert_eq!(error.field("subject"), Some(tampering.subject), "{id}: {error:?}");
    let record = node(&store, honest).await.summary(process).await.unwrap().unwrap();
    assert_eq!((record.head, record.replayed), (Some(slot - 1), Some(slot - 1)), "{id}");
    assert_eq!(results(&store, honest, process).await, before, "{id}");
    let summary = sync(&store, honest, process, None).await.unwrap();
    assert_eq!(summary.memory_sha256, whole.memory_sha256, "{id}");

    // From nothing too, and nothing of the refused slot gets into the store.
    let store = Rc::default();
    let error = sync(&store, &falsified, process, None).await.expect_err(id);
    assert_eq!(error.code(), tampering.code, "{id}, from nothing: {error}");
    assert!(results(&store, honest, process).await.iter().all(|result| result.slot < slot), "{id}");
}

async fn refused_at_once(tampering: &Tampering, honest: &DemoArchive, process: Id) {
    let (id, store) = (tampering.id, Rc::default());
    let falsified = tampering.apply(honest, process).unwrap();
    let error = sync(&store, &falsified, process, None).await.expect_err(id);
    assert_eq!(error.code(), tampering.code, "{id}: {error}");
    assert_eq!(error.field("subject"), Some(tampering.subject), "{id}: {error:?}");
    assert!(results(&store, honest, process).await.is_empty(), "{id}");
}

#[tokio::test]
async fn every_tampering_is_refused_with_its_own_code() {
    let honest = archive().await;
    for process in honest.processes.iter().map(DemoProcess::id) {
        let whole = sync(&Rc::default(), &honest, process, None).await.unwrap();
        for tampering in tamper::ALL {
            assert_ne!(tampering.apply(&honest, process).unwrap(), honest, "{}", tampering.id);
            match tampering.slot {
                Some(slot) => refused_at(tampering, &honest, process, slot, &whole).await,
                None => refused_at_once(tampering, &honest, process).await,
            }
        }
    }
}

#[tokio::test]
async fn tamperings_have_names_of_their_own_and_do_not_apply_twice_where_they_use_up_a_spare() {
    let honest = archive().await;
    for (at, tampering) in tamper::ALL.iter().enumerate() {
        assert!(tamper::ALL[..at].iter().all(|other| other.id != tampering.id));
        assert_eq!(tamper::find(tampering.id).map(|found| found.sentence), Some(tampering.sentence));
        assert!(tampering.slot.is_none_or(|slot| slot == FORGED_SLOT));
    }
    let (forged, process) = (tamper::find("forge-signer").unwrap(), honest.processes[0].id());
    let once = forged.apply(&honest, process).unwrap();
    assert_eq!(once.processes[1], honest.processes[1], "the other process is as it was");
    assert_eq!(forged.apply(&once, process).unwrap_err().code(), Code::NotFound);
    assert_eq!(forged.apply(&honest, Id([0; 32])).unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn every_item_of_the_demo_is_in_a_block_of_its_own_chain() {
    let (archive, store) = (archive().await, Rc::default());
    let node = node(&store, &archive).await;
    for one in &archive.processes {
        let entry = &one.entries[5];
        for id in [one.module.id, one.process.id, entry.assignment.id, entry.message.as_ref().unwrap().id] {
            let (_, included) =
                node.inclusion(id, &DemoFetch::sources(), &Options::default(), None, &()).await.unwrap();
            assert!(included.weave_start.is_some(), "{included:?}");
        }
    }
}
