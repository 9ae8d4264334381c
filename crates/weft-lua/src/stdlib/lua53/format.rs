//! `string.format`, as C has it.

use super::Answer;
use crate::error::LuaError;
use crate::number::printf;
use crate::value::Value;
use crate::vm::{Call, Returns};

/// A conversion: flags, width and precision.
#[derive(Debug, Clone, Copy, Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    hash: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

pub(super) fn format(call: &mut Call<'_>) -> Answer {
    let template = call.text_arg(0)?;
    let mut out = Vec::with_capacity(template.len());
    let mut rest = template.as_slice();
    let mut at = 0;
    loop {
        rest = match *rest {
            [] => break,
            [b'%', b'%', ref tail @ ..] => {
                out.push(b'%');
                tail
            }
            [b'%', ref tail @ ..] => {
                at += 1;
                if call.arg(at).is_none() {
                    return Err(call.bad(at, "no value"));
                }
                let (spec, tail) = read(call, tail)?;
                let (letter, tail) = tail.split_first().map_or((0, tail), |(letter, tail)| (*letter, tail));
                convert(call, spec, letter, at, &mut out)?;
                tail
            }
            [c, ref tail @ ..] => {
                out.push(c);
                tail
            }
        };
        call.memory(out.len())?;
    }
    Ok(Returns::One(call.made(&out)?))
}

fn read<'t>(call: &mut Call<'_>, text: &'t [u8]) -> Result<(Spec, &'t [u8]), LuaError> {
    let mut spec = Spec::default();
    let mut rest = text;
    let mut flags = 0;
    while let Some((flag, tail)) = rest.split_first() {
        match flag {
            b'-' => spec.left = true,
            b'+' => spec.plus = true,
            b' ' => spec.space = true,
            b'#' => spec.hash = true,
            b'0' => spec.zero = true,
            _ => break,
        }
        flags += 1;
        rest = tail;
    }
    if flags > 5 {
        return Err(call.error("invalid format (repeated flags)"));
    }
    let (width, tail) = digits(rest);
    (spec.width, rest) = (width.unwrap_or(0), tail);
    if let Some((b'.', tail)) = rest.split_first() {
        let (precision, tail) = digits(tail);
        (spec.precision, rest) = (Some(precision.unwrap_or(0)), tail);
    }
    if rest.first().is_some_and(u8::is_ascii_digit) {
        return Err(call.error("invalid format (width or precision too long)"));
    }
    Ok((spec, rest))
}

/// At most two digits.
fn digits(text: &[u8]) -> (Option<usize>, &[u8]) {
    let count = text.iter().take(2).take_while(|c| c.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(count).unwrap_or((&[], text));
    let value = digits.iter().fold(0, |sum, c| sum * 10 + usize::from(c - b'0'));
    ((count > 0).then_some(value), rest)
}

fn convert(
    call: &mut Call<'_>,
    spec: Spec,
    letter: u8,
    at: usize,
    out: &mut Vec<u8>,
) -> Result<(), LuaError> {
    match letter {
        b'c' => {
            let byte = call.int_arg(at)?.to_le_bytes()[0];
            spec.pad(out, "", &[byte], false);
        }
        b'd' | b'i' => {
            let n = call.int_arg(at)?;
            spec.integer(out, spec.sign(n < 0), &n.unsigned_abs().to_string());
        }
        b'u' => {
            let n = call.int_arg(at)?.cast_unsigned();
            spec.integer(out, "", &n.to_string());
        }
        b'o' | b'x' | b'X' => {
            let n = call.int_arg(at)?.cast_unsigned();
            let (mark, digits) = match letter {
                b'o' => ("0", format!("{n:o}")),
                b'x' => ("0x", format!("{n:x}")),
                _ => ("0X", format!("{n:X}")),
            };
            spec.integer(out, if spec.hash && n != 0 { mark } else { "" }, &digits);
        }
        b'a' | b'A' | b'e' | b'E' | b'f' | b'g' | b'G' => {
            let f = call.float_arg(at)?;
            spec.float(out, letter, f);
        }
        b'q' => quoted(call, at, out)?,
        b's' => {
            let value = call.arg_or_nil(at);
            let text = call.shown(value)?;
            let mut text = call.bytes(text).unwrap_or_default().to_vec();
            if spec.width > 0 && text.contains(&0) {
                return Err(call.bad(at, "string contains zeros"));
            }
            text.truncate(spec.precision.unwrap_or(usize::MAX));
            spec.pad(out, "", &text, false);
        }
        other => {
            let shown = if other == 0 { String::new() } else { char::from(other).to_string() };
            return Err(call.error(format!("invalid option '%{shown}' to 'format'")));
        }
    }
    Ok(())
}

impl Spec {
    const fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    /// A sign and digits, padded to the width: with zeros between them, or blanks around.
    fn pad(&self, out: &mut Vec<u8>, sign: &str, text: &[u8], zeros: bool) {
        let padding = self.width.saturating_sub(sign.len() + text.len());
        if !self.left && !zeros {
            out.extend(std::iter::repeat_n(b' ', padding));
        }
        out.extend_from_slice(sign.as_bytes());
        if !self.left && zeros {
            out.extend(std::iter::repeat_n(b'0', padding));
        }
        out.extend_from_slice(text);
        if self.left {
            out.extend(std::iter::repeat_n(b' ', padding));
        }
    }

    fn integer(&self, out: &mut Vec<u8>, sign: &str, digits: &str) {
        let zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        let digits = if self.precision == Some(0) && digits == "0" { "" } else { digits };
        let text = format!("{}{digits}", "0".repeat(zeros));
        self.pad(out, sign, text.as_bytes(), self.zero && self.precision.is_none());
    }

    fn float(&self, out: &mut Vec<u8>, letter: u8, f: f64) {
        let is_upper = letter.is_ascii_uppercase();
        if !f.is_finite() {
            let text = if f.is_nan() { "nan" } else { "inf" };
            let text = if is_upper { text.to_uppercase() } else { text.to_owned() };
            return self.pad(out, self.sign(f < 0.0), text.as_bytes(), false);
        }
        let (magnitude, precision) = (f.abs(), self.precision.unwrap_or(6));
        let mut text = match letter.to_ascii_lowercase() {
            b'a' => printf::hexadecimal(magnitude, self.precision, self.hash),
            b'e' => printf::scientific(magnitude, precision, self.hash),
            b'f' => printf::fixed(magnitude, precision, self.hash),
            _ => printf::general(magnitude, precision, self.hash),
        };
        if is_upper {
            text = text.to_uppercase();
        }
        let mut sign = self.sign(f.is_sign_negative()).to_owned();
        // The mark of hexadecimal digits comes before zeros.
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
            && letter.eq_ignore_ascii_case(&b'a')
        {
            sign.push_str(text.get(..2).unwrap_or_default());
            return self.pad(out, &sign, digits.as_bytes(), self.zero);
        }
        self.pad(out, &sign, text.as_bytes(), self.zero);
    }
}

/// A value as a literal.
fn quoted(call: &mut Call<'_>, at: usize, out: &mut Vec<u8>) -> Result<(), LuaError> {
    match call.arg_or_nil(at) {
        Value::Str(id) => {
            let text = call.vm.heap.bytes(id);
            out.push(b'"');
            for (place, c) in text.iter().enumerate() {
                match c {
                    b'"' | b'\\' | b'\n' => out.extend_from_slice(&[b'\\', *c]),
                    0..=31 | 127 => {
                        let digit = text.get(place + 1).is_some_and(u8::is_ascii_digit);
                        let escape = if digit { format!("\\{c:03}") } else { format!("\\{c}") };
                        out.extend_from_slice(escape.as_bytes());
                    }
                    c => out.push(*c),
                }
            }
            out.push(b'"');
        }
        Value::Int(i64::MIN) => out.extend_from_slice(b"0x8000000000000000"),
        Value::Int(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Float(f) => {
            let text = if f.is_finite() {
                printf::hexadecimal(f, None, false)
            } else {
                crate::number::lua53::float_text(f)
            };
            out.extend_from_slice(text.as_bytes());
        }
        value @ (Value::Nil | Value::Bool(_)) => out.extend_from_slice(&call.vm.plain_text(value)),
        _ => return Err(call.bad(at, "value has no literal form")),
    }
    Ok(())
}
