//! Histories of a local network as files: written, proved, replayed, and taken in by other networks.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::rc::Rc;

use serde_json::{Value, json};
use weft_cli::demo_archive;
use weft_codec::{Code, Id, bundle};
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::net::{HistoryFetch, LocalNet, ModuleTags};
use weft_node::seams::Method;
use weft_node::{HistoryFile, Node, Options, Sources};

use crate::stage::{NOW, Stage, open};

/// A network whose scheduler is somebody else's key.
fn another() -> Stage {
    let keys = demo_archive::keys().unwrap();
    let store = Rc::new(MemoryStore::new());
    let clock = Rc::new(ManualClock::new(NOW, 1));
    let net = LocalNet::new(Rc::clone(&store), Rc::clone(&clock), keys.bob, Box::new(|| [7; 32]));
    Stage { store, clock, net, user: keys.alice }
}

/// A process with a few messages, and what they came to.
async fn written(stage: &Stage) -> (Id, Vec<Value>) {
    let process = stage.process().await;
    let mut results = Vec::new();
    for text in ["one", "two", "three"] {
        let message = stage.send(process, text).await;
        results.push(stage.get(&format!("/cu/result/{message}?process-id={process}")).await.1);
    }
    (process, results)
}

async fn exported(stage: &Stage, process: Id) -> Vec<u8> {
    let url = format!("/gateway/history/{process}");
    let reply = stage.ask(Method::Get, &url, Vec::new()).await.response;
    assert_eq!((reply.status, reply.content_type.as_str()), (200, "application/octet-stream"));
    reply.body
}

/// What the compute unit says of each message of a file.
async fn computed(stage: &Stage, file: &HistoryFile) -> Vec<Value> {
    let mut results = Vec::new();
    for entry in file.entries().skip(1) {
        let url = format!("/cu/result/{}?process-id={}", entry.message.id(), file.process().id);
        results.push(stage.get(&url).await.1);
    }
    results
}

#[tokio::test]
async fn a_history_goes_to_another_network_which_reads_it_and_writes_nothing() {
    let stage = open(&Rc::default());
    let (process, results) = written(&stage).await;
    let bytes = exported(&stage, process).await;
    let file = HistoryFile::read(&bytes).unwrap();
    assert_eq!((file.entries().count(), file.others().len()), (4, 1));
    // Any reader of bundles sees the signed items.
    assert_eq!(bundle::parse(&bytes).unwrap().len(), 1 + 1 + 4 + 3);

    let other = another();
    let (status, answer) = other.post("/gateway/history", bytes.clone()).await;
    assert_eq!((status, answer), (200, json!({"process": process, "slots": 4, "added": 4})));
    assert_eq!(computed(&other, &file).await, results);
    let again = other.post("/gateway/history", bytes.clone()).await;
    assert_eq!(again.1["added"], 0);
    assert_eq!(exported(&other, process).await, bytes);

    let message = other.message(process, "four").await;
    let (status, answer) = other.post("/su", message.to_bytes()).await;
    assert!(status == 400 && answer.to_string().contains("another scheduler"), "{answer}");
    let module = other.net.publish_module(b"x", &ModuleTags::for_format("application/lua")).await.unwrap();
    let url = format!("/su/?process-id={process}&assign={module}");
    assert_eq!(other.post(&url, Vec::new()).await.0, 400);
}

#[tokio::test]
async fn the_same_scheduler_goes_on_from_a_file_and_refuses_another_history() {
    let stage = open(&Rc::default());
    let (process, _) = written(&stage).await;
    let three = exported(&stage, process).await;
    let restored = open(&Rc::default());
    assert_eq!(restored.post("/gateway/history", three.clone()).await.0, 200);
    let message = restored.send(process, "other").await;
    let (_, result) = restored.get(&format!("/cu/result/{message}?process-id={process}")).await;
    // The module counts what it is told: the process and four messages.
    assert_eq!(result["Output"], "5", "{result}");

    // A longer one of the same beginning is gone on with; one that says something else is not.
    stage.send(process, "four").await;
    stage.send(process, "five").await;
    let five = exported(&stage, process).await;
    let (status, answer) = restored.post("/gateway/history", five.clone()).await;
    assert!(status == 409 && answer.to_string().contains("two histories"), "{answer}");
    let behind = another();
    for (file, added) in [(three, 4), (five, 2)] {
        assert_eq!(behind.post("/gateway/history", file).await.1["added"], added);
    }
}

#[tokio::test]
async fn a_file_is_replayed_with_nobody_to_ask() {
    let stage = open(&Rc::default());
    let (process, results) = written(&stage).await;
    let file = HistoryFile::read(&exported(&stage, process).await).unwrap();
    let fetch = HistoryFetch::new(&file).await.unwrap();
    let unit = |name: &str| vec![format!("{}/{name}", HistoryFetch::ORIGIN)];
    let sources = Sources { schedulers: unit("su"), gateways: unit("gateway") };
    let node = Node::new(MemoryStore::new(), fetch, ManualClock::new(NOW, 1));
    let summary = node.sync(process, &sources, &Options::default(), &()).await.unwrap();
    assert_eq!(summary.replayed, Some(3));
    let replayed = node.results(process, 1, 10).await.unwrap();
    let outputs: Vec<Value> = replayed.iter().map(|result| result.output.clone()).collect();
    let told: Vec<Value> = results.iter().map(|result| result["Output"].clone()).collect();
    assert_eq!(outputs, told);
}

#[tokio::test]
async fn what_was_changed_is_refused_and_changes_nothing() {
    let stage = open(&Rc::default());
    let (process, _) = written(&stage).await;
    let bytes = exported(&stage, process).await;
    let other = another();
    for at in (0..bytes.len()).step_by(bytes.len() / 200) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(HistoryFile::read(&changed).is_err(), "byte {at}");
    }
    let mut changed = bytes.clone();
    if let Some(last) = changed.last_mut() {
        *last ^= 1;
    }
    let (status, answer) = other.post("/gateway/history", changed).await;
    assert_eq!((status, &answer["code"]), (422, &json!("signature-invalid")), "{answer}");
    assert_eq!(other.get(&format!("/gateway/history/{process}")).await.0, 404);

    // A slot that is left out, a process without slots, one that is no process, and none at all.
    let items: Vec<_> = bundle::parse(&bytes).unwrap().into_iter().map(|(_, item)| item).collect();
    let without = |left: usize| {
        let kept = items.iter().enumerate().filter(|(at, _)| *at != left).map(|(_, item)| item.clone());
        HistoryFile::read(&bundle::encode(&kept.collect::<Vec<_>>())).unwrap_err().code()
    };
    // Process, module, assignment 0, then assignment and message of each slot.
    assert_eq!(
        [without(0), without(2), without(3), without(4)],
        [Code::NotAProcess, Code::SlotMissing, Code::SlotMissing, Code::MessageMissing]
    );
    let of = |count: usize| HistoryFile::read(&bundle::encode(&items[..count])).unwrap_err().code();
    assert_eq!([of(0), of(1)], [Code::BundleMalformed, Code::SlotMissing]);
    assert_eq!(stage.post("/gateway/history", vec![0; 70 << 20]).await.0, 413);
}
