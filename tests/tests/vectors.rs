//! The codec and the signatures against the vectors of the reference implementations.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]

use serde_json::Value;
use weft_codec::ao::Assignment;
use weft_codec::deep_hash::{Chunk, deep_hash};
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::tags::{self, Tag};
use weft_codec::transaction::Transaction;
use weft_codec::{Code, Id, base64url, bundle, merkle};
use weft_tests::fixtures;
use weft_tests::signing::TestKey;
use weft_verify::Untrusted;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} is text"))
}

fn bytes(value: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(value, name)).unwrap()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let list = value[name].as_array().unwrap();
    assert!(!list.is_empty(), "{name} has elements");
    list
}

fn tag_list(value: &Value) -> Vec<Tag> {
    serde_json::from_value(value.clone()).unwrap()
}

#[weft_tests::both]
fn deep_hashes() {
    let vectors = fixtures::json(fixtures::ARWEAVE);
    let blob = |text: &'static str| Chunk::Blob(text.as_bytes());
    let inputs = [
        blob(""),
        blob("abc"),
        Chunk::List(vec![]),
        Chunk::List(vec![blob("abc")]),
        Chunk::List(vec![blob("a"), Chunk::List(vec![blob("b"), blob("c")]), blob("")]),
    ];
    let wanted = list(&vectors, "deep_hash");
    assert_eq!(wanted.len(), inputs.len());
    for (wanted, input) in wanted.iter().zip(&inputs) {
        assert_eq!(hex::encode(deep_hash(input)), text(wanted, "hash_hex"), "{wanted}");
    }
}

#[weft_tests::both]
fn data_items() {
    for vector in list(&fixtures::json(fixtures::ANS104), "items") {
        let name = text(vector, "name");
        let raw = bytes(vector, "bytes_hex");
        let item = DataItem::parse(&raw).unwrap();
        assert_eq!(item.to_bytes(), raw, "{name}");
        assert_eq!(item.id().to_string(), text(vector, "id"), "{name}");
        assert_eq!(u64::from(item.signature_type), vector["signature_type"].as_u64().unwrap(), "{name}");
        assert_eq!(base64url::encode(&item.owner), text(vector, "owner_b64url"), "{name}");
        assert_eq!(
            item.target.map(|id| id.to_string()).unwrap_or_default(),
            text(vector, "target"),
            "{name}"
        );
        assert_eq!(
            hex::encode(item.anchor.as_ref().map_or(&[][..], |raw| raw)),
            text(vector, "raw_anchor_hex")
        );
        assert_eq!(item.tags, tag_list(&vector["tags"]), "{name}");
        assert_eq!(hex::encode(&item.raw_tags), text(vector, "raw_tags_hex"), "{name}");
        assert_eq!(
            hex::encode(item.signing_payload()),
            text(vector, "signature_payload_deep_hash_hex"),
            "{name}"
        );
        let verdict = weft_verify::item(Untrusted::new(item.clone(), name), Some(item.id()));
        assert!(verdict.is_ok(), "{name}: {verdict:?}");
    }
}

#[weft_tests::both]
fn an_item_is_signed_to_the_byte() {
    for vector in list(&fixtures::json(fixtures::ANS104), "items").iter().filter(|v| v["signature_type"] == 1)
    {
        let wanted = DataItem::parse(&bytes(vector, "bytes_hex")).unwrap();
        let DataItem { target, anchor, ref tags, ref data, .. } = wanted;
        let unsigned =
            Unsigned { target, anchor, tags: tags.clone(), data: data.clone(), ..Unsigned::default() };
        // The vectors' signatures have an empty salt, so they can be made again.
        assert_eq!(TestKey::get().item(unsigned).to_bytes(), wanted.to_bytes(), "{}", text(vector, "name"));
    }
}

#[weft_tests::both]
fn avro_tags() {
    for vector in list(&fixtures::json(fixtures::ANS104), "avro") {
        let tags = match &vector["tags"] {
            // The vector describes its longest list in words.
            Value::String(_) => (0..65).map(|n| Tag::new(format!("n{n}"), n.to_string())).collect(),
            list => tag_list(list),
        };
        let wanted = bytes(vector, "bytes_hex");
        assert_eq!(tags::encode(&tags), wanted);
        assert_eq!(tags::decode(&wanted, tags.len() as u64).unwrap(), tags);
        assert_eq!(tags::decode(&tags::encode_sized(&tags), tags.len() as u64).unwrap(), tags);
    }
}

#[weft_tests::both]
fn bundles() {
    let vectors = fixtures::json(fixtures::ANS104);
    let raw = bytes(&vectors["bundle"], "bytes_hex");
    let parsed = bundle::parse(&raw).unwrap();
    let items: Vec<DataItem> = parsed.iter().map(|(_, item)| item.clone()).collect();
    assert_eq!(bundle::encode(&items), raw);
    let ids: Vec<String> = parsed.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(serde_json::to_value(&ids).unwrap(), vectors["bundle"]["items"]);
    assert_eq!(weft_verify::bundle(Untrusted::new(parsed, "vectors")).unwrap().value(), &items);
}

#[weft_tests::both]
fn transactions() {
    for vector in list(&fixtures::json(fixtures::ARWEAVE), "transactions") {
        let name = text(vector, "name");
        let transaction = Transaction::from_json(vector["tx"].to_string().as_bytes()).unwrap();
        let payload = transaction.signing_payload();
        // The long payload of format 1 stands there by its hash and length only.
        if !vector["signature_payload_hex"].is_null() {
            assert_eq!(hex::encode(&payload), text(vector, "signature_payload_hex"), "{name}");
        }
        assert_eq!(
            hex::encode(Id::sha256(&payload).0),
            text(vector, "signature_payload_sha256_hex"),
            "{name}"
        );
        assert_eq!(payload.len() as u64, vector["payload_length"].as_u64().unwrap(), "{name}");
        assert_eq!(transaction.computed_id().to_string(), text(vector, "id_from_salt0"), "{name}");
        assert_eq!(
            Transaction::from_json(transaction.to_json().to_string().as_bytes()).unwrap(),
            transaction
        );
        assert!(
            weft_verify::transaction(Untrusted::new(transaction.clone(), name), None, None).is_ok(),
            "{name}"
        );
        // The same with a salt of 32 bytes: another signature, so another id.
        let signature = base64url::decode(text(vector, "signature_salt32_sample")).unwrap();
        let salted = Transaction { id: Id::sha256(&signature), signature, ..transaction.clone() };
        assert!(weft_verify::transaction(Untrusted::new(salted, name), None, None).is_ok(), "{name}");
        let renamed = Transaction { id: Id([7; 32]), ..transaction };
        let error = weft_verify::transaction(Untrusted::new(renamed, name), None, None).unwrap_err();
        assert_eq!(error.code(), Code::IdMismatch);
    }
}

/// What of a transaction is signed: a change of it is refused. (The printed data size of format 1 is not signed, but
/// compared with the data.)
#[weft_tests::both]
fn a_changed_transaction_is_refused() {
    let flip = |bytes: &mut Vec<u8>| bytes[0] ^= 1;
    for vector in list(&fixtures::json(fixtures::ARWEAVE), "transactions") {
        let transaction = Transaction::from_json(vector["tx"].to_string().as_bytes()).unwrap();
        let changed = |change: &dyn Fn(&mut Transaction)| {
            let mut changed = transaction.clone();
            change(&mut changed);
            if changed == transaction {
                return None; // this one has no such field
            }
            Some(weft_verify::transaction(Untrusted::new(changed, "changed"), None, None).unwrap_err().code())
        };
        let other_key = |t: &mut Transaction| flip(&mut t.owner);
        let signed: [&dyn Fn(&mut Transaction); 8] = [
            &|t| t.quantity.push('1'),
            &|t| t.reward.push('1'),
            &|t| flip(&mut t.last_tx),
            &other_key,
            &|t| t.target = Some(Id([9; 32])),
            &|t| t.denomination = 1,
            &|t| t.tags.iter_mut().for_each(|tag| tag.value.push(b'x')),
            &|t| t.tags.reverse(),
        ];
        for change in signed {
            assert!(matches!(changed(change), None | Some(Code::SignatureInvalid)));
        }
        assert_eq!(changed(&|t| t.data.push(0)), Some(Code::DataRootMismatch));
        assert_eq!(changed(&|t| flip(&mut t.signature)), Some(Code::IdMismatch));
    }
}

#[weft_tests::both]
fn data_roots() {
    for vector in list(&fixtures::json(fixtures::ARWEAVE), "data_roots") {
        let size = usize::try_from(vector["size"].as_u64().unwrap()).unwrap();
        let data: Vec<u8> = (0..size).map(|index| u8::try_from(index % 251).unwrap()).collect();
        assert_eq!(merkle::data_root(&data).to_string(), text(vector, "data_root"), "{size} bytes");
    }
}

#[weft_tests::both]
fn assignment_tags() {
    let vectors = fixtures::json(fixtures::AO);
    let example = &vectors["assignment_tags_example"];
    let tags = tag_list(&example["tags"]);
    assert_eq!(hex::encode(tags::encode(&tags)), text(example, "raw_tags_hex"));
    let item = TestKey::get().item(Unsigned { tags, ..Unsigned::default() });
    let assignment = Assignment::read(item).unwrap();
    assert_eq!(assignment.process.to_string(), text(&vectors["legacy_hash_chain"], "process_id"));
}

#[weft_tests::both]
fn old_items_are_read_by_tag_name() {
    let assignment = Assignment::read(DataItem::parse(fixtures::OLD_ASSIGNMENT).unwrap()).unwrap();
    assert_eq!((assignment.block_height, assignment.timestamp), (1_393_008, 1_711_676_638_471));
    let message = DataItem::parse(fixtures::OLD_MESSAGE).unwrap();
    assert_eq!(weft_codec::ao::kind(&message.tags), Some("message"));
    for item in [message, assignment.item] {
        weft_verify::item(Untrusted::new(item, "fixture"), None).unwrap();
    }
    let entry = bundle::parse(fixtures::ENTRY_2025).unwrap();
    let entry = weft_verify::bundle(Untrusted::new(entry, "fixture")).unwrap().into_parts().0;
    let assignment = Assignment::read(entry[0].clone()).unwrap();
    assert_eq!((assignment.slot, assignment.message), (247_050, Some(entry[1].id())));
}
