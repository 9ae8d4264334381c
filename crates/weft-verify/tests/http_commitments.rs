//! Commitments over messages as they are held: HyperBEAM's vectors, and messages signed and altered here.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "how many cases ran is part of the result")]

use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pss::Pss;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::SignatureScheme as _;
use rsa::{BoxedUint, RsaPrivateKey};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha512};
use weft_codec::item::DataItem;
use weft_codec::message::httpsig::{self, Encoded};
use weft_codec::message::{
    Commitment, Generation, Ids, Node, Tabm, ans104, id, to_sign, unsigned_commitment,
};
use weft_codec::{Code, base64url};
use weft_verify::{Untrusted, http};

const SIGNED: &str = include_str!("../../../tests/fixtures/vectors/hb-signed.json");
const HASHPATH: &str = include_str!("../../../tests/fixtures/vectors/hb-hashpath.json");
const ANS104: &str = include_str!("../../../tests/fixtures/vectors/hb-ans104.json");
const ITEMS: &str = include_str!("../../../tests/fixtures/vectors/ans104.json");
/// The address of the test key.
const SIGNER: &str = "wtl7n8WWlAdwZ7xk93kMA0Y-Gbaa1Z_cE5G4_CQbMQY";

fn read(file: &str) -> Json {
    serde_json::from_str(file).unwrap()
}

/// A message of the vectors: texts, numbers as text with their type, maps, `$link`, `$hex`.
fn tabm(json: &Json) -> Tabm {
    let mut map = Tabm::new();
    let mut types = Vec::new();
    for (key, json) in json.as_object().unwrap() {
        match json {
            Json::String(text) => map.set(key.clone(), text.as_str()),
            Json::Number(number) => {
                types.push(format!("{key}=\"integer\""));
                map.set(key.clone(), number.to_string())
            }
            Json::Object(object) => match (object.get("$link"), object.get("$hex")) {
                (Some(link), _) => map.set(format!("{key}+link"), link.as_str().unwrap()),
                (_, Some(hex)) => map.set(key.clone(), from_hex(hex.as_str().unwrap())),
                _ => map.set(key.clone(), tabm(json)),
            },
            other => panic!("{other} is not in a vector"),
        };
    }
    if !types.is_empty() {
        map.set("ao-types", types.join(", "));
    }
    map
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn signed_messages() {
    let mut commitments = 0;
    for case in read(SIGNED)["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        assert_eq!(case["verifies"], true, "{name}");
        let mut message = tabm(&case["committed_message"]);
        if name == "nested-bundled" {
            // Signed inline, so it needs what its link stands for.
            let linked = http::commitments(Untrusted::new(message.clone(), "test")).unwrap_err();
            assert_eq!(linked.code(), Code::ComponentMissing);
            message.remove("sub+link");
            message.set("sub", tabm(&case["message"]["sub"]));
        }
        let committed = http::commitments(Untrusted::new(message.clone(), "test")).unwrap();
        assert!(committed.refused.is_empty(), "{name}");
        let signers: Vec<_> = committed.signers().into_iter().map(ToString::to_string).collect();
        assert_eq!(signers, [SIGNER], "{name}");
        commitments += committed.held.len();
        for held in &committed.held {
            let wanted =
                if name == "partial-commit" { Tabm::new().with("a", "1") } else { message.content() };
            assert_eq!(held.message, wanted, "{name}");
        }
        altered(&message, name);
    }
    let signed = read(HASHPATH)["signed_base"].clone();
    let committed = http::commitments(Untrusted::new(tabm(&signed), "test")).unwrap();
    assert_eq!((committed.held.len(), committed.refused.len()), (2, 0));
    println!("hb-signed.json, hb-hashpath.json: {} commitments hold", commitments + 2);
    assert_eq!(commitments, 12);
}

/// With any committed value changed, or a part of the commitment, nothing holds.
fn altered(message: &Tabm, name: &str) {
    for (key, node) in message.content().iter().filter(|(key, _)| !(name == "partial-commit" && *key == "b"))
    {
        let Node::Binary(bytes) = node else { continue };
        for at in 0..=bytes.len() {
            let mut changed = bytes.clone();
            match changed.get_mut(at) {
                Some(byte) => *byte ^= 1,
                None => changed.push(b'x'),
            }
            let changed = message.clone().with(key.clone(), changed);
            let error = http::commitments(Untrusted::new(changed, "test")).unwrap_err();
            assert!(
                matches!(error.code(), Code::SignatureInvalid | Code::FieldMalformed),
                "{name} {key}: {error:?}"
            );
        }
    }
    for (id, node) in message.map("commitments").unwrap() {
        let only = |commitment: Tabm| {
            let all = Tabm::new().with(id.clone(), commitment);
            http::commitments(Untrusted::new(message.clone().with("commitments", all), "test"))
                .map(|_| ())
                .unwrap_err()
                .code()
        };
        let commitment = Commitment::from_tabm(node.as_map().unwrap()).unwrap();
        let mut other = commitment.clone();
        other.signature[0] ^= 1;
        assert_eq!(only(other.to_tabm()), Code::IdMismatch, "{name}");
        let mut other = commitment.clone();
        other.committer = Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned());
        assert!(matches!(only(other.to_tabm()), Code::IdMismatch | Code::SignatureInvalid), "{name}");
        let mut other = commitment.clone();
        other.kind = "ed25519".to_owned();
        assert_eq!(only(other.to_tabm()), Code::SignatureUnsupported, "{name}");
        let mut other = commitment;
        other.committed.pop();
        if other.committed.len() > 1 || name == "partial-commit" {
            assert!(
                matches!(only(other.to_tabm()), Code::SignatureInvalid | Code::ComponentMissing),
                "{name}"
            );
        }
    }
}

/// A MAC that anyone can make never has a signer, whatever it says.
#[test]
fn a_mac_that_all_can_make_signs_nothing() {
    for keyid in ["publickey:kBa2uXICrMNI", "secret:AAAA", "constant:ao", "ao"] {
        let message = Tabm::new().with("a", "b");
        let keys = ["a".to_owned()];
        let (mut commitment, base) =
            to_sign(&message, Some(&keys), Commitment::HMAC, keyid, false, Generation::September2025)
                .unwrap();
        commitment.signature = id::hmac_sha256(keyid.as_bytes(), &base).to_vec();
        let with = |commitment: &Commitment| {
            let all = Tabm::new().with(commitment.id().to_string(), commitment.to_tabm());
            http::commitments(Untrusted::new(message.clone().with("commitments", all), "test"))
        };
        match with(&commitment) {
            Ok(committed) => assert!(
                committed.held[0].signer.is_none() && !keyid.contains("key") && !keyid.contains("secret")
            ),
            Err(error) => assert_eq!(error.code(), Code::SignatureUnsupported, "{keyid}"),
        }
        commitment.committer = Some(SIGNER.to_owned());
        assert!(with(&commitment).is_err(), "{keyid}");
    }
}

#[test]
fn data_items_as_messages() {
    let items = read(ITEMS);
    let mut cases = 0;
    for case in read(ANS104)["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let vector = items["items"].as_array().unwrap().iter().find(|item| item["name"] == *name).unwrap();
        let item = DataItem::parse(&from_hex(vector["bytes_hex"].as_str().unwrap())).unwrap();
        let june = ans104::from_item(&item, Generation::June2025).unwrap();
        assert_eq!(june, tabm(&case["tabm"]), "{name}");
        let ids = [
            ("id_uncommitted", Ids::Unsigned),
            ("id_committers_all", Ids::Signed),
            ("id_commitments_all", Ids::All),
        ];
        for (wanted, which) in ids {
            let id = id::id(&june, which, Generation::June2025).unwrap();
            assert_eq!(id.to_string(), case[wanted].as_str().unwrap(), "{name} {wanted}");
        }
        for generation in Generation::ALL {
            let message = ans104::from_item(&item, generation).unwrap();
            let all = message.map("commitments").unwrap();
            let (_, node) = all.iter().next().unwrap();
            let commitment = Commitment::from_tabm(node.as_map().unwrap()).unwrap();
            assert_eq!(
                ans104::to_item(&message, &commitment, generation).unwrap(),
                item,
                "{name} {generation:?}"
            );
            let committed = http::commitments(Untrusted::new(message.clone(), "test")).unwrap();
            assert_eq!(committed.held[0].message, message.content(), "{name} {generation:?}");
            for (key, _) in &message.content() {
                let changed = message.clone().with(key.clone(), "other");
                assert!(http::commitments(Untrusted::new(changed, "test")).is_err(), "{name} {key}");
            }
        }
        cases += 1;
    }
    println!("hb-ans104.json: {cases} items, both generations");
    assert_eq!(cases, 3);
}

/// More commitments than may be summed to an id are not taken for the id of a nested message.
#[test]
fn many_summed_ids_are_not_taken() {
    let generation = Generation::September2025;
    let mut nested = Tabm::new().with("x", "y");
    let mut all = Tabm::new();
    for number in 0..5 {
        let key = format!("constant:{number}");
        let (mut commitment, base) =
            to_sign(&nested, None, Commitment::HMAC, &key, false, generation).unwrap();
        commitment.signature = id::hmac_sha256(key.as_bytes(), &base).to_vec();
        all.set(commitment.id().to_string(), commitment.to_tabm());
    }
    let outer = |nested: Tabm| {
        let mut message = Tabm::new().with("sub", nested);
        let commitment = unsigned_commitment(&message, None, false, generation).unwrap();
        message.set("commitments", Tabm::new().with(commitment.id().to_string(), commitment.to_tabm()));
        http::commitments(Untrusted::new(message, "test")).unwrap().into_parts().0.held.remove(0)
    };
    nested.set("commitments", all.clone());
    let held = outer(nested.clone());
    assert!(held.unproved.contains_key("sub") && held.message.text("sub+link").is_some());
    let (last, _) = all.iter().next_back().map(|(key, node)| (key.clone(), node.clone())).unwrap();
    all.remove(&last);
    nested.set("commitments", all);
    let held = outer(nested);
    assert!(held.unproved.is_empty() && held.message.map("sub").is_some());
    assert_eq!(base64url::encode(&held.id.0), held.id.to_string());
}

/// Signs with the test key of the vectors: RSA-PSS SHA-512, no salt.
pub(crate) fn signed(message: &Tabm, keys: Option<&[String]>, bundle: bool, generation: Generation) -> Tabm {
    let vectors = read(include_str!("../../../tests/fixtures/vectors/keys.json"));
    let bytes = |name: &str| base64url::decode(vectors["rsa4096"]["jwk"][name].as_str().unwrap()).unwrap();
    let number = |name: &str| BoxedUint::from_be_slice_vartime(&bytes(name));
    let primes = vec![number("p"), number("q")];
    let key = RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes).unwrap();
    let keyid = format!("{}{}", generation.public_key_prefix(), STANDARD.encode(bytes("n")));
    let (mut commitment, base) = to_sign(message, keys, Commitment::RSA, &keyid, bundle, generation).unwrap();
    let scheme = Pss { blinded: false, digest: Sha512::new(), salt_len: Some(0) };
    commitment.signature = scheme.sign(Some(&mut NoRandomness), &key, &Sha512::digest(base)).unwrap();
    let all = Tabm::new().with(commitment.id().to_string(), commitment.to_tabm());
    message.clone().with("commitments", all)
}

/// Whether this message, sent so, is still said by the test key.
fn is_said(sent: &Encoded) -> bool {
    http::signed_message(Untrusted::new(sent.clone(), "test"))
        .is_ok_and(|committed| committed.signers().iter().any(|signer| signer.as_str() == SIGNER))
}

/// Each committed bit of a sent message flipped; how many were. What is not committed may change.
fn flips_are_refused(sent: &Encoded) -> usize {
    let listed = httpsig::signatures(sent).unwrap().remove(0).components;
    let is_listed = |name: &str| listed.iter().any(|listed| listed.trim_start_matches('@') == name);
    let mut flipped = 0;
    for (name, value) in &sent.headers {
        for at in 0..value.len().min(200) {
            let mut changed = sent.clone();
            changed.headers.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            assert!(!(is_listed(name) && is_said(&changed)), "{name} {at}");
            flipped += usize::from(is_listed(name));
        }
    }
    let length = sent.body.as_ref().map_or(0, Vec::len);
    for at in (0..length).step_by(length / 200 + 1) {
        let mut changed = sent.clone();
        changed.body.as_mut().unwrap()[at] ^= 1 << (at % 8);
        assert_eq!(is_said(&changed), !is_listed("content-digest"), "body {at}");
        flipped += 1;
    }
    flipped
}

/// Whatever is signed, of either generation, linked or inline, all or some of it: any flipped bit of a committed header or
/// of a committed body is refused.
#[test]
fn no_committed_bit_may_change() {
    let list = Tabm::new().with("1", "a").with("ao-types", ".=\"list\"");
    let nested = Tabm::new().with("x", "y").with("list", list);
    let flat = Tabm::new().with("action", "Eval").with("n", "42").with("ao-types", "n=\"integer\"");
    let with_body = flat.clone().with("body", "some text");
    let with_data = flat.clone().with("data", "some text").with("path", "/a/b");
    let big = flat.clone().with("big", "z".repeat(5000)).with("sub", nested.clone());
    let deep = with_body.clone().with("sub", nested);
    let some = ["action".to_owned(), "sub".to_owned()];
    let cases: [(&Tabm, Option<&[String]>, bool); 7] = [
        (&flat, None, false),
        (&with_body, None, false),
        (&with_data, None, false),
        (&big, None, true),
        (&deep, None, true),
        (&deep, None, false),
        (&flat, Some(&some), false),
    ];
    let mut flipped = 0;
    for generation in Generation::ALL {
        for (message, keys, bundle) in cases {
            let signed = signed(message, keys, bundle, generation);
            let message = if bundle { signed } else { signed.linked(generation).unwrap() };
            let sent = httpsig::encode(&message, generation).unwrap();
            assert!(is_said(&sent));
            flipped += flips_are_refused(&sent);
        }
    }
    println!("signed here: {flipped} messages with a committed bit flipped, all refused");
    assert!(flipped > 1000);
}

/// RSA-PSS without salt needs no randomness.
struct NoRandomness;

impl TryRng for NoRandomness {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for NoRandomness {}
