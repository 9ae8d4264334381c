//! A scheduler that signs two histories is caught, with a proof that anyone can check.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::rc::Rc;

use serde_json::Value;
use weft_codec::Code;
use weft_node::{Event, Options, Standing};
use weft_tests::world::{Log, Plan, SU, Site, Stage, World, json_answer, scheduler, sources};
use weft_verify::{Difference, Fraud, FraudProof, Status, Untrusted, Verified};

const OTHER: &str = "https://other.example";

/// The same history before a slot, and other messages to the same length after it.
fn forked(world: &World, slot: usize) -> Rc<World> {
    let other = world.fork(slot);
    while other.slots() < world.slots() {
        other.send("something else", &[]);
    }
    Rc::new(other)
}

/// The proofs told of, checked as a file by whoever gets it.
fn told(log: &Log) -> Vec<Verified<Fraud>> {
    let proof = |event: &Event| match event {
        Event::Fraud { proof, .. } => Some(proof.to_string()),
        _ => None,
    };
    let files: Vec<String> = log.events.borrow().iter().filter_map(proof).collect();
    let read = |file: &String| FraudProof::from_json(file.as_bytes()).unwrap();
    files.iter().map(|file| weft_verify::fraud(Untrusted::new(read(file), "a file")).unwrap()).collect()
}

#[weft_tests::both_async]
async fn two_schedulers_with_two_histories_make_a_proof() {
    let stage = Stage::new(&Plan::default(), 6);
    stage.network.at(OTHER, scheduler(&forked(&stage.world, 4)));
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU, OTHER]), &Options::default(), &log).await.unwrap();
    // The first history stands; that there is another one is known.
    assert_eq!((summary.head, summary.replayed), (Some(6), Some(6)));
    assert_eq!(log.heads()[OTHER].standing, Standing::Differs);
    let frauds = told(&log);
    assert_eq!(frauds.len(), 1);
    assert_eq!((frauds[0].slot, frauds[0].difference), (4, Difference::Message));
    assert_eq!(frauds[0].process, stage.world.id());
    // It is in the store, and in the receipt with both answers.
    let node = stage.node();
    let stored = node.frauds(stage.world.id()).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].slot, 4);
    let receipt = node.receipt(stage.world.id()).await.unwrap();
    let find = |claim: &str| receipt.checks.iter().find(|check| check.claim == claim).unwrap();
    assert_eq!(find("scheduler-equivocation").status, Status::Proved);
    assert_eq!(find("history-complete").status, Status::Trusted { by: SU.into() });
    assert!(find("history-complete").evidence["otherwise-1"].contains(OTHER));
    // Once is enough; forgetting the process forgets the proof.
    stage.sync(&sources(&[SU, OTHER]), &Options::default(), &log).await.unwrap();
    assert_eq!(node.frauds(stage.world.id()).await.unwrap().len(), 1);
    node.forget(stage.world.id()).await.unwrap();
    assert!(node.frauds(stage.world.id()).await.unwrap().is_empty());
}

#[weft_tests::both_async]
async fn a_scheduler_that_comes_back_with_another_history_is_caught() {
    let stage = Stage::new(&Plan::default(), 5);
    stage.honest().await.unwrap();
    let other = forked(&stage.world, 2);
    other.send("and more", &[]);
    stage.network.at(SU, scheduler(&other));
    let before = stage.results().await;
    let log = Log::default();
    let error = stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap_err();
    assert_eq!(error.code(), Code::HashChainBroken);
    assert_eq!(told(&log).iter().map(|fraud| fraud.slot).collect::<Vec<_>>(), [2]);
    // Nothing of what was proved is lost, and the proof is kept although the sync failed.
    let node = stage.node();
    assert_eq!(node.summary(stage.world.id()).await.unwrap().unwrap().head, Some(5));
    assert_eq!(stage.results().await, before);
    assert_eq!(node.frauds(stage.world.id()).await.unwrap().len(), 1);
    // A shorter other history is caught as well, though nothing in it follows on ours.
    let stage = Stage::new(&Plan::default(), 5);
    stage.honest().await.unwrap();
    let short = stage.world.fork(3);
    short.send("something else", &[]);
    stage.network.at(OTHER, scheduler(&Rc::new(short)));
    let log = Log::default();
    stage.sync(&sources(&[SU, OTHER]), &Options::default(), &log).await.unwrap();
    assert_eq!(told(&log).iter().map(|fraud| fraud.slot).collect::<Vec<_>>(), [3]);
}

// Natively only: signing some hundreds of items takes a browser most of a minute, and nothing here is the platform's.
#[cfg(not(target_arch = "wasm32"))]
#[weft_tests::both_async]
async fn the_first_slot_that_differs_is_found_by_halving() {
    let stage = Stage::new(&Plan::default(), 63);
    for slot in [1, 17, 32, 62, 63] {
        stage.network.at(OTHER, scheduler(&forked(&stage.world, slot)));
        stage.network.take_asked();
        let log = Log::default();
        stage.sync(&sources(&[SU, OTHER]), &Options::default(), &log).await.unwrap();
        assert_eq!(told(&log).iter().map(|fraud| fraud.slot).collect::<Vec<_>>(), [slot as u64]);
        let asked = stage.network.take_asked().iter().filter(|url| url.starts_with(OTHER)).count();
        assert!(asked <= 12, "{asked} requests for slot {slot}");
    }
    assert_eq!(stage.node().frauds(stage.world.id()).await.unwrap().len(), 5);
}

#[weft_tests::both_async]
async fn a_page_with_two_assignments_for_one_slot_is_enough() {
    let stage = Stage::new(&Plan::default(), 4);
    stage.honest().await.unwrap();
    let other = forked(&stage.world, 3);
    let (honest, theirs) = (scheduler(&stage.world), scheduler(&other));
    // The honest page, with what it repeats of the time before taken from the other history.
    let mixed: Site = Rc::new(move |request| {
        let response = honest(request)?;
        let Ok(mut page) = serde_json::from_slice::<Value>(&response.body) else { return Ok(response) };
        let url = request.url.replace("from-nonce=4", "from-nonce=2");
        let repeated: Value =
            serde_json::from_slice(&theirs(&weft_node::seams::Request { url, ..request.clone() })?.body)
                .unwrap_or_default();
        if let (Some(edges), Some(more)) = (page["edges"].as_array_mut(), repeated["edges"].as_array()) {
            edges.extend(more.iter().filter(|edge| edge["cursor"] == "3").cloned());
        }
        Ok(json_answer(&page))
    });
    stage.network.at(SU, mixed);
    let log = Log::default();
    stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    assert_eq!(told(&log).iter().map(|fraud| fraud.slot).collect::<Vec<_>>(), [3]);
}

#[weft_tests::both_async]
async fn a_source_that_makes_things_up_proves_nothing_against_the_scheduler() {
    let stage = Stage::new(&Plan::default(), 5);
    let honest = scheduler(&stage.world);
    // It cannot sign: it changes what was signed.
    let lying: Site = Rc::new(move |request| {
        let response = honest(request)?;
        let text = String::from_utf8_lossy(&response.body).replace("1728412", "1728413");
        Ok(weft_node::seams::Response { body: text.into_bytes(), ..response })
    });
    stage.network.at(OTHER, lying);
    let log = Log::default();
    stage.sync(&sources(&[SU, OTHER]), &Options::default(), &log).await.unwrap();
    assert!(told(&log).is_empty());
    // It also makes up the ids.
    let honest = scheduler(&forked(&stage.world, 3));
    let lying: Site = Rc::new(move |request| {
        let response = honest(request)?;
        let text = String::from_utf8_lossy(&response.body).replace("1728412", "1728413");
        Ok(weft_node::seams::Response { body: text.into_bytes(), ..response })
    });
    stage.network.at(OTHER, lying);
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU, OTHER]), &Options::default(), &log).await.unwrap();
    assert_eq!(summary.head, Some(5));
    assert_eq!(log.heads()[OTHER].standing, Standing::Differs);
    assert!(told(&log).is_empty());
    let failed: Vec<String> = log.failures().into_iter().map(|(_, code)| code).collect();
    assert!(failed.contains(&"signature-invalid".to_owned()), "{failed:?}");
    assert!(stage.node().frauds(stage.world.id()).await.unwrap().is_empty());
}
