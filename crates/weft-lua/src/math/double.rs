//! Numbers of twice a float's precision, as the sum of two floats: enough to round the last bit of a power right.

use std::ops::{Add, Mul, Neg, Sub};

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
        // The sum loses little: the rest is the exact difference of the leading parts.
        let x = (self - n_ln2).halved(SQUARINGS);
        // e^x - 1, which keeps the bits that e^x would lose beside the 1.
        let mut term = x;
        let mut sum = x;
        for k in 2..=9 {
            term = (term * x).divide(Self::new(f64::from(k)));
            sum = sum + term;
        }
        for _ in 0..SQUARINGS {
            sum = sum + sum + sum * sum;
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 2000 for any finite result")]
        let n = n.clamp(-5000.0, 5000.0) as i32;
        (sum + Self::new(1.0), n)
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
const HALF_PI: [f64; 4] = [
    f64::from_bits(0x3ff9_21fb_5444_2d18),
    f64::from_bits(0x3c91_a626_3314_5c07),
    f64::from_bits(0xb91f_1976_b7ed_8fbc),
    f64::from_bits(0x35b4_cf98_e804_177d),
];

impl Double {
    /// Sine and cosine of a float of at most a million.
    pub(super) fn sin_cos(f: f64) -> (Self, Self) {
        let n = (f / HALF_PI[0]).round();
        let mut x = Self::new(f);
        for part in HALF_PI {
            x = x - Self::product(n, part);
        }
        let (sin, cos) = x.series();
        match n.rem_euclid(4.0) {
            1.0 => (cos, -sin),
            2.0 => (-sin, -cos),
            3.0 => (-cos, sin),
            _ => (sin, cos),
        }
    }

    /// Sine and cosine by their series, between minus and plus a quarter of pi.
    fn series(self) -> (Self, Self) {
        let (mut sin, mut cos) = (self, Self::new(1.0));
        let mut term = self;
        for k in 2..=27 {
            term = (term * self).divide(Self::new(f64::from(k)));
            match k % 4 {
                0 => cos = cos + term,
                1 => sin = sin + term,
                2 => cos = cos - term,
                _ => sin = sin - term,
            }
        }
        (sin, cos)
    }
}

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
