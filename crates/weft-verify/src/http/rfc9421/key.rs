//! Keys and algorithms (§3.3).

use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use sha2::Sha256;
use weft_codec::{Code, Error, Result};

use crate::keys::{self, Scheme};

/// A key, and with it the algorithm. RSASSA-PKCS1-v1_5 is not checked.
#[derive(Clone, PartialEq, Eq)]
pub enum Key {
    /// `rsa-pss-sha512` with e = 65537: the modulus, big-endian.
    RsaPssSha512(Vec<u8>),
    /// `ecdsa-p256-sha256`: the point, uncompressed (65 bytes) or compressed (33).
    EcdsaP256Sha256(Vec<u8>),
    /// `ed25519`.
    Ed25519([u8; 32]),
    /// `hmac-sha256`: the shared secret.
    HmacSha256(Vec<u8>),
}

impl std::fmt::Debug for Key {
    /// Without the key: one kind is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.algorithm())
    }
}

impl Key {
    /// The algorithm's registered name.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::RsaPssSha512(_) => "rsa-pss-sha512",
            Self::EcdsaP256Sha256(_) => "ecdsa-p256-sha256",
            Self::Ed25519(_) => "ed25519",
            Self::HmacSha256(_) => "hmac-sha256",
        }
    }

    /// Error: `signature-invalid`.
    pub(super) fn check(&self, base: &[u8], signature: &[u8]) -> Result<()> {
        let holds = match self {
            Self::RsaPssSha512(modulus) => {
                return keys::verify(Scheme::RsaPssSha512, modulus, base, signature);
            }
            Self::Ed25519(key) => return keys::verify(Scheme::Ed25519, key, base, signature),
            Self::EcdsaP256Sha256(point) => p256_holds(point, base, signature),
            Self::HmacSha256(secret) => Hmac::<Sha256>::new_from_slice(secret)
                .is_ok_and(|mac| mac.chain_update(base).verify_slice(signature).is_ok()),
        };
        if holds {
            Ok(())
        } else {
            Err(Error::new(Code::SignatureInvalid, "The key did not sign these components."))
        }
    }
}

/// r ‖ s over the SHA-256.
fn p256_holds(point: &[u8], base: &[u8], signature: &[u8]) -> bool {
    match (VerifyingKey::from_sec1_bytes(point), Signature::from_slice(signature)) {
        (Ok(key), Ok(signature)) => key.verify(base, &signature).is_ok(),
        _ => false,
    }
}
