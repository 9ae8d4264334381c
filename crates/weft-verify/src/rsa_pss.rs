//! RSA-PSS with SHA-256 and e = 65537 (reference arweave.md §2.2): the salt's length is whatever the signer took.

use std::cell::RefCell;
use std::rc::Rc;

use rsa::pss::Pss;
use rsa::{BoxedUint, RsaPublicKey};
use sha2::{Digest, Sha256};
use weft_codec::{Code, Error, Result};

/// Keys kept prepared, per thread. A history has one scheduler and few frequent senders.
const KEPT: usize = 32;

thread_local! {
    /// Prepared keys by their modulus, the latest used last.
    static KEYS: RefCell<Vec<(Vec<u8>, Rc<RsaPublicKey>)>> = const { RefCell::new(Vec::new()) };
}

/// Checks a signature over a payload. Error: `signature-invalid`, also for a modulus that is no RSA key of 1024 to
/// 8192 bits.
pub(crate) fn verify(modulus: &[u8], payload: &[u8], signature: &[u8]) -> Result<()> {
    let invalid = || Error::new(Code::SignatureInvalid, "The signature is not the owner's over these bytes.");
    let key = prepared(modulus).map_err(|cause| invalid().because(cause))?;
    // No salt length given: it is read from the encoded message, as RFC 8017 §9.1.2 lays it out.
    let scheme = Pss { blinded: false, digest: Sha256::new(), salt_len: None };
    key.verify(scheme, &Sha256::digest(payload), signature).map_err(|cause| invalid().because(cause))
}

fn prepared(modulus: &[u8]) -> Result<Rc<RsaPublicKey>, rsa::Error> {
    let kept = KEYS.with_borrow_mut(|keys| {
        let at = keys.iter().position(|(kept, _)| kept == modulus)?;
        let entry = keys.remove(at);
        let key = Rc::clone(&entry.1);
        keys.push(entry);
        Some(key)
    });
    if let Some(key) = kept {
        return Ok(key);
    }
    let n = BoxedUint::from_be_slice_vartime(modulus);
    let key = Rc::new(RsaPublicKey::new(n, BoxedUint::from(65_537_u64))?);
    KEYS.with_borrow_mut(|keys| {
        if keys.len() == KEPT {
            keys.remove(0);
        }
        keys.push((modulus.to_vec(), Rc::clone(&key)));
    });
    Ok(key)
}
