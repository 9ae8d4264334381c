//! "Check this answer": nodes that agree, that lie from a slot on, that keep silent, and that try to waste our time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};
use weft_codec::{Code, Error, Id, base64url};
use weft_core::SlotResult;
use weft_node::check::{At, Comparison, NodeCheck, NodeKind, Question, Verdict};
use weft_node::seams::{Request, Response};
use weft_node::{Event, Observer, Options, Sources};
use weft_tests::world::{Log, Plan, SU, Site, Stage, html, json_answer, sources, status};

const CU: &str = "https://cu.example";

/// A stage of a process with some messages, synced, and its results.
async fn synced(messages: u64) -> (Stage, Vec<SlotResult>) {
    let stage = Stage::new(&Plan::default(), messages);
    stage.honest().await.unwrap();
    let results = stage.results().await;
    (stage, results)
}

/// A legacy compute unit (reference scheduler-and-cu-api.md 2) that gives these results after `change`.
fn unit(results: &[SlotResult], change: impl Fn(u64, &mut Value) + 'static) -> Site {
    let results = results.to_vec();
    let legacy = move |result: &SlotResult| {
        let mut value = result.to_legacy();
        value["GasUsed"] = json!(1);
        change(result.slot, &mut value);
        value
    };
    Rc::new(move |request| {
        let (path, query) = parts(request);
        let answer = match path.as_slice() {
            [""] => json!({"timestamp": 1, "address": "x"}),
            ["result", id] => match results.iter().find(|result| result.message.to_string() == *id) {
                Some(result) => legacy(result),
                None => return Ok(status(404)),
            },
            ["results", _] => {
                let after = query.get("from").and_then(|cursor| ordinate(cursor));
                let limit = query.get("limit").map_or(25, |limit| limit.parse().unwrap());
                let listed = results.iter().filter(|result| result.error.is_none());
                let rest: Vec<_> =
                    listed.filter(|result| after.is_none_or(|after| result.slot > after)).collect();
                let edges: Vec<Value> = rest
                    .iter()
                    .take(limit)
                    .map(|result| json!({"node": legacy(result), "cursor": cursor(result.slot)}))
                    .collect();
                json!({"pageInfo": {"hasNextPage": rest.len() > limit}, "edges": edges})
            }
            _ => return Ok(status(404)),
        };
        Ok(json_answer(&answer))
    })
}

fn parts(request: &Request) -> (Vec<&str>, BTreeMap<&str, &str>) {
    let rest = request.url.split_once("://").unwrap().1.split_once('/').unwrap().1;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    (path.split('/').collect(), query.split('&').filter_map(|pair| pair.split_once('=')).collect())
}

fn cursor(slot: u64) -> String {
    // Standard base64 as a URL carries it; these texts have no `+` or `/` in theirs.
    let json = json!({"timestamp": 1_000 + slot, "ordinate": slot.to_string(), "sort": "ASC"}).to_string();
    let text = base64url::encode(json.as_bytes()).replace('-', "+").replace('_', "/");
    format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4))
}

fn ordinate(cursor: &str) -> Option<u64> {
    let text = cursor.replace("%3D", "").replace("%2B", "-").replace("%2F", "_");
    let json: Value = serde_json::from_slice(&base64url::decode(&text).ok()?).ok()?;
    json["ordinate"].as_str()?.parse().ok()
}

fn question(nodes: &[&str]) -> Question {
    Question::new(nodes.iter().map(|node| node.parse().unwrap()).collect())
}

async fn compare(stage: &Stage, question: &Question) -> Comparison {
    let (node, options) = (stage.node(), Options::default());
    node.check(stage.world.id(), &sources(&[SU]), &options, question, &()).await.unwrap()
}

/// One node at one address.
async fn ask(stage: &Stage, site: Site, at: At) -> NodeCheck {
    stage.network.at(CU, site);
    let question = Question { at, ..question(&[CU]) };
    compare(stage, &question).await.nodes.remove(0)
}

/// Lies about the count from a slot on.
fn lie(from: u64) -> impl Fn(u64, &mut Value) {
    move |slot, result| {
        if slot >= from {
            result["Output"] = json!("a lie");
        }
    }
}

#[weft_tests::both_async]
async fn an_honest_unit_matches_and_is_asked_for_one_answer() {
    let (stage, results) = synced(5).await;
    stage.network.at(CU, unit(&results, |_, _| {}));
    stage.network.take_asked();
    let comparison = compare(&stage, &Question { at: At::Slot(3), ..question(&[CU]) }).await;
    assert_eq!((comparison.slot, comparison.result.slot), (3, 3));
    assert_eq!(comparison.message, results[3].message);
    let node = &comparison.nodes[0];
    assert_eq!((node.node.as_str(), node.node_kind), (CU, Some(NodeKind::Legacy)));
    assert_eq!((&node.verdict, node.searched), (&Verdict::Match, None));
    let message = results[3].message;
    let asked = stage.network.take_asked();
    assert_eq!(asked, [format!("{CU}/"), format!("{CU}/result/{message}?process-id={}", stage.world.id())]);
}

#[weft_tests::both_async]
async fn the_newest_answer_and_that_of_a_message_are_synced_first() {
    let stage = Stage::new(&Plan::default(), 4);
    stage.honest().await.unwrap();
    let later = stage.world.send("later", &[]);
    // The unit knows the message before this node does.
    let unit_of = Stage {
        store: Rc::default(),
        world: Rc::clone(&stage.world),
        network: Rc::clone(&stage.network),
        clock: Rc::clone(&stage.clock),
    };
    unit_of.honest().await.unwrap();
    stage.network.at(CU, unit(&unit_of.results().await, |_, _| {}));
    assert_eq!(stage.results().await.len(), 5);
    let comparison = compare(&stage, &Question { at: At::Message(later.id()), ..question(&[CU]) }).await;
    assert_eq!((comparison.slot, comparison.message), (5, later.id()));
    assert_eq!(comparison.nodes[0].verdict, Verdict::Match);
    assert_eq!(compare(&stage, &question(&[CU])).await.slot, 5);
}

#[weft_tests::both_async]
async fn the_first_slot_of_a_lie_is_found_over_pages() {
    let (stage, results) = synced(130).await;
    stage.network.take_asked();
    let node = ask(&stage, unit(&results, lie(117)), At::Slot(125)).await;
    let Verdict::Mismatch { differences, first } = &node.verdict else { panic!("{node:?}") };
    assert_eq!((first.slot, first.message), (117, results[117].message));
    assert_eq!(differences[0].path, "Output");
    assert_eq!((&differences[0].ours, &differences[0].theirs), (&Some(json!("126")), &Some(json!("a lie"))));
    assert_eq!(first.differences[0].ours, Some(json!("118")));
    let searched = node.searched.unwrap();
    assert_eq!((searched.compared, searched.unanswered, searched.complete), (118, 0, true));
    assert_eq!(stage.network.take_asked().len(), 2 + 2, "two pages of a hundred");
}

#[weft_tests::both_async]
async fn a_unit_without_pages_is_asked_slot_by_slot() {
    let (stage, results) = synced(10).await;
    let inner = unit(&results, lie(7));
    let site: Site = Rc::new(move |request| match parts(request).0.as_slice() {
        ["results", _] => Ok(status(404)),
        _ => inner(request),
    });
    let node = ask(&stage, site, At::Newest).await;
    let Verdict::Mismatch { first, .. } = &node.verdict else { panic!("{node:?}") };
    assert_eq!(first.slot, 7);
}

#[weft_tests::both_async]
async fn a_lie_of_the_past_is_found_if_all_is_asked_for() {
    let (stage, results) = synced(10).await;
    let once = |slot: u64, result: &mut Value| {
        if slot == 4 {
            result["Messages"] = json!([]);
        }
    };
    assert_eq!(ask(&stage, unit(&results, once), At::Newest).await.verdict, Verdict::Match);
    let question = Question { all: true, ..question(&[CU]) };
    let node = compare(&stage, &question).await.nodes.remove(0);
    let Verdict::Mismatch { differences, first } = node.verdict else { panic!("{node:?}") };
    assert!(differences.is_empty(), "the answer asked for is the same");
    assert_eq!((first.slot, first.differences[0].path.as_str()), (4, "Messages[0]"));
    // And an honest history matches as a whole.
    stage.network.at(CU, unit(&results, |_, _| {}));
    let node = compare(&stage, &question).await.nodes.remove(0);
    assert_eq!((node.verdict, node.searched.unwrap().compared), (Verdict::Match, 10));
}

#[weft_tests::both_async]
async fn failing_messages_are_left_out_of_pages_and_compared_all_the_same() {
    let stage = Stage::new(&Plan::default(), 1);
    stage.world.send("!t", &[]);
    stage.world.send("!e", &[]);
    stage.world.send("end", &[]);
    stage.honest().await.unwrap();
    let results = stage.results().await;
    assert_eq!(
        (&results[2].failure, &results[3].error),
        (&Some("trap".to_owned()), &Some(json!("asked for")))
    );
    // Another engine has other words for a trap, but not for the program's own error.
    let words = |slot: u64, result: &mut Value| {
        if slot == 2 {
            result["Error"] = json!("RuntimeError: unreachable");
        }
    };
    stage.network.at(CU, unit(&results, words));
    let question = Question { all: true, ..question(&[CU]) };
    let node = compare(&stage, &question).await.nodes.remove(0);
    assert_eq!((node.verdict, node.searched.unwrap().compared), (Verdict::Match, 4));
    let pretends = |slot: u64, result: &mut Value| {
        if slot == 3 {
            result.as_object_mut().unwrap().remove("Error");
        }
    };
    stage.network.at(CU, unit(&results, pretends));
    let node = compare(&stage, &question).await.nodes.remove(0);
    let Verdict::Mismatch { first, .. } = node.verdict else { panic!("{node:?}") };
    assert_eq!((first.slot, first.differences[0].path.as_str()), (3, "Error"));
    assert_eq!(first.differences[0].theirs, None);
}

#[weft_tests::both_async]
async fn a_node_that_does_not_answer_is_silent_with_its_code() {
    let (stage, _) = synced(2).await;
    let body = |response: Response| -> Site { Rc::new(move |_| Ok(response.clone())) };
    let text = |text: &str| Response::new(200, "application/json", text.as_bytes().to_vec());
    let failing = |code| -> Site { Rc::new(move |_| Err(Error::new(code, "It fails."))) };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: Vec<(Site, Code)> = vec![
        (failing(Code::SourceUnreachable), Code::SourceUnreachable),
        (failing(Code::SourceTimeout), Code::SourceTimeout),
        (failing(Code::TooLarge), Code::TooLarge),
        (body(status(404)), Code::NotFound),
        (body(status(500)), Code::SourceStatus),
        (body(status(202)), Code::SourceTimeout),
        (body(html()), Code::SourceGarbled),
        (body(text("[]")), Code::SourceGarbled),
        (body(text(r#"{"error":"Access denied"}"#)), Code::SourceGarbled),
        (body(text(&deep)), Code::SourceGarbled),
        (body(Response::new(200, "application/json", vec![b' '; 17 << 20])), Code::TooLarge),
    ];
    for (site, expected) in cases {
        let node = ask(&stage, site, At::Newest).await;
        let Verdict::Silent { code, sentence } = &node.verdict else { panic!("{expected:?}: {node:?}") };
        assert_eq!(code, expected.as_str(), "{sentence}");
        assert!(sentence.len() < 400, "{sentence}");
    }
}

#[weft_tests::both_async]
async fn a_unit_that_still_computes_is_asked_again() {
    let (stage, results) = synced(2).await;
    let (inner, busy) = (unit(&results, |_, _| {}), std::cell::Cell::new(3));
    let site: Site = Rc::new(move |request| {
        if parts(request).0[0] == "result" && busy.replace(busy.get().max(1) - 1) > 0 {
            return Ok(Response { status: 202, ..json_answer(&json!({"message": "in progress"})) });
        }
        inner(request)
    });
    assert_eq!(ask(&stage, site, At::Newest).await.verdict, Verdict::Match);
}

#[weft_tests::both_async]
async fn a_search_over_hostile_pages_ends() {
    let (stage, results) = synced(30).await;
    // Every page is the first one, with another cursor: then slots are asked for one by one.
    let (inner, count) = (unit(&results, lie(12)), std::cell::Cell::new(0_u64));
    let loops: Site = Rc::new(move |request| {
        let mut answer: Value = serde_json::from_slice(&inner(request)?.body).unwrap();
        if parts(request).0[0] == "results" {
            count.set(count.get() + 1);
            answer["pageInfo"]["hasNextPage"] = json!(true);
            let edges = answer["edges"].as_array_mut().unwrap();
            edges.truncate(3);
            edges[2]["cursor"] = json!(cursor(2));
        }
        Ok(json_answer(&answer))
    });
    let node = ask(&stage, loops, At::Newest).await;
    let Verdict::Mismatch { first, .. } = &node.verdict else { panic!("{node:?}") };
    assert_eq!(first.slot, 12);
    // One that fails from some slot on: the search says that it is not complete.
    let inner = unit(&results, lie(20));
    let site: Site = Rc::new(move |request| match parts(request).0.as_slice() {
        ["results", _] => Ok(status(500)),
        ["result", id] if results[5..30].iter().any(|result| result.message.to_string() == *id) => {
            Ok(status(500))
        }
        _ => inner(request),
    });
    let node = ask(&stage, site, At::Newest).await;
    let Verdict::Mismatch { first, .. } = &node.verdict else { panic!("{node:?}") };
    let searched = node.searched.unwrap();
    assert_eq!((first.slot, searched.compared, searched.unanswered, searched.complete), (30, 5, 3, false));
}

#[weft_tests::both_async]
async fn a_search_has_a_limit() {
    let (stage, results) = synced(20).await;
    stage.network.at(CU, unit(&results, lie(15)));
    let node = compare(&stage, &Question { most_slots: 10, ..question(&[CU]) }).await.nodes.remove(0);
    let Verdict::Mismatch { first, .. } = &node.verdict else { panic!("{node:?}") };
    let searched = node.searched.unwrap();
    assert_eq!((first.slot, searched.compared, searched.complete), (20, 10, false));
}

/// A HyperBEAM node (reference scheduler-and-cu-api.md 5): what a delegated compute unit said, as the body of its own
/// path, as part of the JSON of all results, or in neither form.
fn hyperbeam(process: Id, results: &[SlotResult], form: &'static str) -> Site {
    let results = results.to_vec();
    Rc::new(move |request| {
        let (path, _) = parts(request);
        let compute = format!("{process}~process@1.0");
        let slot = |segment: &str| -> Option<usize> { segment.strip_prefix("compute&slot=")?.parse().ok() };
        let json = |name: &str| request.headers.iter().any(|(header, _)| header == name);
        Ok(match path.as_slice() {
            [""] => html(),
            ["~meta@1.0", "info", "address"] => Response::new(200, "", "x".repeat(43).into_bytes()),
            [first, segment, "results", "json", "body"] if *first == compute && form == "body" => {
                match slot(segment).and_then(|slot| results.get(slot)) {
                    Some(result) => Response::new(200, "", result.to_legacy().to_string().into_bytes()),
                    None => status(404),
                }
            }
            [first, segment, "results"]
                if *first == compute && json("require-codec") && json("accept-bundle") =>
            {
                let legacy = results[slot(segment).unwrap()].to_legacy();
                json_answer(&match form {
                    "json" => json!({"status": 200, "json": {"body": legacy.to_string()}}),
                    "raw" => json!({"status": 200, "raw": legacy}),
                    _ => json!({"status": 200, "output": "minted 16"}),
                })
            }
            _ => Response { status: 404, ..html() },
        })
    })
}

#[weft_tests::both_async]
async fn hyperbeam_nodes_are_told_apart_and_asked_in_their_forms() {
    let (stage, results) = synced(5).await;
    let process = stage.world.id();
    for form in ["body", "json", "raw"] {
        let node = ask(&stage, hyperbeam(process, &results, form), At::Slot(4)).await;
        assert_eq!((node.node_kind, node.verdict), (Some(NodeKind::HyperBeam), Verdict::Match), "{form}");
        let mut lied = results.clone();
        lied[2].output = json!("a lie");
        lied[3].output = json!("a lie");
        let node = ask(&stage, hyperbeam(process, &lied, form), At::Slot(3)).await;
        let Verdict::Mismatch { first, .. } = node.verdict else { panic!("{form}: {node:?}") };
        assert_eq!(first.slot, 2, "{form}");
    }
    let node = ask(&stage, hyperbeam(process, &results, "neither"), At::Slot(4)).await;
    assert!(matches!(&node.verdict, Verdict::Silent { code, .. } if code == "source-garbled"), "{node:?}");
    // The kind as given is not asked for.
    stage.network.at(CU, hyperbeam(process, &results, "body"));
    stage.network.take_asked();
    let given = format!("hyperbeam:{CU}");
    compare(&stage, &Question { at: At::Slot(4), ..question(&[&given]) }).await;
    assert_eq!(
        stage.network.take_asked(),
        [format!("{CU}/{process}~process@1.0/compute&slot=4/results/json/body")]
    );
}

/// Cancels once it has heard of a search.
#[derive(Default)]
struct Impatient(Log, std::cell::Cell<bool>);

impl Observer for Impatient {
    fn event(&self, event: Event) {
        self.1.set(self.1.get() || matches!(event, Event::Comparing { .. }));
        self.0.event(event);
    }

    fn cancelled(&self) -> bool {
        self.1.get()
    }
}

#[weft_tests::both_async]
async fn several_nodes_in_their_order_with_progress_and_a_cancel() {
    let (stage, results) = synced(6).await;
    stage.network.at(CU, unit(&results, |_, _| {}));
    stage.network.at("https://lies.example", unit(&results, lie(3)));
    let question = question(&[CU, "https://lies.example", "https://nobody.example"]);
    let (node, log) = (stage.node(), Log::default());
    let process = stage.world.id();
    let comparison =
        node.check(process, &sources(&[SU]), &Options::default(), &question, &log).await.unwrap();
    let told: Vec<NodeCheck> = log
        .events
        .take()
        .into_iter()
        .filter_map(|event| match event {
            Event::Compared(check) => Some(*check),
            _ => None,
        })
        .collect();
    assert_eq!(told, comparison.nodes);
    let kinds: Vec<_> = comparison
        .nodes
        .iter()
        .map(|node| serde_json::to_value(&node.verdict).unwrap()["kind"].clone())
        .collect();
    assert_eq!(kinds, ["match", "mismatch", "silent"]);
    let json = serde_json::to_value(&comparison).unwrap();
    assert_eq!(serde_json::from_value::<Comparison>(json).unwrap(), comparison);
    let impatient = Impatient::default();
    let error =
        node.check(process, &sources(&[SU]), &Options::default(), &question, &impatient).await.unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
}

#[weft_tests::both_async]
async fn what_cannot_be_asked_is_refused() {
    let (stage, results) = synced(2).await;
    stage.network.at(CU, unit(&results, |_, _| {}));
    let check = async |question: &Question| {
        let (node, process) = (stage.node(), stage.world.id());
        node.check(process, &sources(&[SU]), &Options::default(), question, &()).await.unwrap_err().code()
    };
    assert_eq!(check(&question(&[])).await, Code::NoSource);
    assert_eq!(check(&question(&[CU; 17])).await, Code::TooLarge);
    assert_eq!(check(&Question { at: At::Slot(99), ..question(&[CU]) }).await, Code::NotFound);
    assert_eq!(check(&Question { at: At::Message(Id([7; 32])), ..question(&[CU]) }).await, Code::NotFound);
    // A stored slot needs no source; the newest does.
    let (node, process) = (stage.node(), stage.world.id());
    let question = Question { at: At::Slot(1), ..question(&[CU]) };
    let none = Sources::default();
    assert!(node.check(process, &none, &Options::default(), &question, &()).await.is_ok());
    let newest = Question { at: At::Newest, ..question };
    assert_eq!(
        node.check(process, &none, &Options::default(), &newest, &()).await.unwrap_err().code(),
        Code::NoSource
    );
}

/// A network in which the first node answers nothing until the second was asked.
struct Gate {
    network: Rc<weft_tests::world::Network>,
    second_was_asked: std::cell::Cell<bool>,
    /// How often the first may look before it gives up and fails.
    looks: std::cell::Cell<u32>,
}

impl weft_node::seams::Fetch for Gate {
    async fn fetch(&self, request: Request) -> weft_codec::Result<Response> {
        if request.url.starts_with("https://lies.example") {
            self.second_was_asked.set(true);
        }
        if request.url.starts_with(CU) {
            std::future::poll_fn(|context| {
                let left = self.looks.get();
                if self.second_was_asked.get() || left == 0 {
                    return std::task::Poll::Ready(());
                }
                self.looks.set(left - 1);
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
            if !self.second_was_asked.get() {
                return Err(Error::new(Code::SourceTimeout, "Nobody asked the other node meanwhile."));
            }
        }
        self.network.fetch(request).await
    }
}

#[weft_tests::both_async]
async fn a_node_that_is_slow_holds_up_no_other() {
    let (stage, results) = synced(3).await;
    stage.network.at(CU, unit(&results, |_, _| {}));
    stage.network.at("https://lies.example", unit(&results, lie(2)));
    let gate = Gate {
        network: Rc::clone(&stage.network),
        second_was_asked: std::cell::Cell::default(),
        looks: std::cell::Cell::new(1_000),
    };
    let node = weft_node::Node::new(Rc::clone(&stage.store), gate, Rc::clone(&stage.clock));
    let question = Question { at: At::Slot(3), ..question(&[CU, "https://lies.example"]) };
    let comparison =
        node.check(stage.world.id(), &Sources::default(), &Options::default(), &question, &()).await.unwrap();
    assert!(matches!(comparison.nodes[0].verdict, Verdict::Match), "{:?}", comparison.nodes[0].verdict);
    assert!(matches!(comparison.nodes[1].verdict, Verdict::Mismatch { .. }));
    assert_eq!(comparison.nodes[0].node, CU, "in the order given");
}
