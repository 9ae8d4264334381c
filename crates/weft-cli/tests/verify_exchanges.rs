//! `weft verify` over recorded exchanges with a HyperBEAM node.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use serde_json::Value;
use weft_cli::verify::{REFUSED, VALID, VerifyArgs, run};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/hyperbeam-live")
}

/// The exit code, and a line for each thing found.
fn verify(path: PathBuf) -> (u8, Vec<Value>) {
    let args = VerifyArgs {
        paths: vec![path],
        accept_scheduler: Vec::new(),
        accept_owner: Vec::new(),
        module: Vec::new(),
        no_replay: true,
        json: true,
    };
    let mut out = Vec::new();
    let code = run(&args, &mut out);
    let lines = std::str::from_utf8(&out).unwrap().lines();
    (code, lines.map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn signed_halves_are_verified() {
    let (code, lines) = verify(folder());
    let of =
        |kind: &str, ok: bool| lines.iter().filter(|line| line["kind"] == kind && line["ok"] == ok).count();
    assert_eq!((of("answer", true), of("answer", false)), (7, 0));
    assert_eq!((of("request", true), of("request", false)), (2, 1));
    assert_eq!(code, REFUSED);
    let refused = lines.iter().find(|line| line["ok"] == false).unwrap();
    assert!(refused["path"].as_str().unwrap().ends_with("http-errors-post-changed-value.json#request"));
    assert_eq!(refused["code"], "signature-invalid");
}

#[test]
fn it_says_who_signed() {
    let (code, lines) = verify(folder().join("token-requests-03-transfer.json"));
    assert_eq!(code, VALID);
    let said = |kind: &str| {
        let line = lines.iter().find(|line| line["kind"] == kind).unwrap();
        line["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(said("request"), "signed by wtl7n8WWlAdwZ7xk93kMA0Y-Gbaa1Z_cE5G4_CQbMQY");
    assert!(said("answer").starts_with("signed by VURJyoouFg4afMmitXRKx5BVUmw8x6AeyIUW8DTO2KU; 1 nested"));
}

#[test]
fn schedules_of_a_node_are_histories() {
    let (code, lines) = verify(folder().join("../hyperbeam-schedules"));
    assert_eq!(code, VALID, "{lines:?}");
    let of = |kind: &str| lines.iter().filter(|line| line["kind"] == kind && line["ok"] == true).count();
    // 31 slots of the token, 13 and 12 of two processes that send to each other.
    assert_eq!((of("assignment"), of("history"), of("fraud")), (56, 3, 0));
    let token = "eBx69GteoL6hmsiYfK-69_YOfQralrjMPBPKHeGVuMc";
    let history = lines.iter().find(|line| line["kind"] == "history" && line["id"] == token).unwrap();
    assert!(history["message"].as_str().unwrap().starts_with("slots 0 to 30 follow each other"));
}
