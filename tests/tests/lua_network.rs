//! Lua processes on the local network: spawned, written to, evaluated, writing to each other, and synced from there.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::rc::Rc;

use serde_json::{Value, json};
use weft_codec::Id;
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::net::ModuleTags;
use weft_node::seams::Method;
use weft_node::{Node, Options, Sources};

use crate::stage::{NOW, Stage, open, pumped};

/// Sends on what it is told to, counts what it got, and loops if it must.
const RELAY: &str = r#"
got = got or 0
function compute(base, req)
  local body = req.body
  got = got + 1
  base.got = got
  base.results = { output = { got = got, from = body["from-process"] or "someone", data = body.data } }
  if body.action == "Relay" then
    base.results.outbox = { { target = body["relay-to"], action = "Told", data = "from " .. req.process:sub(1, 4), count = got } }
  elseif body.action == "Loop" then
    while true do end
  end
  return base
end
"#;

async fn publish(stage: &Stage, code: &str) -> String {
    let module = stage.net.publish_module(code.as_bytes(), &ModuleTags::for_format("application/lua")).await;
    module.unwrap().to_string()
}

async fn spawn(stage: &Stage, code: &str, more: &[(&str, &str)]) -> Id {
    let module = publish(stage, code).await;
    let mut tags = vec![
        ("Data-Protocol", "ao"),
        ("Variant", "ao.TN.1"),
        ("Type", "Process"),
        ("Module", module.as_str()),
        ("Scheduler", stage.net.address()),
        ("Device", "process@1.0"),
        ("Execution-Device", "lua@5.3a"),
    ];
    tags.extend(more);
    let process = stage.item(None, &tags, "boot").await;
    let (status, answer) = stage.post("/mu", process.to_bytes()).await;
    assert_eq!(status, 202, "{answer}");
    pumped(&stage.net).await;
    process.id()
}

async fn send(stage: &Stage, process: Id, data: &str, more: &[(&str, &str)]) -> Id {
    let mut tags = vec![("Data-Protocol", "ao"), ("Type", "Message"), ("Variant", "ao.TN.1")];
    tags.extend(more);
    let message = stage.item(Some(process), &tags, data).await;
    let (status, answer) = stage.post("/mu", message.to_bytes()).await;
    assert_eq!(status, 202, "{answer}");
    message.id()
}

async fn result(stage: &Stage, process: Id, message: Id) -> Value {
    let (status, answer) = stage.get(&format!("/cu/result/{message}?process-id={process}")).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// Syncs a process from the network, and compares every result with the network's own.
async fn synced(stage: &Stage, process: Id) -> u64 {
    let sources = Sources {
        schedulers: vec!["http://localhost/su".to_owned()],
        gateways: vec!["http://localhost/gateway".to_owned()],
    };
    let node = Node::new(MemoryStore::new(), &stage.net, ManualClock::new(NOW, 1));
    let summary = node.sync(process, &sources, &Options::default(), &()).await.unwrap();
    assert_eq!(summary.head, summary.replayed);
    for own in node.results(process, 0, 1_000).await.unwrap() {
        assert_eq!(result(stage, process, own.message).await, own.to_legacy(), "slot {}", own.slot);
    }
    summary.head.unwrap()
}

#[tokio::test]
async fn lua_processes_write_to_each_other_and_sync_from_the_network() {
    let store = Rc::default();
    let stage = open(&store);
    let (first, second) =
        (spawn(&stage, RELAY, &[]).await, spawn(&stage, RELAY, &[("Name", "second")]).await);
    let other = second.to_string();
    let sent = send(&stage, first, "hello", &[("Action", "Relay"), ("Relay-To", &other)]).await;
    let (_, failed) = pumped(&stage.net).await;
    assert!(failed.is_empty(), "{failed:?}");
    let answer = result(&stage, first, sent).await;
    assert_eq!(answer["Output"], json!({"got": 2, "from": "someone", "data": "hello"}));
    assert_eq!((&answer["Messages"][0]["Target"], &answer["Spawns"]), (&json!(second), &json!([])));
    // The messenger signed what the first process said, and the second one saw it.
    let (_, page) = stage.get(&format!("/su/{second}?process-id={second}")).await;
    let told: Id = page["edges"][1]["node"]["message"]["id"].as_str().unwrap().parse().unwrap();
    let data = format!("from {}", &first.to_string()[..4]);
    let answer = result(&stage, second, told).await;
    assert_eq!(answer["Output"], json!({"got": 2, "from": first, "data": data}));
    assert_eq!((synced(&stage, first).await, synced(&stage, second).await), (1, 1));
    // A dry run leaves no trace; the state is a message; a restart goes on from the state that was kept.
    let body = json!({"Id": "1234", "Owner": "", "Target": first, "Data": "dry", "Tags": []});
    for _ in 0..2 {
        let (status, answer) =
            stage.post(&format!("/cu/dry-run?process-id={first}"), body.to_string().into_bytes()).await;
        assert_eq!((status, &answer["Output"]["got"]), (200, &json!(3)), "{answer}");
    }
    let reply = stage.ask(Method::Get, &format!("/cu/state/{first}"), Vec::new()).await;
    let state: Value = serde_json::from_slice(&reply.response.body).unwrap();
    assert_eq!((reply.response.status, reply.response.content_type.as_str()), (200, "application/json"));
    assert_eq!(
        (&state["got"], &state["at-slot"], &state["device"]),
        (&json!(2), &json!(1), &json!("process@1.0"))
    );
    assert_eq!(state["process"]["execution-device"], json!("lua@5.3a"));
    assert!(
        state.get("priv").is_none()
            && reply.response.headers.iter().any(|(name, value)| name == "last-ordinate" && value == "1")
    );
    stage.net.save_states().await.unwrap();
    drop(stage);
    let stage = open(&store);
    let sent = send(&stage, first, "again", &[]).await;
    pumped(&stage.net).await;
    assert_eq!(result(&stage, first, sent).await["Output"]["got"], json!(3));
    assert_eq!(synced(&stage, first).await, 2);
}

/// Processes that begin with the same module and go on with others, in both orders, on one compute unit and one node: neither
/// takes the other's program. docs/lua.md has the rule.
#[tokio::test]
async fn processes_that_list_several_modules_run_on_the_network_and_sync_from_it() {
    let store = Rc::default();
    let stage = open(&store);
    let says = |word: &str| format!("said = said .. \"{word}\" function word() return said .. \"!\" end");
    let (one, two) = (publish(&stage, &says("one")).await, publish(&stage, &says("two")).await);
    let first = "said = \"\" function compute(base) base.results = { output = word() } return base end";
    let list = ("ao-types", "module=\"list\"");
    let forth = spawn(&stage, first, &[("Module", one.as_str()), ("Module", two.as_str()), list]).await;
    let back = spawn(&stage, first, &[("Module", two.as_str()), ("Module", one.as_str()), list]).await;
    for (process, expected) in [(forth, "onetwo!"), (back, "twoone!")] {
        let sent = send(&stage, process, "", &[]).await;
        pumped(&stage.net).await;
        assert_eq!(result(&stage, process, sent).await["Output"], json!(expected));
        assert_eq!(synced(&stage, process).await, 1);
    }
    let sources = Sources {
        schedulers: vec!["http://localhost/su".to_owned()],
        gateways: vec!["http://localhost/gateway".to_owned()],
    };
    let node = Node::new(MemoryStore::new(), &stage.net, ManualClock::new(NOW, 1));
    for (process, expected) in [(forth, "onetwo!"), (back, "twoone!")] {
        node.sync(process, &sources, &Options::default(), &()).await.unwrap();
        assert_eq!(node.results(process, 1, 2).await.unwrap()[0].output, json!(expected));
    }
    // A restart goes on from the state that was kept.
    stage.net.save_states().await.unwrap();
    drop(stage);
    let stage = open(&store);
    let sent = send(&stage, back, "again", &[]).await;
    pumped(&stage.net).await;
    assert_eq!(result(&stage, back, sent).await["Output"], json!("twoone!"));
    // A module that the gateway does not have: the compute unit says so.
    let none = Id([7; 32]).to_string();
    let lost = spawn(&stage, first, &[("Module", none.as_str()), list]).await;
    let sent = send(&stage, lost, "", &[]).await;
    let (status, answer) = stage.get(&format!("/cu/result/{sent}?process-id={lost}")).await;
    assert!(status == 404 && answer.to_string().contains(&none), "{status} {answer}");
}

fn hyper_aos() -> Option<String> {
    let folder = std::env::var_os("WEFT_MODULES")?;
    std::fs::read_to_string(std::path::Path::new(&folder).join("hyper-aos.lua")).ok()
}

/// hyper-aos believes who is named as an authority; a data item's `From-Process` tag names one.
#[tokio::test]
async fn hyper_aos_runs_over_the_legacy_scheduler() {
    let Some(code) = hyper_aos() else {
        let line =
            "hyper-aos over the legacy scheduler: hyper-aos.lua is not in WEFT_MODULES, nothing was compared";
        writeln!(std::io::stdout(), "{line}").unwrap();
        return;
    };
    let stage = open(&Rc::default());
    let process = spawn(&stage, &code, &[("Authority", "the-authority")]).await;
    let eval = [("Action", "Eval"), ("From-Process", "the-authority")];
    for (data, printed) in [("1 + 1", "2"), ("Count = 40", ""), ("Count + 2", "42"), ("#Inbox", "0")] {
        let sent = send(&stage, process, data, &eval).await;
        pumped(&stage.net).await;
        let answer = result(&stage, process, sent).await;
        let output = answer["Output"]["data"].as_str().unwrap_or_default();
        assert!(output.contains(printed) && answer["Error"].is_null(), "{data}: {answer}");
    }
    let stranger = send(&stage, process, "1 + 1", &[("Action", "Eval")]).await;
    pumped(&stage.net).await;
    let answer = result(&stage, process, stranger).await;
    assert_eq!(answer["Output"]["data"], json!("Message is not trusted."), "{answer}");
    assert_eq!(synced(&stage, process).await, 5);
}
