//! Numbers as Luerl has them: integers without bound, and floats that are never infinite and never "not a number".
//!
//! Luerl's numbers are Erlang's. What raises in Erlang raises here ([`NumError::Arith`]), and a result that is too long an
//! integer for this implementation is its own error ([`NumError::TooLong`]), since Erlang would have gone on.

mod arith;
mod bits;
pub mod lua53;
mod parse;
pub mod printf;
mod text;

use std::cmp::Ordering;
use std::rc::Rc;

use num_bigint::{BigInt, Sign};

pub use arith::{BinOp, UnOp, binary, cost, unary};
pub use parse::{Numeral, integer_in_base, numeral, to_number};
pub use text::{float_text, write_float};

/// The longest integer, in bits. Erlang's own bound is a thousand times higher and is one of memory; a script that gets here
/// by accident does not exist, and one that gets here on purpose must not cost more than it pays for.
pub const MAX_BITS: u64 = 1 << 20;

/// Why an operation on numbers has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumError {
    /// Erlang's `badarith`: a division by zero, a float out of range, an operand of the wrong kind.
    Arith,
    /// The result has more than [`MAX_BITS`] bits.
    TooLong,
}

/// A number. An integer that fits 64 bits is always an [`Num::Int`]; so two equal integers look alike.
#[derive(Debug, Clone)]
pub enum Num {
    /// An integer of 64 bits.
    Int(i64),
    /// An integer that does not fit 64 bits.
    Big(Rc<BigInt>),
    /// A finite float.
    Float(f64),
}

impl Num {
    /// The integer, in the form that fits it.
    #[must_use]
    pub fn from_big(n: BigInt) -> Self {
        match i64::try_from(&n) {
            Ok(small) => Self::Int(small),
            Err(_) => Self::Big(Rc::new(n)),
        }
    }

    /// The integer, or an error if it is longer than the bound.
    pub(crate) fn bounded(n: BigInt) -> Result<Self, NumError> {
        if n.bits() > MAX_BITS { Err(NumError::TooLong) } else { Ok(Self::from_big(n)) }
    }

    /// The float, or Erlang's error if it is infinite or not a number.
    #[inline]
    pub fn from_float(f: f64) -> Result<Self, NumError> {
        if f.is_finite() { Ok(Self::Float(f)) } else { Err(NumError::Arith) }
    }

    /// Whether it is an integer and not a float.
    #[must_use]
    pub const fn is_integer(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Big(_))
    }

    /// The number as a float: what Erlang computes with when an operation mixes kinds.
    #[inline]
    pub fn to_float(&self) -> Result<f64, NumError> {
        match self {
            Self::Float(f) => Ok(*f),
            #[expect(
                clippy::cast_precision_loss,
                reason = "Erlang rounds to the nearest here, as the cast does"
            )]
            Self::Int(n) => Ok(*n as f64),
            Self::Big(n) => big_to_float(n),
        }
    }

    /// The integer it is, if it is one or a float with no fraction.
    #[must_use]
    pub fn to_integer(&self) -> Option<Self> {
        match self {
            Self::Float(f) if f.fract() == 0.0 => Some(float_to_integer(*f)),
            Self::Float(_) => None,
            _ => Some(self.clone()),
        }
    }

    /// The integer of 64 bits it is, if it is one or a float with no fraction.
    #[inline]
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Big(_) => None,
            Self::Float(_) => match self.to_integer() {
                Some(Self::Int(n)) => Some(n),
                _ => None,
            },
        }
    }

    /// The integer of 64 bits nearest to it, if it is an integer or a float with no fraction: for positions and counts, where
    /// everything far away is the same.
    #[must_use]
    pub fn to_clamped(&self) -> Option<i64> {
        match self.to_integer()? {
            Self::Int(n) => Some(n),
            Self::Big(n) if n.sign() == Sign::Minus => Some(i64::MIN),
            _ => Some(i64::MAX),
        }
    }

    /// The integer below or at it.
    #[must_use]
    pub fn floor(&self) -> Self {
        match self {
            Self::Float(f) => float_to_integer(f.floor()),
            _ => self.clone(),
        }
    }

    /// The integer above or at it.
    #[must_use]
    pub fn ceil(&self) -> Self {
        match self {
            Self::Float(f) => float_to_integer(f.ceil()),
            _ => self.clone(),
        }
    }

    /// The integer towards zero.
    #[must_use]
    pub fn trunc(&self) -> Self {
        match self {
            Self::Float(f) => float_to_integer(f.trunc()),
            _ => self.clone(),
        }
    }

    /// The integer as a long one; nothing for a float.
    pub(crate) fn to_big(&self) -> Option<BigInt> {
        match self {
            Self::Int(n) => Some(BigInt::from(*n)),
            Self::Big(n) => Some(BigInt::clone(n)),
            Self::Float(_) => None,
        }
    }

    /// Where it stands to another: exact, also between an integer and a float.
    #[inline]
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => compare_floats(*a, *b),
            (Self::Int(a), Self::Float(b)) => compare_int_float(*a, *b),
            (Self::Float(a), Self::Int(b)) => compare_int_float(*b, *a).reverse(),
            (Self::Big(a), Self::Big(b)) => a.cmp(b),
            (Self::Big(a), Self::Float(b)) => compare_big_float(a, *b),
            (Self::Float(a), Self::Big(b)) => compare_big_float(b, *a).reverse(),
            (Self::Big(a), Self::Int(_)) => big_side(a),
            (Self::Int(_), Self::Big(b)) => big_side(b).reverse(),
        }
    }

    /// Lua's `==`: the same value, whatever the kind.
    #[inline]
    #[must_use]
    pub fn same_value(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a == b,
            // Luerl has no NaN; profile `lua53` has.
            (Self::Float(f), _) | (_, Self::Float(f)) if f.is_nan() => false,
            _ => self.compare(other) == Ordering::Equal,
        }
    }

    /// Erlang's `=:=`, which `rawequal` is: the same value and the same kind. (0.0 and -0.0 are the same, up to OTP 26.)
    #[must_use]
    pub fn identical(&self, other: &Self) -> bool {
        self.is_integer() == other.is_integer() && self.same_value(other)
    }
}

impl From<i64> for Num {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

fn compare_floats(a: f64, b: f64) -> Ordering {
    // Both are finite, so there always is an order; the sign of a zero does not matter.
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// 2 to the power of 63, above every integer of 64 bits.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

fn compare_int_float(a: i64, b: f64) -> Ordering {
    if b >= TWO_63 {
        return Ordering::Less;
    }
    if b < -TWO_63 {
        return Ordering::Greater;
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range, and the fraction is compared below")]
    let whole = b.trunc() as i64;
    a.cmp(&whole).then_with(|| compare_floats(0.0, b.fract()))
}

fn big_side(big: &BigInt) -> Ordering {
    if big.sign() == Sign::Minus { Ordering::Less } else { Ordering::Greater }
}

fn compare_big_float(a: &BigInt, b: f64) -> Ordering {
    match float_to_integer(b) {
        // What lies beyond 64 bits has no fraction as a float.
        Num::Big(b) => a.cmp(&b),
        _ => big_side(a),
    }
}

/// The float with no fraction as an integer (a fraction is cut off).
#[must_use]
pub fn float_to_integer(f: f64) -> Num {
    if (-TWO_63..TWO_63).contains(&f) {
        #[expect(clippy::cast_possible_truncation, reason = "the range was just checked")]
        return Num::Int(f as i64);
    }
    let bits = f.to_bits();
    let exponent = (bits >> 52) & 0x7ff;
    let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
    // Beyond 2 to the power of 63 the exponent is large and the mantissa whole.
    let big = BigInt::from(mantissa) << exponent.saturating_sub(1075);
    Num::from_big(if f < 0.0 { -big } else { big })
}

/// Erlang's conversion: digit by digit of 64 bits from the top, each step rounded. (That is not always the nearest float.)
fn big_to_float(n: &BigInt) -> Result<f64, NumError> {
    let mut f = 0.0f64;
    for digit in n.iter_u64_digits().rev() {
        #[expect(clippy::cast_precision_loss, reason = "as Erlang rounds it")]
        let digit = digit as f64;
        f = f * 18_446_744_073_709_551_616.0 + digit;
    }
    if !f.is_finite() {
        return Err(NumError::Arith);
    }
    Ok(if n.sign() == Sign::Minus { -f } else { f })
}
