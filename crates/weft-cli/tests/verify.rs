//! `weft verify` over the committed fixtures: what it says of each, and how it exits.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use clap::Parser as _;
use serde_json::Value;
use weft_cli::verify::{REFUSED, UNREADABLE, VALID, VerifyArgs, run};

const SIGNER: &str = "mx8zvkz0jWNwAiBnBqkGcZqqfcFYptbrL4RIKMd4anc";
const PROCESS: &str = "DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo";

#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    args: VerifyArgs,
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(path)
}

fn verify(paths: &[&Path], options: &[&str]) -> (u8, Vec<Value>) {
    let mut words: Vec<&str> = vec!["verify", "--json"];
    words.extend(options);
    words.extend(paths.iter().map(|path| path.to_str().unwrap()));
    let mut out = Vec::new();
    let code = run(&Command::parse_from(words).args, &mut out);
    let text = String::from_utf8(out).unwrap();
    (code, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn one(path: &str, options: &[&str]) -> (u8, Vec<Value>) {
    verify(&[&fixture(path)], options)
}

fn of<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["kind"] == kind).collect()
}

#[test]
fn an_item_and_a_changed_one() {
    let (code, lines) = one("ans104/type1-ao-message.item", &[]);
    assert_eq!((code, lines.len()), (VALID, 1));
    assert_eq!((&lines[0]["kind"], &lines[0]["ok"]), (&"item".into(), &true.into()));
    assert_eq!(lines[0]["id"], "fysmKXzz4e79B1O1Xyi3JfRCUlPQESnYdnywJ8tiwJM");
    let (code, lines) = one("ans104/invalid/type1-tag-byte-changed.item", &[]);
    assert_eq!(
        (code, &lines[0]["ok"], &lines[0]["code"]),
        (REFUSED, &false.into(), &"signature-invalid".into())
    );
}

#[test]
fn every_invalid_file_is_refused() {
    for entry in std::fs::read_dir(fixture("ans104/invalid")).unwrap() {
        let path = entry.unwrap().path();
        let (code, lines) = verify(&[&path], &[]);
        assert_eq!(code, REFUSED, "{}: {lines:?}", path.display());
    }
}

#[test]
fn bundles_are_opened_to_the_last_item() {
    let (code, lines) = one("ans104/goar-bundleData.bundle", &[]);
    assert_eq!((code, of(&lines, "item").len()), (VALID, 2));
    // A bundle in a bundle.
    let (_, lines) = one("ans104/nested.bundle", &[]);
    assert!(lines.iter().any(|line| line["path"].as_str().unwrap().ends_with("#0#1")), "{lines:?}");
}

#[test]
fn a_stored_history_needs_its_signer_accepted() {
    let folder = format!("ao-su/{PROCESS}");
    let paths: Vec<PathBuf> =
        (0..31).map(|slot| fixture(&format!("{folder}/nonce-{slot:03}.item"))).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let (code, lines) = verify(&paths, &["--accept-scheduler", SIGNER]);
    assert_eq!(code, VALID);
    // 31 outer items, 31 assignments, 16 messages, and the history.
    assert_eq!((of(&lines, "item").len(), of(&lines, "history").len()), (78, 1));
    let history = lines.last().unwrap();
    assert_eq!(
        (&history["kind"], &history["id"], &history["ok"]),
        (&"history".into(), &PROCESS.into(), &true.into())
    );
    assert!(history["message"].as_str().unwrap().starts_with("slots 0 to 30 "), "{history}");

    let (code, lines) = verify(&paths, &[]);
    assert_eq!((code, &lines.last().unwrap()["code"]), (REFUSED, &"scheduler-mismatch".into()));
    let fields = &lines.last().unwrap()["fields"];
    assert_eq!((&fields["signer"], &fields["slot"]), (&SIGNER.into(), &"0".into()), "{fields}");
    // One entry taken away.
    let without: Vec<&Path> =
        paths.iter().copied().filter(|path| !path.ends_with("nonce-010.item")).collect();
    let (code, lines) = verify(&without, &["--accept-scheduler", SIGNER]);
    assert_eq!((code, &lines.last().unwrap()["code"]), (REFUSED, &"slot-missing".into()));
    let fields = &lines.last().unwrap()["fields"];
    assert_eq!((&fields["wanted"], &fields["slot"]), (&"10".into(), &"11".into()), "{fields}");
}

#[test]
fn a_page_is_a_history_if_it_has_anchors() {
    let accept = ["--accept-scheduler", SIGNER];
    let (code, lines) = one(&format!("ao-su/{PROCESS}/page-rendered-show-anchor.json"), &accept);
    assert_eq!((code, of(&lines, "assignment").len(), of(&lines, "message").len()), (VALID, 31, 16));
    assert_eq!(lines.last().unwrap()["kind"], "history");
    let (code, lines) = one(&format!("ao-su/{PROCESS}/page-rendered.json"), &accept);
    assert_eq!(code, REFUSED);
    assert!(of(&lines, "message").iter().all(|line| line["ok"] == true));
    assert!(of(&lines, "assignment").iter().all(|line| line["code"] == "anchor-missing"));
}

#[test]
fn transactions_and_things_that_are_none() {
    let (code, lines) = one("arweave-l1/tx-fgZVZzLOTwdVdeqnPZrbHmtx2MXfyjqNc6xOrt6wOMk.json", &[]);
    assert_eq!((code, &lines[0]["kind"]), (VALID, &"transaction".into()));
    let (code, lines) = one("arweave-l1/v2_tx_data_root_only.json", &[]);
    assert_eq!((code, &lines[0]["code"]), (REFUSED, &"id-mismatch".into()));
    // A file the user named must be something; in a folder it may be anything.
    assert_eq!(one("README.md", &[]).0, REFUSED);
    let (code, lines) = one("vectors", &[]);
    assert_eq!((code, lines.iter().all(|line| line["ok"].is_null())), (UNREADABLE, true));
    let (code, lines) = one("no-such-file", &[]);
    assert_eq!((code, &lines[0]["code"]), (UNREADABLE, &"unreadable".into()));
}

/// Files in order, and then what they say about each other.
#[test]
fn a_folder_is_read_in_order() {
    let (code, lines) = one("arweave-l1", &[]);
    let together = ["block-link", "block-txs", "chunk"].map(Value::from);
    let (after, files): (Vec<&Value>, Vec<&Value>) =
        lines.iter().partition(|line| together.contains(&line["kind"]));
    let paths: Vec<&str> = files.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert!(paths.is_sorted() && paths.len() == 12, "{paths:?}");
    assert_eq!(after.len(), 3);
    assert_eq!(code, REFUSED, "one transaction is none");
}

#[test]
fn blocks_their_links_and_their_transactions() {
    let (code, lines) = one("arweave-l1/blocks", &[]);
    assert_eq!((code, of(&lines, "block").len(), of(&lines, "block-link").len()), (VALID, 7, 2));
    assert!(lines.iter().all(|line| line["ok"] == true));
    assert_eq!(of(&lines, "block")[0]["id"].as_str().unwrap().len(), 64);
    let block = fixture("arweave-l1/blocks/1974239.json");
    let transaction = fixture("arweave-l1/tx-cqcmzP9MUXEA8a_FIHHjZU-QIgn7uoPv4D3qQL0OlFQ.json");
    let (code, lines) = verify(&[&block, &transaction], &[]);
    assert_eq!((code, of(&lines, "block-txs").len()), (VALID, 1));
    let (_, lines) = verify(&[&block], &[]);
    assert_eq!(of(&lines, "block-txs").len(), 0);
}

#[test]
fn changed_blocks_are_refused() {
    let folder = std::env::temp_dir().join(format!("weft-verify-blocks-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text = std::fs::read_to_string(fixture("arweave-l1/blocks/1315910.json")).unwrap();
    let file = folder.join("block.json");
    let verdict = |text: String| {
        std::fs::write(&file, text).unwrap();
        let (code, lines) = verify(&[&file], &[]);
        (code, lines[0]["kind"].clone(), lines[0]["code"].clone())
    };
    let refused = |code: &str| (REFUSED, "block".into(), code.into());
    assert_eq!(
        verdict(text.replace("\"height\":1315910", "\"height\":1315911")),
        refused("block-hash-mismatch")
    );
    assert_eq!(verdict(text.replace("\"height\":1315910", "\"height\":-1")), refused("block-malformed"));
    let (code, kind, why) = verdict(text.replace("\"height\":1315910", "\"height\":1"));
    assert_eq!((code, kind, why), (UNREADABLE, "block".into(), Value::Null), "too old to be hashed");
    // Not the block after it, though it says so.
    let other = std::fs::read_to_string(fixture("arweave-l1/blocks/1315909.json")).unwrap();
    std::fs::write(folder.join("block-0.json"), other.replace("\"weave_size\":\"1", "\"weave_size\":\"2"))
        .unwrap();
    std::fs::write(&file, text).unwrap();
    let (code, lines) = verify(&[&folder], &[]);
    assert_eq!((code, of(&lines, "block-link").len()), (REFUSED, 0), "a refused block links nothing");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Chunks as gateways serve them, where the collection of real ones stands beside the repository.
#[test]
fn chunks_of_transactions() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/arweave-l1");
    if !shared.is_dir() {
        return;
    }
    let chunk = shared.join("chunks/51530681327863.json");
    let transaction = shared.join("txs/ar-io/tx-----LT69qUmuIeC4qb0MZHlxVp7UxLu_14rEkA_9n6w.json");
    let (code, lines) = verify(&[&chunk, &transaction], &[]);
    let line = of(&lines, "chunk")[0].clone();
    assert_eq!((code, &line["ok"]), (VALID, &true.into()), "{line}");
    let (_, lines) = verify(&[&chunk], &[]);
    assert!(of(&lines, "chunk")[0]["ok"].is_null(), "without its transaction it belongs to nothing");
    let (_, lines) = verify(&[&shared.join("chunks/random-chunk.json")], &[]);
    assert!(of(&lines, "chunk")[0]["message"].as_str().unwrap().contains("a root that it prints itself"));
}

#[test]
fn lines_for_people() {
    let args = Command::parse_from(["verify", fixture("ans104/type1-min.item").to_str().unwrap()]).args;
    let mut out = Vec::new();
    assert_eq!(run(&args, &mut out), VALID);
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("valid   item        uPD9bS9BZPZE9ltyqkiKObrLW_0Q85gv-qTisXbFISw "), "{text}");
    assert!(Command::try_parse_from(["verify"]).is_err(), "a path is needed");
}

#[test]
fn a_fraud_proof_and_a_changed_one() {
    let history = weft_tests::history::OwnHistory::get();
    let mut draft = history.drafts[2].clone();
    draft.message = Some(history.process.id().to_string());
    let proof = weft_verify::FraudProof::of(&history.entries[2].assignment, &draft.sign()).unwrap();
    let folder = std::env::temp_dir().join(format!("weft-fraud-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("fraud.json");
    std::fs::write(&file, format!("{:#}", proof.to_json())).unwrap();
    let (code, lines) = verify(&[&file], &[]);
    assert_eq!((code, lines.len()), (VALID, 1));
    assert_eq!((&lines[0]["kind"], &lines[0]["ok"]), (&"fraud".into(), &true.into()));
    assert!(lines[0]["message"].as_str().unwrap().contains("two assignments for slot 2"), "{}", lines[0]);
    for (name, value, expected) in [
        ("slot", 3.into(), "fraud-unfounded"),
        ("second", proof.to_json()["first"].clone(), "fraud-unfounded"),
        ("scheduler", PROCESS.into(), "scheduler-mismatch"),
        ("version", 9.into(), "request-invalid"),
    ] {
        let mut json = proof.to_json();
        json[name] = value;
        std::fs::write(&file, json.to_string()).unwrap();
        let (code, lines) = verify(&[&file], &[]);
        assert_eq!((code, &lines[0]["code"]), (REFUSED, &expected.into()), "{name}: {lines:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
