//! `weft check` as a user runs it: `weft serve` is the network, and a proxy before its compute unit lies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::Tag;
use weft_tests::fixtures;
use weft_tests::signing::TestKey;
use weft_tests::world::{message_to, wasm};

/// A process of five messages on a network of its own.
struct Served {
    network: Child,
    url: String,
    process: String,
    messages: Vec<String>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.network.kill();
        let _ = self.network.wait();
    }
}

impl Served {
    fn new(name: &str) -> Self {
        let folder = folder(name);
        let (module, wallet) = (folder.join("count.wasm"), folder.join("wallet.json"));
        std::fs::write(&module, wasm()).unwrap();
        std::fs::write(&wallet, fixtures::json(fixtures::KEYS)["rsa4096"]["jwk"].to_string()).unwrap();
        let mut network = Command::new(env!("CARGO_BIN_EXE_weft"))
            .args(["serve", "--port", "0", "--json", "--module"])
            .arg(format!("{}:wasm32-unknown-unknown", module.display()))
            .args([
                "--wallet".as_ref(),
                wallet.as_os_str(),
                "--state".as_ref(),
                folder.join("state").as_os_str(),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(network.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let (url, module) =
            (told["url"].as_str().unwrap().to_owned(), told["modules"][0]["id"].as_str().unwrap());
        let process = process(module);
        let mut served = Self { network, url, process: process.id().to_string(), messages: Vec::new() };
        served.send(&process);
        for number in 0..5 {
            let message = message_to(process.id(), number.to_string().as_bytes(), &[]);
            served.send(&message);
            served.messages.push(message.id().to_string());
        }
        served
    }

    /// To the scheduler: the messenger would push what the program echoes.
    fn send(&self, item: &DataItem) {
        let (status, body) = request(&self.url, "POST", "/su/", &item.to_bytes());
        assert!(status < 300, "{status}: {}", String::from_utf8_lossy(&body));
    }

    fn cu(&self) -> String {
        format!("{}/cu", self.url)
    }

    fn check(&self, more: &[&str]) -> Output {
        let (su, gateway) = (format!("{}/su", self.url), format!("{}/gateway", self.url));
        weft(&[&["check", &self.process, "--scheduler", &su, "--gateway", &gateway], more].concat())
    }
}

fn process(module: &str) -> DataItem {
    let key = TestKey::get();
    let tags = vec![
        Tag::new("Data-Protocol", "ao"),
        Tag::new("Variant", "ao.TN.1"),
        Tag::new("Type", "Process"),
        Tag::new("Module", module),
        Tag::new("Scheduler", key.address().as_str()),
    ];
    key.item(Unsigned { tags, data: b"boot".to_vec(), ..Unsigned::default() })
}

fn weft(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weft")).args(arguments).output().unwrap()
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("check-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// One request on a connection of its own; status and body.
fn request(origin: &str, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let host = origin.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    assert!(!head.to_ascii_lowercase().contains("chunked"), "{head}");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), answer[end..].to_vec())
}

/// A compute unit that passes on what the honest one says, but for one value of every answer from some message on. The
/// program counts its messages: the count is what this one is wrong about.
fn liar(honest: &str, from: u64) -> String {
    let honest = honest.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            let mut header = String::new();
            while reader.read_line(&mut header).is_ok_and(|read| read > 2) {
                header.clear();
            }
            let path = line.split(' ').nth(1).unwrap();
            let (status, body) = request(&honest, "GET", &format!("/cu{path}"), &[]);
            let body = match serde_json::from_slice::<Value>(&body) {
                Ok(mut answer) => {
                    lie(&mut answer, from);
                    answer.to_string().into_bytes()
                }
                Err(_) => body,
            };
            let head = format!(
                "HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    url
}

fn lie(answer: &mut Value, from: u64) {
    let edges = answer.get("edges").is_some();
    let results: Vec<&mut Value> = match edges {
        true => answer["edges"].as_array_mut().unwrap().iter_mut().map(|edge| &mut edge["node"]).collect(),
        false => vec![answer],
    };
    for result in results {
        let count = result["Output"].as_str().and_then(|count| count.parse::<u64>().ok());
        if let Some(count) = count.filter(|count| *count > from) {
            result["Output"] = json!((count + 1).to_string());
        }
    }
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn an_honest_unit_matches_and_a_lying_one_is_shown_with_its_first_lie() {
    let served = Served::new("lie");
    let (honest, liar) = (served.cu(), liar(&served.url, 3));
    let output = served.check(&["--node", &honest, "--json", "--all"]);
    let comparison = json_of(&output);
    assert_eq!(output.status.code(), Some(0), "{comparison}");
    assert_eq!(
        (&comparison["slot"], &comparison["nodes"][0]["verdict"]),
        (&json!(5), &json!({"kind": "match"}))
    );
    assert_eq!(comparison["nodes"][0]["searched"], json!({"compared": 5, "unanswered": 0, "complete": true}));

    let legacy = format!("legacy:{liar}");
    let output = served.check(&["--node", &honest, "--node", &legacy, "--json"]);
    let comparison = json_of(&output);
    assert_eq!(output.status.code(), Some(1), "{comparison}");
    let (node, verdict) = (&comparison["nodes"][1], &comparison["nodes"][1]["verdict"]);
    assert_eq!((&node["node"], &node["node_kind"]), (&json!(liar), &json!("legacy")));
    assert_eq!((&verdict["kind"], &verdict["first"]["slot"]), (&json!("mismatch"), &json!(3)));
    assert_eq!(verdict["first"]["message"], json!(served.messages[2]));
    assert_eq!(verdict["differences"], json!([{"path": "Output", "ours": "6", "theirs": "7"}]));
    assert_eq!(verdict["first"]["differences"], json!([{"path": "Output", "ours": "4", "theirs": "5"}]));

    // The same for people.
    let output = served.check(&["--node", &honest, "--node", &liar]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "match     ",
        "mismatch  ",
        "first at slot 3",
        "- here   \"4\"",
        "+ there  \"5\"",
        "1 match, 1 differ",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }

    // Before the first lie it tells the truth, by slot and by message.
    for before in [["--slot", "2"], ["--message", &served.messages[1]]] {
        let output = served.check(&[&before[..], &["--node", &liar, "--json"]].concat());
        assert_eq!((output.status.code(), &json_of(&output)["slot"]), (Some(0), &json!(2)));
    }
}

#[test]
fn what_cannot_be_compared_has_exit_code_2() {
    let served = Served::new("silent");
    let output = served.check(&["--node", "http://127.0.0.1:1", "--json"]);
    let verdict = &json_of(&output)["nodes"][0]["verdict"];
    assert_eq!((&verdict["kind"], &verdict["code"]), (&json!("silent"), &json!("source-unreachable")));
    assert_eq!(output.status.code(), Some(2));
    let output = served.check(&["--node", &served.cu(), "--slot", "99", "--json"]);
    assert_eq!((output.status.code(), &json_of(&output)["error"]["code"]), (Some(2), &json!("not-found")));
    for wrong in [
        vec![],
        vec!["--node", "ftp://cu.example"],
        vec!["--node", &served.url, "--slot", "1", "--message", "x"],
    ] {
        assert_eq!(served.check(&wrong).status.code(), Some(2), "{wrong:?}");
    }
    // Stored, nothing but the node is asked.
    let store = folder("store");
    let node = format!("legacy:{}", served.cu());
    let kept = ["--node", &node, "--slot", "4", "--json", "--store", store.to_str().unwrap()];
    assert_eq!(served.check(&kept).status.code(), Some(0));
    let without = [&["check", served.process.as_str()], &kept[..]].concat();
    assert_eq!(weft(&without).status.code(), Some(0));
}

/// One id in 64 begins like an option.
#[test]
fn an_id_may_begin_with_a_hyphen() {
    let id = format!("-0{}", "A".repeat(41));
    let nowhere = "http://127.0.0.1:1";
    for arguments in [
        ["check", id.as_str(), "--node", nowhere, "--message", id.as_str()].as_slice(),
        &["replay", id.as_str(), "--scheduler", nowhere, "--gateway", nowhere, "--accept-owner", id.as_str()],
        &["replay", "--scheduler", nowhere, id.as_str(), "--gateway", nowhere],
    ] {
        let output = weft(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("Usage:") && said.contains("source"), "{arguments:?}: {said}");
    }
}
