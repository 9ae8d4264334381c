//! `weft replay` and `weft serve` with a Lua process, as a user runs them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use weft_codec::Id;
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::Tag;
use weft_tests::signing::TestKey;
use weft_tests::world::{Plan, World, message_to};

use crate::replay::{Served, folder, lines, weft};

const LUA: [(&str, &str); 3] =
    [("Device", "process@1.0"), ("Execution-Device", "lua@5.3a"), ("Scheduler-Device", "scheduler@1.0")];

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

fn tags(all: &[(&str, &str)]) -> Vec<Tag> {
    all.iter().map(|(name, value)| Tag::new(*name, *value)).collect()
}

/// The token of the examples: minted, sent, asked for the time, and sent again.
fn token() -> World {
    let plan = Plan {
        process_tags: tags(&LUA),
        content_type: Some("application/lua"),
        wasm: std::fs::read(example("blueprints/token.lua")).unwrap(),
        ..Plan::default()
    };
    let world = World::new(&plan, 0);
    for action in [
        &[("Action", "Mint"), ("Quantity", "1000")][..],
        &[("Action", "Transfer"), ("Recipient", "bob"), ("Quantity", "250")],
        &[("Action", "Time")],
        &[("Action", "Transfer"), ("Recipient", "bob"), ("Quantity", "900")],
    ] {
        world.send("", action);
    }
    world
}

#[test]
fn a_lua_history_is_replayed_and_each_line_has_what_lua_has() {
    let served = Served::of(token);
    let output = served.weft(&["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let said = lines(&output);
    assert_eq!(said.len(), 6);
    let keys = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let all = [
        "slot",
        "message",
        "output",
        "messages",
        "spawns",
        "assignments",
        "error",
        "gas",
        "rolled_back",
        "failure",
        "duplicate_of",
        "results",
    ];
    assert_eq!(keys(&said[1]), all);
    assert_eq!((&said[0]["output"], &said[1]["output"]), (&json!("A token begins"), &json!("Minted 1000")));
    assert_eq!(said[2]["results"]["outbox"][1]["target"], json!("bob"));
    assert_eq!(said[2]["messages"][1]["Target"], json!("bob"));
    assert_eq!(said[3]["not_replayable"], json!(["os.time"]));
    // An error that the contract answers is in `error`; the slot's own failure would be in `failure`.
    assert_eq!((&said[4]["error"], &said[4]["failure"]), (&json!("Insufficient balance: 750"), &Value::Null));
    assert_eq!((&said[4]["follows_not_replayable"], &said[4]["not_replayable"]), (&json!(3), &Value::Null));
    let claims = said[5]["receipt"]["checks"].as_array().unwrap();
    assert!(claims.iter().any(|check| check["claim"] == "not-replayable"));
    // An expression may ask for what Lua alone has.
    let output = served.weft(&["--json", "--where", "slot.not_replayable"]);
    assert_eq!(lines(&output)[0]["slot"], json!(3));
    let text = String::from_utf8(served.weft(&[]).stdout).unwrap();
    assert!(text.contains("(not replayable: os.time)"), "{text}");
    assert!(
        text.contains("error: Insufficient balance: 750  (follows slot 3, which is not replayable)"),
        "{text}"
    );
    // A store goes on; a receipt file replays.
    let folder = folder("lua-replay");
    let store = folder.join("store");
    let receipt = folder.join("receipt.json");
    let (store, receipt) = (store.to_str().unwrap(), receipt.to_str().unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    let first = served.weft(&["--json", "--store", store, "--to", "3"]);
    assert_eq!(lines(&first).len(), 5, "{}", String::from_utf8_lossy(&first.stderr));
    let second = lines(&served.weft(&["--json", "--store", store, "--receipt", receipt]));
    assert_eq!(second[..5], said[..5]);
    assert_eq!(second[5]["summary"]["replayed_now"], json!(1));
    let verified = weft(&["verify", "--json", receipt]);
    let results = lines(&verified).into_iter().find(|line| line["kind"] == "results").unwrap();
    assert!(verified.status.success() && results["ok"] == true, "{results}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Three modules, the later of which use what the earlier ones made.
fn three() -> [DataItem; 3] {
    let texts = [
        "count = 0 function next_one() count = count + 1 return count end",
        "local one = next_one function next_one() return 10 * one() end",
        "function compute(base) base.results = { output = tostring(next_one()) } return base end",
    ];
    texts.map(|text| {
        let tags = tags(&[("Data-Protocol", "ao"), ("Type", "Module"), ("Content-Type", "application/lua")]);
        TestKey::get().item(Unsigned { tags, data: text.as_bytes().to_vec(), ..Unsigned::default() })
    })
}

#[test]
fn a_process_of_several_modules_is_replayed_and_its_receipt_verified() {
    let items = three();
    let ids = items.each_ref().map(|item| item.id().to_string());
    let served = Served::of(|| {
        let [first, second, third] = three();
        let (second_id, third_id) = (second.id().to_string(), third.id().to_string());
        let mut process_tags = tags(&LUA);
        process_tags.extend(tags(&[
            ("Module", &second_id),
            ("Module", &third_id),
            ("ao-types", "module=\"list\""),
        ]));
        let plan =
            Plan { process_tags, content_type: Some("application/lua"), wasm: first.data, ..Plan::default() };
        let world = World::new(&plan, 1);
        for module in [second, third] {
            world.publish(module);
        }
        world
    });
    let folder = folder("lua-modules");
    std::fs::create_dir_all(&folder).unwrap();
    let receipt = folder.join("receipt.json").to_str().unwrap().to_owned();
    let said = lines(&served.weft(&["--json", "--receipt", &receipt]));
    assert_eq!([&said[0]["output"], &said[1]["output"]], [&json!("10"), &json!("20")]);
    let summary = &said[2]["summary"];
    assert_eq!((&summary["module"], &summary["further_modules"]), (&json!(ids[0]), &json!(ids[1..])));
    let text = String::from_utf8(served.weft(&[]).stdout).unwrap();
    assert!(text.contains(&format!("runs the modules {}, in this order", ids.join(", "))), "{text}");
    let files = [0, 1, 2].map(|index| {
        let path = folder.join(format!("{index}.bin"));
        std::fs::write(&path, items[index].to_bytes()).unwrap();
        path.to_str().unwrap().to_owned()
    });
    // With what is in the receipt, with the first from a file, and with all.
    let results = |modules: &[usize]| {
        let given = modules.iter().flat_map(|index| ["--module", files[*index].as_str()]);
        let arguments: Vec<&str> = ["verify", "--json", &receipt].into_iter().chain(given).collect();
        let output = weft(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        lines(&output).into_iter().find(|line| line["kind"] == "results").unwrap()
    };
    for given in [&[][..], &[0], &[0, 1, 2]] {
        let line = results(given);
        assert_eq!(line["ok"], json!(true), "{given:?}: {line}");
    }
    // Others, fewer and more are not what the process names: nothing is replayed.
    for (given, code) in
        [(&[0, 2, 1][..], "id-mismatch"), (&[0, 1], "module-mismatch"), (&[0, 1, 2, 2], "module-mismatch")]
    {
        let line = results(given);
        assert!(line["ok"] != true && line.to_string().contains(code), "{given:?}: {line}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// `weft serve` on a free port, ended when it is dropped.
struct Serve {
    child: Child,
    told: Value,
}

impl Serve {
    fn start(state: &Path, module: &Path) -> Self {
        let (key, state) = (example("demo-keys/scheduler.json"), state.to_str().unwrap());
        let mut child = Command::new(env!("CARGO_BIN_EXE_weft"))
            .args(["serve", "--port", "0", "--json", "--state", state, "--wallet", key.to_str().unwrap()])
            .args(["--module", module.to_str().unwrap()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, told: serde_json::from_str(&line).unwrap() }
    }

    fn url(&self, unit: &str) -> &str {
        self.told[unit].as_str().unwrap()
    }

    fn post(&self, item: &DataItem) {
        let url = format!("{}/", self.url("mu"));
        let answer = ureq::post(&url).content_type("application/octet-stream").send(item.to_bytes()).unwrap();
        assert!(answer.status().is_success());
    }

    fn get(&self, path: &str) -> Value {
        let mut answer = ureq::get(format!("{}/{path}", self.url("cu"))).call().unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    }

    fn replay(&self, process: Id) -> Vec<Value> {
        let id = process.to_string();
        let sources = ["--scheduler", self.url("su"), "--gateway", self.url("gateway"), "--json"];
        let output = weft(&[&["replay", &id], &sources[..]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        lines(&output)
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_served_lua_process_answers_and_replays_to_what_it_answered() {
    let folder = folder("lua-serve");
    let (state, module) = (folder.join("state"), example("blueprints/token.lua"));
    let serve = Serve::start(&state, &module);
    let published = &serve.told["modules"][0];
    assert_eq!(published["format"], json!("application/lua"));
    let mut all = tags(&LUA);
    all.extend(tags(&[
        ("Data-Protocol", "ao"),
        ("Variant", "ao.TN.1"),
        ("Type", "Process"),
        ("Module", published["id"].as_str().unwrap()),
        ("Scheduler", serve.told["address"].as_str().unwrap()),
    ]));
    let process = TestKey::get().item(Unsigned { tags: all, ..Unsigned::default() });
    serve.post(&process);
    let mint = message_to(process.id(), b"", &[("Action", "Mint"), ("Quantity", "12")]);
    serve.post(&mint);
    let result = serve.get(&format!("result/{}?process-id={}", mint.id(), process.id()));
    assert_eq!(result["Output"], json!("Minted 12"));
    let owner = TestKey::get().address();
    let state_message = serve.get(&format!("state/{}", process.id()));
    assert_eq!(state_message["balances"], json!({ owner.as_str(): "12" }));
    assert_eq!((&state_message["at-slot"], &state_message["supply"]), (&json!(1), &json!("12")));
    let replayed = serve.replay(process.id());
    let (slot, found) = (&replayed[1], |name: &str| result[name].clone());
    assert_eq!(
        (&slot["output"], &slot["messages"], &slot["gas"]),
        (&found("Output"), &found("Messages"), &found("GasUsed"))
    );
    // The same from a file, with nobody to ask; and refused where the file is another process's.
    let file = folder.join("history.ans104");
    let url = format!("{}/history/{}", serve.url("gateway"), process.id());
    std::fs::write(&file, ureq::get(url).call().unwrap().body_mut().read_to_vec().unwrap()).unwrap();
    let from_file =
        |more: &[&str]| weft(&[&["replay", "--json", "--history", file.to_str().unwrap()], more].concat());
    assert_eq!(lines(&from_file(&[]))[..2], replayed[..2]);
    let other = from_file(&[&mint.id().to_string()]);
    assert!(
        !other.status.success() && String::from_utf8_lossy(&other.stderr).contains("process-mismatch"),
        "{other:?}"
    );
    // Ended without a goodbye, it goes on from what it stored.
    drop(serve);
    let serve = Serve::start(&state, &module);
    let sent =
        message_to(process.id(), b"", &[("Action", "Transfer"), ("Recipient", "bob"), ("Quantity", "5")]);
    serve.post(&sent);
    let result = serve.get(&format!("result/{}?process-id={}", sent.id(), process.id()));
    assert_eq!(result["Output"], json!("Moved 5"));
    assert_eq!(serve.replay(process.id())[2]["output"], json!("Moved 5"));
    drop(serve);
    std::fs::remove_dir_all(&folder).unwrap();
}
