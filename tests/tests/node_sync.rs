//! The road of a sync: fetch, verify, replay, commit; stop and go on; never twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Value, json};
use weft_codec::{Code, Error, Result, base64url};
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::seams::{Batch, Store, Table};
use weft_node::{Event, Node, Observer, Options, Phase};
use weft_tests::fixtures;
use weft_tests::world::{GATEWAY, Log, Plan, START_HEIGHT, START_MS, SU, Stage, json_answer, sources};
use weft_verify::{Check, Status};

fn stage(messages: u64) -> Stage {
    Stage::new(&Plan::default(), messages)
}

fn outputs(results: &[weft_core::SlotResult]) -> Vec<Value> {
    results.iter().map(|result| result.output.clone()).collect()
}

#[weft_tests::both_async]
async fn a_history_is_fetched_proved_and_replayed() {
    let stage = stage(3);
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    assert_eq!((summary.head, summary.replayed), (Some(3), Some(3)));
    assert_eq!((summary.verified_now, summary.replayed_now), (4, 4));
    assert!(summary.memory_sha256.is_some() && summary.bytes > 0 && summary.requests > 0);
    assert_eq!(log.slots(), [0, 1, 2, 3]);
    assert!(log.failures().is_empty(), "{:?}", log.failures());
    let results = stage.results().await;
    // The module counts in its memory: each slot saw the one before.
    assert_eq!(outputs(&results), ["1", "2", "3", "4"]);
    assert!(results.iter().all(|result| result.gas > 0 && result.error.is_none() && !result.rolled_back));
    let events = log.events.borrow();
    let committed = events.iter().any(|event| matches!(event, Event::Committed { slot: 3 }));
    let replayed = |event: &Event| matches!(event, Event::Progress { phase: Phase::Replay, done: 4, .. });
    assert!(committed && events.iter().any(replayed));
}

#[weft_tests::both_async]
async fn a_process_sees_what_the_legacy_compute_unit_shows_it() {
    let stage = stage(0);
    let sent =
        stage.world.send("hi \u{1f600}\n", &[("From", "somebody"), ("Owner", "else"), ("Action", "Eval")]);
    stage.honest().await.unwrap();
    let results = stage.results().await;
    let owner = sent.owner_address();
    let (process, module) = (&stage.world.process, &stage.world.module);
    let chain = |slot: usize| {
        let entries = stage.world.entries.borrow();
        entries[slot].assignment.tags.iter().find(|tag| tag.name == "Hash-Chain").unwrap().value.clone()
    };
    // servers/cu/src/effects/ao-su.js mapNode, then messageSchema's keys in its order.
    let wanted = json!({
        "Id": sent.id(), "Signature": base64url::encode(&sent.signature), "Data": "hi \u{1f600}\n",
        "Owner": owner, "Target": process.id(), "Anchor": String::from_utf8(sent.anchor.unwrap().to_vec()).unwrap(),
        "From": owner,
        "Tags": [{"name": "Data-Protocol", "value": "ao"}, {"name": "Type", "value": "Message"},
                 {"name": "Action", "value": "Eval"}],
        "Epoch": 0, "Nonce": 1, "Timestamp": START_MS + 1_000, "Block-Height": START_HEIGHT + 1,
        "Hash-Chain": chain(1), "Cron": false, "Read-Only": false,
    });
    // As text: the order of the keys is part of what a process sees.
    assert_eq!(results[1].messages[0].to_string(), wanted.to_string());
    let boot = &results[0].messages[0];
    assert_eq!(
        (&boot["Id"], &boot["Data"], &boot["Anchor"]),
        (&json!(process.id()), &json!("boot"), &Value::Null)
    );
    assert_eq!(boot["Nonce"], json!(0));
    let environment = json!({
        "Process": {"Id": process.id(), "Owner": owner, "Tags": process.tags},
        "Module": {"Id": module.id(), "Owner": owner, "Tags": module.tags},
    });
    assert_eq!(results[1].spawns[0].to_string(), environment.to_string());
}

#[weft_tests::both_async]
async fn what_is_stored_is_never_fetched_or_replayed_again() {
    let stage = stage(4);
    stage.honest().await.unwrap();
    let before = stage.results().await;
    stage.network.take_asked();
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    assert_eq!((summary.verified_now, summary.replayed_now), (0, 0));
    let asked = stage.network.take_asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked[0].starts_with(SU) && asked[0].contains("from-nonce=4"), "{asked:?}");
    assert!(log.slots().is_empty());
    // Two more messages: one page, two slots, and the state goes on where it was.
    stage.world.send("five", &[]);
    stage.world.send("six", &[]);
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    assert_eq!((summary.verified_now, summary.replayed_now), (2, 2));
    assert_eq!(log.slots(), [5, 6]);
    assert_eq!(stage.network.take_asked().len(), 1);
    let after = stage.results().await;
    assert_eq!(after[..5], before[..]);
    assert_eq!(outputs(&after[5..]), ["6", "7"]);
    let gas: u64 = after.iter().map(|result| result.gas).sum();
    assert!(gas > 0 && summary.gas == Some(gas), "{:?} of {gas}", summary.gas);
    // One snapshot is kept, with the pages that it has.
    let snapshots = stage.store.scan(Table::Snapshots, "", "~", 100).await.unwrap();
    let heads: Vec<_> = snapshots
        .iter()
        .filter(|(key, _)| {
            key.starts_with(&stage.world.id().to_string())
                && !key.contains("/page/")
                && !key.contains("/map/")
        })
        .collect();
    assert_eq!(heads.len(), 1);
    assert!(heads[0].0.ends_with("/00000000000000000006"));
    let pages = snapshots.iter().filter(|(key, _)| key.contains("/page/")).count();
    let maps = snapshots.iter().filter(|(key, _)| key.contains("/map/"));
    let named: usize = maps.map(|(_, row)| row.len() / 33).sum();
    assert!(pages > 0 && pages <= named, "{pages} pages, of which the map names {named}");
}

#[weft_tests::both_async]
async fn one_node_goes_on_with_the_machine_it_has() {
    let stage = stage(1);
    let node = stage.node();
    node.sync(stage.world.id(), &sources(&[SU]), &Options::default(), &()).await.unwrap();
    for number in 2..5_u64 {
        stage.world.send("again", &[]);
        let summary = node.sync(stage.world.id(), &sources(&[SU]), &Options::default(), &()).await.unwrap();
        assert_eq!(summary.replayed, Some(number));
    }
    assert_eq!(outputs(&stage.results().await), ["1", "2", "3", "4", "5"]);
}

#[weft_tests::both_async]
async fn a_cancelled_sync_goes_on_from_where_it_stopped() {
    let stage = stage(6);
    let log = Log::cancelling(3);
    let error = stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    assert_eq!(log.slots(), [0, 1, 2]);
    let known = stage.node().summary(stage.world.id()).await.unwrap().unwrap();
    assert_eq!((known.head, known.replayed), (Some(2), Some(2)));
    let log = Log::default();
    stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    assert_eq!(log.slots(), [3, 4, 5, 6]);
    assert_eq!(outputs(&stage.results().await), ["1", "2", "3", "4", "5", "6", "7"]);
    // An uninterrupted node comes to the same results and the same memory.
    let fresh = Node::new(MemoryStore::new(), Rc::clone(&stage.network), Rc::clone(&stage.clock));
    let id = stage.world.id();
    let summary = fresh.sync(id, &sources(&[SU]), &Options::default(), &()).await.unwrap();
    assert_eq!(fresh.results(id, 0, 100).await.unwrap(), stage.results().await);
    assert_eq!(summary.memory_sha256, stage.node().summary(id).await.unwrap().unwrap().memory_sha256);
}

/// Cancels once it was asked this often after the last slot came.
struct Impatient {
    log: Log,
    slots: usize,
    asked: Cell<u32>,
}

impl Observer for Impatient {
    fn event(&self, event: Event) {
        self.log.event(event);
    }

    fn cancelled(&self) -> bool {
        self.asked.set(self.asked.get() + u32::from(self.log.slots().len() == self.slots));
        self.asked.get() > 5
    }
}

#[weft_tests::both_async]
async fn a_cancel_reaches_the_middle_of_a_message() {
    // 50 million units of gas, which is the module's limit: many slices.
    let stage = stage(2);
    stage.world.send("!l", &[]);
    stage.world.send("after", &[]);
    let impatient = Impatient { log: Log::default(), slots: 3, asked: Cell::new(0) };
    let breaths = stage.clock.breaths();
    let node = stage.node();
    let id = stage.world.id();
    let error = node.sync(id, &sources(&[SU]), &Options::default(), &impatient).await.unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    assert_eq!(impatient.log.slots(), [0, 1, 2], "the endless one had not ended");
    assert!(stage.clock.breaths() - breaths < 25, "it was left on its way");
    // What was not committed is done again, by this node as by a new one.
    let known = node.summary(id).await.unwrap();
    assert!(known.is_none_or(|known| known.head.is_none_or(|head| head <= 2)));
    let summary = node.sync(id, &sources(&[SU]), &Options::default(), &()).await.unwrap();
    assert_eq!(summary.replayed, Some(4));
    let results = stage.results().await;
    assert_eq!(results[3].failure.as_deref(), Some("gas-limit"));
    let fresh = Node::new(MemoryStore::new(), Rc::clone(&stage.network), Rc::clone(&stage.clock));
    let other = fresh.sync(id, &sources(&[SU]), &Options::default(), &()).await.unwrap();
    assert_eq!(fresh.results(id, 0, 100).await.unwrap(), results);
    assert_eq!(other.memory_sha256, summary.memory_sha256);
}

#[weft_tests::both_async]
async fn proofs_and_replay_are_counted_apart() {
    let stage = stage(3);
    let log = Log::default();
    stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    let last = |wanted: Phase| {
        let events = log.events.borrow();
        let counts = events.iter().rev().find_map(|event| match event {
            Event::Progress { phase, done, total, .. } if *phase == wanted => Some((*done, *total)),
            _ => None,
        });
        counts.unwrap()
    };
    assert_eq!(last(Phase::Replay), (4, Some(4)));
    let receipt = stage.node().receipt(stage.world.id()).await.unwrap();
    let counted = |check: &Check| check.evidence.get("count").map_or(1, |count| count.parse().unwrap());
    let proved = |check: &&Check| check.status == Status::Proved;
    let expected: u64 = receipt.checks.iter().filter(proved).map(counted).sum();
    assert_eq!(last(Phase::Verify), (expected, Some(expected)), "each proof of the receipt, once");
}

/// A store that fails from some commit on, and then writes nothing.
struct Failing {
    inner: Rc<MemoryStore>,
    commits_left: Cell<u32>,
}

impl Store for Failing {
    async fn get(&self, table: Table, key: &str) -> Result<Option<Vec<u8>>> {
        self.inner.get(table, key).await
    }

    async fn scan(&self, table: Table, from: &str, to: &str, limit: usize) -> Result<Vec<(String, Vec<u8>)>> {
        self.inner.scan(table, from, to, limit).await
    }

    async fn commit(&self, batch: Batch) -> Result<()> {
        let left = self.commits_left.get();
        if left == 0 {
            return Err(Error::new(Code::StoreFailed, "The disk is full."));
        }
        self.commits_left.set(left - 1);
        self.inner.commit(batch).await
    }
}

#[weft_tests::both_async]
async fn a_store_that_fails_loses_nothing_it_had() {
    let stage = stage(6);
    let store = Failing { inner: Rc::clone(&stage.store), commits_left: Cell::new(3) };
    // A commit after every slot: the clock stands, so a commit costs no time that would space the next one.
    let node = Node::new(store, Rc::clone(&stage.network), ManualClock::new(1_000_000, 0));
    let options = Options { commit_every_ms: 0, ..Options::default() };
    let id = stage.world.id();
    let error = node.sync(id, &sources(&[SU]), &options, &()).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreFailed);
    let known = stage.node().summary(id).await.unwrap().unwrap();
    let stored = known.head.unwrap();
    assert_eq!(known.replayed, Some(stored));
    assert!(stored < 6);
    assert_eq!(stage.results().await.len() as u64, stored + 1);
    let log = Log::default();
    stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    assert_eq!(log.slots(), (stored + 1..=6).collect::<Vec<_>>());
    assert_eq!(outputs(&stage.results().await), ["1", "2", "3", "4", "5", "6", "7"]);
}

#[weft_tests::both_async]
async fn two_syncs_that_write_one_process_find_each_other_out() {
    let stage = stage(2);
    let node = stage.node();
    let (id, from, options) = (stage.world.id(), sources(&[SU]), Options::default());
    // While the first page is on its way, another tab syncs the same process into the same store.
    let other = stage.node();
    let done = Cell::new(false);
    let raced = Rc::new(Cell::new(0_u32));
    let seen = Rc::clone(&raced);
    let honest = weft_tests::world::scheduler(&stage.world);
    stage.network.at(
        SU,
        Rc::new(move |request| {
            seen.set(seen.get() + 1);
            honest(request)
        }),
    );
    node.sync(id, &from, &Options { to: Some(0), ..Options::default() }, &()).await.unwrap();
    struct Racing<'a>(&'a dyn Fn());
    impl Observer for Racing<'_> {
        fn event(&self, event: Event) {
            if matches!(event, Event::Slot(_)) {
                (self.0)();
            }
        }
    }
    let race = || {
        if !done.replace(true) {
            let task = other.sync(id, &from, &options, &());
            block_on(task).unwrap();
        }
    };
    let error = node.sync(id, &from, &options, &Racing(&race)).await.unwrap_err();
    assert_eq!(error.code(), Code::StoreFailed, "{error:?}");
    assert_eq!(outputs(&stage.results().await), ["1", "2", "3"]);
    assert_eq!(stage.honest().await.unwrap().replayed, Some(2));
    assert!(raced.get() > 2);
}

/// Runs a future that never waits: the seams of memory answer at once.
fn block_on<T>(task: impl Future<Output = T>) -> T {
    let mut task = std::pin::pin!(task);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = task.as_mut().poll(&mut context) {
            return value;
        }
    }
}

#[weft_tests::both_async]
async fn one_process_is_synced_once_at_a_time() {
    let stage = stage(1);
    let node = stage.node();
    let (id, from, options) = (stage.world.id(), sources(&[SU]), Options::default());
    struct Again<'a>(&'a dyn Fn());
    impl Observer for Again<'_> {
        fn event(&self, _: Event) {
            (self.0)();
        }
    }
    let codes = std::cell::RefCell::new(Vec::new());
    let again = || {
        let error = block_on(node.sync(id, &from, &options, &())).unwrap_err();
        codes.borrow_mut().push(error.code());
    };
    node.sync(id, &from, &options, &Again(&again)).await.unwrap();
    assert!(!codes.borrow().is_empty() && codes.borrow().iter().all(|code| *code == Code::RequestInvalid));
    assert!(node.sync(id, &from, &options, &()).await.is_ok());
}

#[weft_tests::both_async]
async fn a_sync_goes_to_the_slot_asked_for() {
    let stage = stage(5);
    let to = |slot| Options { to: Some(slot), ..Options::default() };
    let summary = stage.sync(&sources(&[SU]), &to(2), &Log::default()).await.unwrap();
    assert_eq!((summary.head, summary.replayed), (Some(2), Some(2)));
    stage.network.take_asked();
    stage.sync(&sources(&[SU]), &to(1), &Log::default()).await.unwrap();
    assert!(stage.network.take_asked().is_empty());
    let error = stage.sync(&sources(&[SU]), &to(9), &Log::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(error.sentence().contains("ends at slot 5"), "{error}");
    assert_eq!(stage.node().summary(stage.world.id()).await.unwrap().unwrap().replayed, Some(5));
}

#[weft_tests::both_async]
async fn a_history_can_be_proved_first_and_replayed_later() {
    let stage = stage(3);
    let verify = Options { replay: false, ..Options::default() };
    // No gateway: the module is not needed to prove a history.
    let only = weft_node::Sources { schedulers: vec![SU.into()], gateways: Vec::new() };
    let summary = stage.sync(&only, &verify, &Log::default()).await.unwrap();
    assert_eq!((summary.head, summary.replayed, summary.replayed_now), (Some(3), None, 0));
    assert!(stage.results().await.is_empty());
    stage.network.take_asked();
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    assert_eq!((summary.replayed, summary.verified_now, summary.replayed_now), (Some(3), 0, 4));
    assert_eq!(outputs(&stage.results().await), ["1", "2", "3", "4"]);
    let asked = stage.network.take_asked();
    assert_eq!(asked.iter().filter(|url| url.starts_with(SU)).count(), 1, "{asked:?}");
    assert_eq!(asked.iter().filter(|url| url.starts_with(GATEWAY)).count(), 2, "{asked:?}");
}

#[weft_tests::both_async]
async fn pages_are_small_steps_with_breaths_between() {
    let stage = stage(9);
    stage.network.take_asked();
    let options = Options { page_limit: 3, commit_every_ms: 10, ..Options::default() };
    let log = Log::default();
    let clock = Rc::new(ManualClock::new(1_000_000, 10));
    let node = Node::new(Rc::clone(&stage.store), Rc::clone(&stage.network), Rc::clone(&clock));
    let summary = node.sync(stage.world.id(), &sources(&[SU]), &options, &log).await.unwrap();
    assert_eq!(summary.replayed, Some(9));
    let pages = stage.network.take_asked().iter().filter(|url| url.contains("limit=3")).count();
    assert_eq!(pages, 4);
    assert!(clock.breaths() > 5, "{}", clock.breaths());
    let events = log.events.borrow();
    let commits = events.iter().filter(|event| matches!(event, Event::Committed { .. })).count();
    assert!(commits > 1, "{commits}");
    // The length was asked for once, and told.
    let told = |event: &&Event| matches!(event, Event::Progress { total: Some(10), .. });
    assert!(events.iter().any(|event| told(&event)));
}

#[weft_tests::both_async]
async fn the_receipt_says_what_is_proved_and_what_is_trusted() {
    let stage = stage(3);
    stage.honest().await.unwrap();
    let node = stage.node();
    let id = stage.world.id();
    let receipt = node.receipt(id).await.unwrap();
    let find = |claim: &str| receipt.checks.iter().filter(|check| check.claim == claim).collect::<Vec<_>>();
    for (claim, count) in
        [("hash-chain", "4"), ("slot-order", "4"), ("scheduler", "4"), ("item-signature", "8")]
    {
        let summed: Vec<_> =
            find(claim).into_iter().filter(|check| check.evidence.contains_key("count")).collect();
        assert_eq!(summed.len(), 1, "{claim}");
        assert_eq!(
            (&summed[0].status, summed[0].evidence["count"].as_str()),
            (&Status::Proved, count),
            "{claim}"
        );
    }
    assert_eq!(find("module-id").len(), 1);
    let trusted: Vec<&str> = receipt.trusted().map(|check| check.claim.as_str()).collect();
    assert_eq!(trusted, ["history-complete", "slot-times", "arweave-inclusion", "replay"]);
    assert!(!receipt.is_proved());
    let again: weft_verify::Receipt = serde_json::from_value(json!(receipt)).unwrap();
    assert_eq!(again, receipt);
    let slot = node.slot_receipt(id, 2).await.unwrap();
    let claims: Vec<&str> = slot.checks.iter().map(|check| check.claim.as_str()).collect();
    for claim in ["item-signature", "scheduler", "hash-chain", "slot-order", "assigned-message", "replay"] {
        assert!(claims.contains(&claim), "{claims:?}");
    }
    assert_eq!(node.slot_receipt(id, 4).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(node.receipt(stage.world.module.id()).await.unwrap_err().code(), Code::NotFound);
}

#[weft_tests::both_async]
async fn a_dry_run_answers_and_changes_nothing() {
    let stage = stage(2);
    let id = stage.world.id();
    let body = json!({"Owner": "1234", "Target": id, "Data": "what if", "Id": "1234", "Anchor": "0",
        "Tags": [{"name": "Action", "value": "Balance"}]});
    assert_eq!(stage.node().dry_run(id, &body).await.unwrap_err().code(), Code::NotFound);
    stage.honest().await.unwrap();
    let node = stage.node();
    for _ in 0..2 {
        let result = node.dry_run(id, &body).await.unwrap();
        assert_eq!(result.output, "4");
        let seen = &result.messages[0];
        assert_eq!(
            (&seen["Read-Only"], &seen["From"], &seen["Data"]),
            (&json!(true), &json!("1234"), &json!("what if"))
        );
        assert_eq!(
            (&seen["Timestamp"], &seen["Block-Height"]),
            (&json!(START_MS + 2_000), &json!(START_HEIGHT + 2))
        );
    }
    stage.world.send("next", &[]);
    node.sync(id, &sources(&[SU]), &Options::default(), &()).await.unwrap();
    assert_eq!(outputs(&stage.results().await), ["1", "2", "3", "4"]);
}

#[weft_tests::both_async]
async fn a_forgotten_process_leaves_nothing_but_its_module() {
    let stage = stage(2);
    stage.honest().await.unwrap();
    let node = stage.node();
    let id = stage.world.id();
    assert_eq!(node.processes().await.unwrap().len(), 1);
    assert_eq!(node.slot_of(id, stage.world.process.id()).await.unwrap(), Some(0));
    node.forget(id).await.unwrap();
    assert!(node.processes().await.unwrap().is_empty() && node.summary(id).await.unwrap().is_none());
    let mut left = Vec::new();
    for table in Table::ALL {
        left.extend(stage.store.scan(table, "", "~", 100).await.unwrap().into_iter().map(|(key, _)| key));
    }
    // Neither is the process's alone: others may run on the same module.
    left.retain(|key| !key.starts_with("rewritten"));
    assert_eq!(left, [stage.world.module.id().to_string()]);
    assert_eq!(stage.honest().await.unwrap().replayed_now, 3);
}

#[weft_tests::both_async]
async fn a_damaged_store_is_named_and_never_believed() {
    for table in
        [Table::Processes, Table::Items, Table::Slots, Table::Results, Table::Snapshots, Table::Messages]
    {
        let stage = stage(2);
        stage.honest().await.unwrap();
        let mut batch = Batch::default();
        for (key, mut value) in stage.store.scan(table, "", "~", 100).await.unwrap() {
            let last = value.len() - 1;
            value[last] ^= 1;
            batch.put(table, key, value);
        }
        stage.store.commit(batch).await.unwrap();
        stage.world.send("more", &[]);
        let (node, id) = (stage.node(), stage.world.id());
        let error = match table {
            Table::Slots => node.slot_receipt(id, 1).await.map(drop).unwrap_err(),
            Table::Results => node.results(id, 0, 9).await.map(drop).unwrap_err(),
            Table::Messages => node.slot_of(id, id).await.map(drop).unwrap_err(),
            _ => stage.honest().await.map(drop).unwrap_err(),
        };
        assert_eq!(error.code(), Code::StoreCorrupt, "{table:?}: {error:?}");
    }
}

#[weft_tests::both_async]
async fn a_real_history_is_proved_as_far_as_its_messages_are_there() {
    let stage = stage(0);
    let id = fixtures::PROCESS.parse().unwrap();
    let page = fixtures::json(fixtures::PAGE_SHOW_ANCHOR);
    stage.network.at(SU, Rc::new(move |_| Ok(json_answer(&page))));
    let node = stage.node();
    let verify = Options { replay: false, ..Options::default() };
    let error = node.sync(id, &sources(&[SU]), &verify, &()).await.unwrap_err();
    assert_eq!(error.code(), Code::SchedulerMismatch);
    let accepted_schedulers = [fixtures::ACTUAL_SCHEDULER.parse().unwrap()].into();
    let options = Options { accepted_schedulers, ..verify };
    // Slot 1 assigns a message that is neither in this history nor at the gateway.
    let error = node.sync(id, &sources(&[SU]), &options, &()).await.unwrap_err();
    assert_eq!(error.code(), Code::MessageMissing);
    assert_eq!(node.summary(id).await.unwrap().unwrap().head, Some(0));
    let receipt = node.receipt(id).await.unwrap();
    let scheduler = receipt.checks.iter().find(|check| check.claim == "scheduler").unwrap();
    assert_eq!(scheduler.status, Status::Trusted { by: "you".into() });
    let slot = node.slot_receipt(id, 0).await.unwrap();
    assert!(slot.trusted().any(|check| check.claim == "scheduler"));
}

#[weft_tests::both_async]
async fn a_sync_is_no_burden_for_a_small_stack() {
    let stage = stage(0);
    let node = stage.node();
    let (from, options) = (sources(&[SU]), Options::default());
    let size = size_of_val(&node.sync(stage.world.id(), &from, &options, &()));
    assert!(size < 4 << 10, "the future of a sync has {size} bytes");
}
