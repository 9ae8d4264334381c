//! Numbers as text: the shortest digits that give the float back, written the way Erlang/OTP 25 writes them.

use std::fmt;

use super::Num;

/// The float's text.
#[must_use]
pub fn float_text(f: f64) -> String {
    let mut out = String::with_capacity(24);
    write_float(&mut out, f);
    out
}

/// Appends the float's text.
pub fn write_float(out: &mut String, f: f64) {
    if f == 0.0 {
        out.push_str(if f.is_sign_negative() { "-0.0" } else { "0.0" });
        return;
    }
    if f < 0.0 {
        out.push('-');
    }
    let (digits, exponent) = shortest(f.abs());
    if is_fixed(&digits, exponent) {
        write_fixed(out, &digits, exponent);
    } else {
        write_scientific(out, &digits, exponent);
    }
}

/// The digits `d1d2…dn` without zeros at the end, and the exponent of the last: the float is `d1…dn * 10^exponent`. Of two
/// shortest texts that are equally near, it is the even one: Erlang's algorithm is Ryu's, and the standard library's is not.
fn shortest(f: f64) -> (String, i32) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(f);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.parse::<i32>().unwrap_or(0) - i32::try_from(fraction.len()).unwrap_or(0);
    let digits = [whole, fraction].concat();
    let significant = digits.trim_end_matches('0');
    let zeros = i32::try_from(digits.len() - significant.len()).unwrap_or(0);
    (significant.trim_start_matches('0').to_owned(), exponent + zeros)
}

/// Whether the plain form is chosen: it is where it is not longer, and for whole numbers below 2 to the power of 53 only.
fn is_fixed(digits: &str, exponent: i32) -> bool {
    let length = i32::try_from(digits.len()).unwrap_or(0);
    let (lower, upper) = match length {
        1 => (-4, 2),
        _ if exponent + length > 10 => (-(length + 2), 2),
        _ => (-(length + 2), 1),
    };
    if exponent < lower || exponent > upper {
        return false;
    }
    let mantissa: u64 = digits.parse().unwrap_or(u64::MAX);
    let beyond = match exponent {
        0 => mantissa >= 1 << 53,
        1 => mantissa > (1 << 52) / 5,
        2 => mantissa > (1 << 51) / 25,
        _ => false,
    };
    !beyond
}

fn write_fixed(out: &mut String, digits: &str, exponent: i32) {
    if let Ok(zeros) = usize::try_from(exponent) {
        out.push_str(digits);
        out.extend(std::iter::repeat_n('0', zeros));
        out.push_str(".0");
        return;
    }
    let fraction = usize::try_from(-exponent).unwrap_or(0);
    match digits
        .len()
        .checked_sub(fraction)
        .filter(|whole| *whole > 0)
        .and_then(|whole| digits.split_at_checked(whole))
    {
        Some((whole, fraction)) => {
            out.push_str(whole);
            out.push('.');
            out.push_str(fraction);
        }
        None => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', fraction - digits.len()));
            out.push_str(digits);
        }
    }
}

fn write_scientific(out: &mut String, digits: &str, exponent: i32) {
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    out.push_str(first);
    out.push('.');
    out.push_str(if rest.is_empty() { "0" } else { rest });
    out.push('e');
    let after = i32::try_from(rest.len()).unwrap_or(0);
    out.push_str(&(exponent + after).to_string());
}

/// The text Luerl's `tostring` gives.
impl fmt::Display for Num {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Big(n) => write!(f, "{n}"),
            Self::Float(x) => f.write_str(&float_text(*x)),
        }
    }
}

impl Num {
    /// What the text costs beyond the usual price, in steps of about a machine word: the digits of a long integer are worth
    /// the square of its length. Charge it before asking for the text.
    #[must_use]
    pub fn text_cost(&self) -> u64 {
        match self {
            Self::Big(n) => {
                let words = n.bits() / 64;
                words.saturating_mul(words) / 2
            }
            _ => 0,
        }
    }
}
