//! A process whose `On-Boot` names an item on Arweave, which no scheduler signs: it reads it when it starts.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use serde_json::Value;
use weft_cli::native::{FileStore, NativeClock, NativeFetch};
use weft_codec::item::DataItem;
use weft_codec::{Code, Id};
use weft_node::memory::MemoryStore;
use weft_node::seams::{Fetch, Request, Response};
use weft_node::{Node, Options, ReceiptRequest, ReceiptSlots, Sources};
use weft_verify::{SchedulerPolicy, Status};

use crate::network::{aos, check_sync, comparable, folder, get, item, node, send, serve};

/// What a module of aos evaluates when it starts.
const BOOT: &str = r#"BOOTED = 41
Handlers.add("Booted", "Booted", function (msg) BOOTED = BOOTED + 1 msg.reply({ Data = tostring(BOOTED) }) end)"#;

/// A gateway that changes the data of one item; of none if it has no name.
struct Lying(NativeFetch, String);

impl Fetch for Lying {
    async fn fetch(&self, request: Request) -> weft_codec::Result<Response> {
        let about = !self.1.is_empty() && request.url.contains(&self.1);
        let mut response = self.0.fetch(request).await?;
        if about && let Some(last) = response.body.last_mut() {
            *last ^= 1;
        }
        Ok(response)
    }
}

/// A process and a few messages to it, on the network at this URL; and the item that it boots from.
fn spawned(url: &str, module: &str) -> (Id, String) {
    let boot: DataItem = item(None, &[("Content-Type", "text/lua")], BOOT);
    ureq::post(format!("{url}/gateway/v1/tx")).send(&boot.to_bytes()[..]).unwrap();
    let boot = boot.id().to_string();
    let scheduler = get(&format!("{url}/su/"))["address"].as_str().unwrap().to_owned();
    let tags = [
        ("Type", "Process"),
        ("Module", module),
        ("Scheduler", &scheduler),
        ("On-Boot", &boot),
        ("Authority", &scheduler),
    ];
    let process = item(None, &tags, "1984");
    send(url, &process);
    let id = process.id();
    for (action, data) in [("Eval", "return BOOTED"), ("Booted", ""), ("Eval", "return BOOTED .. \"\"")] {
        send(url, &item(Some(id), &[("Type", "Message"), ("Action", action)], data));
    }
    (id, boot)
}

fn sources(url: &str, gateways: &[String]) -> Sources {
    Sources { schedulers: vec![format!("{url}/su")], gateways: gateways.to_vec() }
}

/// What ao-loader with npm weavedrive answers is what the compute unit at this URL does.
fn as_the_reference(url: &str, id: Id, folder: &Path) -> usize {
    let (out, text) = (folder.join("reference.json"), id.to_string());
    let reference = ["--experimental-wasm-memory64", "aoconnect/reference.mjs", url, &text];
    node(&[&reference[..], &[aos().to_str().unwrap(), out.to_str().unwrap()]].concat());
    let reference: Vec<Value> = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    for expected in &reference {
        let answer = get(&format!("{url}/cu/result/{}?process-id={id}", expected["asked"].as_str().unwrap()));
        assert_eq!(comparable(&answer), comparable(expected), "slot {}", expected["slot"]);
    }
    assert!(reference[3]["Output"]["data"].to_string().contains("42"), "{}", reference[3]);
    reference.len()
}

/// Half of the history from all, the rest with no gateway to ask; then the receipt holds the item, and is enough to compute the results again.
async fn goes_on_from_a_store(url: &str, id: Id, boot: &str, folder: &Path) {
    let sync = async |to: Option<u64>, gateways: &[String]| {
        let store = FileStore::open(&folder.join("store")).unwrap();
        let node = Node::new(store, NativeFetch::new(), NativeClock);
        let options = Options { to, ..Options::default() };
        let summary = node.sync(id, &sources(url, gateways), &options, &()).await.unwrap();
        (summary.replayed, node)
    };
    assert_eq!(sync(Some(1), &[format!("{url}/gateway")]).await.0, Some(1));
    let (replayed, node) = sync(None, &[]).await;
    assert_eq!(replayed, Some(3));
    let receipt = node.receipt(id).await.unwrap();
    let claim = receipt.checks.iter().find(|check| check.claim == "boot-item").unwrap();
    assert_eq!((claim.subject.as_str(), &claim.status), (boot, &Status::Proved));
    let mut file = Vec::new();
    let request = ReceiptRequest { slots: ReceiptSlots::History { to: None }, module: true };
    let mut sink = |piece: &[u8]| {
        file.extend_from_slice(piece);
        Ok(())
    };
    node.export_receipt(id, &request, &(), &mut sink).await.unwrap();
    let proved = weft_tests::receipts::check(&file, &SchedulerPolicy::default(), true).unwrap();
    assert!(proved.checks().iter().any(|check| check.claim == "boot-item"));
}

#[tokio::test]
async fn a_process_boots_from_an_item_as_with_the_reference() {
    let folder = folder("boot");
    let served = serve(&folder, &[aos()]);
    let (url, module) = (served.url.clone(), served.modules[0].to_string());
    let (id, boot) = spawned(&url, &module);
    assert_eq!(as_the_reference(&url, id, &folder), 4);
    assert_eq!(check_sync(&url, &id.to_string()).await, 4);
    goes_on_from_a_store(&url, id, &boot, &folder).await;

    // Bytes that are not the item's are passed over, and without the item nothing is replayed.
    let gateway = [format!("{url}/gateway")];
    for (lies_about, gateways, code) in
        [(boot, &gateway[..], Code::SignatureInvalid), (String::new(), &[], Code::NoSource)]
    {
        let node = Node::new(MemoryStore::new(), Lying(NativeFetch::new(), lies_about), NativeClock);
        let error = node.sync(id, &sources(&url, gateways), &Options::default(), &()).await.unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
        assert_eq!(node.summary(id).await.unwrap().and_then(|summary| summary.replayed), None);
    }
    served.stop();
}
