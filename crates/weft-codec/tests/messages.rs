//! The AO-Core codecs against what HyperBEAM itself computed, in both generations.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "how many cases ran is part of the result")]

use serde_json::{Map, Value as Json};
use weft_codec::Id;
use weft_codec::message::{
    Commitment, Generation, Ids, Message, Node, Tabm, Value, committed_form, flat, httpsig, id,
    signature_base, structured, unsigned_commitment,
};

const UNSIGNED: &str = include_str!("../../../tests/fixtures/vectors/hb-unsigned-ids.json");
const SIGNED: &str = include_str!("../../../tests/fixtures/vectors/hb-signed.json");
const HASHPATH: &str = include_str!("../../../tests/fixtures/vectors/hb-hashpath.json");

fn cases(file: &str) -> Vec<Json> {
    serde_json::from_str::<Json>(file).unwrap()["cases"].as_array().unwrap().clone()
}

fn message(json: &Json) -> Message {
    match value(json) {
        Value::Message(message) => message,
        other => panic!("{other:?} is no message"),
    }
}

fn value(json: &Json) -> Value {
    match json {
        Json::String(text) => text.as_str().into(),
        Json::Number(number) => Value::Integer(number.as_i64().unwrap()),
        Json::Bool(truth) => (*truth).into(),
        Json::Null => Value::Atom("null".to_owned()),
        Json::Array(values) => Value::List(values.iter().map(value).collect()),
        Json::Object(map) => match map.iter().next() {
            Some((key, text)) if key == "$float" => Value::Float(text.as_str().unwrap().parse().unwrap()),
            Some((key, text)) if key == "$link" => Value::Link(text.as_str().unwrap().parse().unwrap()),
            Some((key, text)) if key == "$hex" => Value::Binary(hex::decode(text.as_str().unwrap()).unwrap()),
            _ => Value::Message(map.iter().map(|(key, json)| (key.clone(), value(json))).collect()),
        },
    }
}

/// A message of texts and maps as it stands in the vectors.
fn tabm(json: &Json) -> Tabm {
    let entries = json.as_object().unwrap().iter();
    entries
        .map(|(key, json)| match json {
            Json::String(text) => (key.clone(), text.as_str().into()),
            Json::Object(map) if map.contains_key("$link") => {
                (format!("{key}+link"), map["$link"].as_str().unwrap().into())
            }
            Json::Object(map) if map.contains_key("$hex") => {
                (key.clone(), hex::decode(map["$hex"].as_str().unwrap()).unwrap().into())
            }
            Json::Object(_) => (key.clone(), Node::Map(tabm(json))),
            other => panic!("{other} is not in a vector"),
        })
        .collect()
}

fn texts(map: impl IntoIterator<Item = (String, Vec<u8>)>) -> Json {
    map.into_iter()
        .map(|(key, bytes)| (key, Json::String(String::from_utf8(bytes).unwrap())))
        .collect::<Map<_, _>>()
        .into()
}

/// Headers and body as the vectors have them: one map.
fn encoded(encoded: httpsig::Encoded) -> Json {
    texts(encoded.headers.into_iter().chain(encoded.body.map(|body| ("body".to_owned(), body))))
}

fn received(json: &Json) -> httpsig::Encoded {
    let mut headers = json.as_object().unwrap().clone();
    let body = headers.remove("body").map(|body| body.as_str().unwrap().as_bytes().to_vec());
    let headers =
        headers.into_iter().map(|(name, value)| (name, value.as_str().unwrap().as_bytes().to_vec()));
    httpsig::Encoded { headers: headers.collect(), body }
}

/// The bytes that the unsigned commitment of a message is the HMAC of.
fn unsigned_base(tabm: &Tabm, generation: Generation) -> String {
    let commitment = unsigned_commitment(tabm, None, false, generation).unwrap();
    let form = committed_form(tabm, &commitment.committed, false, generation).unwrap();
    // Keys that are like ids are listed as what they travel in.
    let base = signature_base(form.components.keys().map(String::as_str), &form.components, &commitment);
    String::from_utf8(base.unwrap()).unwrap()
}

#[test]
fn unsigned_ids_of_both_generations() {
    let (mut ids, mut forms) = (0, 0);
    for case in cases(UNSIGNED) {
        let name = case["name"].as_str().unwrap();
        let message = message(&case["message"]);
        let june = structured::to_tabm(&message, Generation::June2025).unwrap();
        let linked = june.linked(Generation::June2025).unwrap();
        assert_eq!(linked, tabm(&case["tabm"]), "{name}");
        assert_eq!(texts(flat::to_flat(&linked).unwrap()), case["flat"], "{name}");
        assert_eq!(
            encoded(httpsig::encode(&linked, Generation::June2025).unwrap()),
            case["httpsig"],
            "{name}"
        );
        assert_eq!(
            encoded(httpsig::encode(&june, Generation::June2025).unwrap()),
            case["httpsig_bundle"],
            "{name}"
        );
        forms += 4;
        let generations = [
            (Generation::June2025, "unsigned_id", "unsigned_signature_base"),
            (Generation::September2025, "unsigned_id_constant_ao", "unsigned_signature_base_constant_ao"),
        ];
        for (generation, wanted, base) in generations {
            let tabm = structured::to_tabm(&message, generation).unwrap();
            assert_eq!(
                unsigned_base(&tabm, generation),
                case[base].as_str().unwrap(),
                "{name} {generation:?}"
            );
            let id = id::id(&tabm, Ids::Unsigned, generation).unwrap();
            assert_eq!(id.to_string(), case[wanted].as_str().unwrap(), "{name} {generation:?}");
            assert_eq!(
                id::id(&tabm.linked(generation).unwrap(), Ids::Signed, generation).unwrap(),
                id,
                "{name}"
            );
            ids += 1;
        }
        // What was written reads back: the linked form and the bundle.
        assert_eq!(httpsig::decode(&received(&case["httpsig"])).unwrap(), linked, "{name}");
        assert_eq!(httpsig::decode(&received(&case["httpsig_bundle"])).unwrap(), june, "{name}");
        if name != "upper-case-key" {
            assert_eq!(structured::from_tabm(&june).unwrap(), message, "{name}");
        }
    }
    println!("hb-unsigned-ids.json: {ids} ids and bases of both generations, {forms} forms");
    assert_eq!((ids, forms), (52, 104));
}

#[test]
fn commitments_and_their_headers() {
    let generation = Generation::June2025;
    let (mut bases, mut forms) = (0, 0);
    for case in cases(SIGNED) {
        let name = case["name"].as_str().unwrap();
        let committed = structured::to_tabm(&message(&case["committed_message"]), generation).unwrap();
        let mut whole = structured::to_tabm(&message(&case["message"]), generation).unwrap();
        whole.set("commitments", committed.get("commitments").unwrap().clone());
        // A bundle cannot be written without what its links stand for: HyperBEAM has it in its store.
        let linked = whole.linked(generation).unwrap();
        let bundle = name == "nested-bundled";
        if !bundle {
            assert_eq!(encoded(httpsig::encode(&linked, generation).unwrap()), case["httpsig"], "{name}");
            forms += 1;
        }
        assert_eq!(encoded(httpsig::encode(&whole, generation).unwrap()), case["httpsig_bundle"], "{name}");
        forms += 1;
        for (wanted, which) in [
            ("id_uncommitted", Ids::Unsigned),
            ("id_committers_all", Ids::Signed),
            ("id_commitments_all", Ids::All),
        ] {
            assert_eq!(
                id::id(&whole, which, generation).unwrap().to_string(),
                case[wanted].as_str().unwrap(),
                "{name}"
            );
            assert_eq!(
                id::id(&committed, which, generation).unwrap().to_string(),
                case[wanted].as_str().unwrap()
            );
        }
        for (id, node) in whole.map("commitments").unwrap() {
            let commitment = Commitment::from_tabm(node.as_map().unwrap()).unwrap();
            assert_eq!(commitment.id().to_string(), *id, "{name}");
            assert_eq!(commitment.committer, commitment.committer_of_key(), "{name}");
            assert_eq!(&commitment.to_tabm(), node.as_map().unwrap(), "{name}");
            let form =
                committed_form(&whole, &commitment.committed, commitment.is_bundle(), generation).unwrap();
            assert_eq!(form.committed, commitment.committed, "{name}");
            let base =
                signature_base(form.components.keys().map(String::as_str), &form.components, &commitment);
            let base = String::from_utf8(base.unwrap()).unwrap();
            assert_eq!(base, case["signature_bases"][id].as_str().unwrap(), "{name} {id}");
            bases += 1;
        }
        let read = httpsig::decode(&received(&case["httpsig"])).unwrap();
        if !bundle {
            assert_eq!(read.map("commitments"), committed.map("commitments"), "{name}");
            assert_eq!(read.content(), linked.content(), "{name}");
        }
        let read = httpsig::decode(&received(&case["httpsig_bundle"])).unwrap();
        assert_eq!(read.content(), whole.content(), "{name}");
        assert_eq!(httpsig::signatures(&received(&case["httpsig"])).unwrap().len(), 2);
    }
    println!("hb-signed.json: {bases} signature bases, {forms} forms with their headers");
    assert_eq!((bases, forms), (12, 11));
}

#[test]
fn hashpaths() {
    let vectors: Json = serde_json::from_str(HASHPATH).unwrap();
    let generation = Generation::June2025;
    let text = |name: &str| vectors[name].as_str().unwrap().to_owned();
    let base = id::id(&tabm(&vectors["base_message"]), Ids::All, generation).unwrap().to_string();
    assert_eq!(base, text("base_hashpath"));
    let one = id::hashpath(&base, &text("step1_key"));
    assert_eq!(one, text("step1_hashpath"));
    let two = id::hashpath(&one, &text("step2_key"));
    assert_eq!(two, text("step2_hashpath"));
    let request = id::request_part(&tabm(&vectors["step3_request"]), generation).unwrap();
    assert_eq!(request, text("step3_request_id"));
    let three = id::hashpath(&two, &request);
    assert_eq!(three, text("step3_hashpath"));
    assert_eq!(id::hashpath(&three, &text("step4_key")), text("step4_hashpath"));
    let bare = Tabm::new().with("path", "k");
    assert_eq!(id::request_part(&bare, generation).unwrap(), "k");
    let signed = id::id(&tabm(&vectors["signed_base"]), Ids::All, generation).unwrap().to_string();
    assert_eq!(signed, text("signed_base_hashpath"));
    assert_eq!(id::hashpath(&signed, "k"), text("signed_base_step_k"));
    assert_eq!(Id::sha256(b"hello").to_string(), text("binary_hello_hashpath"));
}
