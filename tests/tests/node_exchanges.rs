//! What a HyperBEAM node answered, beside what we answer: its processes are synced from its recorded schedules, and each recorded
//! request is put to our router. Status, keys, types and values are compared; not signatures, keys and times.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value as Json;
use weft_codec::message::httpsig::{self, Encoded};
use weft_codec::message::{Message, Value, structured};
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::seams::{Method, Request, Response};
use weft_node::{Node, Options, Sources};
use weft_tests::world::hyperbeam::{TOKEN, TOKEN_PAGES, node, recorded_schedule};
use weft_tests::world::{Log, Network};

type Ours = Node<Rc<MemoryStore>, Rc<Network>, ManualClock>;

const EXCHANGES: &str = include_str!("../fixtures/hyperbeam-exchanges.json");
const PUSH: [&str; 2] = [
    include_str!("../fixtures/hyperbeam-schedules/push-a.json"),
    include_str!("../fixtures/hyperbeam-schedules/push-b.json"),
];
/// What differs, by the names of exchanges that begin so, and why; docs/devices.md has the same list.
const DIFFERENT: &str = include_str!("../fixtures/hyperbeam-differences.txt");
/// Keys that are a node's own, or the transport's.
const NOT_COMPARED: [&str; 14] = [
    "commitments",
    "content-length",
    "content-digest",
    "host",
    "access-control-allow-headers",
    "access-control-max-age",
    "content-security-policy",
    "x-content-type-options",
    "codec-device",
    "user-agent",
    "accept",
    "keep-alive",
    "connection",
    "accept-encoding",
];

/// Everything that can be asked about: three processes of the node, synced.
async fn synced() -> Ours {
    let network = Network::new();
    let ours = Rc::new(network);
    let store = Rc::new(MemoryStore::new());
    let mut schedules = vec![(TOKEN.to_owned(), recorded_schedule(&TOKEN_PAGES))];
    for page in PUSH {
        let schedule = recorded_schedule(&[page]);
        let process = schedule[&0].text("process").unwrap().to_owned();
        schedules.push((process, schedule));
    }
    let answering = Node::new(store, Rc::clone(&ours), ManualClock::new(1_800_000_000_000, 1));
    for (at, (process, schedule)) in schedules.into_iter().enumerate() {
        let url = format!("https://node-{at}.example");
        ours.at(&url, node(&process, schedule));
        let sources = Sources { schedulers: vec![url], gateways: Vec::new() };
        let options = Options { attempts: 1, page_limit: 12, ..Options::default() };
        answering.sync(process.parse().unwrap(), &sources, &options, &Log::default()).await.unwrap();
    }
    answering
}

fn request(exchange: &Json) -> Request {
    let asked = exchange["ask"].as_object().unwrap().iter();
    Request {
        method: Method::Get,
        url: exchange["path"].as_str().unwrap().to_owned(),
        content_type: None,
        headers: [("host", "127.0.0.1:8734")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .chain(asked.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())))
            .collect(),
        body: Vec::new(),
        max_bytes: u64::MAX,
        timeout_ms: 1_000,
    }
}

/// A recorded answer: its message, or why it has none to compare.
fn theirs(exchange: &Json) -> Option<Message> {
    let headers = exchange["headers"].as_object().unwrap();
    let kind = headers.get("content-type").and_then(Json::as_str).unwrap_or_default();
    let body = match &exchange["body"] {
        Json::String(text) => text.as_bytes().to_vec(),
        Json::Null => Vec::new(),
        other if kind == "application/json" && other.get("json").is_some() && asks_json(exchange) => {
            return weft_codec::message::json::decode(other["json"].to_string().as_bytes()).ok();
        }
        other => match other.get("json") {
            Some(json) => json.to_string().into_bytes(),
            // A page for a person in the place of the body: the headers are the message.
            None if other.get("html").is_some() => Vec::new(),
            None => return None,
        },
    };
    let html = exchange["body"].get("html").is_some();
    let kept = headers.iter().filter(|(name, _)| !(html && *name == "content-type"));
    let encoded = Encoded::received(kept.map(|(name, value)| (name, value.as_str().unwrap())), body).unwrap();
    structured::from_tabm(&httpsig::decode(&encoded).ok()?).ok()
}

fn asks_json(exchange: &Json) -> bool {
    exchange["ask"]["require-codec"] == "application/json"
}

fn of_response(response: &Response) -> Option<Message> {
    if response.content_type == "application/json" && response.header("codec-device") == Some("json@1.0") {
        return weft_codec::message::json::decode(&response.body).ok();
    }
    let encoded = Encoded::received(response.headers.iter().cloned(), response.body.clone()).ok()?;
    structured::from_tabm(&httpsig::decode(&encoded).ok()?).ok()
}

/// What is left of a message when what is a node's own is gone. A body of JSON is compared as JSON.
fn bare(message: Message) -> BTreeMap<String, Value> {
    let kept = message.into_iter().filter(|(key, _)| !NOT_COMPARED.contains(&key.as_str()));
    kept.map(|(key, value)| (key, bare_value(value))).collect()
}

fn bare_value(value: Value) -> Value {
    match value {
        Value::Message(message) => {
            let kept = message.into_iter().filter(|(key, _)| key != "commitments");
            Value::Message(kept.map(|(key, value)| (key, bare_value(value))).collect())
        }
        Value::List(values) => Value::List(values.into_iter().map(bare_value).collect()),
        Value::Binary(bytes) => match serde_json::from_slice::<Json>(&bytes) {
            Ok(json @ (Json::Object(_) | Json::Array(_))) => {
                Value::from(without_signatures(json).to_string())
            }
            _ => Value::Binary(bytes),
        },
        other => other,
    }
}

fn without_signatures(json: Json) -> Json {
    match json {
        Json::Object(object) => {
            let kept =
                object.into_iter().filter(|(key, _)| !["Signature", "commitments"].contains(&key.as_str()));
            let sorted: BTreeMap<String, Json> =
                kept.map(|(key, value)| (key, without_signatures(value))).collect();
            Json::Object(sorted.into_iter().collect())
        }
        Json::Array(values) => Json::Array(values.into_iter().map(without_signatures).collect()),
        other => other,
    }
}

/// What differs: in a line, or nothing.
fn difference(exchange: &Json, response: &Response) -> Option<String> {
    let status = exchange["status"].as_u64().unwrap();
    if status != u64::from(response.status) {
        return Some(format!(
            "status {status}, ours {}: {}",
            response.status,
            String::from_utf8_lossy(&response.body)
        ));
    }
    // What was recorded in part, and pages that a node gives in the place of a refusal, say their status alone.
    let page = exchange["body"].get("html").is_some() && exchange["headers"].get("ao-types").is_none();
    if exchange["body"].get("cut").is_some() || page {
        return None;
    }
    let Some(expected) = theirs(exchange) else {
        return Some("the recorded answer has no message".to_owned());
    };
    let Some(ours) = of_response(response) else { return Some("ours is no message".to_owned()) };
    let (expected, ours) = (bare(expected), bare(ours));
    let keys: std::collections::BTreeSet<&String> = expected.keys().chain(ours.keys()).collect();
    let unlike = keys.into_iter().filter(|key| expected.get(*key) != ours.get(*key));
    let told: Vec<String> = unlike
        .map(|key| {
            let show = |side: &BTreeMap<String, Value>| {
                format!("{:?}", side.get(key)).chars().take(400).collect::<String>()
            };
            format!("{key}: {} ours {}", show(&expected), show(&ours))
        })
        .collect();
    (!told.is_empty()).then(|| told.join("\n    "))
}

#[tokio::test]
async fn a_node_s_answers_are_ours_but_for_what_is_listed() {
    let answering = synced().await;
    let exchanges: Vec<Json> = serde_json::from_str(EXCHANGES).unwrap();
    let listed: Vec<(&str, &str)> = DIFFERENT
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    let (mut same, mut differ, mut surprises) = (0, Vec::new(), Vec::new());
    let mut used = vec![false; listed.len()];
    for exchange in &exchanges {
        let name = exchange["name"].as_str().unwrap();
        let known = listed.iter().position(|(start, _)| name.starts_with(start));
        let response = answering.answer(&request(exchange)).await.response;
        match (difference(exchange, &response), known) {
            (None, None) => same += 1,
            (None, Some(_)) => same += 1,
            (Some(_), Some(at)) => {
                used[at] = true;
                differ.push(name);
            }
            (Some(what), None) => surprises.push(format!("{name} {}\n    {what}", exchange["path"])),
        }
    }
    assert!(surprises.is_empty(), "{} same, {} listed\n{}", same, differ.len(), surprises.join("\n"));
    let idle: Vec<&str> =
        listed.iter().zip(&used).filter(|(_, used)| !**used).map(|((start, _), _)| *start).collect();
    assert!(idle.is_empty(), "listed as different, and not: {idle:?}");
    assert!(same >= 100, "{same} are the same");
}
