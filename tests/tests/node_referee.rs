//! A sync on a fast engine with wasmi as its referee: what is stored was looked at, and a divergence stops it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, on both platforms")]

use std::rc::Rc;

use serde_json::Value;
use weft_codec::Code;
use weft_core::{Engine, Policy, RanOn};
use weft_node::{Event, Options};
use weft_tests::faulty::{Fault, Faulty};
use weft_tests::world::{Log, Plan, SU, Stage, StageNode, sources};

fn options(engine: Policy) -> Options {
    Options { engine, ..Options::default() }
}

fn on(stage: &Stage, engine: Rc<dyn Engine>) -> StageNode {
    stage.node().with_engine(engine)
}

async fn ran_on(stage: &Stage) -> Vec<Option<RanOn>> {
    stage.results().await.iter().map(|result| result.ran_on).collect()
}

#[weft_tests::both_async]
async fn each_policy_gives_the_same_history_and_receipts_say_which_engine() {
    let stage = Stage::new(&Plan::default(), 5);
    let id = stage.world.id();
    let honest = stage.honest().await.unwrap();
    let expected: Vec<Value> = stage.results().await.iter().map(|result| result.to_legacy()).collect();
    assert_eq!(ran_on(&stage).await, [Some(RanOn::Reference); 6]);
    for (policy, name) in
        [(Policy::Referee, "fast"), (Policy::Reference, "reference"), (Policy::Fast, "fast")]
    {
        let node = on(&stage, Faulty::sound());
        node.forget(id).await.unwrap();
        let log = Log::default();
        let summary = node.sync(id, &sources(&[SU]), &options(policy), &log).await.unwrap();
        assert_eq!((summary.replayed, summary.memory_sha256), (Some(5), honest.memory_sha256), "{policy:?}");
        let results = stage.results().await;
        assert_eq!(results.iter().map(|result| result.to_legacy()).collect::<Vec<_>>(), expected);
        let receipt = node.slot_receipt(id, 2).await.unwrap();
        let replay = receipt.checks.iter().find(|check| check.claim == "replay").unwrap();
        assert_eq!(replay.evidence.get("ran-on").map(String::as_str), Some(name), "{policy:?}");
    }
    // The state goes on, on whichever engine.
    stage.world.send("more", &[]);
    let summary = stage.honest().await.unwrap();
    assert_eq!((summary.replayed, summary.replayed_now), (Some(6), 1));
}

#[weft_tests::both_async]
async fn engines_that_differ_stop_the_sync_and_both_states_are_kept() {
    // The last message, which nobody looked at but for the checkpoint; the fault is in no answer.
    let stage = Stage::new(&Plan::default(), 5);
    let node = on(&stage, Faulty::engine(Fault::Gas, 6));
    let log = Log::default();
    let id = stage.world.id();
    let error = node.sync(id, &sources(&[SU]), &options(Policy::Referee), &log).await.unwrap_err();
    assert_eq!((error.code(), error.field("parts")), (Code::EnginesDiffer, Some("gas")), "{error:?}");
    // What was not looked at is not there.
    assert!(stage.results().await.is_empty());
    assert!(node.summary(id).await.unwrap().is_none_or(|summary| summary.replayed.is_none()));
    let report = node.divergence(id).await.unwrap().unwrap();
    assert!(report.starts_with(b"weftdiff"));
    // On the reference alone it goes on, and so does a fast engine that does not err.
    let log = Log::default();
    let summary = node.sync(id, &sources(&[SU]), &options(Policy::Reference), &log).await.unwrap();
    assert_eq!(summary.replayed, Some(5));
    node.forget(id).await.unwrap();
    assert_eq!(node.divergence(id).await.unwrap(), None);
}

#[weft_tests::both_async]
async fn a_module_that_the_fast_engine_does_not_take_runs_on_wasmi_and_the_events_say_why() {
    let stage = Stage::new(&Plan::default(), 2);
    let node = on(&stage, Faulty::engine(Fault::Refuses, 1));
    let log = Log::default();
    node.sync(stage.world.id(), &sources(&[SU]), &options(Policy::Referee), &log).await.unwrap();
    assert_eq!(ran_on(&stage).await, [Some(RanOn::Reference); 3]);
    let events = log.events.borrow();
    let said = events.iter().find_map(|event| match event {
        Event::Module { engine, refused, .. } => Some((engine.clone(), refused.clone())),
        _ => None,
    });
    let (engine, refused) = said.unwrap();
    assert_eq!(engine, "wasmi");
    assert!(refused.unwrap().contains("does not take it"));
}
