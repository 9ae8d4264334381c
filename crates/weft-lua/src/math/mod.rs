//! The functions of `math` that have no exact result, from one implementation on every platform: the same bits natively and
//! in a browser.
//!
//! Erlang takes them from the system's C library, whose best (powers, exponentials, logarithms) miss the nearest float about
//! once in a thousand. Ours are computed with twice the digits and then rounded, so that they are the nearest float and
//! theirs nearly always.

mod double;

use double::Double;

/// `a` to the power of `b`.
#[must_use]
pub fn pow(a: f64, b: f64) -> f64 {
    if b == 2.0 {
        return a * a;
    }
    let magnitude = a.abs();
    let estimate = libm::pow(a, b);
    // What is exact or out of range, libm has right.
    let special = b == 0.0 || b == 1.0 || magnitude == 1.0 || !a.is_finite() || !b.is_finite();
    if special || a == 0.0 || !estimate.is_normal() || estimate.abs() > 1e300 {
        return estimate;
    }
    let (power, n) = (Double::log(magnitude) * Double::new(b)).exp();
    let nearest = libm::ldexp(power.value(), n);
    if nearest.is_normal() { nearest.copysign(estimate) } else { estimate }
}
