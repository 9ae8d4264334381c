//! Signing with the throw-away key of the vectors, without salt, so that every run makes the same ids.

use std::convert::Infallible;
use std::sync::OnceLock;

use rsa::pss::Pss;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::SignatureScheme as _;
use rsa::{BoxedUint, RsaPrivateKey};
use sha2::{Digest as _, Sha256, Sha512};
use weft_codec::item::{DataItem, Unsigned};
use weft_codec::{Address, base64url};
use weft_core::aocore::Signer;

use crate::fixtures;

/// The RSA-4096 key of `vectors/keys.json`.
#[derive(Debug)]
pub struct TestKey {
    key: RsaPrivateKey,
    owner: Vec<u8>,
}

impl TestKey {
    /// The key, read once.
    pub fn get() -> &'static Self {
        static KEY: OnceLock<TestKey> = OnceLock::new();
        KEY.get_or_init(Self::read)
    }

    #[expect(clippy::expect_used, reason = "a broken fixture fails the test that reads it")]
    fn read() -> Self {
        let vectors = fixtures::json(fixtures::KEYS);
        let jwk = &vectors["rsa4096"]["jwk"];
        let bytes =
            |name: &str| base64url::decode(jwk[name].as_str().expect("a JWK field")).expect("base64url");
        let number = |name: &str| BoxedUint::from_be_slice_vartime(&bytes(name));
        let primes = vec![number("p"), number("q")];
        let key = RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes);
        Self { key: key.expect("an RSA key"), owner: bytes("n") }
    }

    /// The public key.
    #[must_use]
    pub fn owner(&self) -> Vec<u8> {
        self.owner.clone()
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> Address {
        Address::of_owner(&self.owner)
    }

    /// RSA-PSS SHA-256 with an empty salt.
    ///
    /// # Panics
    ///
    /// If the key cannot sign.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a broken fixture fails the test that reads it")]
    pub fn sign(&self, payload: &[u8]) -> Vec<u8> {
        let scheme = Pss { blinded: false, digest: Sha256::new(), salt_len: Some(0) };
        scheme.sign(Some(&mut NoRandomness), &self.key, &Sha256::digest(payload)).expect("a signature")
    }

    /// RSA-PSS SHA-512 with an empty salt.
    ///
    /// # Panics
    ///
    /// If the key cannot sign.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a broken fixture fails the test that reads it")]
    pub fn sign_sha512(&self, payload: &[u8]) -> Vec<u8> {
        let scheme = Pss { blinded: false, digest: Sha512::new(), salt_len: Some(0) };
        scheme.sign(Some(&mut NoRandomness), &self.key, &Sha512::digest(payload)).expect("a signature")
    }

    /// The item, signed by this key whatever owner it had.
    ///
    /// # Panics
    ///
    /// If no reader would take its tags.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a broken fixture fails the test that reads it")]
    pub fn item(&self, unsigned: Unsigned) -> DataItem {
        let unsigned = Unsigned { owner: self.owner(), ..unsigned };
        let signature = self.sign(&unsigned.payload());
        unsigned.sign_with(signature).expect("an item")
    }
}

impl Signer for TestKey {
    fn public_key(&self) -> Vec<u8> {
        self.owner()
    }

    fn sign(&self, bytes: &[u8]) -> weft_codec::Result<Vec<u8>> {
        Ok(self.sign_sha512(bytes))
    }
}

/// A source for an empty salt.
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
