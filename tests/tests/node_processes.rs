//! Processes of every kind: refused ones, failing messages, Assigns, second copies, old ones, crons, layer 1.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::rc::Rc;

use serde_json::{Value, json};
use weft_codec::tags::Tag;
use weft_codec::{Code, base64url};
use weft_core::{NodeLimits, dedup, view};
use weft_node::{Node, Options, Sources};
use weft_tests::fixtures;
use weft_tests::world::{
    GATEWAY, Log, Network, Plan, START_HEIGHT, START_MS, SU, Stage, World, gateway, message_to, scheduler,
    sources, transaction, wasm,
};
use weft_verify::{EntryKind, HistoryVerifier, SchedulerPolicy, Status, Untrusted};

fn tagged(name: &str, value: &str) -> Plan {
    Plan { process_tags: vec![Tag::new(name, value)], ..Plan::default() }
}

async fn refusal(plan: &Plan, options: &Options) -> Code {
    let stage = Stage::new(plan, 1);
    let error = stage.sync(&sources(&[SU]), options, &Log::default()).await.unwrap_err();
    // Refused before anything of its history was fetched.
    let pages = stage.network.take_asked().iter().filter(|url| url.contains("limit=200")).count();
    assert_eq!(pages, 0);
    error.code()
}

#[weft_tests::both_async]
async fn what_this_node_cannot_run_is_refused_before_its_history_is_fetched() {
    let options = Options::default();
    assert_eq!(refusal(&tagged("Memory-Limit", "2-gb"), &options).await, Code::MemoryLimit);
    assert_eq!(refusal(&tagged("Memory-Limit", "much"), &options).await, Code::MemoryLimit);
    assert_eq!(refusal(&tagged("Compute-Limit", "9000000000001"), &options).await, Code::GasLimit);
    let small = NodeLimits { memory_bytes: 1 << 20, ..NodeLimits::default() };
    assert_eq!(
        refusal(&Plan::default(), &Options { limits: small, ..options.clone() }).await,
        Code::MemoryLimit
    );
    let format = Plan { format: "wasm32-unknown-emscripten9", ..Plan::default() };
    assert_eq!(refusal(&format, &options).await, Code::ModuleFormatUnsupported);
    let broken = Plan { wasm: b"\0asm\x01\0\0\0\x07".to_vec(), ..Plan::default() };
    assert_eq!(refusal(&broken, &options).await, Code::ModuleInvalid);
    let no_module = Plan { module_type: "Message", ..Plan::default() };
    assert_eq!(refusal(&no_module, &options).await, Code::NotAModule);
    let no_process = Plan { process_type: "Message", ..Plan::default() };
    assert_eq!(refusal(&no_process, &options).await, Code::NotAProcess);
    let boot = "qEJzlXx1NFC47kAAbv5ZVItnVxERu8Dh-mhwWFFbDF4";
    // An item that no gateway has.
    assert_eq!(refusal(&tagged("On-Boot", boot), &options).await, Code::NotFound);
    assert_eq!(refusal(&tagged("Extension", "WeaveDrive"), &options).await, Code::ExtensionUnsupported);
    assert_eq!(refusal(&tagged("Cron-Interval", "10-minutes"), &options).await, Code::CronUnsupported);
}

#[weft_tests::both_async]
async fn crons_are_left_out_only_for_who_allows_it_and_the_receipt_says_so() {
    let stage = Stage::new(&tagged("Cron-Interval", "10-minutes"), 1);
    let options = Options { without_crons: true, ..Options::default() };
    stage.sync(&sources(&[SU]), &options, &Log::default()).await.unwrap();
    let receipt = stage.node().receipt(stage.world.id()).await.unwrap();
    let left_out = receipt.checks.iter().find(|check| check.claim == "crons-left-out").unwrap();
    assert_eq!(left_out.status, Status::Trusted { by: "you".into() });
    assert_eq!(left_out.evidence["intervals"], "10-minutes");
}

#[weft_tests::both_async]
async fn a_message_that_fails_leaves_the_state_as_it_was() {
    let stage = Stage::new(&Plan::default(), 1);
    for data in ["!t", "ok", "!e", "!l", "ok"] {
        stage.world.send(data, &[]);
    }
    stage.honest().await.unwrap();
    let results = stage.results().await;
    let seen: Vec<(Value, Option<&str>, bool)> = results
        .iter()
        .map(|result| (result.output.clone(), result.failure.as_deref(), result.rolled_back))
        .collect();
    let good = |count: &str| (json!(count), None, false);
    let failed = |code: Option<&'static str>| (json!(""), code, true);
    assert_eq!(
        seen,
        [
            good("1"),
            good("2"),
            failed(Some("trap")),
            good("3"),
            failed(None),
            failed(Some("gas-limit")),
            good("4"),
        ]
    );
    assert_eq!(results[4].error, Some(json!("asked for")));
    assert!(results[2].error.is_some() && results[5].error.is_some());
    let legacy = results[4].to_legacy();
    assert_eq!(legacy["Error"], "asked for");
    assert_eq!((&legacy["Messages"], &legacy["Output"]), (&json!([]), &json!("")));
    assert_eq!(results[1].to_legacy().get("Error"), None);
    let receipt = stage.node().receipt(stage.world.id()).await.unwrap();
    let replay = receipt.checks.iter().find(|check| check.claim == "replay").unwrap();
    assert_eq!((replay.evidence["evaluated"].as_str(), replay.evidence["failed"].as_str()), ("7", "3"));
}

#[weft_tests::both_async]
async fn an_assign_is_seen_as_the_gateway_has_it() {
    let stage = Stage::new(&Plan::default(), 0);
    let elsewhere = weft_codec::Id::sha256(b"another process");
    let sender = "qEJzlXx1NFC47kAAbv5ZVItnVxERu8Dh-mhwWFFbDF4";
    let item = message_to(elsewhere, b"\xef\xbb\xbfhello", &[("From-Process", sender)]);
    stage.world.assign(stage.world.publish(item.clone()), &[]);
    let hidden = message_to(elsewhere, b"secret", &[]);
    stage.world.assign(stage.world.publish(hidden), &[("Exclude", "Data"), ("Exclude", "Anchor")]);
    stage.honest().await.unwrap();
    let results = stage.results().await;
    let seen = &results[1].messages[0];
    assert_eq!((&seen["Id"], &seen["Target"]), (&json!(item.id()), &json!(elsewhere)));
    assert_eq!((&seen["From"], seen.get("Forwarded-By")), (&json!(sender), None));
    assert_eq!(seen["Anchor"], json!(base64url::encode(&item.anchor.unwrap())));
    // `Response.text()` drops a byte order mark.
    assert_eq!(seen["Data"], "hello");
    let seen = &results[2].messages[0];
    assert_eq!((seen.get("Data"), seen.get("Anchor")), (None, None));
    assert!(seen.get("Signature").is_some());
    assert_eq!(results[2].output, "3");
}

#[weft_tests::both_async]
async fn an_assign_that_no_gateway_has_is_missing() {
    let stage = Stage::new(&Plan::default(), 0);
    stage.world.assign(weft_codec::Id::sha256(b"lost"), &[]);
    let error = stage.honest().await.unwrap_err();
    assert_eq!(error.code(), Code::MessageMissing, "{error:?}");
    assert_eq!(stage.node().summary(stage.world.id()).await.unwrap().unwrap().head, Some(0));
    let header = transaction(&[("App", "x")], b"layer one");
    let stage = Stage::new(&Plan::default(), 0);
    stage.world.transactions.borrow_mut().insert(header.id, header.clone());
    stage.world.assign(header.id, &[]);
    let error = stage.honest().await.unwrap_err();
    assert_eq!(error.code(), Code::MessageMissing);
    assert!(error.sentence().contains("layer-1"), "{error}");
}

#[weft_tests::both_async]
async fn a_message_is_evaluated_once() {
    let sender = "qEJzlXx1NFC47kAAbv5ZVItnVxERu8Dh-mhwWFFbDF4";
    let stage = Stage::new(&Plan::default(), 0);
    let plain = stage.world.send("plain", &[]);
    // Assigned again: the same id.
    stage.world.assign(plain.id(), &[]);
    // The process itself, assigned.
    stage.world.assign(stage.world.id(), &[]);
    // Pushed twice: two items that say the same. The test key signs without salt, so the second copy differs by its
    // anchor bytes beyond UTF-8, which a scheduler does not print.
    let pushed = |last: u8| {
        let mut item = stage.world.message(b"pushed", &[("From-Process", sender)]);
        item.anchor = Some([0xff, last].repeat(16).try_into().unwrap());
        resigned(item)
    };
    for item in [pushed(0xf0), pushed(0xf1)] {
        stage.world.schedule(Some(item.clone()), Some(item.id()), &[]);
    }
    stage.world.send("plain", &[]);
    // Half in one sync, half in another: what a copy is recognised by is in the store.
    let to = Options { to: Some(4), ..Options::default() };
    stage.sync(&sources(&[SU]), &to, &Log::default()).await.unwrap();
    stage.honest().await.unwrap();
    let results = stage.results().await;
    let duplicates: Vec<Option<u64>> = results.iter().map(|result| result.duplicate_of).collect();
    assert_eq!(duplicates, [None, None, Some(1), Some(0), None, Some(4), None]);
    assert_eq!(results[6].output, "4");
    assert_eq!(results[4].messages[0]["Forwarded-By"], json!(plain.owner_address()));
    assert_eq!(results[4].messages[0]["From"], sender);
    let node = stage.node();
    assert_eq!(node.slot_of(stage.world.id(), plain.id()).await.unwrap(), Some(1));
    let receipt = node.receipt(stage.world.id()).await.unwrap();
    let replay = receipt.checks.iter().find(|check| check.claim == "replay").unwrap();
    assert_eq!(replay.evidence["duplicates"], "3");
}

/// The item signed anew.
fn resigned(item: weft_codec::item::DataItem) -> weft_codec::item::DataItem {
    weft_tests::signing::TestKey::get().item(weft_codec::item::Unsigned {
        owner: Vec::new(),
        target: item.target,
        anchor: item.anchor,
        tags: item.tags,
        data: item.data,
    })
}

#[weft_tests::both]
fn a_pushed_message_is_recognised_by_the_reference_hash() {
    let vector = &fixtures::json(fixtures::AO)["pushed_message_deep_hash"];
    let tags: Vec<Tag> = serde_json::from_value(vector["tags"].clone()).unwrap();
    let world = World::new(&Plan::default(), 0);
    let anchor: [u8; 32] = vector["anchor_utf8"].as_str().unwrap().as_bytes().try_into().unwrap();
    let mut item = world.message(vector["data"].as_str().unwrap().as_bytes(), &[]);
    (item.tags, item.anchor) = (tags, Some(anchor));
    let item = resigned(item);
    world.schedule(Some(item.clone()), Some(item.id()), &[]);
    let process = weft_verify::item(Untrusted::new(world.process.clone(), "test"), None);
    let process = weft_verify::process(process.unwrap()).unwrap();
    let mut verifier = HistoryVerifier::new(&process, SchedulerPolicy::default());
    let mut last = None;
    for entry in world.entries.borrow().iter() {
        last = Some(verifier.next(Untrusted::new(entry.clone(), "test")).unwrap());
    }
    let mut entry = last.unwrap().into_parts().0;
    assert_eq!(view::form(&entry, false), EntryKind::Message);
    assert_eq!(view::form(&entry, true), EntryKind::Assign);
    // The vector's message goes to another process; the rule takes the target from the assignment.
    entry.assignment.process = vector["target"].as_str().unwrap().parse().unwrap();
    let key = dedup::key(&entry, EntryKind::Message);
    assert_eq!(
        key,
        dedup::Key { text: vector["all_tags_in_order"].as_str().unwrap().to_owned(), guarded: true }
    );
    let key = dedup::key(&entry, EntryKind::Assign);
    assert_eq!(key, dedup::Key { text: entry.message.id().to_string(), guarded: true });
}

#[weft_tests::both_async]
async fn a_process_older_than_the_boot_loader_is_shown_itself_first() {
    let stage = Stage::new(&Plan { boot_loader: false, ..Plan::default() }, 2);
    // Its history does not begin with it, so the process comes from the gateway.
    stage.honest().await.unwrap();
    let results = stage.results().await;
    assert_eq!(results.len(), 2);
    // The module counted its boot, which nobody keeps as a result.
    assert_eq!((&results[0].output, &results[1].output), (&json!("2"), &json!("3")));
    let receipt = stage.node().receipt(stage.world.id()).await.unwrap();
    let origin = receipt.checks.iter().find(|check| check.claim == "process-origin").unwrap();
    assert!(matches!(&origin.status, Status::Trusted { .. }));
    assert_eq!(origin.evidence["block-height"], (START_HEIGHT - 1).to_string());
    assert_eq!(origin.evidence["timestamp"], (START_MS - 500).to_string());
}

#[weft_tests::both_async]
async fn process_and_module_may_be_on_layer_one() {
    let program = wasm();
    let module = transaction(
        &[
            ("Data-Protocol", "ao"),
            ("Type", "Module"),
            ("Module-Format", "wasm32-unknown-unknown"),
            ("Input-Encoding", "JSON-1"),
            ("Output-Encoding", "JSON-1"),
            ("Memory-Limit", "16-mb"),
            ("Compute-Limit", "50000000"),
        ],
        &program,
    );
    let world = World::new(&Plan::default(), 0);
    let id = module.id.to_string();
    let tags: Vec<Tag> = world
        .process
        .tags
        .iter()
        .map(|tag| if tag.name == "Module" { Tag::new("Module", &id) } else { tag.clone() })
        .collect();
    let mut process = world.process.clone();
    process.tags = tags;
    let world = World { process: resigned(process), entries: Default::default(), ..world };
    world.schedule(Some(world.process.clone()), None, &[]);
    world.send("hello", &[]);
    world.transactions.borrow_mut().insert(module.id, module);
    let world = Rc::new(world);
    let network = Network::new();
    network.at(SU, scheduler(&world));
    network.at(GATEWAY, gateway(&world));
    let stage = Stage::new(&Plan::default(), 0);
    let node = Node::new(Rc::clone(&stage.store), Rc::new(network), Rc::clone(&stage.clock));
    let from = Sources { schedulers: vec![SU.into()], gateways: vec![GATEWAY.into()] };
    node.sync(world.id(), &from, &Options::default(), &()).await.unwrap();
    assert_eq!(node.result(world.id(), 1).await.unwrap().unwrap().output, "2");
    let receipt = node.receipt(world.id()).await.unwrap();
    let root = receipt.checks.iter().find(|check| check.claim == "data-root").unwrap();
    assert_eq!((&root.status, &root.subject), (&Status::Proved, &id));
    // From the store, without the network.
    world.send("again", &[]);
    node.sync(world.id(), &from, &Options::default(), &()).await.unwrap();
    assert_eq!(node.result(world.id(), 2).await.unwrap().unwrap().output, "3");
}
