//! Which source is asked first, and what it takes to be asked again: scores, `Retry-After`, health.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::cell::Cell;
use std::rc::Rc;

use weft_codec::Code;
use weft_node::seams::{Clock as _, Response};
use weft_node::{BEST_SCORE, Event, Observer, Options, SourceHealth};
use weft_tests::world::{
    GATEWAY, Log, Plan, SU, Site, Stage, gateway, html, scheduler, sources, sources_of, status,
};

const BAD: &str = "https://bad.example";

fn busy(wait: impl Into<String>) -> Response {
    status(429).with_header("Retry-After", wait)
}

/// A scheduler that answers the first requests otherwise.
fn at_first(stage: &Stage, count: u32, answer: Response) -> Site {
    let (honest, left) = (scheduler(&stage.world), Cell::new(count));
    Rc::new(move |request| {
        if left.get() == 0 {
            return honest(request);
        }
        left.set(left.get() - 1);
        Ok(answer.clone())
    })
}

fn health<'a>(all: &'a [SourceHealth], url: &str) -> &'a SourceHealth {
    all.iter().find(|one| one.url == url).unwrap()
}

#[weft_tests::both_async]
async fn a_source_that_asks_to_wait_is_not_asked_before() {
    // The process comes from the gateway meanwhile; the history waits. A date is a whole second.
    let stage = Stage::new(&Plan::default(), 2);
    stage.clock.advance(1_728_412_800_000 - stage.clock.now_ms());
    for (wait, least) in [("7", 7_000), ("Tue, 08 Oct 2024 18:41:00 GMT", 55_000)] {
        stage.node().forget(stage.world.id()).await.unwrap();
        stage.network.at(SU, at_first(&stage, 1, busy(wait)));
        let before = stage.clock.now_ms();
        stage.network.take_asked();
        let log = Log::default();
        assert_eq!(
            stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap().head,
            Some(2),
            "{wait}"
        );
        let waited = stage.clock.now_ms() - before;
        assert!((least.max(10_000) - 10_000..least + 6_000).contains(&waited), "{wait}: {waited}");
        let to_scheduler = stage.network.take_asked().iter().filter(|url| url.starts_with(SU)).count();
        assert!(to_scheduler <= 3, "{to_scheduler}");
        assert!(log.failures().contains(&(SU.to_owned(), "source-status".to_owned())));
    }
}

#[weft_tests::both_async]
async fn while_one_source_waits_another_serves() {
    let stage = Stage::new(&Plan::default(), 3);
    stage.network.at(BAD, Rc::new(|_| Ok(busy("60"))));
    let before = stage.clock.now_ms();
    let node = stage.node();
    let summary = node.sync(stage.world.id(), &sources(&[BAD, SU]), &Options::default(), &()).await.unwrap();
    assert_eq!(summary.replayed, Some(3));
    assert!(stage.clock.now_ms() - before < 1_000);
    let asked = stage.network.take_asked();
    assert_eq!(asked.iter().filter(|url| url.starts_with(BAD)).count(), 1, "{asked:?}");
    let all = node.health();
    assert!(health(&all, BAD).wait_ms > 58_000 && health(&all, BAD).score < 850);
    assert_eq!((health(&all, SU).score, health(&all, SU).wait_ms), (BEST_SCORE, 0));
    // 503 says the same with the header, and nothing of the sort without.
    let stage = Stage::new(&Plan::default(), 3);
    stage.network.at(BAD, Rc::new(|_| Ok(status(503).with_header("retry-after", "60"))));
    stage.sync(&sources(&[BAD, SU]), &Options::default(), &Log::default()).await.unwrap();
    assert_eq!(stage.network.take_asked().iter().filter(|url| url.starts_with(BAD)).count(), 1);
}

#[weft_tests::both_async]
async fn a_wait_that_is_too_long_is_a_failure() {
    let stage = Stage::new(&Plan::default(), 1);
    stage.network.at(SU, Rc::new(|_| Ok(busy("3600"))));
    let before = stage.clock.now_ms();
    let error = stage.honest().await.unwrap_err();
    assert_eq!(error.code(), Code::SourceStatus);
    assert!(stage.clock.now_ms() - before < 10_000);
    assert!(error.sentence().contains("left alone for 3"), "{error}");
}

#[weft_tests::both_async]
async fn a_cancel_ends_a_wait() {
    struct Soon(Cell<u32>);
    impl Observer for Soon {
        fn event(&self, _: Event) {}
        fn cancelled(&self) -> bool {
            self.0.set(self.0.get() + 1);
            self.0.get() > 12
        }
    }
    let stage = Stage::new(&Plan::default(), 1);
    stage.network.at(SU, Rc::new(|_| Ok(busy("100"))));
    stage.network.at(GATEWAY, Rc::new(|_| Ok(busy("100"))));
    let before = stage.clock.now_ms();
    let node = stage.node();
    let soon = Soon(Cell::new(0));
    let error = node.sync(stage.world.id(), &sources(&[SU]), &Options::default(), &soon).await.unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    assert!(stage.clock.now_ms() - before < 20_000);
}

#[weft_tests::both_async]
async fn a_source_that_lied_is_asked_last_until_that_is_forgiven() {
    let stage = Stage::new(&Plan::default(), 6);
    let honest = scheduler(&stage.world);
    stage.network.at(
        BAD,
        Rc::new(move |request| {
            let response = honest(request)?;
            let text = String::from_utf8_lossy(&response.body).replace("1728412", "1728413");
            Ok(Response { body: text.into_bytes(), ..response })
        }),
    );
    let node = stage.node();
    let first_asked = async |to: u64| {
        let options = Options { to: Some(to), ..Options::default() };
        stage.network.take_asked();
        node.sync(stage.world.id(), &sources(&[BAD, SU]), &options, &()).await.unwrap();
        stage.network.take_asked().into_iter().find(|url| url.contains("from-nonce")).unwrap()
    };
    assert!(first_asked(1).await.starts_with(BAD));
    assert!(health(&node.health(), BAD).score < 500);
    // The user's order is that of equals.
    assert!(first_asked(2).await.starts_with(SU));
    stage.clock.advance(24 * 3_600_000);
    assert!(first_asked(3).await.starts_with(BAD));
}

#[weft_tests::both_async]
async fn the_page_can_show_how_sources_are_doing() {
    let stage = Stage::new(&Plan::default(), 2);
    stage.network.at(BAD, Rc::new(|_| Ok(html())));
    let log = Log::default();
    let node = stage.node();
    let from = sources_of(&[BAD, SU], &[BAD, GATEWAY]);
    node.sync(stage.world.id(), &from, &Options::default(), &log).await.unwrap();
    let told: Vec<Vec<SourceHealth>> = log
        .events
        .borrow()
        .iter()
        .filter_map(|event| match event {
            Event::Health { sources } => Some(sources.clone()),
            _ => None,
        })
        .collect();
    // One after each failure, all at the end.
    assert_eq!(told[0].len(), 1);
    assert_eq!(told[0][0].url, BAD);
    let last = told.last().unwrap();
    let urls: Vec<&str> = last.iter().map(|one| one.url.as_str()).collect();
    assert_eq!(urls, [BAD, GATEWAY, SU]);
    assert_eq!(health(last, BAD).last_failure.as_deref(), Some("source-garbled"));
    assert!(health(last, BAD).failures >= 1 && health(last, SU).answers >= 2);
    assert_eq!(node.health().len(), 3);
    assert!(stage.node().health().is_empty(), "a new session");
}

#[weft_tests::both_async]
async fn the_newest_block_is_what_enough_gateways_name() {
    let stage = Stage::new(&Plan::default(), 0);
    let honest = gateway(&stage.world);
    // One is behind, one names another block.
    let behind: Site = {
        let honest = honest.clone();
        Rc::new(move |request| {
            let response = honest(request)?;
            let text = String::from_utf8_lossy(&response.body).replace("1501000", "1500990");
            Ok(Response { body: text.into_bytes(), ..response })
        })
    };
    let lying: Site = Rc::new(move |request| {
        let response = honest(request)?;
        let text = String::from_utf8_lossy(&response.body).replace("block-", "other-");
        Ok(Response { body: text.into_bytes(), ..response })
    });
    stage.network.at("https://behind.example", behind);
    stage.network.at("https://lying.example", lying);
    stage.network.at("https://honest.example", gateway(&stage.world));
    let gateways = sources_of(
        &[],
        &["https://lying.example", "https://behind.example", GATEWAY, "https://honest.example"],
    );
    let log = Log::default();
    let node = stage.node();
    let options = Options::default();
    let tip = node.tip(&gateways, &options, &log).await.unwrap();
    assert_eq!((tip.value.height, tip.needed, tip.asked), (1_501_000, 3, 4));
    assert!(!tip.is_reached(), "two of four name the same block");
    assert_eq!((tip.by.len(), tip.against.len(), tip.silent.len()), (2, 1, 1));
    assert_eq!(log.tallies("tip")[0].against[0].says, "other-1501000 at height 1501000");
    let block = node.block(1_500_500, &gateways, &options, &log).await.unwrap();
    assert_eq!((block.is_reached(), block.by.len(), block.value.hash.as_str()), (true, 3, "block-1500500"));
    let error = node.block(9_999_999, &gateways, &options, &log).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let nobody = sources_of(&[], &[]);
    assert_eq!(node.tip(&nobody, &options, &log).await.unwrap_err().code(), Code::NoSource);
}
