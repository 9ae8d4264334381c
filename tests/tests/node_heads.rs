//! Several schedulers: who has how much of a history, how fresh that is, and what they agree on.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::rc::Rc;

use serde_json::Value;
use weft_codec::{Code, Error};
use weft_node::{Options, Standing};
use weft_tests::world::{
    Log, Plan, START_MS, SU, Site, Stage, World, html, json_answer, scheduler, sources, status,
};
use weft_verify::{Check, Status};

const SECOND: &str = "https://second.example";
const THIRD: &str = "https://third.example";

/// A scheduler that has only the first slots.
fn lagging(world: &World, slots: usize) -> Site {
    scheduler(&Rc::new(world.fork(slots)))
}

async fn complete(stage: &Stage) -> Check {
    let receipt = stage.node().receipt(stage.world.id()).await.unwrap();
    let mut found = receipt.checks.into_iter().filter(|check| check.claim == "history-complete");
    let check = found.next().unwrap();
    assert!(found.next().is_none());
    check
}

#[weft_tests::both_async]
async fn schedulers_that_have_the_same_agree_and_say_how_fresh_it_is() {
    let stage = Stage::new(&Plan::default(), 3);
    stage.network.at(SECOND, scheduler(&stage.world));
    stage.clock.advance(START_MS + 60_000);
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU, SECOND]), &Options::default(), &log).await.unwrap();
    assert_eq!(summary.replayed, Some(3));
    let heads = log.heads();
    for url in [SU, SECOND] {
        let head = &heads[url];
        assert_eq!((head.standing, head.slot), (Standing::Agrees, Some(3)), "{url}");
        assert_eq!(head.timestamp, Some(START_MS + 3_000));
        assert_eq!(head.age_ms, Some(head.asked_at_ms - START_MS - 3_000));
        assert!(head.asked_at_ms > START_MS + 60_000);
    }
    let check = complete(&stage).await;
    let by = vec![SU.to_owned(), SECOND.to_owned()];
    assert_eq!(check.status, Status::Agreed { k: 2, n: 2, by, against: Vec::new() });
    assert_eq!(check.evidence["slot"], "3");
    assert!(check.sentence.contains("2 of 2"), "{}", check.sentence);
    assert!(check.evidence["head-2"].contains("ms old"), "{:?}", check.evidence);
}

#[weft_tests::both_async]
async fn one_scheduler_is_trusted_and_costs_no_further_request() {
    let stage = Stage::new(&Plan::default(), 3);
    let log = Log::default();
    stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    let check = complete(&stage).await;
    assert!(
        matches!(&check.status, Status::Trusted { by } if *by == stage_scheduler(&stage)),
        "{:?}",
        check.status
    );
    assert_eq!(log.heads()[SU].standing, Standing::Agrees);
    assert!(log.tallies("history-complete").is_empty());
    stage.network.take_asked();
    stage.honest().await.unwrap();
    assert_eq!(stage.network.take_asked().len(), 1);
}

fn stage_scheduler(stage: &Stage) -> String {
    stage.world.process.owner_address().to_string()
}

#[weft_tests::both_async]
async fn the_furthest_scheduler_that_can_prove_it_is_followed_and_laggards_are_named() {
    let stage = Stage::new(&Plan::default(), 5);
    stage.network.at(SECOND, lagging(&stage.world, 3));
    let log = Log::default();
    // The one that ends early comes first.
    let summary = stage.sync(&sources(&[SECOND, SU]), &Options::default(), &log).await.unwrap();
    assert_eq!((summary.head, summary.replayed), (Some(5), Some(5)));
    assert_eq!(log.heads()[SECOND].standing, Standing::Behind);
    assert_eq!(log.heads()[SECOND].slot, Some(2));
    // One of two is no majority: it is trusted, and the other answer is kept.
    let check = complete(&stage).await;
    assert_eq!(check.status, Status::Trusted { by: SU.into() });
    assert!(check.evidence["otherwise-1"].contains("ends at slot 2"), "{:?}", check.evidence);
    // Two of three are.
    stage.network.at(THIRD, scheduler(&stage.world));
    stage.sync(&sources(&[SECOND, SU, THIRD]), &Options::default(), &log).await.unwrap();
    let check = complete(&stage).await;
    let Status::Agreed { k, n, by, against } = &check.status else { panic!("{:?}", check.status) };
    assert_eq!((*k, *n, by.as_slice()), (2, 3, &[SU.to_owned(), THIRD.to_owned()][..]));
    assert!(against[0].starts_with(SECOND) && against[0].contains("ends at slot 2"), "{against:?}");
    // Unless the user asks for three.
    let options = Options { quorum: Some(3), ..Options::default() };
    stage.sync(&sources(&[SECOND, SU, THIRD]), &options, &log).await.unwrap();
    let check = complete(&stage).await;
    assert_eq!(check.status, Status::Trusted { by: format!("{SU}, {THIRD}") });
    assert_eq!(check.evidence["needed"], "3");
    let told = log.tallies("history-complete");
    assert!(!told.last().unwrap().is_reached() && told.last().unwrap().against.len() == 1);
}

#[weft_tests::both_async]
async fn a_scheduler_that_says_nothing_of_use_is_silent_not_against() {
    let unreachable: Site = Rc::new(|_| Err(Error::new(Code::SourceUnreachable, "Down.")));
    let late: Site = Rc::new(|_| Err(Error::new(Code::SourceTimeout, "Late.")));
    let page: Site = Rc::new(|_| Ok(html()));
    let busy: Site = Rc::new(|_| Ok(status(429)));
    for (site, code) in [
        (unreachable, "source-unreachable"),
        (late, "source-timeout"),
        (page, "source-garbled"),
        (busy, "source-status"),
    ] {
        let stage = Stage::new(&Plan::default(), 2);
        stage.network.at(SECOND, scheduler(&stage.world));
        stage.network.at(THIRD, site);
        let log = Log::default();
        stage.sync(&sources(&[SU, SECOND, THIRD]), &Options::default(), &log).await.unwrap();
        let head = &log.heads()[THIRD];
        assert_eq!((head.standing, head.slot), (Standing::Silent, None));
        assert_eq!(head.failure.as_ref().unwrap().code, code);
        let check = complete(&stage).await;
        let Status::Agreed { k, n, against, .. } = &check.status else { panic!("{:?}", check.status) };
        assert_eq!((*k, *n, against.len()), (2, 3, 0));
        assert!(check.evidence["silent-1"].starts_with(THIRD), "{:?}", check.evidence);
    }
}

#[weft_tests::both_async]
async fn a_head_that_cannot_be_proved_is_shown_as_said_and_not_taken() {
    let stage = Stage::new(&Plan::default(), 3);
    let honest = scheduler(&stage.world);
    let boasting: Site = Rc::new(move |request| {
        let response = honest(request)?;
        if !request.url.contains("/latest") {
            return Ok(response);
        }
        let mut entry: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        entry["assignment"]["tags"][2]["value"] = "9".into();
        Ok(json_answer(&entry))
    });
    stage.network.at(SECOND, boasting);
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU, SECOND]), &Options::default(), &log).await.unwrap();
    assert_eq!(summary.head, Some(3));
    assert_eq!(log.heads()[SECOND].standing, Standing::Ahead);
    let check = complete(&stage).await;
    assert_eq!(check.status, Status::Trusted { by: SU.into() });
    assert!(check.evidence["otherwise-1"].contains("goes on to slot 9"), "{:?}", check.evidence);
}

#[weft_tests::both_async]
async fn up_to_a_wanted_slot_who_has_more_agrees() {
    let stage = Stage::new(&Plan::default(), 5);
    stage.network.at(SECOND, lagging(&stage.world, 2));
    stage.network.at(THIRD, scheduler(&stage.world));
    let options = Options { to: Some(3), ..Options::default() };
    let log = Log::default();
    stage.sync(&sources(&[SU, SECOND, THIRD]), &options, &log).await.unwrap();
    let check = complete(&stage).await;
    let Status::Agreed { k, n, against, .. } = &check.status else { panic!("{:?}", check.status) };
    assert_eq!((*k, *n), (2, 3));
    assert!(against[0].contains("ends at slot 1"), "{against:?}");
    // What is stored is not asked for again, not even for agreement.
    stage.network.take_asked();
    stage.sync(&sources(&[SU, SECOND, THIRD]), &options, &log).await.unwrap();
    assert!(stage.network.take_asked().is_empty());
}
