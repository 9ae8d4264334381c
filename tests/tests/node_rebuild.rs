//! A history without its scheduler: rebuilt from what gateways list of it, and proved the same way.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::rc::Rc;

use serde_json::{Value, json};
use weft_codec::Code;
use weft_node::seams::Response;
use weft_node::{Event, Options, SourceKind, Standing};
use weft_tests::world::{
    GATEWAY, Log, Plan, SU, Site, Stage, gateway, html, json_answer, message_to, scheduler, sources,
    sources_of, status,
};
use weft_verify::{Receipt, Status};

const SECOND: &str = "https://second.example";

/// A stage whose scheduler is gone.
fn orphaned(messages: u64) -> Stage {
    let stage = Stage::new(&Plan::default(), messages);
    stage.network.at(SU, Rc::new(|_| Ok(status(502))));
    stage
}

fn once() -> Options {
    Options { attempts: 1, ..Options::default() }
}

/// A gateway that lists otherwise.
fn listing(stage: &Stage, change: impl Fn(&mut Vec<Value>) + 'static) -> Site {
    let honest = gateway(&stage.world);
    Rc::new(move |request| {
        let response = honest(request)?;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if !body["variables"]["owners"].is_array() {
            return Ok(response);
        }
        let mut answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        answer["data"]["transactions"]["edges"].as_array_mut().into_iter().for_each(&change);
        Ok(json_answer(&answer))
    })
}

/// A gateway whose index lacks slots.
fn without(stage: &Stage, slots: &'static [&str]) -> Site {
    listing(stage, |edges| edges.retain(|edge| !slots.contains(&nonce(edge).as_str())))
}

fn nonce(edge: &Value) -> String {
    let tags = edge["node"]["tags"].as_array().cloned().unwrap_or_default();
    let nonce = tags.iter().find(|tag| tag["name"] == "Nonce");
    nonce.and_then(|tag| tag["value"].as_str()).unwrap_or_default().to_owned()
}

fn holes(log: &Log) -> Vec<(u64, u64)> {
    let found = |event: &Event| match event {
        Event::Holes { slots, .. } => Some(slots.clone()),
        _ => None,
    };
    log.events.borrow().iter().filter_map(found).flatten().collect()
}

async fn receipt(stage: &Stage) -> Receipt {
    stage.node().receipt(stage.world.id()).await.unwrap()
}

#[weft_tests::both_async]
async fn the_history_is_rebuilt_and_gives_the_same_results() {
    let stage = Stage::new(&Plan::default(), 4);
    // An Assign of a message that was sent to somebody else.
    let elsewhere = stage.world.publish(message_to(stage.world.module.id(), b"elsewhere", &[]));
    stage.world.assign(elsewhere, &[]);
    stage.honest().await.unwrap();
    let expected = stage.results().await;
    stage.node().forget(stage.world.id()).await.unwrap();
    stage.world.upload(0..=5);
    for schedulers in [&[SU][..], &[]] {
        stage.network.at(SU, Rc::new(|_| Ok(html())));
        let log = Log::default();
        let summary = stage.sync(&sources(schedulers), &once(), &log).await.unwrap();
        assert_eq!((summary.head, summary.replayed), (Some(5), Some(5)));
        assert_eq!(stage.results().await, expected);
        let rebuilt = |event: &Event| matches!(event, Event::Rebuild { from: 0, to: 5 });
        assert!(log.events.borrow().iter().any(rebuilt));
        let head = &log.heads()[GATEWAY];
        assert_eq!((head.of, head.standing, head.slot), (SourceKind::Gateway, Standing::Agrees, Some(5)));
        let receipt = receipt(&stage).await;
        let listed = receipt.checks.iter().find(|check| check.claim == "assignment-listing").unwrap();
        assert_eq!(listed.status, Status::Trusted { by: GATEWAY.into() });
        let chained = receipt.checks.iter().find(|check| check.claim == "hash-chain").unwrap();
        assert_eq!((&chained.status, chained.evidence["count"].as_str()), (&Status::Proved, "6"));
        // With nothing new the second time is no failure, and nothing is replayed again.
        let again = stage.sync(&sources(schedulers), &once(), &log).await.unwrap();
        assert_eq!((again.verified_now, again.replayed_now), (0, 0));
        stage.node().forget(stage.world.id()).await.unwrap();
    }
}

// Natively only: signing some hundreds of items takes a browser most of a minute, and nothing here is the platform's.
#[cfg(not(target_arch = "wasm32"))]
#[weft_tests::both_async]
async fn a_long_history_comes_in_pages_and_goes_on_from_the_store() {
    let stage = Stage::new(&Plan::default(), 230);
    let options = Options { to: Some(20), ..Options::default() };
    stage.sync(&sources(&[SU]), &options, &Log::default()).await.unwrap();
    stage.world.upload(0..=230);
    stage.network.at(SU, Rc::new(|_| Ok(status(503))));
    stage.network.take_asked();
    let log = Log::default();
    let to = Options { to: Some(150), ..once() };
    assert_eq!(stage.sync(&sources(&[SU]), &to, &log).await.unwrap().head, Some(150));
    // Stored messages are not fetched: one request for each new one, its data, its fields.
    let fetched = stage.network.take_asked().iter().filter(|url| url.contains("/raw/")).count();
    assert_eq!(fetched, 130);
    let summary = stage.sync(&sources(&[SU]), &once(), &log).await.unwrap();
    assert_eq!((summary.head, summary.verified_now), (Some(230), 80));
}

#[weft_tests::both_async]
async fn holes_are_named_by_slot_and_what_is_before_them_stands() {
    let stage = orphaned(9);
    stage.world.upload(0..=9);
    stage.network.at(GATEWAY, without(&stage, &["3", "5", "6", "7"]));
    let log = Log::default();
    let error = stage.sync(&sources(&[SU]), &once(), &log).await.unwrap_err();
    assert_eq!(error.code(), Code::SlotMissing);
    assert!(error.sentence().contains("slot 3, 5–7"), "{error}");
    assert_eq!((error.field("slot"), error.field("slots")), (Some("3"), Some("3, 5–7")));
    assert_eq!(holes(&log), [(3, 3), (5, 7)]);
    let known = stage.node().summary(stage.world.id()).await.unwrap().unwrap();
    assert_eq!((known.head, known.replayed), (Some(2), Some(2)));
    // The scheduler is back.
    stage.network.at(SU, scheduler(&stage.world));
    let log = Log::default();
    assert_eq!(stage.sync(&sources(&[SU]), &once(), &log).await.unwrap().head, Some(9));
    assert_eq!(log.slots(), [3, 4, 5, 6, 7, 8, 9]);
}

// Natively only: signing some hundreds of items takes a browser most of a minute, and nothing here is the platform's.
#[cfg(not(target_arch = "wasm32"))]
#[weft_tests::both_async]
async fn many_holes_are_bounded() {
    let stage = orphaned(230);
    stage.world.upload(0..=0);
    for slot in (2..=230).step_by(2) {
        stage.world.upload(slot..=slot);
    }
    let log = Log::default();
    let error = stage.sync(&sources(&[SU]), &once(), &log).await.unwrap_err();
    assert_eq!(error.code(), Code::SlotMissing);
    assert!(error.sentence().contains("slot 1, 3, 5"), "{error}");
    assert!(error.sentence().contains('…'), "{error}");
    assert_eq!(holes(&log).len(), 100);
}

#[weft_tests::both_async]
async fn what_one_index_lacks_another_has_and_the_difference_is_kept() {
    let stage = orphaned(6);
    stage.world.upload(0..=6);
    stage.network.at(GATEWAY, without(&stage, &["2", "6"]));
    stage.network.at(SECOND, without(&stage, &["4"]));
    let log = Log::default();
    let gateways = sources_of(&[SU], &[GATEWAY, SECOND]);
    let summary = stage.sync(&gateways, &once(), &log).await.unwrap();
    assert_eq!(summary.replayed, Some(6));
    let tally = &log.tallies("assignment-listing")[0];
    assert_eq!((tally.asked, tally.needed, tally.is_reached()), (2, 2, false));
    assert_eq!(tally.against[0].url, SECOND);
    let heads = log.heads();
    assert_eq!((heads[GATEWAY].standing, heads[GATEWAY].slot), (Standing::Behind, Some(5)));
    assert_eq!(heads[SECOND].standing, Standing::Agrees);
    let receipt = receipt(&stage).await;
    let listed = receipt.checks.iter().find(|check| check.claim == "assignment-listing").unwrap();
    assert!(listed.evidence["otherwise-1"].contains(SECOND), "{:?}", listed.evidence);
    // Gateways that list the same agree.
    let stage = orphaned(3);
    stage.world.upload(0..=3);
    stage.network.at(SECOND, gateway(&stage.world));
    stage.sync(&gateways, &once(), &Log::default()).await.unwrap();
    let receipt = self::receipt(&stage).await;
    let agreed: Vec<&str> = receipt.agreed().map(|check| check.claim.as_str()).collect();
    assert_eq!(agreed, ["history-complete", "assignment-listing"]);
}

#[weft_tests::both_async]
async fn an_index_that_lies_is_found_out_and_the_other_one_used() {
    type Change = fn(&mut Vec<Value>);
    let changes: [(Change, &str); 4] = [
        // Another time in a signed tag.
        (
            |edges| edges.iter_mut().for_each(|edge| edge["node"]["tags"][5]["value"] = "9".into()),
            "signature-invalid",
        ),
        // The anchor left out, as some indexers do.
        (|edges| edges.iter_mut().for_each(|edge| edge["node"]["anchor"] = "".into()), "anchor-missing"),
        // Another item under the id.
        (|edges| edges.iter_mut().for_each(|edge| edge["node"]["id"] = "A".repeat(43).into()), "id-mismatch"),
        // A slot that is not there.
        (
            |edges| edges.iter_mut().for_each(|edge| edge["node"]["tags"][2]["value"] = "99".into()),
            "signature-invalid",
        ),
    ];
    for (change, code) in changes {
        let stage = orphaned(3);
        stage.world.upload(0..=3);
        stage.network.at(SECOND, listing(&stage, change));
        let log = Log::default();
        let summary = stage.sync(&sources_of(&[SU], &[SECOND, GATEWAY]), &once(), &log).await.unwrap();
        assert_eq!(summary.replayed, Some(3), "{code}");
        assert!(
            log.failures().contains(&(SECOND.to_owned(), code.to_owned())),
            "{code}: {:?}",
            log.failures()
        );
        // Alone it gives nothing, and the scheduler's silence is what is told with it.
        let stage = orphaned(3);
        stage.world.upload(0..=3);
        stage.network.at(GATEWAY, listing(&stage, change));
        let error = stage.sync(&sources(&[SU]), &once(), &Log::default()).await.unwrap_err();
        assert!([Code::SourceStatus, Code::SlotMissing].contains(&error.code()), "{error:?}");
    }
}

#[weft_tests::both_async]
async fn a_message_that_no_gateway_has_is_missing() {
    let stage = orphaned(3);
    stage.world.upload(0..=3);
    let message = stage.world.entries.borrow()[2].message.clone().unwrap();
    stage.world.items.borrow_mut().remove(&message.id());
    let error = stage.sync(&sources(&[SU]), &once(), &Log::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::MessageMissing);
    assert!(error.sentence().contains(&message.id().to_string()), "{error}");
    assert_eq!(stage.node().summary(stage.world.id()).await.unwrap().unwrap().head, Some(1));
}

#[weft_tests::both_async]
async fn two_uploaded_assignments_for_one_slot_are_fraud() {
    let stage = orphaned(4);
    stage.world.upload(0..=4);
    let other = stage.world.fork(3);
    other.send("something else", &[]);
    let theirs = other.entries.borrow()[3].clone();
    stage.world.publish(theirs.assignment);
    stage.world.publish(theirs.message.unwrap());
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &once(), &log).await;
    let frauds = stage.node().frauds(stage.world.id()).await.unwrap();
    assert_eq!(frauds.iter().map(|proof| proof.slot).collect::<Vec<_>>(), [3]);
    weft_verify::fraud(weft_verify::Untrusted::new(frauds[0].clone(), "the store")).unwrap();
    // Which of the two goes on is decided by what was uploaded after it; slot 3 may be the dead end.
    match summary {
        Ok(summary) => assert_eq!(summary.head, Some(4)),
        Err(error) => assert_eq!(error.code(), Code::HashChainBroken, "{error:?}"),
    }
}

#[weft_tests::both_async]
async fn a_scheduler_that_lies_is_passed_over_for_what_proves_and_named() {
    // Arweave has nothing: the lie is the answer.
    let stage = Stage::new(&Plan::default(), 3);
    let honest = scheduler(&stage.world);
    stage.network.at(
        SU,
        Rc::new(move |request| {
            let response = honest(request)?;
            let text = String::from_utf8_lossy(&response.body).replace("1728412", "1728413");
            Ok(Response { body: text.into_bytes(), ..response })
        }),
    );
    let error = stage.sync(&sources(&[SU]), &once(), &Log::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::SignatureInvalid);
    // Arweave has a hole: the lie is the answer still, and what is before the hole stands.
    stage.world.upload(0..=1);
    stage.world.upload(3..=3);
    let error = stage.sync(&sources(&[SU]), &once(), &Log::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::SignatureInvalid);
    assert_eq!(stage.node().summary(stage.world.id()).await.unwrap().unwrap().head, Some(1));
    // Arweave has all of it: the history stands, and who lied is told.
    stage.world.upload(2..=2);
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &once(), &log).await.unwrap();
    assert_eq!(summary.head, Some(3));
    let failure = log.heads()[SU].failure.clone().unwrap();
    assert_eq!(failure.code, "signature-invalid");
    let receipt = stage.node().receipt(stage.world.id()).await.unwrap();
    let complete = receipt.checks.iter().find(|check| check.claim == "history-complete").unwrap();
    let named = complete.evidence.values().any(|text| text.contains(SU) && text.contains("silent"));
    assert!(named, "{complete:?}");
}

#[weft_tests::both_async]
async fn a_scheduler_with_two_histories_is_left_for_arweave_and_the_proof_is_kept() {
    let stage = Stage::new(&Plan::default(), 5);
    stage.honest().await.unwrap();
    // It goes on with another history than it uploaded.
    let other = stage.world.fork(2);
    for _ in 0..6 {
        other.send("something else", &[]);
    }
    stage.world.send("one more", &[]);
    stage.world.upload(0..=6);
    stage.network.at(SU, scheduler(&Rc::new(other)));
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &once(), &log).await.unwrap();
    assert_eq!(summary.head, Some(6));
    let frauds = stage.node().frauds(stage.world.id()).await.unwrap();
    let fraud = weft_verify::fraud(weft_verify::Untrusted::new(frauds[0].clone(), "the store")).unwrap();
    assert_eq!((fraud.slot, fraud.named), (2, true));
}

#[weft_tests::both_async]
async fn what_arweave_does_not_have_leaves_the_schedulers_failure() {
    let stage = orphaned(3);
    let error = stage.sync(&sources(&[SU]), &once(), &Log::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::SourceStatus);
    stage.network.at(GATEWAY, {
        let honest = gateway(&stage.world);
        Rc::new(move |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            if body["variables"]["owners"].is_array() {
                return Ok(json_answer(&json!({"errors": [{"message": "no"}]})));
            }
            honest(request)
        })
    });
    let error = stage.sync(&sources(&[SU]), &once(), &Log::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::SourceStatus);
}
