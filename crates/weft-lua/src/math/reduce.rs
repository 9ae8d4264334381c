//! Large angles: what is left of them without multiples of half of pi, with as many digits of pi as that takes.

use num_bigint::BigUint;

use super::double::{Double, HALF_PI};

/// The digits of `2 / pi` behind the point, the last first: enough for the largest float.
const TWO_OVER_PI: [u64; 19] = [
    0x5603_3046_fc7b_6bab,
    0x6bfb_5fb1_1f8d_5d08,
    0x3d07_39f7_8a52_92ea,
    0x7527_bac7_ebe5_f17b,
    0x4f46_3f66_9e5f_ea2d,
    0x6d36_7ecf_27cb_09b7,
    0xef2f_118b_5a0a_6d1f,
    0x1ff8_97ff_de05_980f,
    0x9c84_5f8b_bdf9_283b,
    0x3991_d639_8353_39f4,
    0xe99c_7026_b45f_7e41,
    0xe882_35f5_2ebb_4484,
    0xfe1d_eb1c_b129_a73e,
    0x0649_2eea_09d1_921c,
    0xb724_6e3a_424d_d2e0,
    0xfe51_63ab_debb_c561,
    0xdb62_9599_3c43_9041,
    0xfc27_57d1_f534_ddc0,
    0xa2f9_836e_4e44_1529,
];
/// Their bits.
const BITS: u64 = 1216;

/// What is left of a large float without the nearest multiple of half of pi, and that multiple modulo 4.
pub(super) fn reduce(f: f64) -> (Double, u8) {
    let bits = f.abs().to_bits();
    let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
    // f is the mantissa times 2 to the power of this; it is large, so the power is not far below 0.
    let exponent = i64::try_from(bits >> 52).unwrap_or(0) - 1075;
    let digits: Vec<u32> = TWO_OVER_PI
        .iter()
        .flat_map(|word| [word & 0xffff_ffff, word >> 32])
        .map(|half| u32::try_from(half).unwrap_or(0))
        .collect();
    let quotient = BigUint::new(digits) * mantissa;
    // The point stands before so many bits.
    let point = BITS.saturating_add_signed(-exponent);
    let one = BigUint::from(1u32) << point;
    let whole = &quotient >> point;
    let fraction = &quotient - (&whole << point);
    let quarters = u8::try_from(&whole % 4u32).unwrap_or(0);
    let (quarters, fraction, above) = if (&fraction << 1u32) > one {
        ((quarters + 1) & 3, one - fraction, true)
    } else {
        (quarters, fraction, false)
    };
    let x = to_double(&fraction, point) * Double { hi: HALF_PI[0], lo: HALF_PI[1] };
    let x = if above { -x } else { x };
    if f < 0.0 { (-x, (4 - quarters) & 3) } else { (x, quarters) }
}

/// An integer over a power of two, by its first bits.
fn to_double(n: &BigUint, point: u64) -> Double {
    let shift = n.bits().saturating_sub(106);
    let first = n >> shift;
    let high = &first >> 53u32;
    let low = &first - (&high << 53u32);
    #[expect(clippy::cast_precision_loss, reason = "53 bits at most")]
    let part = |n: BigUint, bits: u64| {
        let scale = i32::try_from(shift + bits).unwrap_or(0) - i32::try_from(point).unwrap_or(0);
        libm::ldexp(u64::try_from(n).unwrap_or(0) as f64, scale)
    };
    Double::sum(part(high, 53), part(low, 0))
}
