//! Processes of a HyperBEAM node: their schedule of signed messages is fetched, proved, replayed and kept, with the results of the
//! node they were recorded from.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::rc::Rc;

use serde_json::json;
use weft_codec::message::Tabm;
use weft_codec::{Code, Error, Id};
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::seams::{Batch, Store, Table};
use weft_node::{Node, Options, Sources, Standing};
use weft_tests::world::hyperbeam::{Schedule, TOKEN, TOKEN_PAGES, node, recorded_schedule};
use weft_tests::world::{Log, Network, html, status};
use weft_verify::Status;

const A: &str = "https://node-a.example";
const B: &str = "https://node-b.example";
/// Who spawned the process, and has 1000 of it after slot 1.
const OWNER: &str = "wtl7n8WWlAdwZ7xk93kMA0Y-Gbaa1Z_cE5G4_CQbMQY";

struct Stage {
    network: Rc<Network>,
    store: Rc<MemoryStore>,
    process: Id,
}

impl Stage {
    fn new(at_a: Schedule) -> Self {
        let network = Network::new();
        network.at(A, node(TOKEN, at_a));
        Self {
            network: Rc::new(network),
            store: Rc::new(MemoryStore::new()),
            process: TOKEN.parse().unwrap(),
        }
    }

    fn node(&self) -> Node<Rc<MemoryStore>, Rc<Network>, ManualClock> {
        Node::new(self.store.clone(), self.network.clone(), ManualClock::new(1_800_000_000_000, 1))
    }

    async fn sync(
        &self,
        urls: &[&str],
        options: &Options,
        log: &Log,
    ) -> weft_codec::Result<weft_node::Summary> {
        let schedulers = urls.iter().map(|url| (*url).to_owned()).collect();
        self.node().sync(self.process, &Sources { schedulers, gateways: Vec::new() }, options, log).await
    }

    async fn refused(&self, options: &Options) -> Error {
        self.sync(&[A], options, &Log::default()).await.unwrap_err()
    }
}

fn token() -> Schedule {
    recorded_schedule(&TOKEN_PAGES)
}

fn quick() -> Options {
    Options { attempts: 1, page_limit: 12, ..Options::default() }
}

#[weft_tests::both_async]
async fn a_node_s_process_is_fetched_proved_and_replayed() {
    let (stage, log) = (Stage::new(token()), Log::default());
    let summary = stage.sync(&[A], &quick(), &log).await.unwrap();
    assert_eq!((summary.head, summary.replayed), (Some(30), Some(30)));
    assert_eq!((summary.verified_now, summary.replayed_now), (31, 31));
    assert_eq!(log.slots(), (0..=30).collect::<Vec<u64>>());
    assert!(log.failures().is_empty(), "{:?}", log.failures());
    // What the node answered for slot 3, `tests/fixtures/hyperbeam-live/token-results-httpsig-003.json`.
    let third = stage.node().result(stage.process, 3).await.unwrap().unwrap();
    assert_eq!(third.output, json!("moved 250"));
    let sent = third.results.unwrap()["outbox"].clone();
    assert_eq!((&sent[0]["action"], &sent[0]["quantity"]), (&json!("Credit-Notice"), &json!(250)));
    assert_eq!((&sent[1]["action"], &sent[1]["data"]), (&json!("Debit-Notice"), &json!("line 1\nline 2")));
    // All was said by the scheduler that the process names, or by those who wrote the messages.
    let receipt = stage.node().receipt(stage.process).await.unwrap();
    let proved = |claim: &str| {
        receipt.checks.iter().any(|check| check.claim == claim && check.status == Status::Proved)
    };
    for claim in
        ["process", "slot-order", "scheduler", "hash-chain", "assigned-message", "message-commitment"]
    {
        assert!(proved(claim), "{claim}: {:?}", receipt.checks);
    }
    let slot = stage.node().slot_receipt(stage.process, 7).await.unwrap();
    assert!(slot.checks.iter().any(|check| check.claim == "hash-chain" && check.status == Status::Proved));
}

#[weft_tests::both_async]
async fn a_sync_goes_on_where_the_last_one_ended() {
    let stage = Stage::new(token());
    let first = stage.sync(&[A], &Options { to: Some(9), ..quick() }, &Log::default()).await.unwrap();
    assert_eq!((first.head, first.replayed), (Some(9), Some(9)));
    // Another node, whose machine comes from the store.
    let rest = stage.sync(&[A], &quick(), &Log::default()).await.unwrap();
    assert_eq!((rest.head, rest.verified_now, rest.replayed_now), (Some(30), 21, 21));
    let whole = Stage::new(token());
    let at_once = whole.sync(&[A], &quick(), &Log::default()).await.unwrap();
    assert_eq!(rest.memory_sha256, at_once.memory_sha256);
    // Nothing new: nothing fetched again but a look.
    let again = stage.sync(&[A], &quick(), &Log::default()).await.unwrap();
    assert_eq!((again.verified_now, again.replayed_now), (0, 0));
}

#[weft_tests::both_async]
async fn what_was_only_verified_is_replayed_later() {
    let stage = Stage::new(token());
    let verified = stage.sync(&[A], &Options { replay: false, ..quick() }, &Log::default()).await.unwrap();
    assert_eq!((verified.head, verified.replayed), (Some(30), None));
    let replayed = stage.sync(&[A], &quick(), &Log::default()).await.unwrap();
    assert_eq!((replayed.verified_now, replayed.replayed_now), (0, 31));
}

#[weft_tests::both_async]
async fn a_script_and_a_dry_run_see_the_state() {
    let stage = Stage::new(token());
    stage.sync(&[A], &Options { to: Some(1), ..quick() }, &Log::default()).await.unwrap();
    let script = "function f(base) return base.balances end";
    let answer = stage.node().run_lua(stage.process, script, "f", &json!(null)).await.unwrap();
    // `tests/fixtures/hyperbeam-live/token-state-key-balances-001.json`.
    assert_eq!(answer.result[OWNER], json!(1000));
    let body = json!({ "Target": TOKEN, "Owner": OWNER, "Tags": [{ "name": "Action", "value": "Balance" }] });
    assert!(stage.node().dry_run(stage.process, &body).await.is_ok());
}

/// The schedule with one thing changed in the assignment of slot 5.
fn changed(change: impl FnOnce(&mut Tabm)) -> Schedule {
    let mut schedule = token();
    change(schedule.get_mut(&5).unwrap());
    schedule
}

#[weft_tests::both_async]
async fn what_does_not_prove_is_refused_and_what_came_before_stands() {
    let body = |assignment: &mut Tabm, change: &dyn Fn(&mut Tabm)| {
        let mut body = assignment.map("body").unwrap().clone();
        change(&mut body);
        assignment.set("body", body);
    };
    let cases: [(&str, Schedule, Code); 7] = [
        ("another time", changed(|one| drop(one.set("timestamp", "1795371352999"))), Code::SignatureInvalid),
        ("a key more", changed(|one| drop(one.set("more", "x"))), Code::SignatureMissing),
        (
            "a key more in the message",
            changed(|one| body(one, &|body| drop(body.set("more", "x")))),
            Code::SignatureMissing,
        ),
        ("unsigned", changed(|one| drop(one.remove("commitments"))), Code::SignatureMissing),
        ("no message", changed(|one| drop(one.remove("body"))), Code::SignatureInvalid),
        (
            "another slot's",
            changed(|one| *one = token()[&6].clone().with("slot", "5")),
            Code::SignatureInvalid,
        ),
        ("a slot left out", token().into_iter().filter(|(slot, _)| *slot != 5).collect(), Code::SlotMissing),
    ];
    for (what, schedule, code) in cases {
        let stage = Stage::new(schedule);
        assert_eq!(stage.refused(&quick()).await.code(), code, "{what}");
        let summary = stage.node().summary(stage.process).await.unwrap().unwrap();
        assert_eq!((summary.head, summary.replayed), (Some(4), Some(4)), "{what}");
    }
}

#[weft_tests::both_async]
async fn another_node_is_asked_where_one_lies_and_heads_are_compared() {
    let stage = Stage::new(changed(|one| drop(one.set("timestamp", "1795371352999"))));
    let behind: Schedule = token().into_iter().filter(|(slot, _)| *slot <= 20).collect();
    stage.network.at(B, node(TOKEN, token()));
    stage.network.at("https://node-c.example", node(TOKEN, behind));
    let log = Log::default();
    let urls = [A, B, "https://node-c.example"];
    let summary = stage.sync(&urls, &quick(), &log).await.unwrap();
    assert_eq!(summary.head, Some(30));
    assert!(log.failures().iter().any(|(url, code)| url == A && code == "signature-invalid"));
    let heads = log.heads();
    assert_eq!(heads[B].standing, Standing::Agrees);
    assert_eq!(heads["https://node-c.example"].standing, Standing::Behind);
}

#[weft_tests::both_async]
async fn who_is_no_node_and_no_scheduler_unit_says_so() {
    let stage = Stage::new(token());
    for (site, code) in [(html(), Code::SourceGarbled), (status(404), Code::NotFound)] {
        stage.network.at(A, Rc::new(move |_| Ok(site.clone())));
        assert_eq!(stage.refused(&quick()).await.code(), code);
    }
}

#[weft_tests::both_async]
async fn a_damaged_slot_in_the_store_is_named() {
    let stage = Stage::new(token());
    stage.sync(&[A], &quick(), &Log::default()).await.unwrap();
    let mut batch = Batch::default();
    batch.put(Table::Slots, format!("{TOKEN}/{:020}", 7), b"no".to_vec());
    stage.store.commit(batch).await.unwrap();
    let error = stage.node().slot_receipt(stage.process, 7).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreCorrupt);
    let error = stage.node().include(stage.process, 3, &Sources::default(), &quick(), &()).await.unwrap_err();
    assert_eq!(error.code(), Code::RequestInvalid);
}
