//! The next page of a history is on its way while one is taken, and counts for nothing before its turn.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::cell::Cell;
use std::rc::Rc;

use weft_codec::Code;
use weft_node::Options;
use weft_node::seams::{Request, Response};
use weft_tests::world::{Log, Plan, SU, Site, Stage, scheduler, sources, status};

fn by_threes() -> Options {
    Options { page_limit: 3, ..Options::default() }
}

/// How often pages were asked for, by the slot they begin after.
fn pages(stage: &Stage, after: &str) -> usize {
    let wanted = format!("from-nonce={after}&");
    let asked = stage.network.take_asked();
    asked.iter().filter(|url| url.contains("limit=3") && url.contains(&wanted)).count()
}

/// The honest scheduler, but for what `change` answers in its place.
fn changed(stage: &Stage, change: impl Fn(&Request) -> Option<Response> + 'static) -> Site {
    let honest = scheduler(&stage.world);
    Rc::new(move |request| change(request).map_or_else(|| honest(request), Ok))
}

#[weft_tests::both_async]
async fn a_page_that_does_not_come_ahead_is_asked_for_again() {
    let stage = Stage::new(&Plan::default(), 7);
    let first = Cell::new(true);
    let site = changed(&stage, move |request| {
        (request.url.contains("from-nonce=2&") && first.replace(false)).then(|| status(500))
    });
    stage.network.at(SU, site);
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &by_threes(), &log).await.unwrap();
    assert_eq!(summary.replayed, Some(7));
    // Nobody was told: the page was there when its turn came.
    assert!(log.failures().is_empty(), "{:?}", log.failures());
    assert_eq!(pages(&stage, "2"), 2);
}

#[weft_tests::both_async]
async fn what_does_not_follow_stops_the_history_however_it_came() {
    let stage = Stage::new(&Plan::default(), 8);
    // Its second page is that of another history: slots 0 to 2 again.
    let world = Rc::clone(&stage.world);
    let site = changed(&stage, move |request| {
        let url = request.url.replace("from-nonce=2&", "from-nonce=-1&");
        (url != request.url).then(|| scheduler(&world)(&Request { url, ..request.clone() }).unwrap())
    });
    stage.network.at(SU, site);
    let error = stage.sync(&sources(&[SU]), &by_threes(), &Log::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::PageLoop, "{error:?}");
    let known = stage.node().summary(stage.world.id()).await.unwrap().unwrap();
    assert_eq!((known.head, known.replayed), (Some(2), Some(2)));
}

#[weft_tests::both_async]
async fn nothing_is_asked_for_beyond_the_wanted_slot() {
    let stage = Stage::new(&Plan::default(), 8);
    let options = Options { to: Some(5), ..by_threes() };
    let summary = stage.sync(&sources(&[SU]), &options, &Log::default()).await.unwrap();
    assert_eq!(summary.head, Some(5));
    let asked = stage.network.take_asked();
    assert!(!asked.iter().any(|url| url.contains("from-nonce=5&")), "{asked:?}");
}

#[weft_tests::both_async]
async fn a_message_that_comes_again_is_known_within_a_page_and_over_its_border() {
    let stage = Stage::new(&Plan::default(), 0);
    let sent = stage.world.send("once", &[]);
    // Slot 2 is on the page of slot 1; 3 to 5 and 6 are on others; commits come with every slot.
    for _ in 2..=6 {
        stage.world.schedule(Some(sent.clone()), Some(sent.id()), &[]);
    }
    let options = Options { commit_every_ms: 0, ..by_threes() };
    stage.sync(&sources(&[SU]), &options, &Log::default()).await.unwrap();
    let copies: Vec<Option<u64>> = stage.results().await.iter().map(|result| result.duplicate_of).collect();
    assert_eq!(copies, [None, None, Some(1), Some(1), Some(1), Some(1), Some(1)]);
}
