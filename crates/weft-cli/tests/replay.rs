//! `weft replay` as a user runs it: the binary, over HTTP, against a scheduler and a gateway of our own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::rc::Rc;
use std::sync::mpsc;

use serde_json::{Value, json};
use weft_node::seams::{Method, Request};
use weft_tests::world::{Plan, Site, World, gateway, scheduler, status};

/// A process and where its sources are.
pub(crate) struct Served {
    origin: String,
    pub(crate) process: String,
}

impl Served {
    /// Three messages, the last of which fails.
    fn new() -> Self {
        Self::of(|| {
            let world = World::new(&Plan::default(), 2);
            world.send("!t", &[]);
            world
        })
    }

    pub(crate) fn of(make: impl FnOnce() -> World + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (ready, process) = mpsc::channel();
        std::thread::spawn(move || {
            let world = Rc::new(make());
            ready.send(world.id().to_string()).unwrap();
            let sites = [("/su", scheduler(&world)), ("/gateway", gateway(&world))];
            listener.incoming().flatten().for_each(|stream| answer(stream, &sites));
        });
        Self { origin, process: process.recv().unwrap() }
    }

    pub(crate) fn weft(&self, more: &[&str]) -> Output {
        let (su, gateway) = (format!("{}/su", self.origin), format!("{}/gateway", self.origin));
        weft(&[&["replay", &self.process, "--scheduler", &su, "--gateway", &gateway], more].concat())
    }
}

pub(crate) fn weft(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weft")).args(arguments).output().unwrap()
}

/// One request of one connection.
fn answer(mut stream: TcpStream, sites: &[(&str, Site)]) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    let mut words = head.split(' ');
    let method = if words.next() == Some("POST") { Method::Post } else { Method::Get };
    let path = words.next().unwrap_or_default();
    let site = sites.iter().find_map(|(prefix, site)| Some((path.strip_prefix(prefix)?, site)));
    let response = match site {
        Some((path, site)) => site(&Request {
            method,
            url: format!("http://here{path}"),
            content_type: None,
            headers: Vec::new(),
            body,
            max_bytes: u64::MAX,
            timeout_ms: 0,
        })
        .unwrap(),
        None => status(404),
    };
    let head = format!(
        "HTTP/1.1 {} OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        response.status,
        response.content_type,
        response.body.len()
    );
    stream.write_all(&[head.as_bytes(), &response.body].concat()).unwrap();
}

pub(crate) fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A folder of this test's own.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("weft-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

#[test]
fn every_slot_is_a_line_and_the_receipt_is_the_last() {
    let served = Served::new();
    let output = served.weft(&["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = lines(&output);
    assert_eq!(lines.len(), 5);
    for (slot, line) in lines[..4].iter().enumerate() {
        assert_eq!(line["slot"], json!(slot));
        assert_eq!(line["message"].as_str().unwrap().len(), 43);
    }
    assert_eq!((&lines[1]["output"], &lines[1]["error"]), (&json!("2"), &Value::Null));
    assert!(lines[1]["gas"].as_u64().unwrap() > 0 && lines[1]["messages"][0]["Data"] == "0");
    assert_eq!((&lines[3]["failure"], &lines[3]["rolled_back"]), (&json!("trap"), &json!(true)));
    let summary = &lines[4]["summary"];
    assert_eq!((&summary["process"], &summary["replayed"]), (&json!(served.process), &json!(3)));
    assert!(lines[4]["receipt"]["checks"].as_array().unwrap().len() > 10);
    // The same for people.
    let output = served.weft(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("replayed to slot 3") && text.contains("history-complete"), "{text}");
    assert!(text.lines().nth(3).unwrap().contains("error: "), "{text}");
}

#[test]
fn a_store_is_gone_on_from() {
    let served = Served::new();
    let folder = folder("replay");
    let store = ["--store", folder.to_str().unwrap(), "--json"];
    let first = served.weft(&[&store[..], &["--to", "1"]].concat());
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    assert_eq!(lines(&first).len(), 3);
    let second = lines(&served.weft(&store));
    assert_eq!(
        (&second[4]["summary"]["replayed_now"], &second[4]["summary"]["replayed"]),
        (&json!(2), &json!(3))
    );
    let third = lines(&served.weft(&store));
    assert_eq!(
        (&third[4]["summary"]["replayed_now"], &third[4]["summary"]["requests"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(second[..4], third[..4]);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_is_refused_has_its_code_and_exit() {
    let served = Served::new();
    let code = |output: &Output| (lines(output)[0]["error"]["code"].clone(), output.status.code());
    let down = weft(&["replay", &served.process, "--scheduler", "http://127.0.0.1:1", "--json"]);
    assert_eq!(code(&down), (json!("source-unreachable"), Some(2)));
    let none = weft(&["replay", &served.process, "--json"]);
    assert_eq!(code(&none), (json!("no-source"), Some(2)));
    let wrong = weft(&["replay", &served.process, "--scheduler", "ftp://su.example", "--json"]);
    assert_eq!(code(&wrong), (json!("source-invalid"), Some(2)));
    let su = format!("{}/su", served.origin);
    let unknown = "qEJzlXx1NFC47kAAbv5ZVItnVxERu8Dh-mhwWFFbDF4";
    let unknown = weft(&["replay", unknown, "--scheduler", &su, "--json"]);
    assert_eq!(code(&unknown), (json!("not-found"), Some(1)));
    // Wrong usage is clap's, with exit code 2.
    assert_eq!(weft(&["replay", "not-an-id"]).status.code(), Some(2));
    assert_eq!(weft(&["replay"]).status.code(), Some(2));
}

#[test]
fn a_receipt_is_written_and_checks_without_a_network() {
    let served = Served::new();
    let folder = folder("receipt");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("receipt.json");
    let path = file.to_str().unwrap();
    let output = served.weft(&["--receipt", path]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let verify = |path: &str, more: &[&str]| {
        let output = weft(&[&["verify", "--json", path], more].concat());
        (output.status.code(), lines(&output))
    };
    let (code, said) = verify(path, &[]);
    assert_eq!(code, Some(0));
    let kinds: Vec<_> = said.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["receipt", "trusted", "trusted", "trusted", "trusted", "results"]);
    assert_eq!((&said[0]["ok"], &said[0]["id"]), (&json!(true), &json!(served.process)));
    assert_eq!(said[1]["ok"], Value::Null);
    let results = said[5]["message"].as_str().unwrap();
    assert!(said[5]["ok"] == true && results.starts_with("4 results are those of a replay"), "{results}");
    let (code, said) = verify(path, &["--no-replay"]);
    assert_eq!((code, &said[5]["ok"]), (Some(0), &Value::Null));

    // One digit of one result, with the digest that belongs to the text then.
    let text = std::fs::read_to_string(&file).unwrap().replacen("\"output\":\"2\"", "\"output\":\"7\"", 1);
    let lied = weft_tests::receipts::sealed(text.clone().into_bytes());
    let lying = folder.join("lying.json");
    std::fs::write(&lying, lied).unwrap();
    let (code, said) = verify(lying.to_str().unwrap(), &[]);
    assert_eq!((code, &said[0]["ok"], &said[5]["code"]), (Some(1), &json!(true), &json!("receipt-mismatch")));
    assert_eq!(said[5]["fields"]["slot"], "1");
    // Without it, and cut.
    std::fs::write(&lying, &text).unwrap();
    let (code, said) = verify(lying.to_str().unwrap(), &[]);
    assert_eq!((code, said.len(), &said[0]["code"]), (Some(1), 1, &json!("receipt-mismatch")));
    std::fs::write(&lying, &text[..text.len() / 2]).unwrap();
    let (code, said) = verify(lying.to_str().unwrap(), &[]);
    assert_eq!((code, &said[0]["code"]), (Some(1), &json!("receipt-malformed")));
    // Written in another way: read as JSON, and no receipt.
    let pretty: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    std::fs::write(&lying, serde_json::to_string_pretty(&pretty).unwrap()).unwrap();
    let (code, said) = verify(lying.to_str().unwrap(), &[]);
    assert_eq!(
        (code, &said[0]["kind"], &said[0]["code"]),
        (Some(1), &json!("receipt"), &json!("receipt-malformed"))
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
