//! The `utf8` library.

use super::args::count;
use super::{Answer, Entry};
use crate::value::{TableId, Value};
use crate::vm::{Call, Returns, Vm};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("char", "char", char_),
    ("codepoint", "codepoint", codepoint),
    ("codes", "codes", codes),
    ("len", "len", len),
    ("offset", "offset", offset),
];

pub(super) fn constants(vm: &mut Vm, table: TableId) {
    let pattern = vm.string(b"[\0-\x7F\xC2-\xF4][\x80-\xBF]*");
    vm.set_field(table, "charpattern", pattern);
}

/// Appends a character's bytes: any number below 2 to the power of 31.
pub(crate) fn encode(code: u32, out: &mut Vec<u8>) {
    if code < 0x80 {
        out.push(code.to_le_bytes()[0]);
        return;
    }
    // How many bytes follow the first, and its mark.
    let more = match code {
        0..0x800 => 1,
        0x800..0x1_0000 => 2,
        0x1_0000..0x20_0000 => 3,
        0x20_0000..0x400_0000 => 4,
        _ => 5,
    };
    let mark = 0xffu32 << (7 - more);
    out.push(((mark & 0xff) | (code >> (6 * more))).to_le_bytes()[0]);
    for at in (0..more).rev() {
        out.push((0x80 | (code >> (6 * at) & 0x3f)).to_le_bytes()[0]);
    }
}

/// The character a text begins with, and its length; nothing if it is none of Unicode's.
fn decode(text: &[u8]) -> Option<(u32, usize)> {
    let first = *text.first()?;
    let (length, least, code) = match first {
        0..=0x7f => return Some((u32::from(first), 1)),
        0xc0..=0xdf => (2, 0x80, u32::from(first & 0x1f)),
        0xe0..=0xef => (3, 0x800, u32::from(first & 0x0f)),
        0xf0..=0xf7 => (4, 0x1_0000, u32::from(first & 0x07)),
        _ => return None,
    };
    let mut code = code;
    for at in 1..length {
        match text.get(at) {
            Some(byte) if is_continuation(*byte) => code = code << 6 | u32::from(byte & 0x3f),
            _ => return None,
        }
    }
    (code >= least && code <= 0x10_ffff).then_some((code, length))
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// A place counted from the end if it is negative; 0 if it is before the beginning.
fn place(at: i64, length: usize) -> i64 {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    match at {
        0.. => at,
        _ if at.unsigned_abs() > length.unsigned_abs() => 0,
        _ => length + at + 1,
    }
}

fn char_(call: &mut Call<'_>) -> Answer {
    let mut out = Vec::new();
    for at in 0..call.count() {
        let code = call.int_arg(at)?;
        match u32::try_from(code) {
            Ok(code @ 0..=0x10_ffff) => encode(code, &mut out),
            _ => return Err(call.bad(at, "value out of range")),
        }
    }
    Ok(Returns::One(call.made(&out)?))
}

fn codepoint(call: &mut Call<'_>) -> Answer {
    let text = call.text_arg(0)?;
    let first = call.int_or(1, 1)?;
    let from = place(first, text.len());
    let last = call.int_or(2, from)?;
    let to = place(last, text.len());
    if from < 1 {
        return Err(call.bad(1, "out of range"));
    }
    if to > i64::try_from(text.len()).unwrap_or(i64::MAX) {
        return Err(call.bad(2, "out of range"));
    }
    let (mut at, to) = (usize::try_from(from - 1).unwrap_or(0), usize::try_from(to).unwrap_or(0));
    call.memory(to.saturating_sub(at).saturating_mul(size_of::<Value>()))?;
    let mut values = Vec::new();
    while at < to {
        let Some((code, length)) = decode(text.get(at..).unwrap_or_default()) else {
            return Err(call.error("invalid UTF-8 code"));
        };
        values.push(Value::Int(i64::from(code)));
        at += length;
    }
    call.fuel(values.len() as u64)?;
    Ok(Returns::Many(values))
}

fn len(call: &mut Call<'_>) -> Answer {
    let text = call.text_arg(0)?;
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let first = call.int_or(1, 1)?;
    let from = place(first, text.len());
    let last = call.int_or(2, -1)?;
    let to = place(last, text.len());
    if from < 1 || from - 1 > length {
        return Err(call.bad(1, "initial position out of string"));
    }
    if to > length {
        return Err(call.bad(2, "final position out of string"));
    }
    let (mut at, to) = (usize::try_from(from - 1).unwrap_or(0), usize::try_from(to).unwrap_or(0));
    let mut found = 0;
    while at < to {
        match decode(text.get(at..).unwrap_or_default()) {
            Some((_, length)) => at += length,
            None => return Ok(Returns::Two(Value::Nil, count(at + 1))),
        }
        found += 1;
    }
    Ok(Returns::One(count(found)))
}

fn offset(call: &mut Call<'_>) -> Answer {
    let text = call.text_arg(0)?;
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let mut n = call.int_arg(1)?;
    let default = if n > 0 { 1 } else { length + 1 };
    let from = call.int_or(2, default)?;
    let at = place(from, text.len()) - 1;
    if !(0..=length).contains(&at) {
        return Err(call.bad(2, "position out of range"));
    }
    let mut at = usize::try_from(at).unwrap_or(0);
    let inside = |at: usize| text.get(at).is_some_and(|byte| is_continuation(*byte));
    if n == 0 {
        while at > 0 && inside(at) {
            at -= 1;
        }
        return Ok(Returns::One(count(at + 1)));
    }
    if inside(at) {
        return Err(call.error("initial position is a continuation byte"));
    }
    if n < 0 {
        while n < 0 && at > 0 {
            at -= 1;
            while at > 0 && inside(at) {
                at -= 1;
            }
            n += 1;
        }
    } else {
        n -= 1;
        while n > 0 && at < text.len() {
            at += 1;
            while inside(at) {
                at += 1;
            }
            n -= 1;
        }
    }
    Ok(Returns::One(if n == 0 { count(at + 1) } else { Value::Nil }))
}

fn codes(call: &mut Call<'_>) -> Answer {
    call.text_arg(0)?;
    let step = call.vm.native("utf8", "codes_aux", step);
    Ok(Returns::Many(vec![step, call.arg_or_nil(0), Value::Int(0)]))
}

fn step(call: &mut Call<'_>) -> Answer {
    let at = call.int_arg(1)?;
    let Some(Value::Str(id)) = call.arg(0) else { return Err(call.bad_type(0, "string")) };
    let text = call.vm.heap.bytes(id);
    let inside = |at: usize| text.get(at).is_some_and(|byte| is_continuation(*byte));
    // Behind the character that was answered last.
    let mut next = usize::try_from(at).unwrap_or(0);
    if at > 0 {
        while inside(next) {
            next += 1;
        }
    }
    if next >= text.len() {
        return Ok(Returns::None);
    }
    match decode(text.get(next..).unwrap_or_default()) {
        Some((code, length)) if !inside(next + length) => {
            Ok(Returns::Two(count(next + 1), Value::Int(i64::from(code))))
        }
        _ => Err(call.error("invalid UTF-8 code")),
    }
}
