//! RSA-PSS with e = 65537 (reference arweave.md §2.2, RFC 8017 §8.1.2 and §9.1.2): the salt's length is whatever the
//! signer took. Message and mask are hashed alike, with SHA-256 or SHA-512.
//!
//! The arithmetic is `crypto-bigint`'s. The padding is decoded here: the crate `rsa` raises to e in constant time,
//! which costs twice as much and protects nothing in a verifier. Tests compare the two.

use std::cell::RefCell;
use std::rc::Rc;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use sha2::Digest;

/// Sizes of modulus that are taken, in bits. Arweave's keys have 4096.
const MODULUS_BITS: std::ops::RangeInclusive<u32> = 1024..=8192;
/// Keys kept prepared, per thread. A history has one scheduler and few frequent senders.
const KEPT: usize = 32;

thread_local! {
    /// Prepared keys, the latest used last.
    static KEYS: RefCell<Vec<Rc<Key>>> = const { RefCell::new(Vec::new()) };
}

/// Whether the signature is the modulus's over the message. A modulus that is even or does not have 1024 to 8192 bits
/// has no signatures.
pub(super) fn holds<D: Digest>(modulus: &[u8], message: &[u8], signature: &[u8]) -> bool {
    prepared(modulus).is_some_and(|key| key.holds::<D>(message, signature))
}

/// A public key, ready for multiplication.
struct Key {
    bytes: Vec<u8>,
    modulus: BoxedUint,
    params: BoxedMontyParams,
    /// Bits of the modulus.
    bits: u32,
}

fn prepared(modulus: &[u8]) -> Option<Rc<Key>> {
    KEYS.with_borrow_mut(|keys| {
        let key = match keys.iter().position(|key| key.bytes == modulus) {
            Some(at) => keys.remove(at),
            None => Rc::new(Key::prepare(modulus)?),
        };
        if keys.len() == KEPT {
            keys.remove(0);
        }
        keys.push(Rc::clone(&key));
        Some(key)
    })
}

impl Key {
    fn prepare(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > 8192 / 8 {
            return None;
        }
        let modulus = BoxedUint::from_be_slice_vartime(bytes);
        let bits = modulus.bits_vartime();
        if !MODULUS_BITS.contains(&bits) {
            return None;
        }
        let odd = Odd::new(modulus.clone()).into_option()?;
        Some(Self { bytes: bytes.to_vec(), modulus, params: BoxedMontyParams::new_vartime(odd), bits })
    }

    /// RFC 8017 §8.1.2.
    fn holds<D: Digest>(&self, message: &[u8], signature: &[u8]) -> bool {
        if signature.len() != self.bits.div_ceil(8) as usize {
            return false;
        }
        let Some(raised) = self.raise(signature) else { return false };
        // The encoded message is one bit shorter than the modulus, so it may be one byte shorter.
        let length = (self.bits - 1).div_ceil(8) as usize;
        let Some((above, encoded)) = raised.len().checked_sub(length).map(|at| raised.split_at(at)) else {
            return false;
        };
        above.iter().all(|byte| *byte == 0) && pss_holds::<D>(message, encoded, self.bits - 1)
    }

    /// The signature to the power of 65537: sixteen squarings and one multiplication.
    fn raise(&self, signature: &[u8]) -> Option<Box<[u8]>> {
        let number = BoxedUint::from_be_slice(signature, self.modulus.bits_precision()).ok()?;
        if number >= self.modulus {
            return None;
        }
        let base = BoxedMontyForm::new(number, &self.params);
        let squared = (0..16).fold(base.clone(), |power, _| power.square());
        Some(squared.mul(&base).retrieve().to_be_bytes())
    }
}

/// RFC 8017 §9.1.2 (EMSA-PSS-VERIFY), with the salt that is found. `bits` is the length of the encoded message.
fn pss_holds<D: Digest>(message: &[u8], encoded: &[u8], bits: u32) -> bool {
    let Some((&0xbc, body)) = encoded.split_last() else { return false };
    let size = <D as Digest>::output_size();
    let Some((masked, hash)) = body.len().checked_sub(size).map(|at| body.split_at(at)) else { return false };
    let unused = 8 * encoded.len() - bits as usize;
    let keep = 0xff_u8.checked_shr(u32::try_from(unused).unwrap_or(8)).unwrap_or(0);
    if masked.first().is_none_or(|first| first & !keep != 0) {
        return false;
    }
    let mut block = unmask::<D>(masked, hash);
    block[0] &= keep;
    // Zeros, a one, and the salt.
    let Some(one) = block.iter().position(|byte| *byte != 0) else { return false };
    let (1, salt) = (block[one], &block[one + 1..]) else { return false };
    let mut hasher = D::new();
    hasher.update([0; 8]);
    hasher.update(D::digest(message));
    hasher.update(salt);
    hasher.finalize().as_slice() == hash
}

/// The masked bytes xor MGF1 of the hash (RFC 8017 §B.2.1).
fn unmask<D: Digest>(masked: &[u8], seed: &[u8]) -> Vec<u8> {
    let mut out = masked.to_vec();
    for (counter, chunk) in (0_u32..).zip(out.chunks_mut(<D as Digest>::output_size())) {
        let mut hasher = D::new();
        hasher.update(seed);
        hasher.update(counter.to_be_bytes());
        for (byte, mask) in chunk.iter_mut().zip(hasher.finalize()) {
            *byte ^= mask;
        }
    }
    out
}
