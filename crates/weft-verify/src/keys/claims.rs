//! Signatures as values: what a platform can check beside the code here, and what it said.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use sha2::{Digest as _, Sha256};
use weft_codec::Result;

/// A signature scheme, its keys and its signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scheme {
    /// RSASSA-PSS, MGF1 and message with SHA-256, e = 65537, a salt of any length (RFC 8017 §8.1; reference
    /// arweave.md §2.2). The key is the modulus, big-endian, of 1024 to 8192 bits.
    RsaPssSha256,
    /// The same with SHA-512.
    RsaPssSha512,
    /// RFC 8032 §5.1.7 without the cofactor. The key has 32 bytes, the signature 64. Points of small order are
    /// refused, as key and in the signature: such a key signs anything.
    Ed25519,
    /// ECDSA over the SHA-256. The key is an uncompressed point of 65 bytes; the signature is r ‖ s, 64 bytes, s at
    /// most half the group's order.
    EcdsaSecp256k1Sha256,
    /// The same over the Keccak-256.
    EcdsaSecp256k1Keccak,
    /// ECDSA over the Keccak-256 by whoever has this Ethereum address. The key is the address, 20 bytes; the
    /// signature is r ‖ s ‖ v, 65 bytes, v one of 0, 1, 27, 28, s any.
    EthereumAddress,
}

/// That a key signed a message. Only checking it makes it true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureClaim {
    /// The scheme.
    pub scheme: Scheme,
    /// The key, in the scheme's form.
    pub key: Vec<u8>,
    /// The bytes that the scheme hashes and signs.
    pub message: Vec<u8>,
    /// The signature, in the scheme's form.
    pub signature: Vec<u8>,
}

impl SignatureClaim {
    /// Checks it here. Error: `signature-invalid`.
    pub fn verify(&self) -> Result<()> {
        super::verify(self.scheme, &self.key, &self.message, &self.signature)
    }
}

/// Claims that the platform checked and found to hold: a browser's WebCrypto does so faster than this crate. What it
/// does not find to hold is not in here, and is decided by this crate.
#[derive(Clone, Debug, Default)]
pub struct Vouched {
    digests: Rc<BTreeSet<[u8; 32]>>,
}

impl Vouched {
    /// The most claims at a time. Those beyond it are not kept, and so are checked here.
    pub const MOST: usize = 65_536;

    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a claim that the platform found to hold.
    pub fn add(&mut self, claim: &SignatureClaim) {
        if self.digests.len() < Self::MOST {
            let digest = digest(claim.scheme, &claim.key, &claim.message, &claim.signature);
            Rc::make_mut(&mut self.digests).insert(digest);
        }
    }

    /// Does some verifying for which these claims need not be computed again. They count inside `verifying` alone,
    /// on this thread.
    pub fn during<T>(&self, verifying: impl FnOnce() -> T) -> T {
        let before = VOUCHED.replace(Some(Rc::clone(&self.digests)));
        let _restore = Restore(before);
        verifying()
    }
}

thread_local! {
    /// What [`Vouched::during`] set, if it is running.
    static VOUCHED: RefCell<Option<Rc<BTreeSet<[u8; 32]>>>> = const { RefCell::new(None) };
}

/// Puts back what counted before, also when verifying panics.
struct Restore(Option<Rc<BTreeSet<[u8; 32]>>>);

impl Drop for Restore {
    fn drop(&mut self) {
        VOUCHED.set(self.0.take());
    }
}

pub(super) fn is_vouched(scheme: Scheme, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    VOUCHED.with_borrow(|vouched| {
        vouched.as_ref().is_some_and(|digests| digests.contains(&digest(scheme, key, message, signature)))
    })
}

/// Each part with its length before it, so that no two claims are the same bytes.
fn digest(scheme: Scheme, key: &[u8], message: &[u8], signature: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update([scheme as u8]);
    for part in [key, message, signature] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}
