//! A scheduler that is found by the record it published: a user who knows only gateways can sync.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::rc::Rc;

use serde_json::Value;
use weft_codec::Code;
use weft_node::{Event, Options};
use weft_tests::world::{
    GATEWAY, Log, Plan, SU, Site, Stage, gateway, json_answer, scheduler, sources, sources_of, status,
};
use weft_verify::Status;

const SECOND: &str = "https://second.example";
const ROUTER: &str = "https://router.example";

fn once() -> Options {
    Options { attempts: 1, ..Options::default() }
}

fn located(log: &Log) -> Vec<String> {
    let found = |event: &Event| match event {
        Event::Located { url, .. } => Some(url.clone()),
        _ => None,
    };
    log.events.borrow().iter().filter_map(found).collect()
}

/// A gateway that gives another id as the newest record; `None` for none.
fn naming(stage: &Stage, id: Option<String>) -> Site {
    let honest = gateway(&stage.world);
    Rc::new(move |request| {
        let response = honest(request)?;
        if !String::from_utf8_lossy(&request.body).contains("Scheduler-Location") {
            return Ok(response);
        }
        let mut answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let edges = &mut answer["data"]["transactions"]["edges"];
        match &id {
            Some(id) => edges[0]["node"]["id"] = id.clone().into(),
            None => *edges = Value::Array(Vec::new()),
        }
        Ok(json_answer(&answer))
    })
}

#[weft_tests::both_async]
async fn gateways_alone_are_enough() {
    let stage = Stage::new(&Plan::default(), 3);
    stage.world.announce("https://old.example");
    let record = stage.world.announce(SU);
    let log = Log::default();
    let summary = stage.sync(&sources(&[]), &once(), &log).await.unwrap();
    assert_eq!((summary.head, summary.replayed), (Some(3), Some(3)));
    assert_eq!(located(&log), [SU]);
    let receipt = stage.node().receipt(stage.world.id()).await.unwrap();
    let check = receipt.checks.iter().find(|check| check.claim == "scheduler-location").unwrap();
    assert_eq!(check.status, Status::Trusted { by: GATEWAY.into() });
    assert_eq!((check.evidence["record"].clone(), check.evidence["url"].as_str()), (record.to_string(), SU));
}

#[weft_tests::both_async]
async fn a_router_sends_on_to_the_unit() {
    let stage = Stage::new(&Plan::default(), 2);
    stage.world.announce(ROUTER);
    let process = stage.world.id().to_string();
    stage.network.at(
        ROUTER,
        Rc::new(move |request| {
            assert!(request.url.contains(&format!("process-id={process}")), "{}", request.url);
            Ok(status(307).with_header("Location", format!("{SU}/somewhere?process-id={process}")))
        }),
    );
    let log = Log::default();
    assert_eq!(stage.sync(&sources(&[]), &once(), &log).await.unwrap().head, Some(2));
    assert_eq!(located(&log), [SU]);
    // A browser follows by itself and says where it got.
    let stage = Stage::new(&Plan::default(), 2);
    stage.world.announce(ROUTER);
    let honest = scheduler(&stage.world);
    stage.network.at(
        ROUTER,
        Rc::new(move |request| {
            let mut response = honest(request)?;
            response.url = format!("{SU}/{}", request.url.rsplit('/').next().unwrap_or_default());
            Ok(response)
        }),
    );
    let log = Log::default();
    assert_eq!(stage.sync(&sources(&[]), &once(), &log).await.unwrap().head, Some(2));
    assert_eq!(located(&log), [SU]);
}

#[weft_tests::both_async]
async fn a_record_holds_as_long_as_it_says() {
    let stage = Stage::new(&Plan::default(), 2);
    stage.world.announce(SU);
    let node = stage.node();
    let asked = || {
        let asked = stage.network.take_asked();
        asked.iter().filter(|url| url.ends_with("/graphql")).count()
    };
    let sync = async || {
        node.sync(stage.world.id(), &sources(&[]), &once(), &()).await.unwrap();
    };
    sync().await;
    assert!(asked() > 0);
    sync().await;
    assert_eq!(asked(), 0);
    stage.clock.advance(3_600_000);
    sync().await;
    // Which record is newest, and the record.
    assert_eq!(asked(), 2);
}

#[weft_tests::both_async]
async fn configured_schedulers_come_first_and_records_help_when_they_fail() {
    let stage = Stage::new(&Plan::default(), 2);
    stage.world.announce("https://nobody.example");
    stage.sync(&sources(&[SU]), &once(), &Log::default()).await.unwrap();
    assert!(stage.network.take_asked().iter().all(|url| !url.contains("nobody.example")));
    let stage = Stage::new(&Plan::default(), 2);
    stage.world.announce(SECOND);
    stage.network.at(SECOND, scheduler(&stage.world));
    stage.network.at(SU, Rc::new(|_| Ok(status(502))));
    let log = Log::default();
    assert_eq!(stage.sync(&sources(&[SU]), &once(), &log).await.unwrap().head, Some(2));
    assert_eq!(located(&log), [SECOND]);
}

#[weft_tests::both_async]
async fn gateways_that_disagree_on_the_newest_record_are_both_heard() {
    let stage = Stage::new(&Plan::default(), 2);
    let old = stage.world.announce("https://old.example");
    stage.world.announce(SU);
    stage.network.at(SECOND, naming(&stage, Some(old.to_string())));
    let log = Log::default();
    let gateways = sources_of(&[], &[SECOND, GATEWAY]);
    assert_eq!(stage.sync(&gateways, &once(), &log).await.unwrap().head, Some(2));
    assert_eq!(located(&log), ["https://old.example", SU]);
    let tally = &log.tallies("scheduler-location")[0];
    assert_eq!((tally.is_reached(), tally.against.len()), (false, 1));
    // One that knows of none does not hide it.
    let stage = Stage::new(&Plan::default(), 2);
    stage.world.announce(SU);
    stage.network.at(SECOND, naming(&stage, None));
    assert_eq!(stage.sync(&gateways, &once(), &Log::default()).await.unwrap().head, Some(2));
}

#[weft_tests::both_async]
async fn what_is_no_record_of_the_scheduler_is_refused() {
    let code = async |stage: &Stage, log: &Log| {
        let error = stage.sync(&sources(&[]), &once(), log).await.unwrap_err();
        assert_eq!(error.code(), Code::NoSource, "{error:?}");
        assert!(located(log).is_empty());
        log.failures().into_iter().map(|(_, code)| code).collect::<Vec<_>>()
    };
    // Another item of the scheduler's.
    let stage = Stage::new(&Plan::default(), 2);
    stage.world.announce(SU);
    stage.network.at(GATEWAY, naming(&stage, Some(stage.world.module.id().to_string())));
    assert_eq!(code(&stage, &Log::default()).await, ["source-invalid"]);
    // An id that is none.
    stage.network.at(GATEWAY, naming(&stage, Some("no id".into())));
    assert_eq!(code(&stage, &Log::default()).await, ["source-garbled"]);
    // An address that is none, and one in the user's own network.
    for url in ["su.example", "javascript:alert(1)", "http://127.0.0.1:1984", "http://192.168.1.1/su"] {
        let stage = Stage::new(&Plan::default(), 2);
        stage.world.announce(url);
        assert_eq!(code(&stage, &Log::default()).await, ["source-invalid"], "{url}");
        assert!(stage.network.take_asked().iter().all(|asked| !asked.contains(url)), "{url}");
    }
    // A router that sends into the user's own network.
    let stage = Stage::new(&Plan::default(), 2);
    stage.world.announce(ROUTER);
    stage.network.at(ROUTER, Rc::new(|_| Ok(status(307).with_header("location", "http://10.0.0.1/"))));
    let error = stage.sync(&sources(&[]), &once(), &Log::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::SourceStatus);
    assert!(stage.network.take_asked().iter().all(|asked| !asked.contains("10.0.0.1")));
}

/// The keys of the demo are there natively alone.
#[cfg(not(target_arch = "wasm32"))]
#[tokio::test]
async fn a_record_signed_by_another_key_is_refused() {
    let stage = Stage::new(&Plan::default(), 2);
    stage.world.announce(SU);
    let tags = [
        ("Data-Protocol", "ao"),
        ("Type", "Scheduler-Location"),
        ("Url", "https://elsewhere.example"),
        ("Time-To-Live", "3600000"),
    ];
    let tags = tags.map(|(name, value)| weft_codec::tags::Tag::new(name, value)).to_vec();
    let stranger = weft_cli::demo_archive::keys().unwrap().bob;
    let record = weft_node::net::sign(&stranger, None, None, tags, b"1984".to_vec()).await.unwrap();
    // A gateway names it as the scheduler's newest.
    let id = stage.world.publish(record).to_string();
    stage.network.at(GATEWAY, naming(&stage, Some(id)));
    let log = Log::default();
    stage.sync(&sources(&[]), &once(), &log).await.unwrap_err();
    let codes: Vec<String> = log.failures().into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["scheduler-mismatch"]);
    assert!(located(&log).is_empty());
    assert!(stage.network.take_asked().iter().all(|asked| !asked.contains("elsewhere")));
}
