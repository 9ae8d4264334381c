//! Our reading of the PSS padding against that of the crate `rsa`, on encodings only the holder of a key can make.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use rsa::hazmat::rsa_decrypt;
use rsa::pss::Pss;
use rsa::traits::SignatureScheme as _;
use rsa::{BoxedUint, RsaPrivateKey};
use sha2::{Digest as _, Sha256};
use weft_codec::base64url;
use weft_codec::item::Unsigned;
use weft_verify::Untrusted;

/// Bytes of the encoded message; its topmost bit is unused.
const LENGTH: usize = 512;
/// The longest salt: what is left beside hash, marker and trailer.
const LONGEST: usize = LENGTH - 32 - 2;

fn key() -> (RsaPrivateKey, Vec<u8>) {
    let keys = include_str!("../../../tests/fixtures/vectors/keys.json");
    let keys: serde_json::Value = serde_json::from_str(keys).unwrap();
    let bytes = |name: &str| base64url::decode(keys["rsa4096"]["jwk"][name].as_str().unwrap()).unwrap();
    let number = |name: &str| BoxedUint::from_be_slice_vartime(&bytes(name));
    let primes = vec![number("p"), number("q")];
    let key = RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes).unwrap();
    (key, bytes("n"))
}

/// EMSA-PSS (RFC 8017 §9.1.1), with what goes before the salt as an argument.
fn encode(payload: &[u8], before_salt: impl FnOnce(&mut [u8]), salt: &[u8], trailer: u8) -> Vec<u8> {
    let hash = [&[0; 8], Sha256::digest(payload).as_slice(), salt].concat();
    let hash = Sha256::digest(hash);
    let mut block = vec![0; LENGTH - 33 - salt.len()];
    before_salt(&mut block);
    block.extend_from_slice(salt);
    for (counter, chunk) in (0_u32..).zip(block.chunks_mut(32)) {
        let mask = Sha256::digest([hash.as_slice(), &counter.to_be_bytes()].concat());
        chunk.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    block[0] &= 0x7f;
    [&block, hash.as_slice(), &[trailer]].concat()
}

fn marked(block: &mut [u8]) {
    *block.last_mut().unwrap() = 1;
}

/// What ours and theirs say about the raw signature of an encoding.
fn verdicts(encode: impl FnOnce(&[u8]) -> Vec<u8>) -> (bool, bool) {
    let (key, owner) = key();
    let unsigned = Unsigned { owner, data: b"padding".to_vec(), ..Unsigned::default() };
    let payload = unsigned.payload();
    let encoded = BoxedUint::from_be_slice_vartime(&encode(&payload));
    let none: Option<&mut NoRandomness> = None;
    let signature = rsa_decrypt(none, &key, &encoded).unwrap().to_be_bytes().to_vec();
    let theirs = Pss { blinded: false, digest: Sha256::new(), salt_len: None };
    let theirs = theirs.verify(&key.to_public_key(), &Sha256::digest(payload), &signature).is_ok();
    let item = unsigned.sign_with(signature).unwrap();
    (weft_verify::item(Untrusted::new(item, "test"), None).is_ok(), theirs)
}

#[test]
fn any_length_of_salt_is_found() {
    for length in [0, 1, 20, 31, 32, 64, LONGEST - 1, LONGEST] {
        let salt: Vec<u8> = (0..length).map(|index| (index % 7).to_le_bytes()[0]).collect();
        assert_eq!(verdicts(|payload| encode(payload, marked, &salt, 0xbc)), (true, true), "{length}");
    }
}

#[test]
fn broken_padding_is_refused() {
    let salt = [5; 32];
    type Encoding = (&'static str, Box<dyn Fn(&[u8]) -> Vec<u8>>);
    let wrong: Vec<Encoding> = vec![
        ("no marker", Box::new(move |payload| encode(payload, |_| (), &salt, 0xbc))),
        (
            "another marker",
            Box::new(move |payload| encode(payload, |block| *block.last_mut().unwrap() = 2, &salt, 0xbc)),
        ),
        (
            "something before the marker",
            Box::new(move |payload| {
                let before = |block: &mut [u8]| {
                    marked(block);
                    block[9] = 7;
                };
                encode(payload, before, &salt, 0xbc)
            }),
        ),
        ("nothing but zeros", Box::new(|payload| encode(payload, |_| (), &[], 0xbc))),
        ("another trailer", Box::new(move |payload| encode(payload, marked, &salt, 0xcc))),
        ("another payload", Box::new(move |_| encode(b"another", marked, &salt, 0xbc))),
        ("a marker too early", Box::new(move |payload| encode(payload, |block| block[3] = 1, &salt, 0xbc))),
        (
            "the unused bit",
            Box::new(move |payload| {
                // With a salt that leaves the number below the modulus, whose first byte is 0x90.
                let salts = (0..=255_u8).map(|byte| encode(payload, marked, &[byte; 32], 0xbc));
                let mut encoded = salts.into_iter().find(|encoded| encoded[0] < 0x10).unwrap();
                encoded[0] |= 0x80;
                encoded
            }),
        ),
    ];
    for (name, encoding) in wrong {
        assert_eq!(verdicts(encoding), (false, false), "{name}");
    }
}

/// The private key is used without blinding here.
struct NoRandomness;

impl rsa::rand_core::TryRng for NoRandomness {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0);
        Ok(())
    }
}

impl rsa::rand_core::TryCryptoRng for NoRandomness {}
