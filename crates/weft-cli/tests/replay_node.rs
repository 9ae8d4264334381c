//! `weft replay PROCESS --scheduler URL` with a HyperBEAM node at the URL: it serves the schedule that a real one served.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use serde_json::{Value, json};
use weft_node::seams::{Method, Request};
use weft_tests::world::Site;
use weft_tests::world::hyperbeam::{TOKEN, TOKEN_PAGES, node, recorded_schedule};

/// Serves until the test ends; answers with the URL.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let site = node(TOKEN, recorded_schedule(&TOKEN_PAGES));
        for stream in listener.incoming() {
            answer(stream.unwrap(), &site);
        }
    });
    url
}

fn answer(mut stream: TcpStream, site: &Site) {
    let mut lines = BufReader::new(&mut stream).lines();
    let first = lines.next().unwrap().unwrap();
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let headers = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    let headers = headers.filter_map(|line| {
        line.split_once(':').map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    let request = Request {
        method: Method::Get,
        url: format!("http://node{path}"),
        content_type: None,
        headers: headers.collect(),
        body: Vec::new(),
        max_bytes: u64::MAX,
        timeout_ms: 1_000,
    };
    let response = site(&request).unwrap();
    let mut head = format!("HTTP/1.1 {} .\r\ncontent-length: {}\r\n", response.status, response.body.len());
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&response.body)).unwrap();
    // Until the client has read it and closes.
    let _ = stream.read(&mut [0]);
}

#[test]
fn the_process_of_a_node_is_replayed() {
    let url = serve();
    let replay = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_weft"))
            .args(["replay", TOKEN, "--scheduler", &url, "--json"])
            .args(more)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (output.status.code(), lines)
    };
    let (code, lines) = replay(&["--to", "10"]);
    assert_eq!(code, Some(0), "{lines:?}");
    assert_eq!(lines.len(), 12);
    // As the node answered it: `tests/fixtures/hyperbeam-live/token-results-httpsig-003.json`.
    assert_eq!((&lines[3]["slot"], &lines[3]["output"]), (&json!(3), &json!("moved 250")));
    assert_eq!(lines[11]["summary"]["replayed"], json!(10));
    let (code, lines) = replay(&["--to", "99"]);
    assert_eq!((code, &lines.last().unwrap()["error"]["code"]), (Some(1), &json!("not-found")));
}
