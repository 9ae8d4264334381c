//! Lua processes on the road of wasm ones: fetch, verify, replay, commit; receipts, dry runs, scripts over the state.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use weft_codec::item::DataItem;
use weft_codec::message::{Generation, ans104, structured};
use weft_codec::tags::Tag;
use weft_codec::{Code, Id, base64url};
use weft_core::SlotResult;
use weft_lua::Limits;
use weft_lua::device::{Held, Key, Map, Outcome, Process, Store, read_message};
use weft_node::seams::{Batch, Store as _, Table};
use weft_node::{Event, Observer, Options, ReceiptRequest, ReceiptSlots};
use weft_tests::receipts::{check, sealed};
use weft_tests::world::{Log, Plan, START_HEIGHT, START_MS, SU, Stage, sources};
use weft_verify::{SchedulerPolicy, Status};

/// A token that knows its senders by who committed to their messages, and some ways to fail.
const TOKEN: &str = r#"
balances = balances or {}
local function sender(message)
  for id, commitment in pairs(message.commitments or {}) do return commitment.committer end
end
function compute(base, req)
  local body = req.body
  local action = body.action
  if body.type == "Process" then
    base.results = { output = "made" }
  elseif action == "Mint" then
    local who, much = sender(body), math.floor(tonumber(body.quantity))
    balances[who] = (balances[who] or 0) + much
    base.balances = balances
    base.results = {
      outbox = { { target = who, action = "Minted", ["x-total"] = balances[who], data = "ok", inner = { a = 1 } } },
      output = { total = balances[who] }
    }
  elseif action == "See" then
    base.results = { seen = req, process = base.process }
  elseif action == "Time" then
    base.results = { output = tostring(os.time()) }
  elseif action == "Long" then
    base.results = { value = 1000000000000000 }
  elseif action == "Fail" then
    balances = {}
    error("no")
  elseif action == "Number" then
    return 7
  elseif action == "Loop" then
    while true do end
  else
    base.results = { output = "what?" }
  end
  return base
end
"#;

const LUA: [(&str, &str); 3] =
    [("Device", "process@1.0"), ("Execution-Device", "lua@5.3a"), ("Scheduler-Device", "scheduler@1.0")];

fn plan(tags: &[(&str, &str)]) -> Plan {
    Plan {
        process_tags: tags.iter().map(|(name, value)| Tag::new(*name, *value)).collect(),
        content_type: Some("application/lua"),
        wasm: TOKEN.as_bytes().to_vec(),
        ..Plan::default()
    }
}

fn stage() -> Stage {
    Stage::new(&plan(&LUA), 0)
}

/// A token with three mints.
fn minted() -> Stage {
    let stage = stage();
    for quantity in ["5", "7", "1"] {
        stage.world.send("", &[("Action", "Mint"), ("Quantity", quantity)]);
    }
    stage
}

fn owner(stage: &Stage) -> String {
    stage.world.process.owner_address().to_string()
}

#[weft_tests::both_async]
async fn a_lua_history_is_fetched_proved_and_replayed() {
    let stage = minted();
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    assert_eq!((summary.head, summary.replayed, log.slots()), (Some(3), Some(3), vec![0, 1, 2, 3]));
    assert!(summary.memory_sha256.is_some());
    let module = log
        .events
        .borrow()
        .iter()
        .any(|event| matches!(event, Event::Module { format, .. } if format == "application/lua"));
    assert!(module);
    let results = stage.results().await;
    assert_eq!(results[0].output, json!("made"));
    let owner = owner(&stage);
    // A messenger's fields, names as in headers; what nests is in `results` alone.
    let tags = json!([
        {"name": "Action", "value": "Minted"}, {"name": "Ao-Types", "value": "x-total=\"integer\""},
        {"name": "X-Total", "value": "13"},
    ]);
    let sent = json!([{ "Target": owner, "Anchor": "", "Tags": tags, "Data": "ok" }]);
    assert_eq!(json!(results[3].messages), sent);
    assert_eq!(results[3].output, json!({"total": 13}));
    assert_eq!(results[3].results.as_ref().unwrap()["outbox"][0]["inner"], json!({"a": 1}));
    assert!(results.iter().all(|result| result.gas > 0 && result.failure.is_none() && !result.rolled_back));
    // What Lua alone has is not in a wasm result's text, nor in one of Lua that has none of it.
    let text = serde_json::to_string(&results[3]).unwrap();
    assert!(
        text.contains("\"results\":{") && !text.contains("not_replayable") && !text.contains("stopped_at")
    );
    assert_eq!(serde_json::from_str::<SlotResult>(&text).unwrap(), results[3]);
}

/// A signed item as a message: reference ao-core.md §9, devices.md §3.
pub(crate) fn message(item: &DataItem) -> Map {
    let tabm = ans104::from_item(item, Generation::September2025).unwrap();
    read_message(&structured::from_tabm(&tabm).unwrap()).unwrap()
}

/// An assignment with its message.
pub(crate) fn assigned(assignment: &DataItem, body: &DataItem) -> Map {
    // Its anchor is no text here, and so is not in what a scheduler prints.
    let mut assignment = message(&DataItem { anchor: None, ..assignment.clone() });
    for (from, to) in [("timestamp", "timestamp"), ("nonce", "slot"), ("epoch", "epoch")] {
        let number: i64 = assignment[&from.into()].text().unwrap().parse().unwrap();
        assignment.insert(to.into(), number.into());
    }
    let hash = || Held::from(base64url::encode(&[0; 32]).as_str());
    assignment.insert("block-hash".into(), hash());
    let mut body = message(body);
    body.insert("block-hash".into(), hash());
    assignment.insert("body".into(), Held::Map(body));
    assignment
}

#[weft_tests::both_async]
async fn the_same_history_straight_through_the_device_gives_the_same() {
    let stage = minted();
    stage.world.send("", &[("Action", "Fail")]);
    stage.world.send("", &[("Action", "Mint"), ("Quantity", "2")]);
    stage.honest().await.unwrap();
    let results = stage.results().await;
    let module = Map::from([(Key::from("data"), Held::from(TOKEN))]);
    let store = Store::from([(stage.world.module.id().to_string(), module)]);
    let mut process = Process::new(&message(&stage.world.process), &store, Limits::default()).unwrap();
    for (entry, result) in stage.world.entries.borrow().iter().zip(&results) {
        let slot = process.apply(&assigned(&entry.assignment, entry.message.as_ref().unwrap())).unwrap();
        assert_eq!(slot.fuel, result.gas, "slot {}", result.slot);
        let total = slot.results.as_ref().and_then(Held::map).and_then(|map| map.get(&"output".into()));
        let total = total.and_then(Held::map).map(|output| output[&"total".into()].clone());
        let found = result.output.get("total").and_then(Value::as_i64).map(Held::from);
        assert_eq!(total, found, "slot {}", result.slot);
        assert_eq!(slot.outcome == Outcome::Computed, result.failure.is_none(), "slot {}", result.slot);
    }
    // The states are the same to the byte.
    let stored = stage.node().summary(stage.world.id()).await.unwrap().unwrap();
    assert_eq!(stored.memory_sha256, Some(Id::sha256(&process.snapshot().unwrap())));
}

#[weft_tests::both_async]
async fn a_lua_process_sees_what_hyperbeam_shows_it_of_a_legacy_schedule() {
    let stage = stage();
    let sent = stage
        .world
        .send("hi \u{1f600}", &[("Action", "See"), ("Twice", "a"), ("twice", "b"), ("Owner", "x")]);
    stage.honest().await.unwrap();
    let results = stage.results().await;
    let seen = &results[1].results.as_ref().unwrap()["seen"];
    let entries = stage.world.entries.borrow();
    let assignment = &entries[1].assignment;
    let tag = |name: &str| assignment.tags.iter().find(|tag| tag.name == name).unwrap().value.clone();
    for (key, value) in [
        ("slot", json!(1)),
        ("nonce", json!("1")),
        ("epoch", json!(0)),
        ("timestamp", json!(START_MS + 1_000)),
        ("block-height", json!(format!("{:012}", START_HEIGHT + 1))),
        ("block-hash", json!("A".repeat(43))),
        ("hash-chain", json!(tag("Hash-Chain"))),
        ("process", json!(stage.world.id())),
        ("message", json!(sent.id())),
        ("type", json!("Assignment")),
        ("path", json!("compute")),
    ] {
        assert_eq!(seen[key], value, "{key}");
    }
    let body = &seen["body"];
    let commitment = json!({
        "commitment-device": "ans104@1.0", "type": "rsa-pss-sha256", "bundle": "false",
        "committer": sent.owner_address(), "keyid": format!("publickey:{}", base64url::encode(&sent.owner)),
        "signature": base64url::encode(&sent.signature), "field-target": stage.world.id(),
        "field-anchor": String::from_utf8(sent.anchor.unwrap().to_vec()).unwrap(),
        "committed": ["data", "data-protocol", "type", "action", "twice", "owner", "target"],
        "original-tags": sent.tags,
    });
    let id = sent.id().to_string();
    let expected = json!({
        "data": "hi \u{1f600}", "data-protocol": "ao", "type": "Message", "action": "See", "twice": "\"a\", \"b\"",
        "owner": "x", "target": stage.world.id(), "block-hash": "A".repeat(43), "commitments": { id: commitment },
    });
    assert_eq!(body, &expected);
    let process = &results[1].results.as_ref().unwrap()["process"];
    assert_eq!((&process["data"], &process["execution-device"]), (&json!("boot"), &json!("lua@5.3a")));
    assert_eq!(process.get("block-hash"), None);
    assert!(process["commitments"].get(stage.world.id().to_string()).is_some());
}

#[weft_tests::both_async]
async fn what_stops_a_node_stops_the_process_and_says_so() {
    for (action, failure) in [("Fail", "lua-failed"), ("Number", "lua-thrown"), ("Long", "lua-unreadable")] {
        let stage = minted();
        stage.world.send("", &[("Action", action)]);
        stage.world.send("", &[("Action", "Mint"), ("Quantity", "2")]);
        stage.honest().await.unwrap();
        let results = stage.results().await;
        assert_eq!(results[4].failure.as_deref(), Some(failure), "{action}");
        assert!(results[4].error.is_some() && results[4].stopped_at.is_none());
        assert_eq!((results[5].failure.as_deref(), results[5].stopped_at), (Some("lua-stuck"), Some(4)));
        assert!(results[5].messages.is_empty() && results[5].gas == 0);
        // After a restart as well.
        stage.world.send("", &[("Action", "Mint"), ("Quantity", "2")]);
        stage.honest().await.unwrap();
        let results = stage.results().await;
        assert_eq!((results[6].failure.as_deref(), results[6].stopped_at), (Some("lua-stuck"), Some(4)));
    }
    // A tag that a node takes for a number and cannot read: it fails over the schedule.
    let stage = minted();
    stage.world.send("", &[("Action", "Mint"), ("Quantity", "2"), ("Timestamp", "soon")]);
    stage.honest().await.unwrap();
    assert_eq!(stage.results().await[4].failure.as_deref(), Some("lua-thrown"));
}

#[weft_tests::both_async]
async fn a_replay_goes_on_from_its_snapshot_and_refuses_another() {
    let (whole, parts) = (minted(), minted());
    whole.honest().await.unwrap();
    let options = Options { to: Some(1), ..Options::default() };
    parts.sync(&sources(&[SU]), &options, &Log::default()).await.unwrap();
    parts.honest().await.unwrap();
    let (expected, found) = (whole.results().await, parts.results().await);
    let output = |results: &[SlotResult]| -> Vec<(Value, u64)> {
        results.iter().map(|result| (result.output.clone(), result.gas)).collect()
    };
    assert_eq!(output(&found), output(&expected));
    let key = parts.store.scan(Table::Snapshots, "", "~", 10).await.unwrap()[0].clone();
    for changed in [
        key.1[..key.1.len() - 1].to_vec(),
        [&key.1[..60], b"!", &key.1[61..]].concat(),
        b"WEFTPRC\x01".to_vec(),
    ] {
        let mut batch = Batch::default();
        batch.put(Table::Snapshots, key.0.clone(), changed);
        parts.store.commit(batch).await.unwrap();
        let refused = parts.node().dry_run(parts.world.id(), &json!({})).await.unwrap_err();
        assert_eq!(refused.code(), Code::StoreCorrupt);
    }
}

#[weft_tests::both_async]
async fn a_dry_run_and_a_script_see_the_state_and_leave_it() {
    let stage = minted();
    stage.honest().await.unwrap();
    let (node, id, owner) = (stage.node(), stage.world.id(), owner(&stage));
    let body = json!({
        "Owner": owner, "Target": id, "Data": "", "Tags": [{"name": "Action", "value": "Mint"}, {"name": "Quantity", "value": "100"}],
    });
    for _ in 0..2 {
        let result = node.dry_run(id, &body).await.unwrap();
        assert_eq!((result.output, result.rolled_back), (json!({"total": 113}), true));
    }
    let sum = "function sum(base, req) local n = 0 for _, v in pairs(base.balances) do n = n + v end return n * (req.times or 1) end";
    assert_eq!(node.run_lua(id, sum, "sum", &Value::Null).await.unwrap().result, json!(13));
    let answer = node.run_lua(id, sum, "sum", &json!({"times": 2})).await.unwrap();
    assert_eq!((answer.status.as_str(), answer.result), ("ok", json!(26)));
    let code = async |script: &str| node.run_lua(id, script, "f", &Value::Null).await.unwrap_err().code();
    assert_eq!(code("function f() error('no') end").await, Code::LuaError);
    assert_eq!(code("function f(").await, Code::LuaSyntax);
    // What was printed before an error, by the text and by the function, comes with it.
    let fails = "print('text') function f() print('function', 1) return nil .. 'x' end";
    let failed = node.run_lua(id, fails, "f", &Value::Null).await.unwrap_err();
    assert_eq!((failed.code(), failed.field("output")), (Code::LuaError, Some("text \nfunction 1 \n")));
    let takes = "function f(base) balances = {} base.balances = {} return base end";
    assert!(node.run_lua(id, takes, "f", &Value::Null).await.is_ok());
    let time = node.run_lua(id, "function f() return os.time() end", "f", &Value::Null).await.unwrap();
    assert_eq!(time.not_replayable, ["os.time"]);
    // The history goes on as if nothing had been.
    stage.world.send("", &[("Action", "Mint"), ("Quantity", "1")]);
    node.sync(id, &sources(&[SU]), &Options::default(), &()).await.unwrap();
    assert_eq!(stage.results().await[4].output, json!({"total": 14}));
    let wasm = Stage::new(&Plan::default(), 1);
    wasm.honest().await.unwrap();
    let refused = wasm.node().run_lua(wasm.world.id(), sum, "sum", &Value::Null).await.unwrap_err();
    assert_eq!(refused.code(), Code::RequestInvalid);
}

async fn export(stage: &Stage) -> Vec<u8> {
    let mut text = Vec::new();
    let mut sink = |piece: &[u8]| {
        text.extend_from_slice(piece);
        Ok(())
    };
    let request = ReceiptRequest { slots: ReceiptSlots::History { to: None }, module: true };
    stage.node().export_receipt(stage.world.id(), &request, &Log::default(), &mut sink).await.unwrap();
    text
}

#[weft_tests::both_async]
async fn a_receipt_replays_and_a_changed_result_in_it_does_not() {
    let stage = minted();
    let options = Options { to: Some(1), ..Options::default() };
    stage.sync(&sources(&[SU]), &options, &Log::default()).await.unwrap();
    // A dry run and a restart in between change nothing of it.
    stage.node().dry_run(stage.world.id(), &json!({"Data": "x"})).await.unwrap();
    stage.honest().await.unwrap();
    let text = export(&stage).await;
    check(&text, &SchedulerPolicy::default(), true).unwrap();
    let changed = String::from_utf8(text).unwrap().replace("\"total\":13", "\"total\":14");
    let changed = sealed(changed.into_bytes());
    assert_eq!(check(&changed, &SchedulerPolicy::default(), true).unwrap_err().code(), Code::ReceiptMismatch);
    assert!(check(&changed, &SchedulerPolicy::default(), false).is_ok(), "its maker's word");
}

#[weft_tests::both_async]
async fn what_asked_the_clock_is_marked() {
    let stage = minted();
    stage.world.send("", &[("Action", "Time")]);
    stage.world.send("", &[("Action", "Mint"), ("Quantity", "1")]);
    stage.honest().await.unwrap();
    let (node, id) = (stage.node(), stage.world.id());
    let results = stage.results().await;
    assert_eq!(results[4].not_replayable, ["os.time"]);
    let mark = |receipt: &weft_verify::Receipt| {
        let found = receipt.checks.iter().find(|check| check.claim == "not-replayable")?;
        assert!(matches!(found.status, Status::Trusted { .. }));
        Some(found.evidence.clone())
    };
    let evidence = |name: &str, value: &str| Some(BTreeMap::from([(name.to_owned(), value.to_owned())]));
    assert_eq!(mark(&node.slot_receipt(id, 4).await.unwrap()), evidence("used", "os.time"));
    assert_eq!(mark(&node.slot_receipt(id, 3).await.unwrap()), None);
    assert_eq!(mark(&node.receipt(id).await.unwrap()), evidence("slots", "1"));
    // What went on from its state says so, and names it; after a restart as well, and where the process stands still.
    stage.world.send("", &[("Action", "Time")]);
    stage.world.send("", &[("Action", "Fail")]);
    stage.world.send("", &[("Action", "Mint"), ("Quantity", "1")]);
    stage.honest().await.unwrap();
    let results = stage.results().await;
    let follows: Vec<_> = results.iter().map(|result| result.follows_not_replayable).collect();
    assert_eq!(follows, [None, None, None, None, None, Some(4), Some(4), Some(4), Some(4)]);
    assert_eq!(results[6].not_replayable, ["os.time"]);
    let receipt = node.slot_receipt(id, 5).await.unwrap();
    let follows = receipt.checks.iter().find(|check| check.claim == "follows-not-replayable").unwrap();
    assert!(matches!(follows.status, Status::Trusted { .. }));
    assert_eq!(Some(follows.evidence.clone()), evidence("slot", "4"));
    assert_eq!(mark(&node.receipt(id).await.unwrap()), evidence("slots", "2"));
}

#[weft_tests::both_async]
async fn every_assignment_is_evaluated_even_of_one_message() {
    let stage = minted();
    let twice = stage.world.send("", &[("Action", "Mint"), ("Quantity", "4")]);
    stage.world.publish(twice.clone());
    stage.world.assign(twice.id(), &[]);
    stage.honest().await.unwrap();
    let results = stage.results().await;
    assert_eq!((&results[4].output, &results[5].output), (&json!({"total": 17}), &json!({"total": 21})));
    assert_eq!(results[5].duplicate_of, None);
}

/// Cancels at the n-th question.
struct Impatient(Cell<u32>);

impl Observer for Impatient {
    fn event(&self, _event: Event) {}

    fn cancelled(&self) -> bool {
        self.0.set(self.0.get().saturating_sub(1));
        self.0.get() == 0
    }
}

#[weft_tests::both_async]
async fn a_message_without_end_is_left_when_the_user_wants() {
    let stage = minted();
    stage.honest().await.unwrap();
    stage.world.send("", &[("Action", "Loop")]);
    let (node, id) = (stage.node(), stage.world.id());
    let left = node.sync(id, &sources(&[SU]), &Options::default(), &Impatient(Cell::new(20))).await;
    assert_eq!(left.unwrap_err().code(), Code::Cancelled);
    let balance = "function f(base) return base.balances end";
    let answer = stage.node().run_lua(id, balance, "f", &Value::Null).await.unwrap();
    assert_eq!(answer.result, json!({ owner(&stage): 13 }));
}

#[weft_tests::both_async]
async fn who_runs_a_process_is_what_its_tags_say() {
    // By the module alone.
    let stage = Stage::new(&plan(&[]), 1);
    stage.honest().await.unwrap();
    assert_eq!(stage.results().await[1].output, json!("what?"));
    // Names of tags in any case; and the device without the content type.
    let tags = [("execution-device", "lua@5.3a")];
    let other = Plan { content_type: None, format: "lua@5.3a", ..plan(&tags) };
    let stage = Stage::new(&other, 1);
    stage.honest().await.unwrap();
    assert_eq!(stage.results().await[1].output, json!("what?"));
    let refused = |tags: &[(&str, &str)], wasm: bool| {
        let plan = if wasm { Plan { content_type: None, ..plan(tags) } } else { plan(tags) };
        Stage::new(&plan, 1)
    };
    for (tags, wasm) in [
        (vec![("Execution-Device", "genesis-wasm@1.0")], false),
        (vec![("Execution-Device", "lua@5.3a")], true),
        (vec![("Execution-Device", "lua@5.3a"), ("Device", "stack@1.0")], false),
    ] {
        let error = refused(&tags, wasm).honest().await.unwrap_err();
        assert_eq!(error.code(), Code::ModuleFormatUnsupported, "{tags:?}");
    }
    let broken = Plan { wasm: b"function compute(".to_vec(), ..plan(&LUA) };
    assert_eq!(Stage::new(&broken, 1).honest().await.unwrap_err().code(), Code::ModuleInvalid);
}
