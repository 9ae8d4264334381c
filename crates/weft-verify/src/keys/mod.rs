//! Signature schemes over bytes, and nothing else: what is signed, and by whom, is for the callers to know.

mod claims;
mod ed25519;
mod rsa_pss;
mod secp256k1;

pub use claims::{Scheme, SignatureClaim, Vouched};
pub(crate) use secp256k1::recover_secp256k1;

use sha2::{Digest as _, Sha256, Sha512};
use sha3::Keccak256;
use weft_codec::{Code, Error, Result};

/// Checks a signature over `message`, which the scheme hashes. [`Scheme`] says what key and signature look like.
///
/// A claim that the platform vouched for ([`Vouched::during`]) is not computed again. Error: `signature-invalid`,
/// also for a key or a signature of the wrong shape.
pub(crate) fn verify(scheme: Scheme, key: &[u8], message: &[u8], signature: &[u8]) -> Result<()> {
    // Platforms differ on the keys that this refuses, so it comes before what they say.
    if scheme == Scheme::Ed25519 && ed25519::is_weak(key, signature) {
        return Err(invalid());
    }
    if claims::is_vouched(scheme, key, message, signature) {
        return Ok(());
    }
    let holds = match scheme {
        Scheme::RsaPssSha256 => rsa_pss::holds::<Sha256>(key, message, signature),
        Scheme::RsaPssSha512 => rsa_pss::holds::<Sha512>(key, message, signature),
        Scheme::Ed25519 => ed25519::holds(key, message, signature),
        Scheme::EcdsaSecp256k1Sha256 => secp256k1::holds(key, &Sha256::digest(message).into(), signature),
        Scheme::EcdsaSecp256k1Keccak => secp256k1::holds(key, &Keccak256::digest(message).into(), signature),
        Scheme::EthereumAddress => {
            secp256k1::is_by_address(key, &Keccak256::digest(message).into(), signature)
        }
    };
    if holds { Ok(()) } else { Err(invalid()) }
}

fn invalid() -> Error {
    Error::new(Code::SignatureInvalid, "The signature is not the owner's over these bytes.")
}
