//! Ed25519 (RFC 8032 §5.1.7), without the cofactor: s is below the order, and R is compared as bytes.

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};

/// Whether the signature is the key's over the message.
pub(super) fn holds(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (key.try_into(), signature.try_into()) else { return false };
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(key).is_ok_and(|key| key.verify(message, &signature).is_ok())
}

/// The y of every point whose order divides 8, little-endian, without the bit that is the sign of x. Zero and one
/// stand there a second time, with p added.
const SMALL_ORDER: [[u8; 32]; 7] = {
    let mut zero_and_p = [0xff; 32];
    zero_and_p[0] = 0xed;
    zero_and_p[31] = 0x7f;
    let mut one_and_p = zero_and_p;
    one_and_p[0] = 0xee;
    let mut minus_one = zero_and_p;
    minus_one[0] = 0xec;
    let mut one = [0; 32];
    one[0] = 1;
    [
        [0; 32],
        one,
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
        minus_one,
        zero_and_p,
        one_and_p,
    ]
};

/// Whether the key or the signature's R is a point of small order. What such a key is said to have signed proves
/// nothing: anybody can sign with it. Implementations differ on both, so a verdict on them would depend on the
/// machine.
pub(super) fn is_weak(key: &[u8], signature: &[u8]) -> bool {
    [key.get(..32), signature.get(..32)].into_iter().flatten().any(is_small_order)
}

fn is_small_order(point: &[u8]) -> bool {
    let (Some((sign, y)), mut folded) = (point.split_last(), [0; 32]) else { return false };
    folded[..y.len()].copy_from_slice(y);
    folded[y.len()] = sign & 0x7f;
    SMALL_ORDER.contains(&folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table against the library's own arithmetic: its points, with either sign, and their neighbours.
    #[test]
    fn the_points_of_small_order_are_these() {
        let mut weak = 0;
        for y in SMALL_ORDER {
            for (sign, step) in [(0, 0), (0x80, 0), (0, 1), (0x80, 1)] {
                let mut point = y;
                point[31] |= sign;
                point[1] ^= step;
                let Ok(key) = VerifyingKey::from_bytes(&point) else { continue };
                assert_eq!(is_small_order(&point), key.is_weak(), "{point:?}");
                weak += usize::from(key.is_weak());
            }
        }
        // Eight points, and again those with y of 0 and 1 that are written with p added; x is 0 twice, where the
        // library takes either sign.
        assert!(weak >= 11, "{weak}");
    }
}
