//! `string.format` as Luerl 1.3.0 has it.
//!
//! It is Lua's to look at and Erlang's underneath. Floats have at most 21 digits that mean something and are rounded in
//! decimal, half up; `%g` turns to exponents from ten thousand on; exponents have no leading zero; precision 0 is an error. The
//! format's own bytes come out as UTF-8 of Latin-1 characters, while texts must be UTF-8 already. `\` takes away the next
//! byte's meaning.

use num_bigint::{BigInt, Sign};

use crate::number::{BinOp, Num, binary};

/// The widest field and the highest precision: Luerl has no bound.
pub const MAX_FIELD: usize = 1 << 20;

/// Why a format has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatError {
    /// Luerl's `{badarg,format,Args}`: the one error it has for everything.
    Bad,
    /// These bytes are not UTF-8: Luerl then returns a value that is none of Lua's.
    NotText(Vec<u8>),
    /// Longer than the bound given, or a field wider than [`MAX_FIELD`].
    TooLong,
}

/// What a conversion asks its argument to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The text `tostring` gives.
    Text,
    /// A number without a fraction.
    Integer,
    /// A number, as a float.
    Float,
}

/// An argument.
#[derive(Debug, Clone)]
pub enum Arg {
    /// A text.
    Text(Vec<u8>),
    /// A number.
    Number(Num),
}

const HASH: u8 = 1;
const ZERO: u8 = 2;
const MINUS: u8 = 4;
const SPACE: u8 = 8;
const PLUS: u8 = 16;

/// A conversion: `%`, flags, width, precision and the letter.
#[derive(Debug, Clone, Copy)]
struct Spec {
    letter: Option<u8>,
    flags: u8,
    width: Option<usize>,
    precision: Option<usize>,
}

impl Spec {
    fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The sign of a number that is negative or not.
    fn sign(self, negative: bool) -> &'static str {
        match negative {
            true => "-",
            false if self.has(PLUS) => "+",
            false if self.has(SPACE) => " ",
            false => "",
        }
    }
}

/// Formats. `next` gives the next argument as it is wanted, or the error if there is none or it cannot be that; the result has
/// at most `limit` bytes.
pub fn format(
    format: &[u8],
    limit: usize,
    next: &mut dyn FnMut(Want) -> Result<Arg, FormatError>,
) -> Result<Vec<u8>, FormatError> {
    let mut out = Vec::with_capacity(format.len().min(limit));
    let mut rest = format;
    loop {
        rest = match *rest {
            [] => break,
            [b'%', ref tail @ ..] => {
                let (spec, tail) = collect(tail);
                build(spec, &mut out, next)?;
                tail
            }
            [b'\\', c, ref tail @ ..] | [c, ref tail @ ..] => {
                push_latin1(&mut out, c);
                tail
            }
        };
        if out.len() > limit {
            return Err(FormatError::TooLong);
        }
    }
    if std::str::from_utf8(&out).is_ok() { Ok(out) } else { Err(FormatError::NotText(out)) }
}

fn push_latin1(out: &mut Vec<u8>, c: u8) {
    let mut buffer = [0; 4];
    out.extend_from_slice(char::from(c).encode_utf8(&mut buffer).as_bytes());
}

fn collect(mut text: &[u8]) -> (Spec, &[u8]) {
    let mut flags = 0;
    while let [c, tail @ ..] = text {
        flags |= match c {
            b'#' => HASH,
            b'0' => ZERO,
            b'-' => MINUS,
            b' ' => SPACE,
            b'+' => PLUS,
            _ => break,
        };
        text = tail;
    }
    let (width, mut text) = field(text);
    let mut precision = None;
    if let [b'.', tail @ ..] = text {
        (precision, text) = field(tail);
    }
    match text {
        [letter, tail @ ..] => (Spec { letter: Some(*letter), flags, width, precision }, tail),
        [] => (Spec { letter: None, flags, width, precision }, text),
    }
}

/// A number without sign, if there is one.
fn field(text: &[u8]) -> (Option<usize>, &[u8]) {
    let count = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(count).unwrap_or((text, &[]));
    if digits.is_empty() {
        return (None, text);
    }
    let value =
        digits.iter().fold(0usize, |value, c| value.saturating_mul(10).saturating_add(usize::from(c - b'0')));
    (Some(value), rest)
}

fn build(
    spec: Spec,
    out: &mut Vec<u8>,
    next: &mut dyn FnMut(Want) -> Result<Arg, FormatError>,
) -> Result<(), FormatError> {
    let integer = |next: &mut dyn FnMut(Want) -> Result<Arg, FormatError>| match next(Want::Integer)? {
        Arg::Number(n) if n.is_integer() => Ok(n),
        _ => Err(FormatError::Bad),
    };
    if spec.width.max(spec.precision).is_some_and(|field| field > MAX_FIELD) {
        return Err(FormatError::TooLong);
    }
    match spec.letter.ok_or(FormatError::Bad)? {
        b'%' if spec.flags == 0 && spec.width.is_none() && spec.precision.is_none() => out.push(b'%'),
        b'q' => quote(&text(next)?, out),
        b's' => {
            let mut text = text(next)?;
            text.truncate(spec.precision.unwrap_or(usize::MAX));
            pad(out, &text, text.len(), spec.flags, spec.width);
        }
        b'c' => {
            let code = binary(BinOp::Band, &integer(next)?, &Num::Int(255)).ok().and_then(|n| n.to_i64());
            let mut text = Vec::new();
            push_latin1(&mut text, code.and_then(|code| u8::try_from(code).ok()).ok_or(FormatError::Bad)?);
            pad(out, &text, 1, spec.flags, spec.width);
        }
        b'd' | b'i' => write_integer(spec, &integer(next)?, |n| n.to_string(), out),
        b'o' => write_integer(spec, &integer(next)?, |n| n.to_str_radix(8), out),
        b'x' => write_integer(spec, &integer(next)?, |n| n.to_str_radix(16), out),
        b'X' => write_integer(spec, &integer(next)?, |n| n.to_str_radix(16).to_uppercase(), out),
        b'u' => write_integer(spec, &unsigned(&integer(next)?)?, |n| n.to_string(), out),
        letter @ (b'e' | b'E' | b'f' | b'F' | b'g' | b'G') => {
            let Arg::Number(Num::Float(f)) = next(Want::Float)? else { return Err(FormatError::Bad) };
            write_float(spec, letter.to_ascii_lowercase(), f, out)?;
        }
        _ => return Err(FormatError::Bad),
    }
    Ok(())
}

fn text(next: &mut dyn FnMut(Want) -> Result<Arg, FormatError>) -> Result<Vec<u8>, FormatError> {
    match next(Want::Text)? {
        Arg::Text(text) => Ok(text),
        Arg::Number(_) => Err(FormatError::Bad),
    }
}

/// Appends a text of so many characters, padded to a width.
fn pad(out: &mut Vec<u8>, text: &[u8], length: usize, flags: u8, width: Option<usize>) {
    let padding = width.unwrap_or(0).saturating_sub(length);
    let left = flags & MINUS != 0;
    let fill = if flags & ZERO != 0 && !left { b'0' } else { b' ' };
    if left {
        out.extend_from_slice(text);
    }
    out.extend(std::iter::repeat_n(fill, padding));
    if !left {
        out.extend_from_slice(text);
    }
}

/// A negative number's low 64 bits.
fn unsigned(n: &Num) -> Result<Num, FormatError> {
    if n.compare(&Num::Int(0)).is_ge() {
        return Ok(n.clone());
    }
    let mask = Num::from_big(BigInt::from(u64::MAX));
    binary(BinOp::Band, n, &mask).map_err(|_| FormatError::Bad)
}

fn write_integer(spec: Spec, n: &Num, digits: impl Fn(&BigInt) -> String, out: &mut Vec<u8>) {
    let big = n.to_big().unwrap_or_default();
    let negative = big.sign() == Sign::Minus;
    let digits = digits(&BigInt::from(big.magnitude().clone()));
    let sign = spec.sign(negative);
    let mut text = Vec::with_capacity(digits.len() + 1);
    text.extend_from_slice(sign.as_bytes());
    if let Some(precision) = spec.precision {
        pad(&mut text, digits.as_bytes(), digits.len(), ZERO, Some(precision));
        return pad(out, &text, text.len(), spec.flags & MINUS, spec.width);
    }
    if spec.has(ZERO) && !spec.has(MINUS) && spec.width.is_some() {
        let width = spec.width.map(|width| width.saturating_sub(sign.len()));
        out.extend_from_slice(sign.as_bytes());
        return pad(out, digits.as_bytes(), digits.len(), ZERO, width);
    }
    text.extend_from_slice(digits.as_bytes());
    pad(out, &text, text.len(), spec.flags, spec.width);
}

fn write_float(spec: Spec, letter: u8, f: f64, out: &mut Vec<u8>) -> Result<(), FormatError> {
    let body = match letter {
        b'e' => exponent_form(f, spec.precision.map_or(7, |precision| precision + 1)),
        b'f' => plain_form(f, spec.precision.unwrap_or(6)),
        _ => general_form(f, spec.precision.unwrap_or(6)),
    };
    let body = body.ok_or(FormatError::Bad)?;
    let sign = spec.sign(f < 0.0);
    if spec.has(ZERO) && !spec.has(MINUS) {
        let width = spec.width.ok_or(FormatError::Bad)?.saturating_sub(sign.len());
        out.extend_from_slice(sign.as_bytes());
        pad(out, body.as_bytes(), body.len(), ZERO, Some(width));
    } else {
        let text = format!("{sign}{body}");
        pad(out, text.as_bytes(), text.len(), spec.flags, spec.width);
    }
    Ok(())
}

/// A float's digits: 21 of them, and the place of the point before them (`0.d1d2… * 10^exponent`).
struct Digits {
    digits: Vec<u8>,
    exponent: i32,
}

impl Digits {
    fn new(f: f64) -> Self {
        let text = format!("{:.20e}", f.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).collect();
        Self { digits, exponent: exponent.parse::<i32>().unwrap_or(0) + 1 }
    }

    /// So many digits before a point and so many behind it, the last rounded half up; and whether that overflowed.
    fn mantissa(&self, before: usize, behind: usize) -> (String, bool) {
        let mut digits: Vec<u8> = self.digits.iter().copied().take(before + behind).collect();
        digits.resize(before + behind, b'0');
        let mut carry = self.digits.get(before + behind).is_some_and(|digit| *digit >= b'5');
        for digit in digits.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == b'9';
            *digit = if carry { b'0' } else { *digit + 1 };
        }
        let mut text: String = digits.into_iter().map(char::from).collect();
        text.insert(before, '.');
        (text, carry)
    }
}

/// Erlang prints the sign of a negative zero even where it prints an absolute value.
fn zero_sign(f: f64) -> &'static str {
    if f == 0.0 && f.is_sign_negative() { "-" } else { "" }
}

/// So many digits, with an exponent.
fn exponent_form(f: f64, precision: usize) -> Option<String> {
    let behind = precision.checked_sub(1).filter(|behind| *behind >= 1)?;
    let digits = Digits::new(f);
    let (mut mantissa, overflow) = digits.mantissa(1, behind);
    let mut exponent = digits.exponent - 1;
    if overflow {
        mantissa.replace_range(..1, "1");
        exponent += 1;
    }
    let plus = if exponent >= 0 { "+" } else { "" };
    Some(format!("{}{mantissa}e{plus}{exponent}", zero_sign(f)))
}

/// So many digits behind the point.
fn plain_form(f: f64, precision: usize) -> Option<String> {
    if precision == 0 {
        return None;
    }
    let mut digits = Digits::new(f);
    if digits.exponent <= 0 {
        let zeros = usize::try_from(1 - digits.exponent).ok()?;
        digits.digits.splice(0..0, std::iter::repeat_n(b'0', zeros));
        digits.exponent = 1;
    }
    let (mantissa, overflow) = digits.mantissa(usize::try_from(digits.exponent).ok()?, precision);
    Some(format!("{}{}{mantissa}", zero_sign(f), if overflow { "1" } else { "" }))
}

/// So many digits, plain from 0.1 to below 10000.
fn general_form(f: f64, precision: usize) -> Option<String> {
    let exponent = match f.abs() {
        a if a < 0.1 => None,
        a if a < 1.0 => Some(-1i8),
        a if a < 10.0 => Some(0),
        a if a < 100.0 => Some(1),
        a if a < 1e3 => Some(2),
        a if a < 1e4 => Some(3),
        _ => None,
    };
    let whole = exponent.and_then(|exponent| usize::try_from(exponent + 1).ok());
    match (precision, whole) {
        (0, _) => None,
        (_, Some(whole)) if precision > whole || (precision == 1 && whole == 0) => {
            plain_form(f, precision - whole)
        }
        (1, _) => exponent_form(f, 2),
        _ => exponent_form(f, precision),
    }
}

/// Appends the text as a literal. Luerl splits it at bytes that need care, but takes a lone byte between two of them for one
/// of them; and its pattern for them has a `9` among them and no control codes from 4 on.
fn quote(text: &[u8], out: &mut Vec<u8>) {
    let parts = split_at_special(text);
    out.push(b'"');
    for (at, part) in parts.iter().enumerate() {
        match **part {
            [c @ (b'\n' | b'"' | b'\\')] => out.extend_from_slice(&[b'\\', c]),
            [c @ 0..=31] => {
                let digit = parts.get(at + 1).and_then(|next| next.first()).is_some_and(u8::is_ascii_digit);
                let text = if digit { format!("\\{c:03}") } else { format!("\\{c}") };
                out.extend_from_slice(text.as_bytes());
            }
            [c @ 127..=159] => out.extend_from_slice(c.to_string().as_bytes()),
            _ => out.extend_from_slice(part),
        }
    }
    out.push(b'"');
}

/// The stretches between special bytes and those bytes, without what is empty.
fn split_at_special(text: &[u8]) -> Vec<&[u8]> {
    let special = |c: &u8| matches!(c, 0..=3 | b'9' | b'\n' | b'"' | b'\\' | 127..=159);
    text.chunk_by(|a, b| !special(a) && !special(b)).collect()
}
