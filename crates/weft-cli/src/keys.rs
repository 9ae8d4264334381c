//! RSA keys in files: reading, making, signing.

use std::convert::Infallible;
use std::fmt;
use std::path::Path;

use rsa::pss::Pss;
use rsa::rand_core::{TryCryptoRng, TryRng, UnwrapErr};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _, SignatureScheme as _};
use rsa::{BoxedUint, RsaPrivateKey};
use serde::{Deserialize, Serialize};
use sha2::digest::FixedOutputReset;
use sha2::{Digest, Sha256, Sha512};
use weft_codec::{Code, Error, Result, base64url};
use weft_node::seams::Signer;

/// Bits of a key: Arweave's owners have 512 bytes.
const BITS: usize = 4_096;
/// The longest key file.
const MAX_FILE: u64 = 64 * 1024;
/// Bytes of salt in a signature, as arweave-js draws (arweave.md §2.2).
const SALT: usize = 32;

/// An RSA key in the JSON form of RFC 7517, all numbers base64url.
#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    e: String,
    n: String,
    d: String,
    p: String,
    q: String,
    #[serde(default)]
    dp: String,
    #[serde(default)]
    dq: String,
    #[serde(default)]
    qi: String,
}

/// Signs with an RSA-4096 key.
#[derive(Clone)]
pub struct JwkSigner {
    key: RsaPrivateKey,
    salt: bool,
}

impl fmt::Debug for JwkSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwkSigner").finish_non_exhaustive()
    }
}

/// 32 bytes from the operating system.
///
/// # Panics
/// If the operating system has no random numbers, without which no key and no signature is safe.
#[must_use]
#[expect(clippy::expect_used, reason = "a node without random numbers must not sign")]
pub fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("random numbers of the operating system");
    bytes
}

impl JwkSigner {
    /// Reads a key.
    ///
    /// # Errors
    /// `json-invalid` and `base64-invalid` for what is no JWK, `request-invalid` for a key of another kind or size.
    pub fn from_jwk(text: &str) -> Result<Self> {
        let jwk: Jwk = serde_json::from_str(text).map_err(|cause| {
            Error::new(Code::JsonInvalid, "This is not a private RSA key as JWK.").because(cause)
        })?;
        let number =
            |text: &str| base64url::decode(text).map(|bytes| BoxedUint::from_be_slice_vartime(&bytes));
        let primes = vec![number(&jwk.p)?, number(&jwk.q)?];
        let key = RsaPrivateKey::from_components(number(&jwk.n)?, number(&jwk.e)?, number(&jwk.d)?, primes)
            .map_err(|cause| {
            Error::new(Code::RequestInvalid, "The numbers of this key do not fit.").because(cause)
        })?;
        if jwk.kty != "RSA" || key.size() * 8 != BITS {
            let sentence = format!("A wallet is an RSA key of {BITS} bits; this one has {}.", key.size() * 8);
            return Err(Error::new(Code::RequestInvalid, sentence));
        }
        Ok(Self { key, salt: true })
    }

    /// Reads a key file. Errors: `unreadable`, and those of [`Self::from_jwk`].
    ///
    /// # Errors
    /// See above.
    pub fn from_file(path: &Path) -> Result<Self> {
        let unreadable = |cause: std::io::Error| {
            Error::new(Code::Unreadable, format!("The key file {} cannot be read.", path.display()))
                .because(cause)
        };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
            return Err(Error::new(Code::TooLarge, format!("{} is too long for a key.", path.display())));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::from_jwk(&text).map_err(|error| error.at(path.display()))
    }

    /// Makes a key. It takes seconds to a minute.
    ///
    /// # Errors
    /// `request-invalid` if no key can be made.
    pub fn generate() -> Result<Self> {
        let key = RsaPrivateKey::new(&mut UnwrapErr(getrandom::SysRng), BITS);
        let key =
            key.map_err(|cause| Error::new(Code::RequestInvalid, "No key can be made.").because(cause))?;
        Ok(Self { key, salt: true })
    }

    /// The same key, signing without salt: the same bytes always get the same signature. For histories whose ids
    /// must not change, not for wallets.
    #[must_use]
    pub fn without_salt(mut self) -> Self {
        self.salt = false;
        self
    }

    /// The private key as JWK.
    ///
    /// # Errors
    /// `request-invalid` for a key without two primes.
    pub fn to_jwk(&self) -> Result<String> {
        let text = |number: &BoxedUint| {
            let bytes = number.to_be_bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            base64url::encode(bytes.get(zeros..).unwrap_or_default())
        };
        let incomplete = || Error::new(Code::RequestInvalid, "This key lacks what a JWK needs.");
        let [p, q] = self.key.primes() else { return Err(incomplete()) };
        let jwk = Jwk {
            kty: "RSA".to_owned(),
            e: text(self.key.e()),
            n: text(self.key.n()),
            d: text(self.key.d()),
            p: text(p),
            q: text(q),
            dp: text(self.key.dp().ok_or_else(incomplete)?),
            dq: text(self.key.dq().ok_or_else(incomplete)?),
            qi: text(&self.key.crt_coefficient().ok_or_else(incomplete)?),
        };
        serde_json::to_string_pretty(&jwk).map_err(|cause| incomplete().because(cause))
    }
}

impl Signer for JwkSigner {
    fn owner(&self) -> Vec<u8> {
        let bytes = self.key.n().to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.get(zeros..).unwrap_or_default().to_vec()
    }

    async fn sign(&self, payload: &[u8]) -> Result<Vec<u8>> {
        self.pss::<Sha256>(payload)
    }

    async fn sign_sha512(&self, base: &[u8]) -> Result<Vec<u8>> {
        self.pss::<Sha512>(base)
    }
}

impl JwkSigner {
    fn pss<D: Digest + FixedOutputReset>(&self, payload: &[u8]) -> Result<Vec<u8>> {
        let digest = D::digest(payload);
        let signed = if self.salt {
            let scheme = Pss { blinded: true, digest: D::new(), salt_len: Some(SALT) };
            scheme.sign(Some(&mut UnwrapErr(getrandom::SysRng)), &self.key, &digest)
        } else {
            let scheme = Pss { blinded: false, digest: D::new(), salt_len: Some(0) };
            scheme.sign(Some(&mut NoRandomness), &self.key, &digest)
        };
        signed.map_err(|cause| Error::new(Code::SignatureInvalid, "The key does not sign.").because(cause))
    }
}

/// Fills a salt of no bytes.
struct NoRandomness;

impl TryRng for NoRandomness {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for NoRandomness {}
