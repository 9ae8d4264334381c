//! The functions of `math` that have no exact result, from one implementation on every platform: the same bits natively and
//! in a browser.
//!
//! Erlang takes them from the system's C library, which misses the nearest float about once in a thousand (measured with
//! glibc 2.36: `pow` 57 of 38,760, `exp` 10 of 19,060, `sin` 20 of 20,000). Ours are computed with twice the digits and then
//! rounded, so they are the nearest float, and that library's in all other cases. Those it builds
//! from others without such care (`log10` and the hyperbolic ones) are built in its way.

mod double;
mod reduce;

use double::Double;

/// `a` to the power of `b`.
#[must_use]
pub fn pow(a: f64, b: f64) -> f64 {
    if b == 2.0 {
        return a * a;
    }
    if b == 0.5 && a > 0.0 {
        return a.sqrt();
    }
    let magnitude = a.abs();
    let estimate = libm::pow(a, b);
    // What is exact or out of range, libm has right.
    let special = b == 0.0 || b == 1.0 || magnitude == 1.0 || !a.is_finite() || !b.is_finite();
    if special || a == 0.0 || !estimate.is_normal() {
        return estimate;
    }
    let nearest = match whole_exponent(b).filter(|_| (1e-8..1e15).contains(&magnitude)) {
        Some(exponent) if b > 0.0 => Double::new(magnitude).power(exponent).value(),
        Some(exponent) => Double::new(1.0).divide(Double::new(magnitude).power(exponent)).value(),
        None => {
            let (power, n) = (Double::log(magnitude) * Double::new(b)).exp();
            libm::ldexp(power.value(), n)
        }
    };
    refined(estimate, nearest.copysign(estimate))
}

/// A small whole exponent without its sign: multiplying is quicker than logarithms, and as exact.
fn whole_exponent(b: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 16, and whole")]
    let whole = b.abs() as u32;
    (b.abs() <= 16.0 && b.fract() == 0.0).then_some(whole)
}

/// The refined value; the estimate where refining went out of range.
fn refined(estimate: f64, value: f64) -> f64 {
    if value.is_normal() { value } else { estimate }
}

/// `e` to the power of `x`.
#[must_use]
pub fn exp(x: f64) -> f64 {
    let estimate = libm::exp(x);
    if x == 0.0 || !estimate.is_normal() {
        return estimate;
    }
    let (power, n) = Double::new(x).exp();
    refined(estimate, libm::ldexp(power.value(), n))
}

/// The natural logarithm.
#[must_use]
pub fn log(x: f64) -> f64 {
    let estimate = libm::log(x);
    if x <= 0.0 || x == 1.0 || !x.is_normal() {
        return estimate;
    }
    refined(estimate, Double::log(x).value())
}

/// The logarithm of 2 to base 10, in two parts of which the first has zeros at its end.
const LOG10_2_HIGH: f64 = f64::from_bits(0x3fd3_4413_509f_6000);
const LOG10_2_LOW: f64 = f64::from_bits(0x3d59_fef3_11f1_2b36);

/// The logarithm to base 10.
#[must_use]
pub fn log10(x: f64) -> f64 {
    if x <= 0.0 || !x.is_normal() {
        return libm::log10(x);
    }
    let (mut mantissa, mut exponent) = libm::frexp(x);
    // A mantissa from 1 to 2, or from a half to 1 for numbers below 1.
    if exponent > 0 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    let y = f64::from(exponent);
    let low = y * LOG10_2_LOW + std::f64::consts::LOG10_E * log(mantissa);
    low + y * LOG10_2_HIGH
}

/// Sine.
#[must_use]
pub fn sin(x: f64) -> f64 {
    trigonometric(x, libm::sin(x), |x| Double::sin_cos(x).0)
}

/// Cosine.
#[must_use]
pub fn cos(x: f64) -> f64 {
    trigonometric(x, libm::cos(x), |x| Double::sin_cos(x).1)
}

/// Tangent.
#[must_use]
pub fn tan(x: f64) -> f64 {
    trigonometric(x, libm::tan(x), |x| {
        let (sin, cos) = Double::sin_cos(x);
        sin.divide(cos)
    })
}

fn trigonometric(x: f64, estimate: f64, value: impl Fn(f64) -> Double) -> f64 {
    if x.abs() < 1e-8 || !x.is_finite() { estimate } else { refined(estimate, value(x).value()) }
}

/// Arc sine.
#[must_use]
pub fn asin(x: f64) -> f64 {
    let estimate = libm::asin(x);
    if x.abs() >= 1.0 || x.abs() < 1e-8 || !estimate.is_finite() {
        return estimate;
    }
    let (sin, cos) = Double::sin_cos(estimate);
    refined(estimate, (Double::new(estimate) + (Double::new(x) - sin).divide(cos)).value())
}

/// Arc cosine.
#[must_use]
pub fn acos(x: f64) -> f64 {
    let estimate = libm::acos(x);
    if x.abs() >= 1.0 || !estimate.is_finite() {
        return estimate;
    }
    let (sin, cos) = Double::sin_cos(estimate);
    refined(estimate, (Double::new(estimate) + (cos - Double::new(x)).divide(sin)).value())
}

/// Arc tangent.
#[must_use]
pub fn atan(x: f64) -> f64 {
    let estimate = libm::atan(x);
    if x.abs() < 1e-8 || x.abs() > 1e100 { estimate } else { towards(estimate, x, 1.0) }
}

/// The angle of the point `(x, y)`.
#[must_use]
pub fn atan2(y: f64, x: f64) -> f64 {
    let estimate = libm::atan2(y, x);
    let near = |f: f64| (1e-100..1e100).contains(&f.abs());
    if !near(x) || !near(y) || estimate.abs() < 1e-8 { estimate } else { towards(estimate, y, x) }
}

/// An angle, made more exact by what it lacks to that of the point.
fn towards(estimate: f64, y: f64, x: f64) -> f64 {
    let (sin, cos) = Double::sin_cos(estimate);
    let (x, y) = (Double::new(x), Double::new(y));
    let rest = (y * cos - x * sin).divide(x * cos + y * sin);
    refined(estimate, (Double::new(estimate) + rest).value())
}

/// Beyond here the smaller half of a hyperbolic function is lost in the larger.
const HYPERBOLIC: f64 = 22.0;

/// Hyperbolic sine.
#[must_use]
pub fn sinh(x: f64) -> f64 {
    let half = 0.5f64.copysign(x);
    let a = x.abs();
    if a < 2f64.powi(-28) {
        return x;
    }
    if a >= HYPERBOLIC {
        return large(x, half);
    }
    let t = libm::expm1(a);
    if a < 1.0 { half * (2.0 * t - t * t / (t + 1.0)) } else { half * (t + t / (t + 1.0)) }
}

/// Hyperbolic cosine.
#[must_use]
pub fn cosh(x: f64) -> f64 {
    let a = x.abs();
    if a >= HYPERBOLIC {
        return large(x, 0.5);
    }
    if a < 0.5 * std::f64::consts::LN_2 {
        let t = libm::expm1(a);
        let w = 1.0 + t;
        return 1.0 + (t * t) / (w + w);
    }
    let t = exp(a);
    0.5 * t + 0.5 / t
}

fn large(x: f64, half: f64) -> f64 {
    let a = x.abs();
    if exp(a).is_finite() {
        return half * exp(a);
    }
    let root = exp(0.5 * a);
    half * root * root
}

/// Hyperbolic tangent.
#[must_use]
pub fn tanh(x: f64) -> f64 {
    let a = x.abs();
    if a < 2f64.powi(-55) || !a.is_finite() {
        return libm::tanh(x);
    }
    let value = if a >= HYPERBOLIC {
        1.0
    } else if a >= 1.0 {
        1.0 - 2.0 / (libm::expm1(2.0 * a) + 2.0)
    } else {
        let t = libm::expm1(-2.0 * a);
        -t / (t + 2.0)
    };
    value.copysign(x)
}
