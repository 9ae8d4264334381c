//! The real client against `weft serve`: npm @permaweb/aoconnect, unmodified, with an aos process. Its answers are
//! compared with npm @permaweb/ao-loader's on the same schedule, and with our own node's after a sync from there.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use weft_cli::native::{NativeClock, NativeFetch};
use weft_cli::serve;
use weft_codec::Id;
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::Tag;
use weft_node::memory::MemoryStore;
use weft_node::{Node, Options, Sources};
use weft_tests::fixtures;
use weft_tests::signing::TestKey;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An aos module that `cargo xtask test` fetched; it says where by `WEFT_MODULES`.
#[expect(clippy::disallowed_methods, reason = "the modules are not ours to keep in the repository")]
pub(crate) fn aos() -> PathBuf {
    let folder =
        std::env::var("WEFT_MODULES").expect("WEFT_MODULES is not set. Run `cargo xtask test`: it sets it.");
    PathBuf::from(folder).join("aos2_0_6.wasm")
}

/// A folder of its own under target/, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("network-{name}"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The throw-away key of the vectors as a file.
fn wallet(folder: &Path) -> PathBuf {
    let file = folder.join("wallet.json");
    let keys = fixtures::json(fixtures::KEYS);
    std::fs::write(&file, keys["rsa4096"]["jwk"].to_string()).unwrap();
    file
}

pub(crate) struct Served {
    pub(crate) url: String,
    pub(crate) modules: Vec<Id>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// `weft serve` on a thread of its own.
pub(crate) fn serve(folder: &Path, modules: &[PathBuf]) -> Served {
    let args = serve::Args {
        port: 0,
        state: folder.join("state"),
        www: Some(folder.join("www")),
        modules: modules.iter().map(|file| file.to_str().unwrap().parse().unwrap()).collect(),
        wallet: Some(wallet(folder)),
        json: true,
    };
    let (started, ready) = std::sync::mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = serve::start(args).await.unwrap();
            started.send((server.url().to_owned(), server.modules())).unwrap();
            server.run(async { drop(stopped.await) }).await.unwrap();
        });
    });
    let (url, modules) = ready.recv().unwrap();
    Served { url, modules, stop: Some(stop), thread: Some(thread) }
}

impl Served {
    pub(crate) fn stop(mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

pub(crate) fn node(arguments: &[&str]) -> String {
    let output = Command::new("node").args(arguments).current_dir(here()).env("TZ", "UTC").output();
    let output = output.expect("node cannot be started. Run `cargo xtask test`: it says what is missing.");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "node {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn get(url: &str) -> Value {
    let mut response = ureq::get(url).call().unwrap();
    serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
}

/// What the client saw is what it must see: each call gave what aoconnect promises.
fn check_client(seen: &Value) {
    let output = |at: usize| &seen["messages"][at]["result"]["Output"]["data"];
    let text = |at: usize| output(at).as_str().or_else(|| output(at)["output"].as_str()).unwrap_or_default();
    assert_eq!(text(0), "2", "{}", seen["messages"][0]);
    assert_eq!(text(1), "7", "{}", seen["messages"][1]);
    let pong = &seen["messages"][3]["result"]["Messages"][0];
    assert_eq!((&pong["Data"], &pong["Target"]), (&json!("pong 7"), &seen["owner"]));
    assert_eq!(text(6), "7", "state is that of before the failing messages");
    assert!(seen["messages"].as_array().unwrap().len() >= 10);
    let failed = |at: usize| !seen["messages"][at]["result"]["Error"].is_null() || text(at).contains("boom");
    assert!(failed(4), "{}", seen["messages"][4]);
    assert_eq!(seen["ticks"], json!("3"));
    assert!(seen["assigned"].is_string() && seen["monitored"].is_string() && seen["unmonitored"].is_string());
    let results = &seen["results"];
    assert_eq!(results["firstPage"]["edges"].as_array().unwrap().len(), 3);
    assert!(results["secondPage"]["edges"].as_array().unwrap().len() >= 8);
    assert_eq!(results["newest"]["edges"].as_array().unwrap().len(), 1);
}

/// A result without what differs between nodes by its nature.
pub(crate) fn comparable(result: &Value) -> Value {
    let part = |name: &str, empty: Value| match &result[name] {
        Value::Null => empty,
        value => value.clone(),
    };
    json!({
        "Messages": part("Messages", json!([])),
        "Assignments": part("Assignments", json!([])),
        "Spawns": part("Spawns", json!([])),
        "Output": part("Output", json!("")),
        "failed": !result["Error"].is_null(),
        "Error": result["Error"].as_str(),
    })
}

pub(crate) async fn check_sync(url: &str, process: &str) -> usize {
    let process: Id = process.parse().unwrap();
    let sources = Sources { schedulers: vec![format!("{url}/su")], gateways: vec![format!("{url}/gateway")] };
    let node = Node::new(MemoryStore::new(), NativeFetch::new(), NativeClock);
    let summary = node.sync(process, &sources, &Options::default(), &()).await.unwrap();
    assert_eq!(summary.head, summary.replayed);
    let results = node.results(process, 0, 1_000).await.unwrap();
    assert_eq!(results.len() as u64, summary.head.unwrap() + 1);
    let page = get(&format!("{url}/su/{process}?process-id={process}&limit=5000"));
    for (result, edge) in results.iter().zip(page["edges"].as_array().unwrap()) {
        let asked = edge["node"]["assignment"]["id"].as_str().unwrap();
        let answer = get(&format!("{url}/cu/result/{asked}?process-id={process}"));
        if result.duplicate_of.is_none() {
            assert_eq!(answer, result.to_legacy(), "slot {}", result.slot);
        }
    }
    results.len()
}

#[tokio::test]
async fn the_real_client_works_and_the_reference_loader_agrees() {
    let folder = folder("client");
    let served = serve(&folder, &[aos()]);
    let (url, module) = (served.url.clone(), served.modules[0].to_string());
    let wallet = folder.join("wallet.json");
    let seen = node(&["aoconnect/client.mjs", &url, wallet.to_str().unwrap(), &module]);
    let seen: Value = serde_json::from_str(&seen).unwrap();
    check_client(&seen);

    let process = seen["process"].as_str().unwrap();
    let out = folder.join("reference.json");
    let (module_file, out_file) = (aos(), out.to_str().unwrap().to_owned());
    let reference = ["--experimental-wasm-memory64", "aoconnect/reference.mjs", &url, process];
    node(&[&reference[..], &[module_file.to_str().unwrap(), &out_file]].concat());
    let reference: Vec<Value> = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert!(reference.len() >= 15, "{}", reference.len());
    for expected in &reference {
        let asked = expected["asked"].as_str().unwrap();
        let answer = get(&format!("{url}/cu/result/{asked}?process-id={process}"));
        assert_eq!(comparable(&answer), comparable(expected), "slot {}", expected["slot"]);
    }

    assert_eq!(check_sync(&url, process).await, reference.len());
    assert!(check_sync(&url, seen["child"].as_str().unwrap()).await >= 1);

    // The messenger's bound on chains held: a process that writes to itself did so 32 times, and no more since.
    let body = json!({
        "Id": "1234", "Owner": seen["owner"], "Target": process, "Anchor": "0", "Data": "return Loops",
        "Tags": [{"name": "Action", "value": "Eval"}],
    });
    let mut answer =
        ureq::post(format!("{url}/cu/dry-run?process-id={process}")).send(body.to_string()).unwrap();
    let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert!(answer["Output"]["data"].to_string().contains("32"), "{answer}");

    // A restart answers the same from its state.
    let last = reference.last().unwrap()["asked"].as_str().unwrap().to_owned();
    let path = format!("/cu/result/{last}?process-id={process}");
    let before = get(&format!("{url}{path}"));
    served.stop();
    let served = serve(&folder, &[aos()]);
    assert_eq!(served.modules[0].to_string(), module, "a module is published once");
    assert_eq!(get(&format!("{}{path}", served.url)), before);
    served.stop();
}

/// An item of the test key.
pub(crate) fn item(target: Option<Id>, tags: &[(&str, &str)], data: &str) -> DataItem {
    let mut all = vec![Tag::new("Data-Protocol", "ao"), Tag::new("Variant", "ao.TN.1")];
    all.extend(tags.iter().map(|(name, value)| Tag::new(*name, *value)));
    TestKey::get().item(Unsigned { target, tags: all, data: data.as_bytes().to_vec(), ..Unsigned::default() })
}

/// Gives the messenger an item.
pub(crate) fn send(url: &str, item: &DataItem) -> Id {
    let answer = ureq::post(format!("{url}/mu")).send(&item.to_bytes()[..]).unwrap();
    assert_eq!(answer.status(), 202);
    item.id()
}

#[test]
fn a_message_without_end_holds_up_no_other_client() {
    let folder = folder("endless");
    let module = folder.join("counter.wasm");
    std::fs::write(&module, weft_tests::world::wasm()).unwrap();
    let served = serve(&folder, &[module]);
    let (url, module) = (served.url.clone(), served.modules[0].to_string());
    let address = get(&format!("{url}/su"))["address"].as_str().unwrap().to_owned();
    let process = |data: &str| {
        let tags = [("Type", "Process"), ("Module", module.as_str()), ("Scheduler", address.as_str())];
        send(&url, &item(None, &tags, data))
    };
    let (looping, other) = (process("looping"), process("other"));
    let message = |process: Id, data: &str| send(&url, &item(Some(process), &[("Type", "Message")], data));
    // Nine million million units of gas: hours.
    let endless = message(looping, "!l");
    let asked = format!("{url}/cu/result/{endless}?process-id={looping}");
    let waiting = std::thread::spawn(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        agent.get(asked).call().unwrap().status().as_u16()
    });
    for round in 2..5 {
        let sent = message(other, &format!("round {round}"));
        let result = get(&format!("{url}/cu/result/{sent}?process-id={other}"));
        assert!(result["Output"].as_str().unwrap().parse::<u32>().unwrap() >= round, "{result}");
        assert_eq!(
            get(&format!("{url}/su/{other}/latest?process-id={other}"))["assignment"]["tags"][0]["value"],
            json!(other)
        );
        assert!(get(&format!("{url}/gateway/info"))["height"].is_u64());
    }
    // It has its slot; what the process sends to itself may have the next ones.
    let path = format!("/su/{endless}?process-id={looping}");
    assert_eq!(get(&format!("{url}{path}"))["message"]["id"], json!(endless));
    assert!(!waiting.is_finished(), "the endless message was answered");
    // It does not hold up a stop either, and its process is what it was before.
    served.stop();
    assert_eq!(waiting.join().unwrap(), 503);
}

#[test]
fn serve_answers_with_cross_origin_headers_and_without_a_page_says_so() {
    let folder = folder("http");
    let served = serve(&folder, &[]);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(&served.url).call().unwrap();
    assert_eq!(response.status(), 404);
    assert!(response.body_mut().read_to_string().unwrap().contains("not built"));
    for path in ["/su", "/gateway/info", "/cu", "/mu", "/nothing", "/su/x"] {
        let response = agent.get(format!("{}{path}", served.url)).call().unwrap();
        assert_eq!(response.headers()["access-control-allow-origin"], "*", "{path}");
    }
    let response = agent.options(format!("{}/mu", served.url));
    let response = response.header("access-control-request-headers", "x-own").call().unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers()["access-control-allow-headers"], "x-own");
    let response = agent.head(format!("{}/su", served.url)).call().unwrap();
    assert_eq!(response.status(), 200);
    let response = agent.post(format!("{}/su", served.url)).send(&vec![0; 10_485_761][..]).unwrap();
    assert_eq!(response.status(), 413);
    served.stop();
}

/// A process that counts.
const COUNTER: &str = "
count = 0
function compute(base, req)
  local body = req.body
  if body.action == 'Add' then count = count + tonumber(body.data) end
  base.count = string.format('%d', count)
  base.results = { output = { data = base.count } }
  return base
end
";

/// docs/http.md has these calls as a table.
#[test]
fn every_call_of_the_real_client_is_answered_in_both_modes() {
    let folder = folder("calls");
    let module = folder.join("counter.lua");
    std::fs::write(&module, COUNTER).unwrap();
    let served = serve(&folder, &[module]);
    let (wallet, module) = (folder.join("wallet.json"), served.modules[0].to_string());
    let seen = node(&["aoconnect/calls.mjs", &served.url, wallet.to_str().unwrap(), &module]);
    let seen: Value = serde_json::from_str(&seen).unwrap();
    let is_id = |value: &Value| value.as_str().is_some_and(|text| text.parse::<Id>().is_ok());
    let data = |value: &Value| value["Output"]["data"].as_str().unwrap_or_default().to_owned();
    let legacy = &seen["legacy"];
    for call in ["spawn", "message", "sendSignedMessage", "assign", "monitor", "unmonitor"] {
        assert!(is_id(&legacy[call]), "legacy {call}: {}", legacy[call]);
    }
    assert_eq!(legacy["signMessage"]["id"], legacy["sent"]);
    assert_eq!(
        (data(&legacy["result"]), data(&legacy["dryrun"])),
        ("40".to_owned(), "42".to_owned()),
        "{legacy}"
    );
    assert_eq!(legacy["results"]["edges"].as_array().unwrap().len(), 3, "{legacy}");
    assert_eq!(legacy["getMessages"]["edges"][0]["node"]["message"]["id"], legacy["sentMessage"]);
    assert_eq!(
        (&legacy["getLastSlot"], &legacy["getMessageById"]["message"]["id"]),
        (&json!("2"), &legacy["sentMessage"])
    );
    let mainnet = &seen["mainnet"];
    assert!(is_id(&mainnet["spawn"]) && mainnet["message"] == json!(1), "{mainnet}");
    assert_eq!(
        (data(&mainnet["result"]), data(&mainnet["dryrun"])),
        ("40".to_owned(), "42".to_owned()),
        "{mainnet}"
    );
    assert_eq!(data(&mainnet["results"]["edges"][0]["node"]), "42", "{mainnet}");
    for format in ["request ans104", "request httpsig"] {
        assert_eq!(mainnet[format], json!({ "status": 200, "body": "42" }), "{format}");
    }
    assert_eq!(
        (mainnet["getMessages"]["edges"].as_array().unwrap().len(), &mainnet["getLastSlot"]),
        (2, &json!("2"))
    );
    served.stop();
}

/// docs/http.md has these requests in its table of clients.
#[test]
fn every_request_of_ao_core_libs_is_answered() {
    let folder = folder("core-libs");
    let module = folder.join("counter.lua");
    std::fs::write(&module, COUNTER).unwrap();
    let served = serve(&folder, &[module]);
    let (wallet, module) = (folder.join("wallet.json"), served.modules[0].to_string());
    let seen = node(&["aoconnect/core-libs.mjs", &served.url, wallet.to_str().unwrap(), &module]);
    let seen: Value = serde_json::from_str(&seen).unwrap();
    for (request, status, body) in [
        ("read", 200, seen["scheduler"].as_str().unwrap()),
        ("spawn", 200, ""),
        ("signed ans104", 200, "40"),
        ("signed httpsig", 200, "40"),
        ("signed GET", 200, "40"),
        ("GET", 200, "40"),
    ] {
        let answer = &seen[request];
        assert_eq!(
            (&answer["status"], &answer["body"]),
            (&json!(status), &json!(body)),
            "{request}: {answer}"
        );
    }
    assert_eq!(seen["spawn"]["process"], seen["own"]);
    let message: Value = serde_json::from_str(seen["message"]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&seen["message"]["status"], &message["slot"]), (&json!(200), &json!(1)));
    for (request, status, code) in
        [("slot by httpsig", 415, "signature-unsupported"), ("refused", 404, "device-unknown")]
    {
        let answer = &seen[request];
        assert_eq!(
            (&answer["status"], &answer["error"]),
            (&json!(status), &json!(code)),
            "{request}: {answer}"
        );
    }
    served.stop();
}
