//! Numbers of Lua 5.3: integers of 64 bits that wrap around, and IEEE floats.

use std::cmp::Ordering;

use super::{BinOp, UnOp};

/// A number of Lua 5.3.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
}

/// Why an operation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `n // 0` of integers.
    Quotient,
    /// `n % 0` of integers.
    Remainder,
    /// An operand of a bitwise operator is no integer.
    NoInteger,
}

/// 2 to the power of 63.
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// An integer as a float, rounded to the nearest.
#[expect(clippy::cast_precision_loss, reason = "rounding is what is meant")]
#[must_use]
pub const fn to_float(n: i64) -> f64 {
    n as f64
}

/// The integer a float is, if it is one of 64 bits.
#[must_use]
pub fn float_to_int(f: f64) -> Option<i64> {
    if f.floor() == f && (-TWO_63..TWO_63).contains(&f) {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
        return Some(f as i64);
    }
    None
}

impl Number {
    /// The number as a float.
    #[must_use]
    pub const fn float(self) -> f64 {
        match self {
            Self::Int(n) => to_float(n),
            Self::Float(f) => f,
        }
    }

    /// The integer it is, if it is one.
    #[must_use]
    pub fn int(self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(n),
            Self::Float(f) => float_to_int(f),
        }
    }

    /// Where it stands to another, exactly; nothing if one is not a number.
    #[must_use]
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Int(a), Self::Float(b)) => compare_mixed(a, b),
            (Self::Float(a), Self::Int(b)) => compare_mixed(b, a).map(Ordering::reverse),
        }
    }

    /// The text `tostring` gives.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Int(n) => n.to_string(),
            Self::Float(f) => float_text(f),
        }
    }
}

fn compare_mixed(a: i64, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    if b >= TWO_63 {
        return Some(Ordering::Less);
    }
    if b < -TWO_63 {
        return Some(Ordering::Greater);
    }
    #[expect(clippy::cast_possible_truncation, reason = "in range; the fraction is looked at below")]
    let whole = b.floor() as i64;
    Some(a.cmp(&whole).then(if b > b.floor() { Ordering::Less } else { Ordering::Equal }))
}

/// `%.14g`, and `.0` where that looks like an integer. A NaN's sign is not shown: it is not the same on every machine.
#[must_use]
pub fn float_text(f: f64) -> String {
    if f.is_nan() {
        return "nan".to_owned();
    }
    if f.is_infinite() {
        return if f < 0.0 { "-inf".to_owned() } else { "inf".to_owned() };
    }
    let mut text = super::printf::general(f, 14, false);
    if !text.bytes().any(|c| matches!(c, b'.' | b'e' | b'i' | b'n')) {
        text.push_str(".0");
    }
    text
}

/// `a op b`.
///
/// # Errors
/// See [`Fault`].
pub fn binary(op: BinOp, a: Number, b: Number) -> Result<Number, Fault> {
    if op.is_bitwise() {
        let (Some(a), Some(b)) = (a.int(), b.int()) else { return Err(Fault::NoInteger) };
        return Ok(Number::Int(bits(op, a, b)));
    }
    if let (Number::Int(a), Number::Int(b)) = (a, b) {
        match op {
            BinOp::Add => return Ok(Number::Int(a.wrapping_add(b))),
            BinOp::Sub => return Ok(Number::Int(a.wrapping_sub(b))),
            BinOp::Mul => return Ok(Number::Int(a.wrapping_mul(b))),
            BinOp::IDiv if b == 0 => return Err(Fault::Quotient),
            BinOp::IDiv => return Ok(Number::Int(quotient(a, b))),
            BinOp::Mod if b == 0 => return Err(Fault::Remainder),
            BinOp::Mod => return Ok(Number::Int(remainder(a, b))),
            _ => {}
        }
    }
    let (a, b) = (a.float(), b.float());
    Ok(Number::Float(match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div => a / b,
        BinOp::IDiv => (a / b).floor(),
        BinOp::Mod => float_remainder(a, b),
        _ => crate::math::pow(a, b),
    }))
}

/// `a // b`, rounded down.
fn quotient(a: i64, b: i64) -> i64 {
    let whole = a.wrapping_div(b);
    if (a ^ b) < 0 && whole.wrapping_mul(b) != a { whole - 1 } else { whole }
}

/// `a % b`, with the sign of `b`.
fn remainder(a: i64, b: i64) -> i64 {
    let rest = a.wrapping_rem(b);
    if rest != 0 && (rest ^ b) < 0 { rest + b } else { rest }
}

/// `a % b` of floats.
#[must_use]
pub fn float_remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest * b < 0.0 { rest + b } else { rest }
}

fn bits(op: BinOp, a: i64, b: i64) -> i64 {
    match op {
        BinOp::Band => a & b,
        BinOp::Bor => a | b,
        BinOp::Bxor => a ^ b,
        BinOp::Shl => shift(a, b),
        _ => shift(a, b.checked_neg().unwrap_or(i64::MAX)),
    }
}

/// To the left by so many places, or to the right by as many as that is negative; zeros come in.
fn shift(a: i64, by: i64) -> i64 {
    let a = a.cast_unsigned();
    let places = u32::try_from(by.unsigned_abs()).unwrap_or(u32::MAX);
    let shifted = if by >= 0 { a.checked_shl(places) } else { a.checked_shr(places) };
    shifted.unwrap_or(0).cast_signed()
}

/// `-a` or `~a`.
///
/// # Errors
/// [`Fault::NoInteger`] of `~`.
pub fn unary(op: UnOp, a: Number) -> Result<Number, Fault> {
    match (op, a) {
        (UnOp::Neg, Number::Int(n)) => Ok(Number::Int(n.wrapping_neg())),
        (UnOp::Neg, Number::Float(f)) => Ok(Number::Float(-f)),
        (UnOp::Bnot, a) => a.int().map(|n| Number::Int(!n)).ok_or(Fault::NoInteger),
    }
}

/// The number a text stands for, blanks around it allowed: what arithmetic and `tonumber` make of a string.
#[must_use]
pub fn string_to_number(text: &[u8]) -> Option<Number> {
    let is_blank = |c: &u8| matches!(c, 9..=13 | b' ');
    let from = text.iter().position(|c| !is_blank(c))?;
    let to = text.iter().rposition(|c| !is_blank(c))?;
    let text = text.get(from..=to)?;
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if let Some(n) = read_int(digits, negative) {
        return Some(Number::Int(n));
    }
    match read_float(digits)? {
        f if negative => Some(Number::Float(-f)),
        f => Some(Number::Float(f)),
    }
}

/// A numeral of a program.
#[must_use]
pub fn read_number(text: &[u8]) -> Option<Number> {
    match read_int(text, false) {
        Some(n) => Some(Number::Int(n)),
        None => read_float(text).map(Number::Float),
    }
}

/// An integer; one in hexadecimal wraps around, a decimal one that is too large is a float.
fn read_int(text: &[u8], negative: bool) -> Option<i64> {
    let magnitude = if let [b'0', b'x' | b'X', digits @ ..] = text {
        if digits.is_empty() {
            return None;
        }
        digits.iter().try_fold(0u64, |sum, c| {
            Some(sum.wrapping_mul(16).wrapping_add(u64::from(char::from(*c).to_digit(16)?)))
        })?
    } else {
        if text.is_empty() {
            return None;
        }
        let magnitude = text.iter().try_fold(0u64, |sum, c| {
            sum.checked_mul(10)?.checked_add(u64::from(char::from(*c).to_digit(10)?))
        })?;
        if magnitude > i64::MAX.unsigned_abs() + u64::from(negative) {
            return None;
        }
        magnitude
    };
    let n = magnitude.cast_signed();
    Some(if negative { n.wrapping_neg() } else { n })
}

fn read_float(text: &[u8]) -> Option<f64> {
    if let [b'0', b'x' | b'X', rest @ ..] = text {
        return read_hex(rest);
    }
    let allowed = |c: &u8| matches!(c, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    if !text.iter().all(allowed) || !matches!(text.first(), Some(b'0'..=b'9' | b'.')) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A hexadecimal float, without its `0x`. Digits beyond what a float holds only count as places.
fn read_hex(text: &[u8]) -> Option<f64> {
    let mark = text.iter().position(|c| matches!(c, b'p' | b'P')).unwrap_or(text.len());
    let (digits, exponent) = text.split_at_checked(mark)?;
    let (mut mantissa, mut places, mut kept) = (0.0f64, 0i64, 0);
    let (mut any, mut point) = (false, false);
    for c in digits {
        if *c == b'.' {
            if point {
                return None;
            }
            point = true;
            continue;
        }
        let digit = char::from(*c).to_digit(16)?;
        any = true;
        if kept == 0 && digit == 0 {
            places -= i64::from(point);
        } else if kept < 30 {
            kept += 1;
            mantissa = mantissa * 16.0 + f64::from(digit);
            places -= i64::from(point);
        } else {
            places += i64::from(!point);
        }
    }
    if !any {
        return None;
    }
    let exponent = match exponent {
        [] => 0,
        [_, rest @ ..] => signed(rest)?,
    };
    let scale = places.saturating_mul(4).saturating_add(exponent).clamp(-5000, 5000);
    Some(libm::ldexp(mantissa, i32::try_from(scale).ok()?))
}

/// Digits with a sign or none.
fn signed(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let n = digits.iter().fold(0i64, |sum, c| sum.saturating_mul(10).saturating_add(i64::from(c - b'0')));
    Some(if negative { -n } else { n })
}
