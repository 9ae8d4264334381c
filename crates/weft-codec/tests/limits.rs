//! What the formats forbid is refused, each with its code, and what they just allow is taken.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use weft_codec::ao::{Assignment, Module, Process};
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::{self, Tag};
use weft_codec::transaction::Transaction;
use weft_codec::{Address, Code, Result, bundle, scheduler_page};

fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code()
}

fn item(tags: Vec<Tag>) -> Result<DataItem> {
    Unsigned { owner: vec![1; 512], tags, ..Unsigned::default() }.sign_with(vec![2; 512])
}

fn tag_list(pairs: &[(&str, &str)]) -> Vec<Tag> {
    pairs.iter().map(|(name, value)| Tag::new(*name, *value)).collect()
}

#[test]
fn tags_have_limits() {
    let many = |count| (0..count).map(|n| Tag::new(format!("{n}"), "")).collect::<Vec<_>>();
    assert!(item(many(128)).is_ok());
    assert_eq!(code(item(many(129))), Code::TooLarge);
    let long = |name, value| item(vec![Tag::new("n".repeat(name), "v".repeat(value))]);
    assert!(long(1024, 3061).is_ok(), "4096 bytes in all: 1 + 2 + 1024 + 2 + 3061 + … fit");
    assert!(long(900, 3072).is_ok());
    assert_eq!(code(long(1025, 1)), Code::TooLarge);
    assert_eq!(code(long(1, 3073)), Code::TooLarge);
    assert_eq!(code(long(1024, 3072)), Code::TooLarge);
}

/// ANS-104's limits bind writers. Readers of the network take what fits into 4096 bytes.
#[test]
fn readers_take_more_tags_than_writers_may_make() {
    for tags in [vec![Tag::new("", ""); 2046], vec![Tag::new("n".repeat(1025), "v".repeat(3064))]] {
        let raw = tags::encode(&tags);
        assert!(raw.len() == tags::MAX_BYTES || raw.len() == tags::MAX_BYTES - 1, "{}", raw.len());
        assert_eq!(tags::decode(&raw, tags.len() as u64).unwrap(), tags);
        assert_eq!(code(tags::check_limits(&tags)), Code::TooLarge);
    }
    assert_eq!(code(tags::decode(&[0; tags::MAX_BYTES + 1], 0)), Code::TooLarge);
}

#[test]
fn tags_are_avro_to_the_last_byte() {
    // One tag: n = v.
    for raw in [&[2, 2, b'n', 2, b'v', 0][..], &[1, 8, 2, b'n', 2, b'v', 0]] {
        assert_eq!(tags::decode(raw, 1).unwrap(), tag_list(&[("n", "v")]));
    }
    let wrong: [&[u8]; 11] = [
        &[],                              // no tags at all
        &[0],                             // the end at once
        &[2, 2, b'n', 2, b'v'],           // no end
        &[2, 2, b'n', 2, b'v', 0, 0],     // something after the end
        &[2, 2, b'n', 2],                 // cut in a value
        &[4, 2, b'n', 2, b'v', 0],        // two announced, one there
        &[2, 1, b'n', 2, b'v', 0],        // a negative length
        &[1, 6, 2, b'n', 2, b'v', 0],     // a block longer than its size
        &[1, 10, 2, b'n', 2, b'v', 0, 0], // a block shorter than its size
        &[1, 80, 2, b'n', 2, b'v', 0],    // a block longer than the tags
        &[0xff; 11],                      // a number of more than 64 bits
    ];
    for raw in wrong {
        assert_eq!(code(tags::decode(raw, 1)), Code::TagsMalformed, "{raw:?}");
    }
    // The largest counts a header and a block can claim.
    assert_eq!(code(tags::decode(&[0], u64::MAX)), Code::TagsMalformed);
    let most = [&[0xff; 9][..], &[1, 2]].concat();
    assert_eq!(code(tags::decode(&most, 1)), Code::TagsMalformed);
    assert!(tags::decode(&[0], 0).unwrap().is_empty());
}

#[test]
fn items_have_known_types_and_presence_bytes() {
    let bytes = item(vec![]).unwrap().to_bytes();
    let with = |at: usize, byte: u8| {
        let mut changed = bytes.clone();
        changed[at] = byte;
        DataItem::parse(&changed)
    };
    assert!(with(0, 1).is_ok());
    for kind in [0, 8, 100, 102, 255] {
        assert_eq!(code(with(0, kind)), Code::ItemMalformed, "type {kind}");
    }
    assert_eq!(code(with(1, 1)), Code::ItemMalformed);
    for presence in [1026, 1027] {
        assert_eq!(code(with(presence, 2)), Code::ItemMalformed);
        assert_eq!(code(with(presence, 1)), Code::ItemTruncated, "32 bytes are announced");
    }
    assert_eq!(code(with(1028, 1)), Code::TagsMalformed, "a tag is announced");
    assert_eq!(code(with(1036, 1)), Code::ItemTruncated, "tag bytes are announced");
    assert_eq!(code(with(1043, 0xff)), Code::TooLarge);
    let short = Unsigned { owner: vec![1; 256], ..Unsigned::default() };
    assert_eq!(code(short.sign_with(vec![2; 512])), Code::ItemMalformed);
}

#[test]
fn bundles_announce_what_they_hold() {
    assert!(bundle::parse(&[0; 32]).unwrap().is_empty());
    assert_eq!(code(bundle::parse(&[])), Code::BundleMalformed);
    let count = |at: usize, byte: u8| {
        let mut bytes = [0; 96];
        bytes[at] = byte;
        code(bundle::parse(&bytes))
    };
    assert_eq!(count(0, 2), Code::BundleMalformed, "more than there is room for");
    assert_eq!(count(3, 1), Code::TooLarge);
    assert_eq!(count(31, 1), Code::BundleMalformed, "more than 64 bits");
    assert_eq!(count(0, 1), Code::ItemTruncated, "an item of no bytes");
}

fn transaction(change: impl FnOnce(&mut Value)) -> Result<Transaction> {
    let id = "A".repeat(43);
    let mut json = json!({
        "format": 2, "id": id, "last_tx": "", "owner": "AQAB", "tags": [], "target": "", "quantity": "0",
        "data": "", "data_size": "0", "data_root": "", "reward": "1", "signature": "AAAA",
    });
    change(&mut json);
    Transaction::from_json(json.to_string().as_bytes())
}

#[test]
fn transactions_have_possible_fields() {
    assert!(transaction(|_| ()).is_ok());
    assert_eq!(transaction(|t| drop(t.as_object_mut().unwrap().remove("format"))).unwrap().format, 1);
    for (field, value) in [
        ("format", json!(3)),
        ("format", json!("2")),
        ("quantity", json!("01")),
        ("quantity", json!("-1")),
        ("quantity", json!("")),
        ("reward", json!("1e3")),
        ("reward", json!("9".repeat(40))),
        ("data_size", json!("99999999999999999999")),
        ("data_size", json!("5")), // without a root
        ("signature", json!("")),
        ("owner", json!("A".repeat(684))), // 513 bytes
        ("owner", json!("A".repeat(44))),  // 33 bytes: what an ECDSA key has, which is never printed
        ("signature", json!("A".repeat(684))),
        ("last_tx", json!("A".repeat(66))), // 49 bytes
        ("tags", json!("none")),
    ] {
        assert_eq!(
            code(transaction(|t| t[field] = value.clone())),
            Code::TransactionMalformed,
            "{field} {value}"
        );
    }
    assert_eq!(code(transaction(|t| t["owner"] = json!("?"))), Code::Base64Invalid);
    assert!(transaction(|t| t["owner"] = json!("")).unwrap().is_ecdsa());
    let old = |t: &mut Value| (t["format"], t["owner"]) = (json!(1), json!(""));
    assert_eq!(code(transaction(old)), Code::TransactionMalformed, "format 1 has RSA keys alone");
    let large = |t: &mut Value| t["data"] = json!("A".repeat(14 << 20));
    assert_eq!(code(transaction(large)), Code::TooLarge, "10 MiB and a half of data");
    assert_eq!(code(transaction(|t| t["target"] = json!("AAAA"))), Code::IdInvalid);
    let tag = json!({"name": "", "value": "A".repeat(2732)});
    assert_eq!(code(transaction(|t| t["tags"] = json!([tag]))), Code::TooLarge, "2049 bytes of tags");
    assert_eq!(
        code(transaction(|t| t["tags"] = json!(vec![json!({"name": "", "value": ""}); 2049]))),
        Code::TooLarge
    );
    assert_eq!(code(Transaction::from_json(b"<html>")), Code::JsonInvalid);
    assert_eq!(code(Transaction::from_json("[".repeat(10_000).as_bytes())), Code::TransactionMalformed);
}

#[test]
fn pages_follow_the_api() {
    let parse = |json: Value| scheduler_page::parse(json.to_string().as_bytes());
    assert!(parse(json!({"page_info": {"has_next_page": true}, "edges": []})).unwrap().has_next_page);
    for json in [
        json!({}),
        json!({"page_info": {}, "edges": []}),
        json!({"page_info": {"has_next_page": false}, "edges": [{"cursor": "1"}]}),
        json!({"page_info": {"has_next_page": false}, "edges": [{"cursor": "1", "node": {}}]}),
        json!({"page_info": {"has_next_page": false}, "edges": [{"cursor": {}, "node": {}}]}),
    ] {
        assert_eq!(code(parse(json.clone())), Code::PageMalformed, "{json}");
    }
    assert_eq!(code(scheduler_page::parse(b"<!doctype html>")), Code::JsonInvalid);
    assert_eq!(code(scheduler_page::parse(b"")), Code::JsonInvalid);
}

#[test]
fn typed_views_need_their_tags() {
    const ID: &str = "DcccvmuHG83kIjXWtB2OBTDcZbFB32EXwbMWuTzmxSo";
    let process = [
        ("Data-Protocol", "other"),
        ("Data-Protocol", "ao"),
        ("Type", "Process"),
        ("Module", ID),
        ("Scheduler", ID),
    ];
    let read = |tags: &[(&str, &str)]| Process::read(item(tag_list(tags)).unwrap());
    assert_eq!(read(&process).unwrap().scheduler.as_str(), ID);
    for missing in 1..process.len() {
        let tags: Vec<_> =
            process.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, tag)| *tag).collect();
        assert_eq!(code(read(&tags)), Code::NotAProcess, "without {}", process[missing].0);
    }
    let authorities =
        [&process[..], &[("Authority", "a, b"), ("Authority", "c,"), ("Authority", "")]].concat();
    let texts: Vec<String> = read(&authorities).unwrap().authorities.iter().map(Address::to_string).collect();
    assert_eq!(texts, ["a", "b", "c"]);

    let read = |tags: &[(&str, &str)]| Module::read(item(tag_list(tags)).unwrap());
    assert_eq!(read(&[("Type", "Module"), ("Module-Format", "wasm32")]).unwrap().format, "wasm32");
    assert_eq!(code(read(&[("Type", "Module")])), Code::NotAModule);
    assert_eq!(code(read(&[("Module-Format", "wasm32")])), Code::NotAModule);

    // March 2024: no Type, and in another order.
    let old = [
        ("Process", ID),
        ("Message", ID),
        ("Epoch", "0"),
        ("Nonce", "6583"),
        ("Hash-Chain", ID),
        ("Block-Height", "000001393008"),
        ("Timestamp", "1711676638471"),
    ];
    let read = |tags: &[(&str, &str)]| Assignment::read(item(tag_list(tags)).unwrap());
    assert_eq!(read(&old).unwrap().slot, 6583);
    for missing in [0, 3, 4, 5, 6] {
        let tags: Vec<_> =
            old.iter().enumerate().filter(|(at, _)| *at != missing).map(|(_, tag)| *tag).collect();
        assert_eq!(code(read(&tags)), Code::NotAnAssignment, "without {}", old[missing].0);
    }
    let other = [&old[..], &[("Type", "Message")]].concat();
    assert_eq!(code(read(&other)), Code::NotAnAssignment);
}
