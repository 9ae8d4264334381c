//! Numbers of twice a float's precision, as the sum of two floats: enough to round the last bit of a power right.

use std::ops::{Add, Mul, Neg, Sub};

use super::reduce;

/// `hi + lo`, with `lo` below half a unit in the last place of `hi`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Double {
    pub(super) hi: f64,
    pub(super) lo: f64,
}

/// The natural logarithm of 2.
const LN2: Double =
    Double { hi: f64::from_bits(0x3fe6_2e42_fefa_39ef), lo: f64::from_bits(0x3c7a_bc9e_3b39_803f) };
/// What [`LN2`] lacks.
const LN2_REST: f64 = f64::from_bits(0x3907_b57a_079a_1934);

impl Double {
    pub(super) const fn new(f: f64) -> Self {
        Self { hi: f, lo: 0.0 }
    }

    /// The sum of two floats, exactly.
    pub(super) fn sum(a: f64, b: f64) -> Self {
        let hi = a + b;
        let part = hi - a;
        Self { hi, lo: (a - (hi - part)) + (b - part) }
    }

    /// The sum of two floats of which the first is the larger, exactly.
    fn quick_sum(a: f64, b: f64) -> Self {
        let hi = a + b;
        Self { hi, lo: b - (hi - a) }
    }

    /// The product of two floats, exactly (as long as it is far from the ends of the range).
    pub(super) fn product(a: f64, b: f64) -> Self {
        let hi = a * b;
        let ((a1, a2), (b1, b2)) = (split(a), split(b));
        Self { hi, lo: ((a1 * b1 - hi) + a1 * b2 + a2 * b1) + a2 * b2 }
    }

    pub(super) fn value(self) -> f64 {
        self.hi + self.lo
    }

    /// Half of it, so many times.
    fn halved(self, times: i32) -> Self {
        let scale = libm::ldexp(1.0, -times);
        Self { hi: self.hi * scale, lo: self.lo * scale }
    }

    /// One divided by it.
    pub(super) fn divide(self, by: Self) -> Self {
        let first = self.hi / by.hi;
        let rest = self - by * Self::new(first);
        let second = rest.hi / by.hi;
        let rest = rest - by * Self::new(second);
        Self::quick_sum(first, second) + Self::new(rest.hi / by.hi)
    }

    /// `e` to the power of it, without the power of two that is given beside: `e^x = r * 2^n`.
    pub(super) fn exp(self) -> (Self, i32) {
        let n = (self.hi / LN2.hi).round();
        let n_ln2 = Self::product(n, LN2.hi) + Self::product(n, LN2.lo) + Self::new(n * LN2_REST);
        let x = (self - n_ln2).halved(SQUARINGS);
        // e^x - 1, which keeps the bits that e^x would lose beside the 1.
        let mut sum = x * Self::polynomial(x, (2..=8).rev().map(reciprocal));
        for _ in 0..SQUARINGS {
            sum = sum + sum + sum * sum;
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 2000 for any finite result")]
        let n = n.clamp(-5000.0, 5000.0) as i32;
        (sum + Self::new(1.0), n)
    }

    /// `1 + c1 x + c2 x^2 + …`, from the last coefficient to the first.
    fn polynomial(x: Self, coefficients: impl Iterator<Item = Self>) -> Self {
        coefficients.fold(Self::new(0.0), |sum, coefficient| (sum + coefficient) * x) + Self::new(1.0)
    }

    /// It to a whole power.
    pub(super) fn power(self, mut exponent: u32) -> Self {
        let (mut result, mut square) = (Self::new(1.0), self);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result * square;
            }
            square = square * square;
            exponent >>= 1;
        }
        result
    }

    /// The natural logarithm of a positive float.
    pub(super) fn log(f: f64) -> Self {
        let (mut m, mut n) = libm::frexp(f);
        if m < std::f64::consts::FRAC_1_SQRT_2 {
            m *= 2.0;
            n -= 1;
        }
        // One step of Halley's from a float's precision triples the digits.
        let y = libm::log(m);
        let (e, power) = Self::new(y).exp();
        let e = Self { hi: libm::ldexp(e.hi, power), lo: libm::ldexp(e.lo, power) };
        let step = (Self::new(m) - e).divide(Self::new(m) + e);
        let n = f64::from(n);
        let whole = Self::product(n, LN2.hi) + Self::product(n, LN2.lo);
        whole + (Self::new(y) + step + step)
    }
}

/// Half of pi, as the sum of four floats.
pub(super) const HALF_PI: [f64; 4] = [
    f64::from_bits(0x3ff9_21fb_5444_2d18),
    f64::from_bits(0x3c91_a626_3314_5c07),
    f64::from_bits(0xb91f_1976_b7ed_8fbc),
    f64::from_bits(0x35b4_cf98_e804_177d),
];

impl Double {
    /// Sine and cosine of a finite float.
    pub(super) fn sin_cos(f: f64) -> (Self, Self) {
        let (x, quarter) = if f.abs() <= REDUCED { Self::reduce(f) } else { reduce::reduce(f) };
        let (sin, cos) = x.series();
        match quarter {
            1 => (cos, -sin),
            2 => (-sin, -cos),
            3 => (-cos, sin),
            _ => (sin, cos),
        }
    }

    /// What is left of a float without the nearest multiple of half of pi, and that multiple modulo 4.
    fn reduce(f: f64) -> (Self, u8) {
        let n = (f / HALF_PI[0]).round();
        let x = HALF_PI.iter().fold(Self::new(f), |x, part| x - Self::product(n, *part));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 3")]
        let quarter = n.rem_euclid(4.0) as u8;
        (x, quarter)
    }

    /// Sine and cosine by their series, between minus and plus a quarter of pi.
    fn series(self) -> (Self, Self) {
        let minus_square = -(self * self);
        let sin = Self::polynomial(minus_square, (1..=13).rev().map(|k| reciprocal(2 * k + 1)));
        let cos = Self::polynomial(minus_square, (1..=13).rev().map(|k| reciprocal(2 * k)));
        (self * sin, cos)
    }
}

/// Floats up to here are reduced with [`HALF_PI`], which has digits enough for them.
const REDUCED: f64 = 1e6;

/// `1 / k!`, for `k` from 2 to 27.
fn reciprocal(k: usize) -> Double {
    let (hi, lo) = RECIPROCALS.get(k.wrapping_sub(2)).copied().unwrap_or((0, 0));
    Double { hi: f64::from_bits(hi), lo: f64::from_bits(lo) }
}

/// The reciprocals of the factorials from 2 on, each as the bits of two floats.
const RECIPROCALS: [(u64, u64); 26] = [
    (0x3fe0_0000_0000_0000, 0x0000_0000_0000_0000),
    (0x3fc5_5555_5555_5555, 0x3c65_5555_5555_5555),
    (0x3fa5_5555_5555_5555, 0x3c45_5555_5555_5555),
    (0x3f81_1111_1111_1111, 0x3c01_1111_1111_1111),
    (0x3f56_c16c_16c1_6c17, 0xbbef_49f4_9f49_f49f),
    (0x3f2a_01a0_1a01_a01a, 0x3b6a_01a0_1a01_a01a),
    (0x3efa_01a0_1a01_a01a, 0x3b3a_01a0_1a01_a01a),
    (0x3ec7_1de3_a556_c734, 0xbb6c_154f_8ddc_6c00),
    (0x3e92_7e4f_b778_9f5c, 0x3b3c_bbc0_5b4f_a99a),
    (0x3e5a_e645_67f5_44e4, 0xbafc_062e_06d1_f209),
    (0x3e21_eed8_eff8_d898, 0xbac2_aec9_59e1_4c06),
    (0x3de6_1246_13a8_6d09, 0x3a8f_28e0_cc74_8ebe),
    (0x3da9_3974_a8c0_7c9d, 0x3a30_5d6f_8a2e_fd1f),
    (0x3d6a_e7f3_e733_b81f, 0x39e1_d865_6b0e_e8cb),
    (0x3d2a_e7f3_e733_b81f, 0x39a1_d865_6b0e_e8cb),
    (0x3ce9_52c7_7030_ad4a, 0x398a_c981_465d_dc6c),
    (0x3ca6_8278_63b9_7d97, 0x394e_ec01_221a_8b0b),
    (0x3c62_f49b_4681_4157, 0x38f2_650f_61db_dcb4),
    (0x3c1e_542b_a402_0225, 0x387e_a72b_4afe_3c2f),
    (0x3bd7_1b8e_f6dc_f572, 0xb87d_043a_e40c_4647),
    (0x3b90_ce39_6db7_f853, 0xb83a_ebcd_bd20_331c),
    (0x3b47_61b4_1316_381a, 0xb7d3_423c_7d91_404f),
    (0x3aff_2cf0_1972_f578, 0xb789_ada5_fcc1_ab14),
    (0x3ab3_f3cc_dd16_5fa9, 0xb745_8dda_df34_4487),
    (0x3a68_8e85_fc6a_4e5a, 0xb707_1c37_ebd1_6540),
    (0x3a1d_1ab1_c2dc_cea3, 0x36a0_54d0_c78a_ea14),
];

/// How often the argument of the exponential is halved, and the result squared.
const SQUARINGS: i32 = 9;

/// A float as the sum of two of half its bits.
fn split(a: f64) -> (f64, f64) {
    let scaled = 134_217_729.0 * a;
    let high = scaled - (scaled - a);
    (high, a - high)
}

impl Add for Double {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let high = Self::sum(self.hi, other.hi);
        let low = Self::sum(self.lo, other.lo);
        let first = Self::quick_sum(high.hi, high.lo + low.hi);
        Self::quick_sum(first.hi, first.lo + low.lo)
    }
}

impl Neg for Double {
    type Output = Self;

    fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo }
    }
}

impl Sub for Double {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Double {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let high = Self::product(self.hi, other.hi);
        Self::quick_sum(high.hi, high.lo + (self.hi * other.lo + self.lo * other.hi))
    }
}
