//! The local network's units, route by route: shapes, statuses and rules of scheduler-and-cu-api.md §1–§3.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::rc::Rc;

use serde_json::{Value, json};
use weft_cli::demo_archive;
use weft_codec::tags::{Tag, TagsExt as _};
use weft_codec::{Address, Id, base64url, scheduler_page};
use weft_node::memory::{ManualClock, MemoryStore};
use weft_node::net::LocalNet;
use weft_node::seams::{Method, Signer as _};
use weft_node::{Node, Options, Sources};

use crate::stage::{NOW, Stage, open, pumped};

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn assignments_are_made_as_the_scheduler_makes_them_and_prove_on_its_pages() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let sent = stage.send(process, "hello").await;
    let (status, page) = stage.get(&format!("/su/{process}?process-id={process}&show-anchor=1")).await;
    assert_eq!((status, &page["page_info"]), (200, &json!({"has_next_page": false})));
    let first = &page["edges"][0]["node"];
    assert_eq!(names(first), ["message", "assignment"]);
    let mut fields = names(&first["assignment"]);
    fields.sort_unstable();
    assert_eq!(fields, ["anchor", "id", "owner", "signature", "tags", "target"]);
    assert_eq!(first["message"]["id"], json!(process));
    let tags = |at: usize| -> Vec<Tag> {
        serde_json::from_value(page["edges"][at]["node"]["assignment"]["tags"].clone()).unwrap()
    };
    let order = |tags: &[Tag]| tags.iter().map(|tag| tag.name.clone()).collect::<Vec<_>>().join(" ");
    let common = "Process Epoch Nonce Hash-Chain Block-Height Timestamp Data-Protocol Type Variant";
    assert_eq!(order(&tags(0)), common);
    assert_eq!(order(&tags(1)), format!("{common} Message"));
    assert_eq!(tags(0).tag("Hash-Chain"), Some(Id::sha256(&process.0).to_string().as_str()));
    assert_eq!(tags(1).tag("Message"), Some(sent.to_string().as_str()));
    assert_eq!(tags(1).tag("Nonce"), Some("1"));
    assert_eq!(tags(1).tag("Block-Height").map(str::len), Some(12));
    let parsed = scheduler_page::parse(page.to_string().as_bytes()).unwrap();
    assert!(parsed.edges.iter().all(|edge| edge.entry.assignment.as_ref().unwrap().anchor.is_some()));
    // Without show-anchor the random anchors are no text.
    let (_, page) = stage.get(&format!("/su/{process}?process-id={process}")).await;
    assert_eq!(page["edges"][1]["node"]["assignment"]["anchor"], Value::Null);
}

#[tokio::test]
async fn the_scheduler_refuses_what_the_reference_refuses() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let scheduler = stage.net.address().to_owned();
    let message = stage.message(process, "once").await;
    assert_eq!(stage.post("/su", message.to_bytes()).await.0, 200);
    let mut altered = stage.message(process, "altered").await;
    altered.data.push(b'!');
    let other = Address::from(Id([7; 32])).to_string();
    let (protocol, kind) = (("Data-Protocol", "ao"), ("Type", "Message"));
    let spawn = [protocol, ("Type", "Process"), ("Module", "x"), ("Scheduler", other.as_str())];
    let refused: [(&str, Vec<u8>, &str); 11] = [
        ("twice", message.to_bytes(), "already exists"),
        ("altered", altered.to_bytes(), "signature"),
        ("no item", b"nonsense".to_vec(), ""),
        ("nothing", Vec::new(), ""),
        ("no type", stage.item(Some(process), &[protocol], "").await.to_bytes(), "Type tag not present"),
        (
            "odd type",
            stage.item(Some(process), &[protocol, ("Type", "Module")], "").await.to_bytes(),
            "Unsupported Type",
        ),
        ("no protocol", stage.item(Some(process), &[kind], "").await.to_bytes(), "Data-Protocol"),
        ("link", stage.item(Some(process), &[protocol, kind, ("a+link", "x")], "").await.to_bytes(), "+link"),
        ("no such process", stage.message(Id([1; 32]), "").await.to_bytes(), "not on this scheduler"),
        ("no module", stage.item(None, &spawn[..2], "").await.to_bytes(), "Required Module"),
        ("other scheduler", stage.item(None, &spawn, "").await.to_bytes(), other.as_str()),
    ];
    for (what, body, sentence) in refused {
        let (status, answer) = stage.post("/su", body).await;
        let error = answer["error"].as_str().unwrap_or_else(|| panic!("{what}: {answer}"));
        assert_eq!(status, 400, "{what}: {error}");
        assert!(error.contains(sentence), "{what}: {error}");
    }
    assert_eq!(stage.post("/su", vec![0; 10_485_761]).await.0, 413);
    let (status, answer) = stage.post(&format!("/su?process-id={process}"), Vec::new()).await;
    assert!(status == 400 && answer["error"].as_str().unwrap().contains("both"), "{answer}");
    let (_, health) = stage.get("/su").await;
    assert_eq!(health["address"], json!(scheduler));
    let (_, time) = stage.get("/su/timestamp").await;
    assert!(time["timestamp"].is_string() && time["block_height"].as_str().unwrap().len() == 12);
    assert_eq!(stage.get(&format!("/su/{process}/latest")).await.1["message"]["id"], json!(message.id()));
    let (_, inner) = stage.get(&format!("/su/processes/{process}")).await;
    let expected =
        ["process_id", "block", "owner", "tags", "timestamp", "data", "anchor", "signature", "target"];
    assert_eq!(names(&inner), expected);
}

#[tokio::test]
async fn pages_follow_their_cursors_by_time_and_by_nonce() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let mut sent = vec![process];
    for at in 0..5 {
        sent.push(stage.send(process, &format!("message {at}")).await);
    }
    for (start, from) in [("", "from"), ("&from-nonce=-1", "from-nonce")] {
        let mut query = start.to_owned();
        let mut found = Vec::new();
        loop {
            let (_, page) = stage.get(&format!("/su/{process}?process-id={process}&limit=2{query}")).await;
            for edge in page["edges"].as_array().unwrap() {
                found.push(edge["node"]["message"]["id"].as_str().unwrap().parse::<Id>().unwrap());
                query = format!("&{from}={}", edge["cursor"].as_str().unwrap());
            }
            if page["page_info"]["has_next_page"] == json!(false) {
                break;
            }
        }
        assert_eq!(found, sent, "{from}");
    }
    let count = async |query: &str| {
        let (status, page) = stage.get(&format!("/su/{process}?process-id={process}{query}")).await;
        assert_eq!(status, 200, "{page}");
        (page["edges"].as_array().unwrap().len(), page["page_info"]["has_next_page"] == json!(true))
    };
    assert_eq!(count("&from-nonce=1&to-nonce=3").await, (2, false));
    assert_eq!(count("&to-nonce=0").await, (1, false));
    assert_eq!(count("&limit=1").await, (1, true));
    assert_eq!(count("&limit=undefined").await, (6, false));
    // aoconnect's getMessages leaves process-id out. A list from a time on never has the process.
    let (status, page) = stage.get(&format!("/su/{process}?from=0&to=99999999999999")).await;
    assert_eq!((status, page["edges"].as_array().unwrap().len()), (200, 5));
    assert_eq!(stage.get(&format!("/su/{process}?limit=some")).await.0, 400);
    let (status, one) = stage.get(&format!("/su/{}?process-id={process}", sent[2])).await;
    assert_eq!((status, &one["message"]["id"]), (200, &json!(sent[2])));
    assert_eq!(stage.get(&format!("/su/{}?process-id={process}", Id([3; 32]))).await.0, 400);
}

#[tokio::test]
async fn the_gateway_answers_the_queries_clients_send() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let sent = stage.send(process, "hello").await;
    let owner = Address::of_owner(&stage.user.owner()).to_string();

    stage.get("/gateway/mine").await;
    // aoconnect `client/gateway.js`.
    let query = "query GetTransactions ($transactionIds: [ID!]!) { transactions(ids: $transactionIds) { edges { node {
        owner { address } tags { name value } block { id height timestamp } } } } }";
    let answer = stage.graphql(query, json!({"transactionIds": [sent]})).await;
    let node = &answer["data"]["transactions"]["edges"][0]["node"];
    assert_eq!(names(node), ["owner", "tags", "block"]);
    assert_eq!(node["owner"], json!({ "address": owner }));
    let seconds = node["block"]["timestamp"].as_u64().unwrap();
    assert_eq!(seconds, NOW / 1000);

    // cu `effects/arweave.js`.
    let query = "query GetProcesses ($processIds: [ID!]! $skipTags: Boolean! $skipSignature: Boolean! $skipAnchor: Boolean!)
        { transactions(ids: $processIds) { edges { node { id signature @skip (if: $skipSignature)
          anchor @skip (if: $skipAnchor) owner { address key } tags @skip (if: $skipTags) { name value } recipient } } } }";
    let skip = json!({"processIds": [sent], "skipTags": true, "skipSignature": false, "skipAnchor": false});
    let answer = stage.graphql(query, skip).await;
    let node = &answer["data"]["transactions"]["edges"][0]["node"];
    assert_eq!(names(node), ["id", "signature", "anchor", "owner", "recipient"]);
    assert_eq!((&node["recipient"], &node["anchor"]), (&json!(process), &json!("")));
    assert_eq!(node["owner"]["key"], json!(base64url::encode(&stage.user.owner())));

    // scheduler-utils `client/gateway.js`.
    stage.net.publish_location("http://127.0.0.1:1/su").await.unwrap();
    let query = "query GetSchedulerLocation ($owner: String!) { transactions (owners: [$owner] tags: [
        { name: \"Data-Protocol\", values: [\"ao\"] }, { name: \"Type\", values: [\"Scheduler-Location\"] } ]
        # Only need the most recent
        sort: HEIGHT_DESC first: 1) { edges { node { tags { name value } } } } }";
    let answer = stage.graphql(query, json!({"owner": stage.net.address()})).await;
    let tags: Vec<Tag> =
        serde_json::from_value(answer["data"]["transactions"]["edges"][0]["node"]["tags"].clone()).unwrap();
    assert_eq!(tags.tag("Url"), Some("http://127.0.0.1:1/su"));

    // Pages, newest first: everything once.
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let query = "query($after: String) { transactions(first: 2, after: $after) {
            pageInfo { hasNextPage } edges { cursor node { id } } } }";
        let page = stage.graphql(query, json!({ "after": after })).await["data"]["transactions"].clone();
        for edge in page["edges"].as_array().unwrap() {
            seen.push(edge["node"]["id"].as_str().unwrap().to_owned());
            after = edge["cursor"].clone();
        }
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
    }
    // A module, a process, a message, an assignment for each of the two, the transaction that carries them, a location.
    assert_eq!(seen.len(), 7);
    assert_eq!(seen[3], sent.to_string(), "{seen:?}");

    let refused = stage.graphql("{ transactions { edges { node { colour } } } }", json!({})).await;
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("colour"));
}

#[tokio::test]
async fn the_gateway_lists_its_blocks_as_the_compute_unit_asks() {
    let stage = open(&Rc::default());
    // cu `effects/ao-block.js`.
    for _ in 0..4 {
        stage.get("/gateway/mine").await;
    }
    let height = node_height(&stage).await;
    let query = "query GetBlocks($min: Int!, $limit: Int!) { blocks(height: { min: $min }, first: $limit, sort: HEIGHT_ASC)
        { pageInfo { hasNextPage } edges { node { timestamp height } } } }";
    let answer = stage.graphql(query, json!({"min": height - 3, "limit": 2})).await;
    let heights: Vec<u64> = answer["data"]["blocks"]["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge["node"]["height"].as_u64().unwrap())
        .collect();
    assert_eq!(heights, [height - 3, height - 2]);
    assert_eq!(answer["data"]["blocks"]["pageInfo"]["hasNextPage"], json!(true));
}

async fn node_height(stage: &Stage) -> u64 {
    stage.get("/gateway/info").await.1["height"].as_u64().unwrap()
}

#[tokio::test]
async fn the_gateway_gives_data_with_their_type_and_no_right_to_run() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let tags = [("Data-Protocol", "ao"), ("Type", "Message"), ("Content-Type", "text/html")];
    let page = stage.item(Some(process), &tags, "<script>1</script>").await;
    assert_eq!(stage.post("/su", page.to_bytes()).await.0, 200);
    for path in ["raw/", ""] {
        let reply = stage.ask(Method::Get, &format!("/gateway/{path}{}", page.id()), Vec::new()).await;
        assert_eq!((reply.response.status, reply.response.content_type.as_str()), (200, "text/html"));
        assert_eq!(reply.response.body, b"<script>1</script>");
        assert!(reply.response.header("content-security-policy") == Some("sandbox"));
    }
    for (path, status) in [
        (format!("tx/{}", page.id()), 404),
        (format!("tx/{}/status", page.id()), 404),
        ("tx/x".to_owned(), 400),
        (format!("raw/{}", Id([9; 32])), 404),
        ("raw/x".to_owned(), 404),
        ("tx_anchor".to_owned(), 200),
        ("price/1000".to_owned(), 200),
        ("block/current".to_owned(), 200),
    ] {
        let reply = stage.ask(Method::Get, &format!("/gateway/{path}"), Vec::new()).await;
        assert_eq!(reply.response.status, status, "{path}");
    }
}

#[tokio::test]
async fn the_compute_unit_answers_results_cursors_dry_runs_and_states() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let (first, failing) = (stage.send(process, "one").await, stage.send(process, "!e").await);
    let last = stage.send(process, "two").await;
    let result = async |id: Id| stage.get(&format!("/cu/result/{id}?process-id={process}")).await;
    let (status, answer) = result(last).await;
    assert_eq!(status, 200);
    assert_eq!(names(&answer), ["Messages", "Assignments", "Spawns", "Output", "GasUsed"]);
    // The module counts: the failing message was rolled back.
    assert_eq!(answer["Output"], json!("3"));
    assert_eq!(result(first).await.1["Output"], json!("2"));
    assert_eq!(result(process).await.1["Output"], json!("1"));
    assert_eq!(result(failing).await.1["Error"], json!("asked for"));
    let (status, answer) = result(Id([5; 32])).await;
    assert!(status == 404 && answer["error"].is_string());
    assert_eq!(stage.get(&format!("/cu/result/{last}")).await.0, 500);

    let results = async |query: &str| stage.get(&format!("/cu/results/{process}?{query}")).await.1;
    let page = results("limit=2").await;
    assert_eq!(page["pageInfo"]["hasNextPage"], json!(true));
    let cursor = page["edges"][1]["cursor"].as_str().unwrap().to_owned();
    assert_eq!(page["edges"][1]["node"]["Output"], json!("2"));
    let page = results(&format!("from={}", cursor.replace('=', "%3D"))).await;
    let edges = page["edges"].as_array().unwrap();
    // The one with an error is left out.
    assert_eq!((edges.len(), &edges[0]["node"]["Output"]), (1, &json!("3")));
    let newest = results("sort=DESC&limit=1").await;
    assert_eq!(newest["edges"][0]["node"]["Output"], json!("3"));

    let body =
        json!({"Id": "1234", "Owner": "1234", "Target": process, "Anchor": "0", "Data": "d", "Tags": []});
    let dry = async || {
        let body = body.to_string().into_bytes();
        stage.post(&format!("/cu/dry-run?process-id={process}"), body).await
    };
    assert_eq!(dry().await.1["Output"], json!("4"));
    assert_eq!(dry().await.1["Output"], json!("4"), "a dry run changes nothing");
    let seen = &dry().await.1["Messages"][0];
    assert_eq!((&seen["Read-Only"], &seen["Target"]), (&json!(true), &json!(process)));
    assert_eq!(stage.post(&format!("/cu/dry-run?process-id={process}"), b"[]".to_vec()).await.0, 500);

    let reply = stage.ask(Method::Get, &format!("/cu/state/{process}"), Vec::new()).await;
    assert_eq!(reply.response.body.len() % 65_536, 0);
    assert_eq!(reply.response.body[8..12], 3_u32.to_le_bytes());
    assert!(reply.response.header("last-ordinate") == Some("3"));
}

#[tokio::test]
async fn the_messenger_signs_what_it_pushes_and_pushes_it_once() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    // The module answers every message with the same one to itself, and with a spawn that names no module.
    let message = stage.message(process, "for ever").await;
    let (status, answer) = stage.post("/mu", message.to_bytes()).await;
    let expected = json!({"message": "Processing DataItem", "id": message.id()});
    assert_eq!((status, answer), (202, expected));
    let (done, failed) = pumped(&stage.net).await;
    // What is pushed a second time is refused, whatever pushed it: the deep hash leaves `Pushed-For` out.
    let module = "No Module tag found on 'Process' DataItem";
    assert_eq!((done, failed), (3, [module, "Deep hash already exists", module].map(str::to_owned).to_vec()));
    let (_, page) = stage.get(&format!("/su/{process}?process-id={process}&from-nonce=1&limit=1")).await;
    let pushed = &page["edges"][0]["node"]["message"];
    assert_eq!(pushed["owner"]["address"], json!(stage.net.address()));
    let tags: Vec<Tag> = serde_json::from_value(pushed["tags"].clone()).unwrap();
    let end: Vec<&str> = tags[tags.len() - 5..].iter().map(|tag| tag.name.as_str()).collect();
    assert_eq!(end, ["Data-Protocol", "Type", "From-Process", "From-Module", "Pushed-For"]);
    assert_eq!(tags.tag("From-Process"), Some(process.to_string().as_str()));
    assert_eq!(tags.tag("Pushed-For"), Some(message.id().to_string().as_str()));

    for (what, body) in [("nothing", Vec::new()), ("nonsense", b"x".to_vec())] {
        let (status, answer) = stage.post("/mu", body).await;
        assert!(status == 500 && answer["error"].is_string(), "{what}: {answer}");
    }
    let (status, answer) = stage.post("/mu", message.to_bytes()).await;
    assert!(status == 500 && answer["error"].as_str().unwrap().contains("400"), "{answer}");
    assert_eq!(stage.post(&format!("/mu?process-id={process}"), Vec::new()).await.0, 400);
    assert_eq!(stage.post(&format!("/mu/monitor/{process}"), Vec::new()).await.0, 400);
}

#[tokio::test]
async fn a_restart_goes_on_where_the_network_stopped() {
    let store = Rc::default();
    let stage = open(&store);
    stage.net.claim().await.unwrap();
    let process = stage.process().await;
    let sent = stage.send(process, "before").await;
    let url = format!("/cu/result/{sent}?process-id={process}");
    let before = stage.get(&url).await;
    stage.net.save_states().await.unwrap();
    let queued = stage.message(process, "!e queued").await;
    assert_eq!(stage.post("/mu", queued.to_bytes()).await.0, 202);
    drop(stage);

    let stage = open(&store);
    stage.net.claim().await.unwrap();
    assert_eq!(stage.get(&url).await, before);
    assert_eq!(pumped(&stage.net).await, (1, Vec::new()));
    let after = stage.send(process, "after").await;
    let (_, result) = stage.get(&format!("/cu/result/{after}?process-id={process}")).await;
    assert_eq!(result["Output"], json!("3"));

    let other = demo_archive::keys().unwrap().bob;
    let clock = ManualClock::new(NOW, 1);
    let other = LocalNet::new(Rc::clone(&stage.store), clock, other, Box::new(|| [0; 32]));
    assert!(other.claim().await.is_err(), "a state is of one wallet");
}

#[tokio::test]
async fn what_was_evaluated_and_not_saved_is_evaluated_again_after_a_crash() {
    let store = Rc::default();
    let stage = open(&store);
    let process = stage.process().await;
    let sent = stage.send(process, "one").await;
    let url = format!("/cu/result/{sent}?process-id={process}");
    let before = stage.get(&url).await;
    drop(stage);

    let stage = open(&store);
    let next = stage.send(process, "two").await;
    let (_, result) = stage.get(&format!("/cu/result/{next}?process-id={process}")).await;
    assert_eq!(result["Output"], json!("3"), "the messages before it count");
    assert_eq!(stage.get(&url).await, before);
}

#[tokio::test]
async fn a_node_syncs_from_the_network_and_gets_its_results() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    for text in ["one", "!e", "two", "!t", "three"] {
        stage.send(process, text).await;
    }
    let sources = Sources {
        schedulers: vec!["http://localhost/su".to_owned()],
        gateways: vec!["http://localhost/gateway".to_owned()],
    };
    let node = Node::new(MemoryStore::new(), &stage.net, ManualClock::new(NOW, 1));
    let summary = node.sync(process, &sources, &Options::default(), &()).await.unwrap();
    assert_eq!((summary.head, summary.replayed), (Some(5), Some(5)));
    for result in node.results(process, 0, 100).await.unwrap() {
        let (_, answer) = stage.get(&format!("/cu/result/{}?process-id={process}", result.message)).await;
        assert_eq!(answer, result.to_legacy(), "slot {}", result.slot);
    }
}

#[tokio::test]
async fn no_request_however_odd_is_more_than_a_refusal() {
    let stage = open(&Rc::default());
    let process = stage.process().await;
    let good = stage.message(process, "good").await.to_bytes();
    let mut bodies = vec![Vec::new(), b"{".to_vec(), b"null".to_vec(), vec![0xff; 2_000], vec![0; 2_000]];
    // Every field of an item's header, changed and cut.
    for at in (0..good.len()).step_by(37) {
        let mut changed = good.clone();
        changed[at] ^= 0x80;
        bodies.push(changed);
        bodies.push(good[..at].to_vec());
    }
    let long = "x".repeat(20_000);
    let id = process.to_string();
    let mut paths = vec![long, "//".to_owned(), "/su/%00".to_owned(), "/gateway/graphql".to_owned()];
    for unit in ["su", "mu", "cu", "gateway", "dry-run", "nothing"] {
        for rest in
            ["", "/", "/x", "/../..", "/x/y/z/a/b/c/d/e/f", "/dry-run", "/monitor/x", "/raw/x", "/results/x"]
        {
            paths.push(format!("/{unit}{rest}?process-id={id}&assign=x&limit=-1&from=%ff&to=x&from-nonce=x"));
            paths.push(format!("/{unit}{rest}"));
        }
    }
    for path in &paths {
        for method in [Method::Get, Method::Post, Method::Delete] {
            let reply = stage.ask(method, path, b"nonsense".to_vec()).await.response;
            assert!((200..=500).contains(&reply.status), "{method:?} {path}: {}", reply.status);
        }
    }
    for body in &bodies {
        for path in ["/su", "/mu", "/cu/dry-run", "/gateway/graphql", "/mu/monitor/x"] {
            let reply = stage.ask(Method::Post, path, body.clone()).await.response;
            assert!((400..=500).contains(&reply.status), "{path}: {}", reply.status);
        }
    }
    // Nothing of it became part of the history.
    assert_eq!(stage.get(&format!("/su/{id}/latest")).await.1["message"]["id"], json!(process));
}
