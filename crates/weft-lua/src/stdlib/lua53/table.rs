//! The `table` library. It respects metamethods, as PUC's does.

use super::args::work;
use super::{Answer, Entry};
use crate::error::LuaError;
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("concat", "concat", concat),
    ("insert", "insert", insert),
    ("move", "move", move_),
    ("pack", "pack", pack),
    ("remove", "remove", remove),
    ("sort", "sort", super::sort::sort),
    ("unpack", "unpack", unpack),
];

/// Values a call may give, at most.
const MAX_VALUES: u64 = 1_000_000;

/// A table, or what has metamethods to be used like one.
fn list(call: &mut Call<'_>, at: usize, events: &[&str]) -> Result<Value, LuaError> {
    let value = call.arg_or_nil(at);
    if matches!(value, Value::Table(_)) {
        return Ok(value);
    }
    let complete =
        call.metatable(value).is_some() && events.iter().all(|event| !call.metamethod(value, event).is_nil());
    if complete { Ok(value) } else { Err(call.bad_type(at, "table")) }
}

/// The length as `#` gives it.
pub(super) fn length(call: &mut Call<'_>, list: Value) -> Result<i64, LuaError> {
    match call.vm.length_nested(list)? {
        Value::Int(n) => Ok(n),
        other => {
            let n = call.vm.number(other).and_then(crate::number::lua53::Number::int);
            n.ok_or_else(|| call.error("object length is not an integer"))
        }
    }
}

/// A field, the short way where there is no metatable.
fn get(call: &mut Call<'_>, list: Value, at: i64) -> Result<Value, LuaError> {
    match list {
        Value::Table(id) if call.vm.heap.table(id).meta.is_none() => Ok(call.vm.heap.get_int(id, at)),
        _ => call.index(list, Value::Int(at)),
    }
}

fn set(call: &mut Call<'_>, list: Value, at: i64, value: Value) -> Result<(), LuaError> {
    match list {
        Value::Table(id) if call.vm.heap.table(id).meta.is_none() => {
            call.set(id, Value::Int(at), value);
            Ok(())
        }
        _ => call.set_index(list, Value::Int(at), value),
    }
}

fn insert(call: &mut Call<'_>) -> Answer {
    let list = list(call, 0, &["__index", "__newindex", "__len"])?;
    let end = length(call, list)?.wrapping_add(1);
    match call.count() {
        2 => set(call, list, end, call.arg_or_nil(1))?,
        3 => {
            let at = call.int_arg(1)?;
            if at.wrapping_sub(1).cast_unsigned() >= end.cast_unsigned() {
                return Err(call.bad(1, "position out of bounds"));
            }
            for place in (at + 1..=end).rev() {
                call.fuel(2)?;
                let value = get(call, list, place - 1)?;
                set(call, list, place, value)?;
            }
            set(call, list, at, call.arg_or_nil(2))?;
        }
        _ => return Err(call.error("wrong number of arguments to 'insert'")),
    }
    Ok(Returns::None)
}

fn remove(call: &mut Call<'_>) -> Answer {
    let list = list(call, 0, &["__index", "__newindex", "__len"])?;
    let size = length(call, list)?;
    let mut at = call.int_or(1, size)?;
    if call.count() > 1 && at != size && at.wrapping_sub(1).cast_unsigned() > size.cast_unsigned() {
        return Err(call.bad(0, "position out of bounds"));
    }
    let removed = get(call, list, at)?;
    call.keep(removed);
    while at < size {
        call.fuel(2)?;
        let value = get(call, list, at + 1)?;
        set(call, list, at, value)?;
        at += 1;
    }
    set(call, list, at, Value::Nil)?;
    Ok(Returns::One(removed))
}

fn move_(call: &mut Call<'_>) -> Answer {
    let (from, end, to) = (call.int_arg(1)?, call.int_arg(2)?, call.int_arg(3)?);
    let target_at = if call.arg_or_nil(4).is_nil() { 0 } else { 4 };
    let source = list(call, 0, &["__index"])?;
    let target = list(call, target_at, &["__newindex"])?;
    if end >= from {
        if from <= 0 && end >= i64::MAX.wrapping_add(from) {
            return Err(call.bad(2, "too many elements to move"));
        }
        let count = end - from + 1;
        if to > i64::MAX - count + 1 {
            return Err(call.bad(3, "destination wrap around"));
        }
        let forward = to > end || to <= from || (target_at != 0 && !call.equal(source, target));
        for step in 0..count {
            call.fuel(2)?;
            let at = if forward { step } else { count - 1 - step };
            let value = get(call, source, from + at)?;
            set(call, target, to + at, value)?;
        }
    }
    Ok(Returns::One(target))
}

fn concat(call: &mut Call<'_>) -> Answer {
    let list = list(call, 0, &["__index", "__len"])?;
    let last = length(call, list)?;
    let between = call.text_or(1)?.unwrap_or_default();
    let from = call.int_or(2, 1)?;
    let last = call.int_or(3, last)?;
    let mut out = Vec::new();
    let mut at = from;
    while at <= last {
        call.fuel(1)?;
        let value = get(call, list, at)?;
        let before = out.len();
        match value {
            Value::Str(id) => out.extend_from_slice(call.vm.heap.bytes(id)),
            Value::Int(_) | Value::Float(_) => out.extend_from_slice(&call.vm.plain_text(value)),
            _ => {
                return Err(call.error(format!("invalid value (at index {at}) in table for 'concat'")));
            }
        }
        if at < last {
            out.extend_from_slice(&between);
        }
        call.fuel(work(out.len() - before))?;
        call.memory(out.len())?;
        match at.checked_add(1) {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(Returns::One(call.made(&out)?))
}

fn pack(call: &mut Call<'_>) -> Answer {
    let args = call.args();
    call.memory(args.len().saturating_mul(size_of::<Value>()))?;
    let table = call.table();
    for (at, value) in (1..).zip(args) {
        call.set(table, Value::Int(at), value);
    }
    call.vm.set_field(table, "n", super::args::count(call.count()));
    Ok(Returns::One(Value::Table(table)))
}

fn unpack(call: &mut Call<'_>) -> Answer {
    let list = call.arg_or_nil(0);
    let from = call.int_or(1, 1)?;
    let last = if call.arg_or_nil(2).is_nil() { length(call, list)? } else { call.int_arg(2)? };
    if from > last {
        return Ok(Returns::None);
    }
    let count = last.wrapping_sub(from).cast_unsigned();
    if count >= MAX_VALUES {
        return Err(call.error("too many results to unpack"));
    }
    call.fuel(count / 8)?;
    call.memory(usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(3 * size_of::<Value>()))?;
    let mut values = Vec::new();
    for step in 0..=i64::try_from(count).unwrap_or(0) {
        let value = get(call, list, from + step)?;
        call.keep(value);
        values.push(value);
    }
    Ok(Returns::Many(values))
}
