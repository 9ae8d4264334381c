//! `string.pack`, `string.packsize` and `string.unpack`.

use super::Answer;
use super::args::count;
use super::string::{MAX_LENGTH, place};
use crate::error::LuaError;
use crate::value::Value;
use crate::vm::{Call, Returns};

/// Bytes of the widest integer.
const MAX_INT: usize = 16;
/// Bytes of a `lua_Integer`.
const INT: usize = 8;

/// What an option of a format stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Int,
    Uint,
    Float,
    Double,
    Chars,
    Text,
    Zero,
    Padding,
    Align,
    Nothing,
}

/// An option: what it is, its bytes, and the padding before it.
struct Item {
    kind: Kind,
    size: usize,
    padding: usize,
}

struct Reader<'f> {
    rest: &'f [u8],
    little: bool,
    align: usize,
}

impl<'f> Reader<'f> {
    fn new(format: &'f [u8]) -> Self {
        Self { rest: format, little: true, align: 1 }
    }

    /// Digits, up to where one more could pass the longest text; those after it are no option's.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some((digit @ b'0'..=b'9', rest)) = self.rest.split_first()
            && number.unwrap_or(0) <= (MAX_LENGTH - 9) / 10
        {
            number = Some(number.unwrap_or(0) * 10 + usize::from(digit - b'0'));
            self.rest = rest;
        }
        number
    }

    fn limited(&mut self, call: &mut Call<'_>, default: usize) -> Result<usize, LuaError> {
        let size = self.number().unwrap_or(default);
        if (1..=MAX_INT).contains(&size) {
            return Ok(size);
        }
        Err(call.error(format!("integral size ({size}) out of limits [1,{MAX_INT}]")))
    }

    fn option(&mut self, call: &mut Call<'_>) -> Result<Option<(Kind, usize)>, LuaError> {
        let Some((letter, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        Ok(Some(match letter {
            b'b' => (Kind::Int, 1),
            b'B' => (Kind::Uint, 1),
            b'h' => (Kind::Int, 2),
            b'H' => (Kind::Uint, 2),
            b'i' => (Kind::Int, self.limited(call, 4)?),
            b'I' => (Kind::Uint, self.limited(call, 4)?),
            b'l' | b'j' => (Kind::Int, 8),
            b'L' | b'J' | b'T' => (Kind::Uint, 8),
            b'f' => (Kind::Float, 4),
            b'd' | b'n' => (Kind::Double, 8),
            b's' => (Kind::Text, self.limited(call, 8)?),
            b'c' => match self.number() {
                Some(size) => (Kind::Chars, size),
                None => return Err(call.error("missing size for format option 'c'")),
            },
            b'z' => (Kind::Zero, 0),
            b'x' => (Kind::Padding, 1),
            b'X' => (Kind::Align, 0),
            b' ' => (Kind::Nothing, 0),
            b'<' | b'=' => {
                self.little = true;
                (Kind::Nothing, 0)
            }
            b'>' => {
                self.little = false;
                (Kind::Nothing, 0)
            }
            b'!' => {
                self.align = self.limited(call, 8)?;
                (Kind::Nothing, 0)
            }
            other => return Err(call.error(format!("invalid format option '{}'", char::from(*other)))),
        }))
    }

    /// The next option, where so many bytes come before it.
    fn next(&mut self, call: &mut Call<'_>, total: usize) -> Result<Option<Item>, LuaError> {
        let Some((kind, size)) = self.option(call)? else { return Ok(None) };
        let mut align = size;
        if kind == Kind::Align {
            let next = if self.rest.is_empty() { None } else { self.option(call)? };
            align = match next {
                Some((next, size)) if next != Kind::Chars && size > 0 => size,
                _ => return Err(call.bad(0, "invalid next option for option 'X'")),
            };
        }
        let mut padding = 0;
        if align > 1 && !matches!(kind, Kind::Chars | Kind::Padding | Kind::Nothing | Kind::Zero) {
            let align = align.min(self.align);
            if !align.is_power_of_two() {
                return Err(call.bad(0, "format asks for alignment not power of 2"));
            }
            padding = (align - (total & (align - 1))) & (align - 1);
        }
        Ok(Some(Item { kind, size, padding }))
    }
}

/// An integer's bytes.
fn write_int(out: &mut Vec<u8>, n: u64, little: bool, size: usize, negative: bool) {
    let fill = if negative { 0xff } else { 0 };
    let mut bytes: Vec<u8> = n.to_le_bytes().into_iter().chain(std::iter::repeat(fill)).take(size).collect();
    if !little {
        bytes.reverse();
    }
    out.extend_from_slice(&bytes);
}

fn pack_int(
    call: &mut Call<'_>,
    at: usize,
    item: &Item,
    little: bool,
    out: &mut Vec<u8>,
) -> Result<(), LuaError> {
    let n = call.int_arg(at)?;
    if item.size < INT {
        let bits = u32::try_from(item.size * 8).unwrap_or(64);
        if item.kind == Kind::Int {
            let limit = 1i64 << (bits - 1);
            if !(-limit..limit).contains(&n) {
                return Err(call.bad(at, "integer overflow"));
            }
        } else if n.cast_unsigned() >= 1u64 << bits {
            return Err(call.bad(at, "unsigned overflow"));
        }
    }
    write_int(out, n.cast_unsigned(), little, item.size, item.kind == Kind::Int && n < 0);
    Ok(())
}

pub(super) fn pack(call: &mut Call<'_>) -> Answer {
    let format = call.text_arg(0)?;
    let mut reader = Reader::new(&format);
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(item) = reader.next(call, out.len())? {
        call.memory(out.len().saturating_add(item.size))?;
        call.fuel(super::args::work(item.size) + 1)?;
        out.extend(std::iter::repeat_n(0, item.padding));
        match item.kind {
            Kind::Int | Kind::Uint => {
                at += 1;
                pack_int(call, at, &item, reader.little, &mut out)?;
            }
            Kind::Float | Kind::Double => {
                at += 1;
                let f = call.float_arg(at)?;
                write_float(&mut out, f, item.kind, reader.little);
            }
            Kind::Chars | Kind::Text | Kind::Zero => {
                at += 1;
                pack_text(call, at, &item, reader.little, &mut out)?;
            }
            Kind::Padding => out.push(0),
            Kind::Align | Kind::Nothing => {}
        }
    }
    Ok(Returns::One(call.made(&out)?))
}

/// A NaN is always the same one.
fn write_float(out: &mut Vec<u8>, f: f64, kind: Kind, little: bool) {
    let f = if f.is_nan() { f64::NAN } else { f };
    #[expect(clippy::cast_possible_truncation, reason = "that is what `f` asks for")]
    let mut bytes =
        if kind == Kind::Float { (f as f32).to_le_bytes().to_vec() } else { f.to_le_bytes().to_vec() };
    if !little {
        bytes.reverse();
    }
    out.extend_from_slice(&bytes);
}

fn pack_text(
    call: &mut Call<'_>,
    at: usize,
    item: &Item,
    little: bool,
    out: &mut Vec<u8>,
) -> Result<(), LuaError> {
    let text = call.text_arg(at)?;
    match item.kind {
        Kind::Chars => {
            if text.len() > item.size {
                return Err(call.bad(at, "string longer than given size"));
            }
            out.extend_from_slice(&text);
            out.extend(std::iter::repeat_n(0, item.size - text.len()));
        }
        Kind::Text => {
            let fits = item.size >= 8 || (text.len() as u64) < 1u64 << (item.size * 8);
            if !fits {
                return Err(call.bad(at, "string length does not fit in given size"));
            }
            write_int(out, text.len() as u64, little, item.size, false);
            out.extend_from_slice(&text);
        }
        _ => {
            if text.contains(&0) {
                return Err(call.bad(at, "string contains zeros"));
            }
            out.extend_from_slice(&text);
            out.push(0);
        }
    }
    Ok(())
}

pub(super) fn packsize(call: &mut Call<'_>) -> Answer {
    let format = call.text_arg(0)?;
    let mut reader = Reader::new(&format);
    let mut total = 0usize;
    while let Some(item) = reader.next(call, total)? {
        call.fuel(1)?;
        if matches!(item.kind, Kind::Text | Kind::Zero) {
            return Err(call.bad(0, "variable-length format"));
        }
        let size = item.size + item.padding;
        if total > MAX_LENGTH - size.min(MAX_LENGTH) {
            return Err(call.bad(0, "format result too large"));
        }
        total += size;
    }
    Ok(Returns::One(count(total)))
}

/// An integer of so many bytes, if it fits.
fn read_int(call: &mut Call<'_>, bytes: &[u8], little: bool, signed: bool) -> Result<i64, LuaError> {
    let mut bytes = bytes.to_vec();
    if !little {
        bytes.reverse();
    }
    let n = bytes.iter().take(INT).rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    let n = n.cast_signed();
    if bytes.len() < INT {
        let unused = 64 - 8 * u32::try_from(bytes.len()).unwrap_or(8);
        return Ok(if signed { n << unused >> unused } else { n });
    }
    let fill = if signed && n < 0 { 0xff } else { 0 };
    if bytes.iter().skip(INT).any(|byte| *byte != fill) {
        let size = bytes.len();
        return Err(call.error(format!("{size}-byte integer does not fit into Lua Integer")));
    }
    Ok(n)
}

fn read_float(bytes: &[u8], little: bool) -> f64 {
    let mut bytes = bytes.to_vec();
    if !little {
        bytes.reverse();
    }
    match bytes.as_slice() {
        [a, b, c, d] => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        _ => 0.0,
    }
}

pub(super) fn unpack(call: &mut Call<'_>) -> Answer {
    let (format, text) = (call.text_arg(0)?, call.text_arg(1)?);
    let from = call.int_or(2, 1)?;
    let at = place(from, text.len()) - 1;
    let Some(mut at) = usize::try_from(at).ok().filter(|at| *at <= text.len()) else {
        return Err(call.bad(2, "initial position out of string"));
    };
    let mut reader = Reader::new(&format);
    let mut values = Vec::new();
    while let Some(item) = reader.next(call, at)? {
        call.fuel(2)?;
        if item.padding.saturating_add(item.size) > text.len().saturating_sub(at) {
            return Err(call.bad(1, "data string too short"));
        }
        at += item.padding;
        let here = text.get(at..).unwrap_or_default();
        let bytes = here.get(..item.size).unwrap_or_default();
        at += item.size;
        match item.kind {
            Kind::Int | Kind::Uint => {
                values.push(Value::Int(read_int(call, bytes, reader.little, item.kind == Kind::Int)?));
            }
            Kind::Float | Kind::Double => values.push(Value::Float(read_float(bytes, reader.little))),
            Kind::Chars => values.push(call.made(bytes)?),
            Kind::Text => {
                let length = read_int(call, bytes, reader.little, false)?;
                let length = usize::try_from(length).ok().filter(|length| *length <= text.len() - at);
                let Some(length) = length else { return Err(call.bad(1, "data string too short")) };
                values.push(call.made(text.get(at..at + length).unwrap_or_default())?);
                at += length;
            }
            Kind::Zero => {
                // Behind a string of PUC's there is always a zero.
                let length = here.iter().position(|byte| *byte == 0).unwrap_or(here.len());
                values.push(call.made(here.get(..length).unwrap_or_default())?);
                at += length + 1;
            }
            Kind::Padding | Kind::Align | Kind::Nothing => {}
        }
        if let Some(value) = values.last() {
            call.keep(*value);
        }
    }
    values.push(count(at + 1));
    Ok(Returns::Many(values))
}
