//! ECDSA on secp256k1: with the key at hand, or with the key found from the signature (SEC 1 §4.1.4 and §4.1.6).

use k256::ecdsa::signature::hazmat::PrehashVerifier as _;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use k256::elliptic_curve::scalar::IsHigh as _;
use sha3::{Digest as _, Keccak256};
use weft_codec::Result;

/// A point, in both of its written forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    /// 02 or 03, and x.
    pub(crate) compressed: [u8; 33],
    /// 04, x and y.
    pub(crate) uncompressed: [u8; 65],
}

/// Whether r ‖ s is the key's over the hash, with s at most half the order: libsecp256k1's rule.
pub(super) fn holds(key: &[u8], hash: &[u8; 32], signature: &[u8]) -> bool {
    let (Some(key), Ok(signature)) = (read_key(key), Signature::from_slice(signature)) else { return false };
    !bool::from(signature.s().is_high()) && key.verify_prehash(hash, &signature).is_ok()
}

/// A point of 65 bytes. libsecp256k1 and elliptic also read its hybrid form, 06 or 07 by the parity of y, so an
/// owner may be written so.
fn read_key(key: &[u8]) -> Option<VerifyingKey> {
    let mut key = <[u8; 65]>::try_from(key).ok()?;
    match key[0] {
        4 => {}
        hybrid @ (6 | 7) if hybrid & 1 == key[64] & 1 => key[0] = 4,
        _ => return None,
    }
    VerifyingKey::from_sec1_bytes(&key).ok()
}

/// The key that made r ‖ s ‖ recovery id over the hash, with a recovery id of 0 to 3 and s at most half the order:
/// the rule of Arweave's layer 1 from fork 2.9 (reference arweave.md §2.2, §6.4). Error: `signature-invalid`.
pub(crate) fn recover_secp256k1(hash: &[u8; 32], signature: &[u8]) -> Result<PublicKey> {
    let parts = signature.split_last_chunk::<1>();
    let found = parts.and_then(|(rs, [id])| {
        let rs = Signature::from_slice(rs).ok().filter(|rs| !bool::from(rs.s().is_high()))?;
        recover(hash, &rs, RecoveryId::from_byte(*id)?)
    });
    let point = found.ok_or_else(super::invalid)?.to_sec1_point(false);
    let uncompressed = <[u8; 65]>::try_from(point.as_bytes()).map_err(|_| super::invalid())?;
    let [_, x_and_y @ ..] = &uncompressed;
    let mut compressed = [0; 33];
    compressed[0] = 2 | (x_and_y[63] & 1);
    compressed[1..].copy_from_slice(&x_and_y[..32]);
    Ok(PublicKey { compressed, uncompressed })
}

/// Whether r ‖ s ‖ v over the hash is by the key whose Ethereum address this is.
pub(super) fn is_by_address(address: &[u8], hash: &[u8; 32], signature: &[u8]) -> bool {
    let Some((rs, [v])) = signature.split_last_chunk::<1>() else { return false };
    let id = match v {
        0 | 27 => RecoveryId::new(false, false),
        1 | 28 => RecoveryId::new(true, false),
        _ => return false,
    };
    let Ok(rs) = Signature::from_slice(rs) else { return false };
    recover(hash, &rs, id).is_some_and(|key| {
        let point = key.to_sec1_point(false);
        point.as_bytes().get(1..).is_some_and(|point| Keccak256::digest(point)[12..] == *address)
    })
}

fn recover(hash: &[u8; 32], signature: &Signature, id: RecoveryId) -> Option<VerifyingKey> {
    VerifyingKey::recover_from_prehash(hash, signature, id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        std::array::from_fn(byte)
    }

    /// The vector of Ethereum's `ecrecover` in go-ethereum, which Arweave's tests have too, and the same signature
    /// with its s on the other side of half the order.
    #[test]
    fn a_key_is_found_from_its_signature() {
        let hash = bytes("ce0677bb30baa8cf067c88db9811f4333d131bf8bcf12fe7065d211dce971008");
        let signature: [u8; 65] = bytes(concat!(
            "90f27b8b488db00b00606796d2987f6a5f59ae62ea05effe84fef5b8b0e54998",
            "4a691139ad57a3f0b906637673aa2f63d1f55cb1a69199d4009eea23ceaddc93",
            "01"
        ));
        let key = recover_secp256k1(&hash, &signature).unwrap();
        let wanted = bytes("02e32df42865e97135acfb65f3bae71bdc86f4d49150ad6a440b6f15878109880a");
        assert_eq!(key.compressed, wanted);
        assert!(holds(&key.uncompressed, &hash, &signature[..64]));

        let low = Signature::from_slice(&signature[..64]).unwrap();
        let high = Signature::from_scalars(low.r(), -low.s()).unwrap();
        let high = [high.to_bytes().as_slice(), &[0]].concat();
        assert!(recover_secp256k1(&hash, &high).is_err());
        assert!(!holds(&key.uncompressed, &hash, &high[..64]));
        let address = &Keccak256::digest(&key.uncompressed[1..])[12..];
        assert!(is_by_address(address, &hash, &high) && is_by_address(address, &hash, &signature));
        for v in [0, 2, 3, 4, 26, 27, 29, 255] {
            let other = [&signature[..64], &[v]].concat();
            assert!(!is_by_address(address, &hash, &other), "{v}");
            assert!(recover_secp256k1(&hash, &other).is_ok_and(|other| other != key) == (v == 0), "{v}");
        }
        assert!(is_by_address(address, &hash, &[&signature[..64], &[28]].concat()));
    }

    /// The hybrid form of a key is read if its first byte is right.
    #[test]
    fn a_key_has_two_written_forms() {
        let hash = [7; 32];
        let signature = [&[1; 64][..], &[0]].concat();
        let key = recover_secp256k1(&hash, &signature).unwrap().uncompressed;
        let parity = key[64] & 1;
        for (first, read) in [(4, true), (6 | parity, true), (7 - parity, false), (2, false), (5, false)] {
            let mut other = key;
            other[0] = first;
            assert_eq!(holds(&other, &hash, &signature[..64]), read, "{first}");
        }
    }
}
