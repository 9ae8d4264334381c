//! Recorded exchanges with a real HyperBEAM node: every signature in them, of requests and of answers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "what was verified and what not is the result")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use weft_codec::message::httpsig::Encoded;
use weft_codec::{Code, Result};
use weft_verify::http::{self, Answer, Committed};
use weft_verify::{Untrusted, Verified};

/// Who answers in the recordings.
const NODE: &str = "VURJyoouFg4afMmitXRKx5BVUmw8x6AeyIUW8DTO2KU";

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// The exchanges in a folder, by name.
fn recordings(folder: &Path) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inside) = folders.pop() {
        for entry in std::fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap());
            }
        }
    }
    found
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn headers(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Array(pairs) => pairs.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        other => panic!("{other}"),
    }
}

/// None where the recording has only the beginning of it, or its hash.
fn body(message: &Value) -> Option<Vec<u8>> {
    let body = &message["body"];
    match (body.get("text"), body.get("base64")) {
        _ if body.is_null() => Some(Vec::new()),
        _ if body.get("cut").is_some() => None,
        (Some(body), _) => Some(text(body).into_bytes()),
        (_, Some(body)) => Some(STANDARD.decode(text(body)).unwrap()),
        _ => None,
    }
}

fn is_signed(message: &Value) -> bool {
    !message["headers"].is_null() && headers(&message["headers"]).iter().any(|(name, _)| name == "signature")
}

fn answer(file: &Value, name: &str) -> Result<Verified<Answer>> {
    let response = &file["response"];
    let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
    http::answer(status, headers(&response["headers"]), body(response).unwrap_or_default(), name)
}

fn request(file: &Value, name: &str) -> Result<Verified<Committed>> {
    let request = &file["request"];
    let encoded = Encoded::received(headers(&request["headers"]), body(request).unwrap()).unwrap();
    http::signed_message(Untrusted::new(encoded, name))
}

/// All of a recording holds: its commitments and everything nested.
fn all_hold(committed: &Committed) -> bool {
    committed.refused.is_empty() && committed.held.iter().all(|held| held.unproved.is_empty())
}

#[test]
fn every_recorded_answer() {
    let live = folder("../shared/fixtures/hyperbeam/live");
    if !live.is_dir() {
        println!(
            "hyperbeam/live: ../shared/fixtures is not there; the committed exchanges are in another test"
        );
        return;
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut unsigned = 0;
    for (name, file) in recordings(&live) {
        let response = &file["response"];
        if !is_signed(response) {
            unsigned += 1;
            continue;
        }
        let cut = response["body"].get("cut").is_some();
        let verdict = match answer(&file, &name) {
            Ok(answer) => {
                assert!(all_hold(&answer.commitments), "{name}: {:?}", answer.commitments.refused);
                let signers: Vec<_> =
                    answer.commitments.signers().into_iter().map(ToString::to_string).collect();
                // A stored message is answered with its own signatures.
                assert!(!signers.is_empty(), "{name}");
                format!("verified, signed by {}", if signers == [NODE] { "the node" } else { "others" })
            }
            Err(error) if cut => {
                assert_eq!(error.code(), Code::ComponentMissing, "{name}: {error}");
                "the recording has only the beginning of the body".to_owned()
            }
            Err(error) => {
                assert_eq!(
                    (error.code(), &*name),
                    (Code::SignatureUnsupported, "http/meta/info-bundle.json"),
                    "{error}"
                );
                "a nested list of more than 32 keys, whose order only Erlang knows".to_owned()
            }
        };
        *counts.entry(verdict).or_default() += 1;
    }
    println!(
        "hyperbeam/live: {} signed answers: {counts:?}; {unsigned} files without",
        counts.values().sum::<usize>()
    );
    let verified: usize =
        counts.iter().filter(|(verdict, _)| verdict.starts_with("verified")).map(|(_, n)| n).sum();
    assert_eq!((verified, counts.values().sum()), (344, 354_usize));
}

#[test]
fn every_recorded_request() {
    let live = folder("../shared/fixtures/hyperbeam/live");
    if !live.is_dir() {
        println!(
            "hyperbeam/live: ../shared/fixtures is not there; the committed exchanges are in another test"
        );
        return;
    }
    let (mut verified, mut altered) = (0, Vec::new());
    for (name, file) in recordings(&live) {
        if !is_signed(&file["request"]) {
            continue;
        }
        match request(&file, &name) {
            Ok(committed) => {
                assert!(all_hold(&committed), "{name}");
                verified += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), Code::SignatureInvalid, "{name}: {error}");
                altered.push(name);
            }
        }
    }
    println!(
        "hyperbeam/live: {verified} signed requests verified, altered on purpose and refused: {altered:?}"
    );
    assert_eq!(altered, ["http/errors/post-bad-signature.json", "http/errors/post-changed-value.json"]);
    assert_eq!(verified, 92);
}

/// The committed ones, and what exactly is known from each.
#[test]
fn what_is_known_from_an_answer() {
    let all = recordings(&folder("tests/fixtures/hyperbeam-live"));
    assert_eq!(all.len(), 7);
    for (name, file) in &all {
        assert!(all_hold(&answer(file, name).unwrap().commitments), "{name}");
    }
    // The assignment of a message: `status` was added after signing, the message is inline and was signed linked.
    let posted = answer(&all["token-requests-03-transfer.json"], "test").unwrap();
    let said = posted.said_by(&NODE.parse().unwrap()).unwrap();
    assert_eq!(said.text("slot"), Some("3"));
    assert_eq!(said.map("body").unwrap().text("action"), Some("Transfer"));
    assert!(!posted.status_is_signed && posted.unsigned_keys.contains("status") && !said.has("status"));
    let nested = &posted.commitments.held.iter().find(|held| held.signer.is_some()).unwrap().nested;
    assert_eq!(nested["body"][0].as_str(), "wtl7n8WWlAdwZ7xk93kMA0Y-Gbaa1Z_cE5G4_CQbMQY");
    assert_eq!(posted.checks().len(), 2);
    // A nested data item.
    let item = answer(&all["token-requests-19-x.json"], "test").unwrap();
    let body = item.said_by(&NODE.parse().unwrap()).unwrap().map("body").unwrap();
    assert_eq!(body.text("data"), Some("an ans-104 item"));
    // Keys that are like ids, which the list of what is signed leaves out.
    let balances = answer(&all["token-state-key-balances-001.json"], "test").unwrap();
    let said = balances.said_by(&NODE.parse().unwrap()).unwrap();
    assert_eq!(said.text("wtl7n8WWlAdwZ7xk93kMA0Y-Gbaa1Z_cE5G4_CQbMQY"), Some("1000"));
    assert!(balances.status_is_signed);
    // A value changed on the way there.
    let changed = request(&all["http-errors-post-changed-value.json"], "test").unwrap_err();
    assert_eq!(changed.code(), Code::SignatureInvalid);
}

#[test]
fn another_status_and_no_signature_are_refused() {
    let all = recordings(&folder("tests/fixtures/hyperbeam-live"));
    let response = &all["token-results-httpsig-003.json"]["response"];
    let (mut headers, body) = (headers(&response["headers"]), body(response).unwrap());
    assert!(http::answer(200, headers.clone(), body.clone(), "test").unwrap().status_is_signed);
    let error = http::answer(404, headers.clone(), body.clone(), "test").unwrap_err();
    assert_eq!(error.code(), Code::SignatureInvalid);
    headers.retain(|(name, _)| name != "signature");
    assert_eq!(http::answer(200, headers, body, "test").unwrap_err().code(), Code::SignatureMissing);
}

/// Flip any one bit of what was signed, in the headers or the body, and it is not said by the node any more.
#[test]
fn a_flipped_bit_is_never_accepted() {
    let node = NODE.parse().unwrap();
    let (mut tried, mut refused) = (0, 0);
    for (name, file) in recordings(&folder("tests/fixtures/hyperbeam-live")) {
        let whole = answer(&file, &name).unwrap();
        let Some(said) = whole.said_by(&node) else { continue };
        let response = &file["response"];
        let headers: Vec<(String, Vec<u8>)> = headers(&response["headers"])
            .into_iter()
            .map(|(name, value)| (name, value.into_bytes()))
            .collect();
        let body = body(response).unwrap();
        let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        let mut check = |headers: &[(String, Vec<u8>)], body: &[u8]| {
            tried += 1;
            match http::answer(status, headers.iter().cloned(), body.to_vec(), "test") {
                Err(_) => refused += 1,
                // What nobody signed may change; what the node said may only lose what is not proved any more.
                Ok(answer) => match answer.said_by(&node) {
                    Some(now) => assert!(within(now, said), "{name}: {now:?}"),
                    None => refused += 1,
                },
            }
        };
        for (at, (_, value)) in headers.iter().enumerate() {
            for place in (0..value.len()).step_by(value.len() / 24 + 1) {
                let mut changed = headers.clone();
                changed[at].1[place] ^= 1 << (place % 8);
                check(&changed, &body);
            }
        }
        for place in (0..body.len()).step_by(body.len() / 400 + 1) {
            let mut changed = body.clone();
            changed[place] ^= 1 << (place % 8);
            check(&headers, &changed);
        }
    }
    println!("{tried} answers with one bit flipped, {refused} refused, the rest say nothing new");
    assert!(tried > 3000 && refused > 1000);
}

/// Whether one message says nothing that the other does not: what is nested may have become a link.
fn within(now: &weft_codec::message::Tabm, said: &weft_codec::message::Tabm) -> bool {
    now.iter().all(|(key, node)| match (node.as_map(), said.get(key)) {
        (_, Some(before)) if before == node => true,
        (Some(now), Some(before)) => before.as_map().is_some_and(|before| within(now, before)),
        (None, None) => key.strip_suffix("+link").is_some_and(|key| said.map(key).is_some()),
        _ => false,
    })
}
