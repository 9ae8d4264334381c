//! The local network as an AO-Core node over HTTP: what paths, headers and bodies give, and that nothing of them brings it down.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::rc::Rc;

use serde_json::{Value, json};
use weft_codec::Id;
use weft_codec::message::httpsig::{self, Encoded};
use weft_codec::message::{
    Commitment, Generation, Message, Tabm, committed_form, signature_base, structured, to_sign,
};
use weft_node::net::ModuleTags;
use weft_node::seams::{Method, Request, Response};
use weft_tests::signing::TestKey;
use weft_verify::Untrusted;

use crate::stage::{NOW, Stage, open};

const GENERATION: Generation = Generation::September2025;

const TOKEN: &str = "
balance = 0
function compute(base, req)
  local message = req.body
  if message.action == 'Fail' then error('on purpose') end
  base.count = (base.count or 0) + 1
  base.last = { action = message.action, data = message.data }
  base.results = { output = 'seen ' .. tostring(message.action), outbox = {} }
  if message.action == 'Send' then
    base.results.outbox = { { target = message.to, action = 'Note', data = 'hello' } }
  end
  return base
end
";

async fn ask(stage: &Stage, method: Method, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let content_type =
        headers.iter().find(|(name, _)| *name == "content-type").map(|(_, kind)| (*kind).to_owned());
    let headers = headers.iter().map(owned).collect();
    let request = Request {
        method,
        url: url.to_owned(),
        content_type,
        headers,
        body,
        max_bytes: u64::MAX,
        timeout_ms: 1_000,
    };
    stage.net.answer(&request).await.response
}

async fn get(stage: &Stage, url: &str) -> Response {
    ask(stage, Method::Get, url, &[], Vec::new()).await
}

async fn text(stage: &Stage, url: &str) -> (u16, String) {
    let response = get(stage, url).await;
    (response.status, String::from_utf8(response.body).unwrap())
}

async fn json_of(stage: &Stage, url: &str) -> (u16, Value) {
    let headers = [("require-codec", "application/json"), ("accept-bundle", "true")];
    let response = ask(stage, Method::Get, url, &headers, Vec::new()).await;
    assert_eq!(response.content_type, "application/json", "{url}");
    (response.status, serde_json::from_slice(&response.body).unwrap())
}

/// The message that an answer is.
fn message_of(response: &Response) -> Message {
    let encoded = Encoded::received(response.headers.iter().cloned(), response.body.clone()).unwrap();
    structured::from_tabm(&httpsig::decode(&encoded).unwrap()).unwrap()
}

async fn push(
    stage: &Stage,
    path: &str,
    target: Option<Id>,
    tags: &[(&str, &str)],
    data: &str,
) -> (Id, Response) {
    let item = stage.item(target, tags, data).await;
    let headers = [("content-type", "application/ans104"), ("codec-device", "ans104@1.0")];
    let response = ask(stage, Method::Post, path, &headers, item.to_bytes()).await;
    (item.id(), response)
}

/// A Lua process, spawned as aoconnect does it in mainnet mode.
async fn lua_process(stage: &Stage, name: &str) -> Id {
    let module =
        stage.net.publish_module(TOKEN.as_bytes(), &ModuleTags::for_format("application/lua")).await.unwrap();
    let module = module.to_string();
    let tags = [
        ("device", "process@1.0"),
        ("scheduler-device", "scheduler@1.0"),
        ("push-device", "push@1.0"),
        ("execution-device", "lua@5.3a"),
        ("Authority", stage.net.address()),
        ("Scheduler", stage.net.address()),
        ("Module", module.as_str()),
        ("accept-bundle", "true"),
        ("accept-codec", "httpsig@1.0"),
        ("Name", name),
        ("Data-Protocol", "ao"),
        ("Type", "Process"),
        ("Variant", "ao.N.1"),
    ];
    let (id, response) = push(stage, "/push", None, &tags, "1984").await;
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    assert_eq!(response.header("process"), Some(id.to_string().as_str()));
    id
}

const MESSAGE: [(&str, &str); 5] = [
    ("Data-Protocol", "ao"),
    ("Type", "Message"),
    ("Variant", "ao.N.1"),
    ("accept-bundle", "true"),
    ("require-codec", "application/json"),
];

async fn send(stage: &Stage, process: Id, action: &str, to: &str) -> Value {
    let mut tags = MESSAGE.to_vec();
    tags.extend([("Action", action), ("To", to)]);
    let path = format!("/{process}~process@1.0/push");
    let (id, response) = push(stage, &path, Some(process), &tags, "some data").await;
    let answer: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!((response.status, &answer["id"]), (200, &json!(id)), "{answer}");
    answer
}

#[tokio::test]
async fn paths_are_answered_as_a_node_answers_them() {
    let stage = open(&Rc::default());
    assert_eq!(text(&stage, "/~meta@1.0/info/address").await, (200, stage.net.address().to_owned()));
    let literal = get(&stage, "/~message@1.0&a+integer=42/a").await;
    assert_eq!((literal.status, literal.body.as_slice()), (200, b"42".as_slice()));
    assert_eq!(literal.header("ao-result"), Some("body"));
    assert_eq!(literal.header("ao-types"), Some("body=\"integer\", status=\"integer\""));
    assert_eq!(literal.header("content-digest"), Some(httpsig::digest(b"42").as_str()));
    // A nested message is a link that is answered, or inline where that is asked for.
    let linked = get(&stage, "/~message@1.0/set&sub+map=a=1").await;
    let link = linked.header("sub+link").unwrap().to_owned();
    assert_eq!(text(&stage, &format!("/{link}/a")).await.1, "1");
    let bundled = get(&stage, "/~message@1.0/set&sub+map=a=1?accept-bundle=true").await;
    assert!(bundled.content_type.starts_with("multipart/form-data"));
    assert_eq!(message_of(&bundled).get("sub").unwrap().as_message().unwrap().len(), 1);
    // For a person, a page; and nothing on it runs as the origin.
    let page =
        ask(&stage, Method::Get, "/~message@1.0&a=<b>/set", &[("accept", "text/html")], Vec::new()).await;
    assert_eq!((page.status, page.content_type.as_str()), (200, "text/html"));
    assert!(String::from_utf8(page.body.clone()).unwrap().contains("&lt;b&gt;"));
    assert_eq!(page.header("content-security-policy"), Some("sandbox allow-scripts"));
}

#[tokio::test]
async fn what_is_refused_says_so_with_a_code() {
    let stage = open(&Rc::default());
    let absent = "ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZA";
    let cases = [
        ("/~snp@1.0/verify", 501, "device-unavailable"),
        ("/~nothing@1.0/x", 404, "device-unknown"),
        ("/~message@1.0&a=1/a%20b", 400, "path-malformed"),
        ("/", 400, "path-malformed"),
        ("/~process@1.0/now", 404, "not-found"),
        ("/~scheduler@1.0/slot?target=x", 400, ""),
    ];
    for (path, status, code) in cases {
        let (found, answer) = json_of(&stage, path).await;
        assert_eq!((found, answer["error"].as_str().unwrap_or_default()), (status, code), "{path}: {answer}");
        assert_eq!(answer["status"], json!(status));
    }
    assert_eq!(text(&stage, &format!("/{absent}")).await, (404, "not_found".to_owned()));
    assert_eq!(text(&stage, "/~message@1.0&a=1/b").await, (404, "not_found".to_owned()));
    // A body that is no item, an item that somebody changed, a message that nobody signed.
    let kind = [("content-type", "application/ans104"), ("require-codec", "application/json")];
    let broken = ask(&stage, Method::Post, "/push", &kind, b"no item".to_vec()).await;
    assert_eq!(broken.status, 400);
    let mut changed = stage.item(None, &[("Type", "Process")], "x").await;
    changed.data = b"y".to_vec();
    let changed = ask(&stage, Method::Post, "/push", &kind, changed.to_bytes()).await;
    let changed: Value = serde_json::from_slice(&changed.body).unwrap();
    assert_eq!(changed["error"], json!("signature-invalid"));
    let unsigned = ask(&stage, Method::Post, "/~scheduler@1.0/schedule", &[], b"hello".to_vec()).await;
    assert_eq!((unsigned.status, unsigned.header("reason")), (400, Some("Given message is invalid.")));
}

#[tokio::test]
async fn a_process_is_spawned_pushed_to_and_read() {
    let stage = open(&Rc::default());
    let (one, other) = (lua_process(&stage, "one").await, lua_process(&stage, "other").await);
    let answer = send(&stage, one, "Hello", "").await;
    assert_eq!((&answer["slot"], &answer["raw"]["Output"]), (&json!(1), &json!("seen Hello")), "{answer}");
    let sent = send(&stage, one, "Send", &other.to_string()).await;
    // As a node tells it: where each message went, and what came of it.
    assert_eq!((&sent["1"]["target"], &sent["1"]["slot"]), (&json!(other), &json!(1)), "{sent}");
    assert_eq!(sent["1"]["resulted-in"], json!({ "process": other, "slot": 1 }));
    let nobody = send(&stage, one, "Send", "ZZZ").await;
    assert_eq!(nobody["1"]["response"], json!("error"), "{nobody}");
    // What was sent has its slot and is evaluated once the answer is there.
    assert_eq!(text(&stage, &format!("/{other}/slot/current")).await, (200, "1".to_owned()));
    assert_eq!(
        text(&stage, &format!("/{other}~process@1.0/now/last/action")).await,
        (200, "Note".to_owned())
    );
    // At any slot; typed as the process has it; in every way that a slot is named.
    for path in
        ["compute&slot=1/count", "compute=1/count", "compute/count?slot=1", "compute&slot+integer=1/count"]
    {
        assert_eq!(
            text(&stage, &format!("/{one}~process@1.0/{path}")).await,
            (200, "2".to_owned()),
            "{path}"
        );
    }
    let (status, state) = json_of(&stage, &format!("/{one}~process@1.0/compute&slot=2")).await;
    assert_eq!((status, &state["at-slot"], &state["count"]), (200, &json!(2), &json!(3)), "{state}");
    assert_eq!(state["results"]["outbox"][0]["target"], json!(other), "{state}");
    let (status, later) = json_of(&stage, &format!("/{one}~process@1.0/compute&slot=9")).await;
    assert_eq!((status, &later["attempted-slot"]), (404, &json!(4)), "{later}");
    // The schedule in both encodings.
    let page = get(&stage, &format!("/{one}~process@1.0/schedule?from=1&to=2&accept-bundle=true")).await;
    let page = message_of(&page);
    let assignments = page.get("assignments").unwrap().as_message().unwrap();
    assert_eq!(assignments.iter().map(|(slot, _)| slot.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    let (_, legacy) =
        text(&stage, &format!("/{one}~process@1.0/schedule?from=1&accept=application/aos-2")).await;
    let legacy: Value = serde_json::from_str(&legacy).unwrap();
    assert_eq!((&legacy["edges"][1]["cursor"], legacy["edges"].as_array().unwrap().len()), (&json!(2), 3));
    // A function over the state; a dry run.
    let script = "function double(base, req) return req.by .. ' times ' .. base.count end";
    let headers = [("content-type", "application/lua")];
    let path = format!("/{one}~process@1.0/now/~lua@5.3a/double&by=2");
    let doubled = ask(&stage, Method::Post, &path, &headers, script.into()).await;
    assert_eq!((doubled.status, doubled.body.as_slice()), (200, b"2 times 4".as_slice()));
    let (_, dry) = json_of(&stage, &format!("/{one}~process@1.0/as=execution/compute&Action=Ask")).await;
    assert_eq!(dry["raw"]["Output"], json!("seen Ask"), "{dry}");
    assert_eq!(text(&stage, &format!("/{one}~process@1.0/slot/current")).await.1, "3");
}

#[tokio::test]
async fn a_message_that_fails_stops_a_lua_process_and_says_so() {
    let stage = open(&Rc::default());
    let process = lua_process(&stage, "one").await;
    send(&stage, process, "Fail", "").await;
    for path in ["now", "compute&slot=1"] {
        let (status, answer) = json_of(&stage, &format!("/{process}~process@1.0/{path}")).await;
        assert_eq!((status, &answer["phase"]), (500, &json!("compute")), "{answer}");
    }
    assert_eq!(text(&stage, &format!("/{process}~process@1.0/compute&slot=0/count")).await.1, "1");
}

#[tokio::test]
async fn a_wasm_process_is_read_by_the_same_paths() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    stage.send(process, "hello").await;
    let (_, results) = json_of(&stage, &format!("/{process}~process@1.0/compute&slot=1/results")).await;
    let body: Value = serde_json::from_str(results["json"]["body"].as_str().unwrap()).unwrap();
    let unit = stage.get(&format!("/cu/results/{process}?from=0")).await.1;
    assert_eq!(body["Output"], unit["edges"][1]["node"]["Output"], "{unit}");
    assert_eq!(text(&stage, &format!("/{process}~process@1.0/now/at-slot")).await.1, "1");
    // What is asked for only if it is there is not evaluated.
    stage.send(process, "later").await;
    let asked = format!("/{process}~process@1.0/now/at-slot");
    let cached = [("cache-control", "only-if-cached")];
    assert_eq!(ask(&stage, Method::Get, &asked, &cached, Vec::new()).await.status, 504);
    assert_eq!(text(&stage, &asked).await.1, "2");
    assert_eq!(ask(&stage, Method::Get, &asked, &cached, Vec::new()).await.status, 200);
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).unwrap()).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const PIECES: &str = "~process@1.0 ~message@1.0 ~meta@1.0 ~scheduler@1.0 ~lua@5.3a ~json@1.0 ~stack@1.0 ~patch@1.0 ~dedup@1.0
    ~multipass@1.0 ~cache@1.0 ~push@1.0 ~genesis-wasm@1.0 ~test-device@1.0 ~manifest@1.0 ~snp@1.0 compute now slot schedule push
    results as=execution keys set id commit verify remove serialize deserialize read info / / / & = ? +integer +map +list +resolve
    ( ) \" % %2 %ff %00 slot=-1 slot=99999999999999999999 compute=1 a=1 device=process@1.0 path=x 1.a=b é .. target= #
    ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZA";
const NAMES: &str = "accept accept-bundle require-codec codec-device content-type path device signature ao-types signature-input
    content-digest slot cache-control function module target ao-ids x";
const VALUES: &str = "true application/json json@1.0 ans104@1.0 httpsig@1.0 text/html process@1.0 stack@1.0 a=\"integer\"
    sig=(\"a\");keyid=\"x\" sig=:AAAA: ( 1 application/ans104 application/lua only-if-cached .=\"list\" list=\"list\"";
const BODIES: [&str; 6] = [
    "",
    "{\"path\":\"/now\",\"a\":{\"b\":[1,2,{}]}}",
    "[[[[[[",
    "--b\r\nx: y\r\n--b--",
    "function a() return a() end",
    "\u{1}",
];

/// Requests put together from pieces that mean something, and from bytes that do not.
#[tokio::test]
async fn no_request_brings_it_down() {
    let stage = open(&Rc::default());
    let process = lua_process(&stage, "one").await.to_string();
    send(&stage, process.parse().unwrap(), "Hello", "").await;
    let words = |text: &'static str| text.split_whitespace().collect::<Vec<_>>();
    let (names, mut values, mut pieces) = (words(NAMES), words(VALUES), words(PIECES));
    values.extend(["", "\u{7f}", "multipart/form-data; boundary=\"b\""]);
    pieces.extend([process.as_str(), "\u{0}", " "]);
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for _ in 0..6_000 {
        let count = dice.below(9);
        let path: String = (0..count).map(|_| dice.one(&pieces)).collect();
        let count = dice.below(4);
        let headers: Vec<(&str, &str)> = (0..count).map(|_| (dice.one(&names), dice.one(&values))).collect();
        let body = dice.one(&BODIES).as_bytes().to_vec();
        let method = [Method::Get, Method::Get, Method::Post, Method::Delete][dice.below(4)];
        let response = ask(&stage, method, &format!("/{path}"), &headers, body).await;
        assert!((200..600).contains(&response.status), "{path} {headers:?}: {}", response.status);
        let printable = |value: &String| value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        assert!(response.headers.iter().all(|(_, value)| printable(value)), "{path} {headers:?}");
        *statuses.entry(response.status).or_default() += 1;
    }
    // It asked for something: results, refusals of several kinds; and the node is as it was.
    assert!(statuses.len() >= 4 && statuses[&200] > 50, "{statuses:?}");
    assert_eq!(text(&stage, &format!("/{process}/now/last/action")).await, (200, "Hello".to_owned()));
}

/// What of an answer is not the message: HTTP's own, and what guards a browser.
const NOT_SIGNED: [&str; 4] =
    ["codec-device", "content-length", "content-security-policy", "x-content-type-options"];

fn proved(response: &Response) -> weft_codec::Result<weft_verify::http::Answer> {
    let mut headers = response.headers.clone();
    if !response.content_type.is_empty() && response.header("content-type").is_none() {
        headers.push(("content-type".to_owned(), response.content_type.clone()));
    }
    let proved = weft_verify::http::answer(response.status, headers, response.body.clone(), "the node")?;
    Ok(proved.into_parts().0)
}

#[tokio::test]
async fn every_answer_is_signed_with_the_node_s_key() {
    let stage = open(&Rc::default());
    let (one, other) = (lua_process(&stage, "one").await, lua_process(&stage, "other").await);
    send(&stage, one, "Send", &other.to_string()).await;
    let paths = [
        "/~meta@1.0/info".to_owned(),
        "/~meta@1.0/info/address".to_owned(),
        "/~message@1.0&a+integer=42/a".to_owned(),
        "/~message@1.0/set&sub+map=a=1&b=2".to_owned(),
        "/~message@1.0/set&sub+map=a=1&b=2?accept-bundle=true".to_owned(),
        "/~message@1.0&location=x/set&data=y".to_owned(),
        "/~nothing@1.0/x".to_owned(),
        format!("/{one}~process@1.0/now"),
        format!("/{one}~process@1.0/now?accept-bundle=true"),
        format!("/{one}~process@1.0/now/last/action"),
        format!("/{one}~process@1.0/schedule&from=0&to=1"),
        format!("/{one}~process@1.0/compute&slot=9"),
        format!("/{one}/slot/current"),
    ];
    let node = stage.net.address().parse().unwrap();
    for path in &paths {
        let answer = get(&stage, path).await;
        let proved = proved(&answer).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(proved.said_by(&node).is_some() && proved.status_is_signed, "{path}: {proved:?}");
        let unsigned = proved.unsigned_keys.iter().filter(|key| !NOT_SIGNED.contains(&key.as_str()));
        let left_out = if path.contains("location") { 1 } else { 0 };
        assert_eq!(unsigned.count(), left_out, "{path}: {:?}", proved.unsigned_keys);
        assert!(proved.commitments.refused.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_signed_answer_that_was_changed_is_refused() {
    let stage = open(&Rc::default());
    let one = lua_process(&stage, "one").await;
    send(&stage, one, "Hello", "").await;
    let answer = get(&stage, &format!("/{one}~process@1.0/now/last/action")).await;
    assert_eq!(answer.body, b"Hello");
    proved(&answer).unwrap();
    let (mut status, mut body, mut header) = (answer.clone(), answer.clone(), answer);
    status.status = 201;
    body.body = b"Hullo".to_vec();
    for (name, value) in &mut header.headers {
        if name == "ao-result" {
            *value = "other".to_owned();
        }
    }
    for changed in [status, body, header] {
        assert_eq!(proved(&changed).unwrap_err().code().as_str(), "signature-invalid");
    }
}

#[tokio::test]
async fn an_answer_in_json_carries_its_commitment() {
    let stage = open(&Rc::default());
    let (status, answer) = json_of(&stage, "/~message@1.0/set&sub+map=a=1&b=2").await;
    assert_eq!(status, 200);
    let text = answer.to_string();
    let message = weft_codec::message::json::decode(text.as_bytes()).unwrap();
    let tabm = structured::to_tabm(&message, GENERATION).unwrap();
    let told = weft_verify::http::commitments(Untrusted::new(tabm, "the node")).unwrap().into_parts().0;
    let signers: Vec<String> = told.signers().into_iter().map(ToString::to_string).collect();
    assert_eq!(signers, [stage.net.address().to_owned()]);
}

#[tokio::test]
async fn the_same_answer_is_signed_once_and_a_page_is_not() {
    let stage = open(&Rc::default());
    let [first, again] = [get(&stage, "/~meta@1.0/info").await, get(&stage, "/~meta@1.0/info").await];
    assert!(first.header("signature").is_some());
    assert_eq!(first.header("signature"), again.header("signature"));
    let page = ask(&stage, Method::Get, "/~meta@1.0/info", &[("accept", "text/html")], Vec::new()).await;
    assert_eq!(page.header("signature"), None);
}

/// A request that is signed as a message over HTTP, until a time in seconds.
async fn signed_until(stage: &Stage, path: &str, expires: u64) -> Response {
    let key = TestKey::get();
    let message = Tabm::new().with("path", path).with("whom", "World").with("method", "GET");
    let keyid = Commitment::keyid_of(&key.owner(), GENERATION);
    let (mut commitment, _) = to_sign(&message, None, Commitment::RSA, &keyid, false, GENERATION).unwrap();
    commitment.extra.set("expires", expires.to_string());
    let form = committed_form(&message, &commitment.committed, false, GENERATION).unwrap();
    let base =
        signature_base(form.components.keys().map(String::as_str), &form.components, &commitment).unwrap();
    commitment.signature = key.sign_sha512(&base);
    let commitments = Tabm::new().with(commitment.id().to_string(), commitment.to_tabm());
    let encoded = httpsig::encode(&message.with("commitments", commitments), GENERATION).unwrap();
    let headers: Vec<(String, String)> =
        encoded.headers.into_iter().map(|(name, value)| (name, String::from_utf8(value).unwrap())).collect();
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    ask(stage, Method::Get, path, &headers, Vec::new()).await
}

#[tokio::test]
async fn a_signature_that_is_expired_is_refused() {
    let stage = open(&Rc::default());
    let path = "/~message@1.0/set/whom";
    let taken = signed_until(&stage, path, NOW / 1_000 + 60).await;
    assert_eq!(taken.status, 200, "{}", String::from_utf8_lossy(&taken.body));
    let expired = signed_until(&stage, path, NOW / 1_000 - 1).await;
    assert_eq!((expired.status, expired.header("error")), (400, Some("signature-expired")));
}
