//! Inclusion, asked for by a user: from a slot in the store over the local network's blocks to a receipt file that proves
//! it with no network.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::rc::Rc;

use crate::stage::{NOW, Stage, open};
use serde_json::{Value, json};
use weft_codec::{Code, Id, Result};
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::net::Reader;
use weft_node::seams::{Fetch, Request, Response};
use weft_node::{Node, Options, ReceiptRequest, ReceiptSlots, Sources};
use weft_tests::receipts::{check, sealed};
use weft_verify::{Check, Receipt, ReceiptFile, SchedulerPolicy, Status};

type Lie = fn(&str, &mut Value);

/// The same network at several origins; the answers of `two` go through a lie.
struct Origins {
    reader: Reader<Rc<MemoryStore>, Rc<ManualClock>>,
    lie: Lie,
}

impl Fetch for Origins {
    async fn fetch(&self, request: Request) -> Result<Response> {
        let url = request.url.clone();
        let mut response = self.reader.fetch(request).await?;
        if let Some((_, path)) = url.split_once("//two.example/gateway/")
            && let Ok(mut json) = serde_json::from_slice(&response.body)
        {
            (self.lie)(path, &mut json);
            response.body = json.to_string().into_bytes();
        }
        Ok(response)
    }
}

fn honest(_: &str, _: &mut Value) {}

/// Names other blocks than there are.
fn other_blocks(path: &str, json: &mut Value) {
    if path.starts_with("block/height/") {
        json["indep_hash"] = json!("A".repeat(64));
    }
}

type User = Node<Rc<MemoryStore>, Origins, ManualClock>;

fn user(stage: &Stage, lie: Lie) -> User {
    let reader = Reader::new(Rc::clone(&stage.store), Rc::clone(&stage.clock), stage.net.address());
    Node::new(Rc::default(), Origins { reader, lie }, ManualClock::new(NOW, 1))
}

fn sources(names: &[&str]) -> Sources {
    let at = |unit: &str| names.iter().map(|name| format!("http://{name}.example/{unit}")).collect();
    Sources { schedulers: at("su"), gateways: at("gateway") }
}

/// A process with three messages in a block, and some blocks after it.
async fn mined(blocks: usize) -> (Stage, Id) {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    for text in ["one", "two", "three"] {
        stage.send(process, text).await;
    }
    for _ in 0..blocks {
        stage.get("/gateway/mine").await;
    }
    (stage, process)
}

async fn export(user: &User, process: Id, slots: ReceiptSlots) -> Vec<u8> {
    let mut text = Vec::new();
    let mut sink = |piece: &[u8]| {
        text.extend_from_slice(piece);
        Ok(())
    };
    let request = ReceiptRequest { slots, module: false };
    user.export_receipt(process, &request, &(), &mut sink).await.unwrap();
    text
}

fn nobody() -> SchedulerPolicy {
    SchedulerPolicy::default()
}

fn of<'a>(checks: &'a [Check], claim: &str) -> Vec<&'a Check> {
    checks.iter().filter(|check| check.claim == claim).collect()
}

async fn receipts(user: &User, process: Id, slot: u64) -> (Receipt, Receipt) {
    (user.slot_receipt(process, slot).await.unwrap(), user.receipt(process).await.unwrap())
}

#[tokio::test]
async fn a_slots_items_are_proved_up_to_a_header_that_the_gateways_agree_on() {
    let (stage, process) = mined(14).await;
    let user = user(&stage, honest);
    let both = sources(&["one", "two"]);
    user.sync(process, &both, &Options::default(), &()).await.unwrap();
    let found = user.include(process, 2, &both, &Options::default(), &()).await.unwrap();
    assert_eq!(found.len(), 2);
    // Ten links, though there are more blocks.
    assert!(found.iter().all(|one| one.agreed && one.head_height == one.height + 10), "{found:?}");
    assert_eq!(found[0].transaction, found[1].transaction);

    let (slot, history) = receipts(&user, process, 2).await;
    let agreed = of(&slot.checks, "inclusion");
    assert_eq!(agreed.len(), 2);
    assert!(agreed.iter().all(|check| matches!(check.status, Status::Agreed { k: 2, n: 2, .. })));
    assert!(
        matches!(of(&slot.checks, "block")[..], [block] if matches!(block.status, Status::Agreed { .. }))
    );
    assert!(of(&slot.checks, "block-link").iter().all(|check| check.evidence["count"] == "10"));
    assert_eq!(of(&history.checks, "arweave-inclusion")[0].evidence["proofs"], "2");

    for (slots, ends) in [(ReceiptSlots::Slot(2), 0), (ReceiptSlots::History { to: None }, 1)] {
        let text = export(&user, process, slots).await;
        let proved = check(&text, &nobody(), false).unwrap();
        let inclusions = of(proved.checks(), "inclusion");
        assert_eq!(inclusions.len(), 2, "{slots:?}");
        assert!(inclusions.iter().all(|check| matches!(check.status, Status::Agreed { k: 2, n: 2, .. })));
        assert_eq!(of(proved.checks(), "block-link").len(), 20);
        // Two schedulers were asked where the history ends.
        let complete = of(proved.checks(), "history-complete");
        let agreed = complete.iter().filter(|check| matches!(check.status, Status::Agreed { .. }));
        assert_eq!(agreed.count(), ends, "{slots:?}");
    }
}

#[tokio::test]
async fn a_changed_file_is_refused() {
    let (stage, process) = mined(2).await;
    let user = user(&stage, honest);
    let both = sources(&["one", "two"]);
    user.sync(process, &both, &Options::default(), &()).await.unwrap();
    user.include(process, 1, &both, &Options::default(), &()).await.unwrap();
    let text = export(&user, process, ReceiptSlots::Slot(1)).await;
    check(&text, &nobody(), false).unwrap();
    let text = String::from_utf8(text).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let head = json["agreements"][0]["answer"].as_str().unwrap().to_owned();
    let carrier = json["inclusions"][0]["transaction"]["id"].as_str().unwrap().to_owned();
    let inclusions = json["inclusions"].to_string();
    let changes: [(&str, String, Code); 5] = [
        (
            "another header was agreed on",
            text.replace(&format!("\"answer\":\"{head}\""), &format!("\"answer\":\"{}\"", "A".repeat(64))),
            Code::ReceiptMismatch,
        ),
        ("no proofs", text.replace(&format!(",\n\"inclusions\":{inclusions}"), ""), Code::ReceiptMismatch),
        ("another transaction", text.replacen(&carrier, &Id([1; 32]).to_string(), 1), Code::IdMismatch),
        (
            "proofs of another item",
            text.replace(
                &format!("\"item\":\"{}\"", json["inclusions"][0]["item"].as_str().unwrap()),
                &format!("\"item\":\"{}\"", Id([2; 32])),
            ),
            Code::ReceiptMismatch,
        ),
        ("trusted and not agreed", text.replace("\"asked\":2", "\"asked\":3"), Code::ReceiptMismatch),
    ];
    for (what, changed, code) in changes {
        assert_ne!(changed, text, "{what}");
        let refused = check(&sealed(changed.into_bytes()), &nobody(), false).expect_err(what);
        assert_eq!(refused.code(), code, "{what}: {refused}");
    }
}

#[tokio::test]
async fn gateways_that_name_different_blocks_are_both_kept_and_nothing_is_agreed() {
    let (stage, process) = mined(3).await;
    let user = user(&stage, other_blocks);
    let both = sources(&["one", "two"]);
    user.sync(process, &both, &Options::default(), &()).await.unwrap();
    let found = user.include(process, 1, &both, &Options::default(), &()).await.unwrap();
    assert!(found.iter().all(|one| !one.agreed), "{found:?}");
    let (slot, _) = receipts(&user, process, 1).await;
    let block = of(&slot.checks, "block")[0];
    assert_eq!(block.status, Status::Trusted { by: "http://one.example/gateway".into() });
    assert!(block.evidence["otherwise-1"].starts_with("http://two.example/gateway: AAAA"));
    let trusted = of(&slot.checks, "inclusion");
    assert!(
        trusted.iter().all(|check| matches!(&check.status, Status::Trusted { by } if by.contains("one")))
    );
    let text = export(&user, process, ReceiptSlots::Slot(1)).await;
    let proved = check(&text, &nobody(), false).unwrap();
    assert!(matches!(of(proved.checks(), "block")[0].status, Status::Trusted { .. }));
    assert!(
        of(proved.checks(), "inclusion").iter().all(|check| matches!(check.status, Status::Trusted { .. }))
    );
    assert!(ReceiptFile::parse(&text).unwrap().receipt().agreed().next().is_none());
}

#[tokio::test]
async fn one_gateway_is_trusted_and_what_waits_for_a_block_is_not_found() {
    let (stage, process) = mined(1).await;
    let user = user(&stage, honest);
    let one = sources(&["one"]);
    user.sync(process, &one, &Options::default(), &()).await.unwrap();
    let found = user.include(process, 0, &one, &Options::default(), &()).await.unwrap();
    assert!(found.iter().all(|item| !item.agreed && item.head_height == item.height), "{found:?}");
    assert_eq!(found[0].item, process);
    let (slot, _) = receipts(&user, process, 0).await;
    assert!(of(&slot.checks, "inclusion").iter().all(|check| matches!(check.status, Status::Trusted { .. })));

    stage.send(process, "late").await;
    user.sync(process, &one, &Options::default(), &()).await.unwrap();
    for (slot, code) in [(4, Code::NotFound), (9, Code::NotFound)] {
        let refused = user.include(process, slot, &one, &Options::default(), &()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{refused}");
    }
    stage.get("/gateway/mine").await;
    user.include(process, 4, &one, &Options::default(), &()).await.unwrap();
}
