//! The `utf8` library.

use super::args::{case_clause, count, integers, is_text, owned_text, position, string};
use super::string::no_case;
use super::{Answer, Entry};
use crate::error::{LuaError, Term};
use crate::value::{TableId, Value};
use crate::vm::{Call, Returns, Vm};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("char", "utf8_char", char),
    ("codepoint", "codepoint", codepoint),
    ("len", "utf8_len", len),
    ("offset", "offset", offset),
];

/// Installs what is no function, and `codes`, which answers another function.
pub(super) fn constants(vm: &mut Vm, table: TableId) {
    let pattern = vm.string(b"[\0-\x7f\xc2-\xf4][\x80-\xbf]*");
    vm.set_field(table, "charpattern", pattern);
    let step = vm.native("luerl_lib_utf8", "codes_next", codes_next);
    let codes = vm.native("luerl_lib_utf8", "codes", move |call| codes(call, step));
    vm.set_field(table, "codes", codes);
}

fn char(call: &mut Call<'_>) -> Answer {
    let Some(codes) = integers(call)? else { return Err(call.badarg("char")) };
    let codes = codes
        .iter()
        .map(|code| code.to_i64().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32));
    match codes.collect::<Option<String>>() {
        Some(text) => Ok(Returns::One(string(call, text.as_bytes())?)),
        None => Err(call.crash("badarg")),
    }
}

/// The character at a place and the place behind it; nothing if the bytes there are none.
fn decode(text: &[u8], at: usize) -> Option<(u32, usize)> {
    let rest = text.get(at..)?;
    let length = match rest.first()? {
        0..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    let text = std::str::from_utf8(rest.get(..length)?).ok()?;
    Some((u32::from(text.chars().next()?), at + length))
}

/// A text and two places in it, counted from 1, as `len`, `codepoint` and `offset` take them.
fn stretch(call: &mut Call<'_>, name: &'static str) -> Result<(Vec<u8>, usize, usize), LuaError> {
    let subject = match call.arg(0) {
        None => return Err(case_clause(Term::List(Vec::new()))),
        Some(subject) if is_text(subject) => subject,
        Some(_) => return Err(call.badarg(name)),
    };
    let mut places = [Some(1), None];
    for (at, place) in places.iter_mut().enumerate() {
        if let Some(value) = call.arg(at + 1) {
            *place = Some(position(call, value)?.ok_or_else(|| call.badarg(name))?);
        }
    }
    let text = owned_text(call, subject)?.unwrap_or_default();
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let place = |place: Option<i64>| match place.unwrap_or(length) {
        at if (1..=length).contains(&at) => usize::try_from(at).ok(),
        at if at < 0 && at >= -length => usize::try_from(length + at + 1).ok(),
        _ => None,
    };
    match places.map(place) {
        [Some(from), Some(to)] => Ok((text, from, to)),
        _ => Err(call.badarg(name)),
    }
}

fn len(call: &mut Call<'_>) -> Answer {
    let (text, from, to) = stretch(call, "len")?;
    let (mut at, mut length) = (from - 1, 0);
    while at < to {
        let Some((_, behind)) = decode(&text, at) else { return Ok(Returns::Two(Value::Nil, count(at + 1))) };
        (at, length) = (behind, length + 1);
    }
    Ok(Returns::One(count(length)))
}

fn codepoint(call: &mut Call<'_>) -> Answer {
    let (text, from, to) = stretch(call, "codepoint")?;
    call.memory(text.len().saturating_mul(2 * size_of::<Value>()))?;
    let (mut at, mut codes) = (from - 1, Vec::new());
    while at < to {
        let Some((code, behind)) = decode(&text, at) else { return Err(call.badarg("codepoint")) };
        codes.push(Value::Int(i64::from(code)));
        at = behind;
    }
    call.fuel(u64::try_from(codes.len()).unwrap_or(u64::MAX))?;
    Ok(Returns::Many(codes))
}

fn codes(call: &mut Call<'_>, step: Value) -> Answer {
    let Some(subject) = call.arg(0) else { return Err(no_case(call)) };
    let Some(text) = owned_text(call, subject)? else { return Err(call.badarg("codes")) };
    let text = string(call, &text)?;
    Ok(Returns::Many(vec![step, text, Value::Int(0)]))
}

/// The character behind a place, and the place behind it.
fn codes_next(call: &mut Call<'_>) -> Answer {
    let Some(text) = call.arg(0).and_then(|text| call.bytes(text)) else {
        return Err(call.crash("function_clause"));
    };
    let Value::Int(place) = call.arg(1).unwrap_or(Value::Int(0)) else {
        return Err(call.crash("function_clause"));
    };
    if place >= i64::try_from(text.len()).unwrap_or(i64::MAX) {
        return Ok(Returns::One(Value::Nil));
    }
    match usize::try_from(place).ok().and_then(|place| decode(text, place)) {
        Some((code, behind)) => Ok(Returns::Two(count(behind), Value::Int(i64::from(code)))),
        None => {
            let text = call.arg_or_nil(0);
            Err(LuaError::crash(Term::tuple([Term::atom("badmatch"), text.into()])))
        }
    }
}

/// Luerl does not have it yet, and says so.
fn offset(call: &mut Call<'_>) -> Answer {
    stretch(call, "offset")?;
    Err(LuaError::lua(Term::tuple([Term::atom("NYI"), Term::atom("offset")])))
}
