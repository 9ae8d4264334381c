//! The `string` library, but for `format`, `gsub` and packing. `gmatch` is in the prelude.

use super::args::{count, work};
use super::{Answer, Entry};
use crate::error::LuaError;
use crate::pattern::lua53::{Fault, find as search};
use crate::pattern::{Capture, Match};
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("byte", "byte", byte),
    ("char", "char", char_),
    ("dump", "dump", dump),
    ("find", "find", |call| find(call, true)),
    ("format", "format", super::format::format),
    ("gsub", "gsub", super::replace::gsub),
    ("len", "len", len),
    ("lower", "lower", |call| mapped(call, |text| text.make_ascii_lowercase())),
    ("match", "match", |call| find(call, false)),
    ("pack", "pack", super::pack::pack),
    ("packsize", "packsize", super::pack::packsize),
    ("rep", "rep", rep),
    ("reverse", "reverse", |call| mapped(call, <[u8]>::reverse)),
    ("sub", "sub", sub),
    ("unpack", "unpack", super::pack::unpack),
    ("upper", "upper", |call| mapped(call, |text| text.make_ascii_uppercase())),
];

/// Steps of the matcher that cost one unit of fuel.
const STEPS: u64 = 4;

/// The longest text.
pub(super) const MAX_LENGTH: usize = (1 << 31) - 1;

/// A place, counted from the end if it is negative; 0 if that is before the beginning.
pub(super) fn place(at: i64, length: usize) -> i64 {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    match at {
        0.. => at,
        _ if at.unsigned_abs() > length.unsigned_abs() => 0,
        _ => length + at + 1,
    }
}

fn len(call: &mut Call<'_>) -> Answer {
    if let Some(Value::Str(id)) = call.arg(0) {
        return Ok(Returns::One(count(call.vm.heap.bytes(id).len())));
    }
    let text = call.text_arg(0)?;
    Ok(Returns::One(count(text.len())))
}

fn mapped(call: &mut Call<'_>, map: fn(&mut [u8])) -> Answer {
    let mut text = call.text_arg(0)?;
    map(&mut text);
    Ok(Returns::One(call.made(&text)?))
}

/// The bytes from one place to another, both counted.
fn range(from: i64, to: i64, length: usize) -> std::ops::Range<usize> {
    let (from, to) = (place(from, length).max(1), place(to, length));
    let to = usize::try_from(to).unwrap_or(0).min(length);
    let from = usize::try_from(from - 1).unwrap_or(0);
    from.min(to)..to
}

fn sub(call: &mut Call<'_>) -> Answer {
    let (from, to) = {
        if !matches!(call.arg(0), Some(Value::Str(_))) {
            call.text_arg(0)?;
        }
        (call.int_arg(1)?, call.int_or(2, -1)?)
    };
    let text = match call.arg(0) {
        Some(Value::Str(id)) => {
            let text = call.vm.heap.bytes(id);
            text.get(range(from, to, text.len())).unwrap_or_default().to_vec()
        }
        _ => {
            let text = call.text_arg(0)?;
            text.get(range(from, to, text.len())).unwrap_or_default().to_vec()
        }
    };
    Ok(Returns::One(call.made(&text)?))
}

fn byte(call: &mut Call<'_>) -> Answer {
    let text = call.text_arg(0)?;
    let from = call.int_or(1, 1)?;
    let from = place(from, text.len());
    let to = call.int_or(2, from)?;
    let range = range(from.max(1), to, text.len());
    call.memory(range.len().saturating_mul(2 * size_of::<Value>()))?;
    call.fuel(range.len() as u64 / 8)?;
    if range.len() >= 1_000_000 {
        return Err(call.error("string slice too long"));
    }
    let bytes = text.get(range).unwrap_or_default();
    Ok(Returns::Many(bytes.iter().map(|byte| Value::Int(i64::from(*byte))).collect()))
}

fn char_(call: &mut Call<'_>) -> Answer {
    let mut out = Vec::with_capacity(call.count());
    for at in 0..call.count() {
        let code = call.int_arg(at)?;
        match u8::try_from(code) {
            Ok(byte) => out.push(byte),
            Err(_) => return Err(call.bad(at, "value out of range")),
        }
    }
    Ok(Returns::One(call.made(&out)?))
}

fn dump(call: &mut Call<'_>) -> Answer {
    call.function_arg(0)?;
    Err(call.error("unable to dump given function"))
}

fn rep(call: &mut Call<'_>) -> Answer {
    let text = call.text_arg(0)?;
    let times = call.int_arg(1)?;
    let between = call.text_or(2)?.unwrap_or_default();
    let Some(times) = usize::try_from(times).ok().filter(|times| *times > 0) else {
        return Ok(Returns::One(call.string(b"")));
    };
    let total = text.len().saturating_add(between.len()).saturating_mul(times);
    if text.len() + between.len() > 0 && total >= MAX_LENGTH {
        return Err(call.error("resulting string too large"));
    }
    call.fuel(work(total))?;
    call.memory(total)?;
    let mut out = text.clone();
    if between.is_empty() {
        out = text.repeat(times);
    } else {
        for _ in 1..times {
            out.extend_from_slice(&between);
            out.extend_from_slice(&text);
        }
    }
    Ok(Returns::One(call.made(&out)?))
}

/// The next match, paid for step by step.
pub(super) fn matched(
    call: &mut Call<'_>,
    text: &[u8],
    pattern: &[u8],
    from: usize,
    how: (bool, Option<usize>),
) -> Result<Option<Match>, LuaError> {
    let mut steps = call.vm.fuel().saturating_mul(STEPS);
    let given = steps;
    let found = search(text, pattern, from, how, &mut steps);
    call.fuel((given - steps).div_ceil(STEPS))?;
    match found {
        Ok(found) => Ok(found),
        Err(Fault::Pattern(sentence)) => Err(call.error(sentence)),
        Err(Fault::OutOfSteps) => Err(call.fuel(u64::MAX).err().unwrap_or_else(|| call.crash("badarg"))),
    }
}

pub(super) fn capture(call: &mut Call<'_>, text: &[u8], capture: Capture) -> Result<Value, LuaError> {
    match capture {
        Capture::Position(at) => Ok(count(at + 1)),
        Capture::Span(from, to) => {
            let value = call.made(text.get(from..to).unwrap_or_default())?;
            call.keep(value);
            Ok(value)
        }
    }
}

/// The captures; the match itself if there are none.
pub(super) fn captures(call: &mut Call<'_>, text: &[u8], found: &Match) -> Result<Vec<Value>, LuaError> {
    let whole = [Capture::Span(found.start, found.end)];
    let list = if found.captures.is_empty() { &whole } else { found.captures.as_slice() };
    list.iter().map(|one| capture(call, text, *one)).collect()
}

fn find(call: &mut Call<'_>, places: bool) -> Answer {
    let (text, pattern) = (call.text_arg(0)?, call.text_arg(1)?);
    let init = call.int_or(2, 1)?;
    let init = place(init, text.len()).max(1);
    let Some(from) = usize::try_from(init - 1).ok().filter(|from| *from <= text.len()) else {
        return Ok(Returns::One(Value::Nil));
    };
    let special = pattern.iter().any(|c| b"^$*+?.([%-".contains(c));
    if places && (call.arg_or_nil(3).is_true() || !special) {
        let rest = text.get(from..).unwrap_or_default();
        call.fuel(work(rest.len()))?;
        return Ok(match memchr::memmem::find(rest, &pattern) {
            Some(at) => Returns::Two(count(from + at + 1), count(from + at + pattern.len())),
            None => Returns::One(Value::Nil),
        });
    }
    let Some(found) = matched(call, &text, &pattern, from, (true, None))? else {
        return Ok(Returns::One(Value::Nil));
    };
    if !places {
        return Ok(Returns::Many(captures(call, &text, &found)?));
    }
    let mut values = vec![count(found.start + 1), count(found.end)];
    if !found.captures.is_empty() {
        values.extend(captures(call, &text, &found)?);
    }
    Ok(Returns::Many(values))
}

/// The arguments of `gmatch`, as texts.
pub(super) fn gmatch_check(call: &mut Call<'_>) -> Answer {
    let (text, pattern) = (call.text_arg(0)?, call.text_arg(1)?);
    let text = call.made(&text)?;
    call.keep(text);
    Ok(Returns::Two(text, call.made(&pattern)?))
}

/// One step of `gmatch`: where to go on, and the captures. A `^` is no anchor there.
pub(super) fn gmatch_step(call: &mut Call<'_>) -> Answer {
    let (text, pattern) = (call.text_arg(0)?, call.text_arg(1)?);
    let from = usize::try_from(call.int_arg(2)?).unwrap_or(0);
    // Where the match before ended, one more than it; 0 before the first.
    let (start, last) = (from.saturating_sub(1), from.checked_sub(1));
    if start <= text.len()
        && let Some(found) = matched(call, &text, &pattern, start, (false, last))?
    {
        let mut values = vec![count(found.end + 1)];
        values.extend(captures(call, &text, &found)?);
        return Ok(Returns::Many(values));
    }
    Ok(Returns::One(count(text.len() + 2)))
}
