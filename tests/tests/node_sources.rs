//! Sources that are slow, down, garbled, lying or endless: each with its code, and the next source is tried.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::cell::Cell;
use std::rc::Rc;

use serde_json::Value;
use weft_codec::{Code, Error};
use weft_node::seams::{Request, Response};
use weft_node::{Options, Sources};
use weft_tests::world::{
    GATEWAY, Log, Plan, SU, Site, Stage, gateway, html, json_answer, scheduler, sources, status,
};

/// Where the source that fails is.
const BAD: &str = "https://bad.example";

fn once(code: Code) -> Options {
    // What is expected to fail for good is asked once; what may pass is asked as often as a user's node does.
    let transient = matches!(code, Code::SourceTimeout | Code::SourceUnreachable | Code::SourceStatus);
    Options { attempts: if transient { 3 } else { 1 }, ..Options::default() }
}

/// A scheduler that answers with the honest page changed.
fn changed(stage: &Stage, change: impl Fn(&Request, &mut Value) + 'static) -> Site {
    let honest = scheduler(&stage.world);
    Rc::new(move |request| {
        let response = honest(request)?;
        let Ok(mut page) = serde_json::from_slice(&response.body) else { return Ok(response) };
        change(request, &mut page);
        Ok(json_answer(&page))
    })
}

/// Changes one edge of every page, by its cursor.
fn edge(stage: &Stage, cursor: &'static str, change: impl Fn(&mut Value) + 'static) -> Site {
    changed(stage, move |_, page| {
        let edges = page["edges"].as_array_mut().into_iter().flatten();
        edges.filter(|edge| edge["cursor"] == cursor).for_each(|edge| change(&mut edge["node"]));
    })
}

fn site(answer: impl Fn(&Request) -> Response + 'static) -> Site {
    Rc::new(move |request| Ok(answer(request)))
}

fn failing(code: Code) -> Site {
    Rc::new(move |_| Err(Error::new(code, "It fails.")))
}

/// Alone the source is refused with the code; before an honest one it is passed over, and told of.
async fn is_passed_over(make: impl Fn(&Stage) -> Site, code: Code) {
    let stage = Stage::new(&Plan::default(), 3);
    stage.network.at(BAD, make(&stage));
    let alone = stage.sync(&sources(&[BAD]), &once(code), &Log::default()).await.unwrap_err();
    assert_eq!(alone.code(), code, "{alone:?}");
    assert!(alone.sentence().contains(BAD), "{alone}");
    let stage = Stage::new(&Plan::default(), 3);
    stage.network.at(BAD, make(&stage));
    let log = Log::default();
    let summary = stage.sync(&sources(&[BAD, SU]), &once(code), &log).await.unwrap();
    assert_eq!((summary.head, summary.replayed), (Some(3), Some(3)), "{code:?}");
    let told = log.failures();
    assert!(told.contains(&(BAD.to_owned(), code.as_str().to_owned())), "{told:?}");
    assert!(told.iter().all(|(url, _)| url != SU), "{told:?}");
}

#[weft_tests::both_async]
async fn a_source_that_does_not_answer_is_passed_over() {
    is_passed_over(|_| failing(Code::SourceUnreachable), Code::SourceUnreachable).await;
    is_passed_over(|_| failing(Code::SourceTimeout), Code::SourceTimeout).await;
    is_passed_over(|_| site(|_| status(500)), Code::SourceStatus).await;
    is_passed_over(|_| site(|_| status(429)), Code::SourceStatus).await;
}

#[weft_tests::both_async]
async fn a_source_that_answers_something_else_is_passed_over() {
    // The process comes from the gateway, so the page is what fails.
    is_passed_over(|_| site(|_| html()), Code::SourceGarbled).await;
    let cut = |stage: &Stage| -> Site {
        let honest = scheduler(&stage.world);
        Rc::new(move |request| {
            let mut response = honest(request)?;
            response.body.truncate(response.body.len() / 2);
            Ok(response)
        })
    };
    is_passed_over(cut, Code::SourceGarbled).await;
    let object = |_: &Stage| site(|_| json_answer(&serde_json::json!({"error": "no"})));
    is_passed_over(object, Code::PageMalformed).await;
    let deep = |_: &Stage| {
        let body = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000)).into_bytes();
        site(move |_| Response::new(200, "", body.clone()))
    };
    is_passed_over(deep, Code::PageMalformed).await;
}

#[weft_tests::both_async]
async fn a_lie_in_a_page_is_found_and_the_next_scheduler_asked() {
    // The gateways have none of these messages, so nothing mends the lie.
    let data = |stage: &Stage| edge(stage, "2", |node| node["message"]["data"] = "a lie".into());
    is_passed_over(data, Code::SignatureInvalid).await;
    let owner = |stage: &Stage| edge(stage, "1", |node| node["message"]["tags"][1]["value"] = "Boss".into());
    is_passed_over(owner, Code::SignatureInvalid).await;
    let time = |stage: &Stage| edge(stage, "2", |node| node["assignment"]["tags"][5]["value"] = "9".into());
    is_passed_over(time, Code::SignatureInvalid).await;
    let printed = |stage: &Stage| {
        let other = stage.world.module.id().to_string();
        edge(stage, "1", move |node| node["message"]["id"] = other.clone().into())
    };
    is_passed_over(printed, Code::IdMismatch).await;
    let anchorless = |stage: &Stage| edge(stage, "1", |node| node["assignment"]["anchor"] = Value::Null);
    is_passed_over(anchorless, Code::AnchorMissing).await;
    let bare = |stage: &Stage| edge(stage, "1", |node| node["assignment"] = Value::Null);
    is_passed_over(bare, Code::PageMalformed).await;
}

#[weft_tests::both_async]
async fn a_page_that_leaves_out_swaps_or_repeats_is_found() {
    let left_out = |stage: &Stage| {
        changed(stage, |_, page| {
            page["edges"]
                .as_array_mut()
                .into_iter()
                .for_each(|edges| edges.retain(|edge| edge["cursor"] != "2"));
        })
    };
    is_passed_over(left_out, Code::SlotMissing).await;
    let repeated = |stage: &Stage| {
        changed(stage, |_, page| {
            page["edges"].as_array_mut().into_iter().for_each(|edges| {
                let again = edges.iter().find(|edge| edge["cursor"] == "2").cloned();
                edges.extend(again);
            });
        })
    };
    is_passed_over(repeated, Code::SlotRepeated).await;
    let swapped = |stage: &Stage| {
        changed(stage, |_, page| {
            let Some(edges) = page["edges"].as_array_mut().filter(|edges| edges.len() > 2) else { return };
            let message = edges[1]["node"]["message"].take();
            edges[1]["node"]["message"] = edges[2]["node"]["message"].take();
            edges[2]["node"]["message"] = message;
        })
    };
    is_passed_over(swapped, Code::MessageMismatch).await;
}

#[weft_tests::both_async]
async fn a_page_in_another_order_is_put_right() {
    let stage = Stage::new(&Plan::default(), 3);
    // A scheduler sorts by time; within a millisecond any order may come.
    stage.network.at(
        SU,
        changed(&stage, |_, page| {
            page["edges"].as_array_mut().into_iter().for_each(|edges| edges.reverse());
        }),
    );
    assert_eq!(stage.honest().await.unwrap().replayed, Some(3));
}

#[weft_tests::both_async]
async fn pages_that_never_end_are_left() {
    // The same page again and again, whatever is asked for.
    let stuck = |stage: &Stage| -> Site {
        let honest = scheduler(&stage.world);
        Rc::new(move |request| {
            let url = request.url.split("from-nonce=").next().unwrap_or_default().to_owned();
            let response = honest(&Request { url: format!("{url}limit=2"), ..request.clone() })?;
            let mut page: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            page["page_info"]["has_next_page"] = true.into();
            Ok(json_answer(&page))
        })
    };
    is_passed_over(stuck, Code::PageLoop).await;
    let empty = |_: &Stage| {
        let page = serde_json::json!({"page_info": {"has_next_page": true}, "edges": []});
        site(move |_| json_answer(&page))
    };
    is_passed_over(empty, Code::PageLoop).await;
    // It claims more at the end of an honest history.
    let more = |stage: &Stage| changed(stage, |_, page| page["page_info"]["has_next_page"] = true.into());
    is_passed_over(more, Code::PageLoop).await;
}

#[weft_tests::both_async]
async fn what_was_proved_before_a_lie_is_kept() {
    let stage = Stage::new(&Plan::default(), 4);
    stage.network.at(BAD, edge(&stage, "3", |node| node["message"]["data"] = "a lie".into()));
    let error = stage.sync(&sources(&[BAD]), &Options::default(), &Log::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::SignatureInvalid);
    let known = stage.node().summary(stage.world.id()).await.unwrap().unwrap();
    assert_eq!((known.head, known.replayed), (Some(2), Some(2)));
    let log = Log::default();
    stage.sync(&sources(&[BAD, SU]), &Options::default(), &log).await.unwrap();
    assert_eq!(log.slots(), [3, 4]);
}

#[weft_tests::both_async]
async fn a_lie_or_a_loss_in_a_message_is_mended_by_a_gateway() {
    let stage = Stage::new(&Plan::default(), 1);
    // Bytes that are not UTF-8 do not survive a scheduler's page.
    let binary = stage.world.message(b"\xff\xfe\x00binary", &[]);
    stage.world.publish(binary.clone());
    stage.world.schedule(Some(binary.clone()), Some(binary.id()), &[]);
    let log = Log::default();
    let summary = stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    assert_eq!(summary.replayed, Some(2));
    assert!(log.failures().is_empty(), "a loss is no lie: {:?}", log.failures());
    // The process sees what the scheduler prints, as in the legacy compute unit.
    assert_eq!(stage.results().await[2].messages[0]["Data"], "\u{fffd}\u{fffd}\0binary");
    let stored = stage.node().entry(stage.world.id(), 2).await.unwrap().unwrap();
    assert_eq!(stored.message.unwrap(), binary);
    let stage = Stage::new(&Plan::default(), 0);
    stage.world.publish(stage.world.send("true", &[]));
    stage.network.at(SU, edge(&stage, "1", |node| node["message"]["data"] = "false".into()));
    let log = Log::default();
    stage.sync(&sources(&[SU]), &Options::default(), &log).await.unwrap();
    assert_eq!(log.failures(), [(SU.to_owned(), "signature-invalid".to_owned())]);
    assert_eq!(stage.results().await[1].messages[0]["Data"], "true");
}

#[weft_tests::both_async]
async fn a_failure_that_passes_is_waited_for() {
    let stage = Stage::new(&Plan::default(), 2);
    let (honest, calls) = (scheduler(&stage.world), Rc::new(Cell::new(0_u32)));
    let count = Rc::clone(&calls);
    stage.network.at(
        SU,
        Rc::new(move |request| {
            count.set(count.get() + 1);
            if count.get() % 3 == 0 { honest(request) } else { Ok(status(503)) }
        }),
    );
    let before = weft_node::seams::Clock::now_ms(&*stage.clock);
    assert_eq!(stage.honest().await.unwrap().replayed, Some(2));
    // Two pauses of half a second and one second for the process, and the same for the page.
    let waited = weft_node::seams::Clock::now_ms(&*stage.clock) - before;
    assert!((3_000..4_000).contains(&waited), "{waited}");
    assert_eq!(calls.get(), 6);
    stage.network.at(SU, site(|_| status(503)));
    let error = stage.honest().await.unwrap_err();
    assert_eq!(error.code(), Code::SourceStatus);
    assert!(error.sentence().contains("503"), "{error}");
}

#[weft_tests::both_async]
async fn a_page_that_is_too_long_is_asked_for_in_halves() {
    let stage = Stage::new(&Plan::default(), 5);
    let honest = scheduler(&stage.world);
    stage.network.at(
        SU,
        Rc::new(move |request| {
            let long = ["limit=200", "limit=100", "limit=50", "limit=25", "limit=12", "limit=6&"];
            if long.iter().any(|limit| request.url.contains(limit)) {
                return Err(Error::new(Code::TooLarge, "The answer is too long."));
            }
            honest(request)
        }),
    );
    let summary = stage.honest().await.unwrap();
    assert_eq!(summary.replayed, Some(5));
    let endless: Site = failing(Code::TooLarge);
    stage.network.at(BAD, endless);
    let error = stage.sync(&sources(&[BAD]), &Options::default(), &Log::default()).await.unwrap_err();
    assert_eq!(error.code(), Code::TooLarge);
}

#[weft_tests::both_async]
async fn a_cancel_between_requests_is_heeded() {
    struct Now;
    impl weft_node::Observer for Now {
        fn event(&self, _: weft_node::Event) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let stage = Stage::new(&Plan::default(), 1);
    let node = stage.node();
    let error = node.sync(stage.world.id(), &sources(&[SU]), &Options::default(), &Now).await.unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    assert!(stage.network.take_asked().is_empty());
}

#[weft_tests::both_async]
async fn what_no_source_has_is_not_found() {
    let stage = Stage::new(&Plan::default(), 0);
    let nobody = Sources::default();
    let node = stage.node();
    let unknown = weft_codec::Id::sha256(b"nothing");
    let options = Options::default();
    let code = async |id, from: &Sources| node.sync(id, from, &options, &()).await.unwrap_err().code();
    assert_eq!(code(unknown, &sources(&[SU])).await, Code::NotFound);
    assert_eq!(code(unknown, &nobody).await, Code::NoSource);
    let invalid = Sources { schedulers: vec!["su.example".into()], gateways: Vec::new() };
    assert_eq!(code(unknown, &invalid).await, Code::SourceInvalid);
    // One says no and one says nothing: it is not known.
    assert_eq!(code(unknown, &sources(&[SU, "https://down.example"])).await, Code::SourceUnreachable);
    // The process is there, its module is at no gateway.
    let only = Sources { schedulers: vec![SU.into()], gateways: Vec::new() };
    assert_eq!(code(stage.world.id(), &only).await, Code::NoSource);
    stage.network.at(GATEWAY, site(|_| status(404)));
    assert_eq!(code(stage.world.id(), &sources(&[SU])).await, Code::NotFound);
}

/// A gateway with one path answered otherwise.
fn gateway_but(stage: &Stage, part: &'static str, answer: impl Fn(Response) -> Response + 'static) -> Site {
    let honest = gateway(&stage.world);
    Rc::new(move |request| {
        let response = honest(request)?;
        Ok(if request.url.contains(part) { answer(response) } else { response })
    })
}

#[weft_tests::both_async]
async fn a_gateway_that_garbles_the_module_is_passed_over() {
    type Change = fn(Response) -> Response;
    let changes: [(&str, Change, Code); 8] = [
        ("graphql", |_| html(), Code::SourceGarbled),
        ("graphql", |_| status(502), Code::SourceStatus),
        (
            "graphql",
            |_| json_answer(&serde_json::json!({"errors": [{"message": "no"}]})),
            Code::SourceGarbled,
        ),
        ("raw/", |_| status(404), Code::NotFound),
        ("raw/", |_| html(), Code::ItemTruncated),
        (
            "raw/",
            |mut cut| {
                cut.body.truncate(100);
                cut
            },
            Code::ItemTruncated,
        ),
        (
            "raw/",
            |mut wrong| {
                wrong.body[9] ^= 1;
                wrong
            },
            Code::SignatureInvalid,
        ),
        (
            "graphql",
            |node| {
                let text = String::from_utf8_lossy(&node.body)
                    .replace("wasm32-unknown-unknown", "wasm32-unknown-emscripten");
                Response { body: text.into_bytes(), ..node }
            },
            Code::SignatureInvalid,
        ),
    ];
    for (part, change, code) in changes {
        let stage = Stage::new(&Plan::default(), 1);
        stage.network.at(BAD, gateway_but(&stage, part, change));
        let from = |gateways: &[&str]| Sources {
            schedulers: vec![SU.into()],
            gateways: gateways.iter().map(|&url| url.to_owned()).collect(),
        };
        let error = stage.sync(&from(&[BAD]), &Options::default(), &Log::default()).await.unwrap_err();
        assert_eq!(error.code(), code, "{part}: {error:?}");
        let log = Log::default();
        let summary = stage.sync(&from(&[BAD, GATEWAY]), &Options::default(), &log).await.unwrap();
        assert_eq!(summary.replayed, Some(1));
        assert_eq!(log.failures(), [(BAD.to_owned(), code.as_str().to_owned())]);
    }
}

#[weft_tests::both_async]
async fn another_module_under_the_id_is_found() {
    let stage = Stage::new(&Plan::default(), 0);
    let other = Stage::new(&Plan { format: "another", ..Plan::default() }, 0);
    let (theirs, id) = (gateway(&other.world), other.world.module.id().to_string());
    let wanted = stage.world.module.id().to_string();
    stage.network.at(
        GATEWAY,
        Rc::new(move |request| {
            let body = String::from_utf8_lossy(&request.body).replace(&wanted, &id).into_bytes();
            let request = Request { url: request.url.replace(&wanted, &id), body, ..request.clone() };
            let mut response = theirs(&request)?;
            if request.url.contains("graphql") {
                let text = String::from_utf8_lossy(&response.body)
                    .replace(&format!("\"id\":\"{id}\""), &format!("\"id\":\"{wanted}\""));
                response.body = text.into_bytes();
            }
            Ok(response)
        }),
    );
    let error = stage.honest().await.unwrap_err();
    assert_eq!(error.code(), Code::IdMismatch);
}
