//! Numbers from text: the numerals of a program, and the texts a script turns into numbers.
//!
//! Luerl reads both with its scanner. So a text that is to be a number may have a sign, blanks and even comments around it;
//! and a numeral the scanner chokes on makes the whole call fail, beyond what `pcall` catches ([`Numeral::Badarg`] and
//! [`Numeral::Badarith`]).

use num_bigint::BigInt;

use super::{MAX_BITS, Num, UnOp, unary};

/// Why a text is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numeral {
    /// It is none: an error of the scanner in a program, `nil` from `tonumber`.
    Malformed,
    /// Luerl stops with Erlang's `badarg`, which `pcall` does not catch.
    Badarg,
    /// Luerl stops with Erlang's `badarith`, which `pcall` does not catch.
    Badarith,
    /// An integer beyond this implementation's bound.
    TooLong,
}

/// Digits beyond which no integer fits a float, in any base.
const FLOAT_DIGITS: usize = 1100;

/// The numeral at the beginning of a program's text: how many bytes it takes, and what it is. The text begins with a digit,
/// or with a point and a digit; 0 bytes are taken if not.
pub fn numeral(text: &[u8]) -> (usize, Result<Num, Numeral>) {
    if text.first() == Some(&b'0') && matches!(text.get(1), Some(b'x' | b'X')) {
        return hex_numeral(text);
    }
    let whole = digits(text, 0);
    let mut end = whole;
    let mut float = false;
    if text.get(end) == Some(&b'.') {
        let fraction = digits(text, end + 1);
        if whole == 0 && fraction == end + 1 {
            return (0, Err(Numeral::Malformed));
        }
        (end, float) = (fraction, true);
    }
    if end == 0 {
        return (0, Err(Numeral::Malformed));
    }
    let exponent = exponent(text, end, [b'e', b'E']);
    float |= exponent > end;
    end = exponent;
    let token = text.get(..end).unwrap_or_default();
    (end, if float { decimal_float(token) } else { decimal(token) })
}

/// The place after the digits from `from` on.
fn digits(text: &[u8], from: usize) -> usize {
    from + text.get(from..).unwrap_or_default().iter().take_while(|c| c.is_ascii_digit()).count()
}

fn hex_digits(text: &[u8], from: usize) -> usize {
    from + text.get(from..).unwrap_or_default().iter().take_while(|c| c.is_ascii_hexdigit()).count()
}

/// The place after an exponent at `from`; `from` if there is none.
fn exponent(text: &[u8], from: usize, marks: [u8; 2]) -> usize {
    if !text.get(from).is_some_and(|c| marks.contains(c)) {
        return from;
    }
    let sign = usize::from(matches!(text.get(from + 1), Some(b'+' | b'-')));
    let end = digits(text, from + 1 + sign);
    if end == from + 1 + sign { from } else { end }
}

fn decimal_float(token: &[u8]) -> Result<Num, Numeral> {
    let value = std::str::from_utf8(token).ok().and_then(|token| token.parse::<f64>().ok());
    value.and_then(|f| Num::from_float(f).ok()).ok_or(Numeral::Malformed)
}

fn decimal(token: &[u8]) -> Result<Num, Numeral> {
    integer(token, 10)
}

/// An unsigned integer of valid digits.
fn integer(token: &[u8], base: u32) -> Result<Num, Numeral> {
    let zeros = token.iter().take_while(|c| **c == b'0').count();
    let token = token.get(zeros..).unwrap_or_default();
    if token.is_empty() {
        return Ok(Num::Int(0));
    }
    // The bits that so many digits have at least.
    let bits = u64::try_from(token.len() - 1).unwrap_or(u64::MAX).saturating_mul(u64::from(base.ilog2()));
    if bits > MAX_BITS {
        return Err(Numeral::TooLong);
    }
    let value = BigInt::parse_bytes(token, base).ok_or(Numeral::Malformed)?;
    Num::bounded(value).map_err(|_| Numeral::TooLong)
}

/// A numeral that begins with `0x`.
fn hex_numeral(text: &[u8]) -> (usize, Result<Num, Numeral>) {
    let whole = hex_digits(text, 2);
    let mut end = whole;
    if text.get(end) == Some(&b'.') {
        end = hex_digits(text, end + 1);
    }
    let mantissa_end = end;
    end = exponent(text, end, [b'p', b'P']);
    if end == whole && whole > 2 {
        return (end, integer(text.get(2..whole).unwrap_or_default(), 16));
    }
    let mantissa = text.get(2..mantissa_end).unwrap_or_default();
    let exponent = text.get(mantissa_end + 1..end).unwrap_or_default();
    (end, hex_float(mantissa, exponent))
}

fn hex_float(mantissa: &[u8], exponent: &[u8]) -> Result<Num, Numeral> {
    if mantissa.is_empty() || mantissa == b"." {
        return Err(Numeral::Malformed);
    }
    let mut parts = mantissa.splitn(2, |c| *c == b'.');
    let whole = integer(parts.next().unwrap_or_default(), 16)?.to_float().map_err(|_| Numeral::Badarg)?;
    let value = hex_fraction(whole, parts.next().unwrap_or_default())?;
    if exponent.is_empty() {
        return Ok(Num::Float(value));
    }
    let exponent =
        std::str::from_utf8(exponent).ok().and_then(|e| e.parse::<f64>().ok()).ok_or(Numeral::Malformed)?;
    let scale = Num::from_float(crate::math::pow(2.0, exponent)).map_err(|_| Numeral::Badarith)?;
    let scale = scale.to_float().map_err(|_| Numeral::Badarith)?;
    Num::from_float(value * scale).map_err(|_| Numeral::Badarith)
}

/// Luerl adds a fraction digit by digit as floats.
fn hex_fraction(whole: f64, fraction: &[u8]) -> Result<f64, Numeral> {
    let (mut sum, mut power) = (whole, 16.0f64);
    for c in fraction {
        let digit = char::from(*c).to_digit(16).ok_or(Numeral::Malformed)?;
        sum += f64::from(digit) / power;
        power *= 16.0;
        if !power.is_finite() {
            return Err(Numeral::Badarith);
        }
    }
    Ok(sum)
}

/// The number a text stands for: always a float.
pub fn to_number(text: &[u8]) -> Result<Num, Numeral> {
    let mut rest = skip_blank(text);
    let sign = rest.first().copied().filter(|c| matches!(c, b'+' | b'-'));
    if sign.is_some() {
        rest = skip_blank(rest.get(1..).unwrap_or_default());
    }
    let zeros = rest.iter().take_while(|c| **c == b'0').count();
    let plain = digits(rest, zeros);
    if plain - zeros > FLOAT_DIGITS && !matches!(rest.get(plain), Some(b'.' | b'e' | b'E')) {
        // Too long for a float whatever it is, so it need not be read; what follows it must be nothing, though.
        let after = skip_blank(rest.get(plain..).unwrap_or_default());
        return Err(if after.is_empty() { Numeral::Badarg } else { Numeral::Malformed });
    }
    let (length, number) = numeral(rest);
    let number = match number {
        Err(Numeral::TooLong) => return Err(Numeral::Badarg),
        other => other?,
    };
    if length == 0 || !skip_blank(rest.get(length..).unwrap_or_default()).is_empty() {
        return Err(Numeral::Malformed);
    }
    let signed =
        if sign == Some(b'-') { unary(UnOp::Neg, &number).map_err(|_| Numeral::Badarith)? } else { number };
    signed.to_float().map(Num::Float).map_err(|_| Numeral::Badarg)
}

/// The text without the blanks and comments the scanner skips at its beginning.
fn skip_blank(mut text: &[u8]) -> &[u8] {
    loop {
        let blanks = text.iter().take_while(|c| matches!(c, 9..=13 | 32 | 160)).count();
        let comment = comment(text.get(blanks..).unwrap_or_default());
        if blanks + comment == 0 {
            return text;
        }
        text = text.get(blanks + comment..).unwrap_or_default();
    }
}

/// The length of the comment the text begins with; 0 if the scanner sees none (two dashes at the very end are none).
fn comment(text: &[u8]) -> usize {
    let Some(rest) = text.strip_prefix(b"--") else { return 0 };
    let line = rest.iter().position(|c| *c == b'\n').unwrap_or(rest.len());
    match rest {
        [] | [b'['] => 0,
        [b'\n', ..] => 3,
        [b'[', b'\n', ..] => 4,
        [b'[', b'[', body @ ..] => {
            body.windows(2).position(|pair| pair == b"]]").map_or(0, |at| 2 + 2 + at + 2)
        }
        _ => 2 + line,
    }
}

/// What `tonumber(text, base)` gives: a float, or nothing.
pub fn integer_in_base(text: &[u8], base: &Num) -> Result<Num, Numeral> {
    let mut words = text.split(|c| matches!(c, 9..=13 | 32 | 160)).filter(|word| !word.is_empty());
    let (Some(word), None) = (words.next(), words.next()) else { return Err(Numeral::Malformed) };
    let base = base.to_i64().and_then(|base| u32::try_from(base).ok()).filter(|base| (2..=36).contains(base));
    let base = base.ok_or(Numeral::Malformed)?;
    let (negative, digits) = match word {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(|c| char::from(*c).is_digit(base)) {
        return Err(Numeral::Malformed);
    }
    let zeros = digits.iter().take_while(|c| **c == b'0').count();
    if digits.len() - zeros > FLOAT_DIGITS {
        return Err(Numeral::Badarg);
    }
    let float = integer(digits, base)?.to_float().map_err(|_| Numeral::Badarg)?;
    // An integer has no negative zero.
    Ok(Num::Float(if negative && float != 0.0 { -float } else { float }))
}
