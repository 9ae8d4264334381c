//! The `table` library. It looks at a table's whole numbers as they are, past any metatable.

use super::args::{owned_text, position, string, text, work};
use super::{Answer, Entry, sort};
use crate::error::{LuaError, Term};
use crate::value::{TableId, Value};
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("concat", "concat", concat),
    ("insert", "insert", insert),
    ("pack", "pack", pack),
    ("remove", "remove", remove),
    ("sort", "sort", sort::sort),
    ("unpack", "unpack", unpack),
];

fn at(call: &Call<'_>, table: TableId, key: i64) -> Value {
    call.get(table, Value::Int(key))
}

/// What `concat` says about bad arguments: the table is not among them.
fn bad_concat(call: &Call<'_>) -> LuaError {
    let from = usize::from(matches!(call.arg(0), Some(Value::Table(_))));
    LuaError::triple("badarg", "concat", &call.args_from(from))
}

fn concat(call: &mut Call<'_>) -> Answer {
    let Some(Value::Table(table)) = call.arg(0) else { return Err(bad_concat(call)) };
    let separator = match call.arg_or_nil(1) {
        Value::Nil => Some(Vec::new()),
        separator => owned_text(call, separator)?,
    };
    let Some(separator) = separator else { return Err(bad_concat(call)) };
    let Some(from) = limit(call, 2)?.unwrap_or(Some(1)) else { return Err(bad_concat(call)) };
    let to = match limit(call, 3)? {
        Some(to) => to.ok_or_else(|| bad_concat(call))?,
        None => call.length(table),
    };
    let mut out = Vec::new();
    for key in from..=to {
        let value = at(call, table, key);
        let before = out.len();
        if key > from {
            out.extend_from_slice(&separator);
        }
        let Some(text) = text(call, value)? else {
            let term = [Term::atom("illegal_value"), Term::atom("concat"), value.into()];
            return Err(LuaError::lua(Term::tuple(term)));
        };
        out.extend_from_slice(&text);
        call.fuel(work(out.len() - before) + 1)?;
        call.memory(out.len())?;
    }
    Ok(Returns::One(string(call, &out)?))
}

/// An argument that is a position: nothing if it was not given, or `nil`; in it nothing if it is none.
#[expect(clippy::option_option, reason = "not given and not a position are different")]
fn limit(call: &Call<'_>, at: usize) -> Result<Option<Option<i64>>, LuaError> {
    match call.arg_or_nil(at) {
        Value::Nil => Ok(None),
        value => Ok(Some(position(call, value)?)),
    }
}

fn insert(call: &mut Call<'_>) -> Answer {
    let Some(Value::Table(table)) = call.arg(0) else { return Err(call.badarg("insert")) };
    let last = call.length(table) + 1;
    match (call.count(), call.arg_or_nil(1), call.arg_or_nil(2)) {
        (2, value, _) => {
            call.set_raw(table, Value::Int(last), value);
            Ok(Returns::None)
        }
        (3, place, value) => match position(call, place)? {
            Some(place) if (1..=last).contains(&place) => insert_at(call, table, place, value),
            _ => Err(call.badarg("insert")),
        },
        _ => Err(call.badarg("insert")),
    }
}

/// Puts a value at a place and moves what is there up, until a place is free.
fn insert_at(call: &mut Call<'_>, table: TableId, mut place: i64, mut value: Value) -> Answer {
    loop {
        let next = at(call, table, place);
        call.set_raw(table, Value::Int(place), value);
        if next.is_nil() {
            return Ok(Returns::None);
        }
        call.fuel(1)?;
        (place, value) = (place + 1, next);
    }
}

fn remove(call: &mut Call<'_>) -> Answer {
    let Some(Value::Table(table)) = call.arg(0) else { return Err(call.badarg("remove")) };
    let length = call.length(table);
    let Some(place) = call.arg(1) else { return remove_last(call, table, length) };
    match position(call, place)? {
        Some(0) if length == 0 => remove_zero(call, table),
        Some(1) if length == 0 => Ok(Returns::One(Value::Nil)),
        Some(place) if (1..=length + 1).contains(&place) => remove_at(call, table, place),
        _ => Err(call.badarg("remove")),
    }
}

fn remove_last(call: &mut Call<'_>, table: TableId, length: i64) -> Answer {
    if length == 0 {
        return remove_zero(call, table);
    }
    let value = at(call, table, length);
    call.set_raw(table, Value::Int(length), Value::Nil);
    Ok(Returns::One(value))
}

/// An empty list may still have an element 0.
fn remove_zero(call: &mut Call<'_>, table: TableId) -> Answer {
    let value = at(call, table, 0);
    call.set(table, Value::Int(0), Value::Nil);
    Ok(Returns::One(value))
}

/// Takes the value at a place and moves what follows down, until there is nothing.
fn remove_at(call: &mut Call<'_>, table: TableId, place: i64) -> Answer {
    let value = at(call, table, place);
    let mut place = place;
    loop {
        let next = at(call, table, place + 1);
        call.set_raw(table, Value::Int(place), next);
        if next.is_nil() {
            return Ok(Returns::One(value));
        }
        call.fuel(1)?;
        place += 1;
    }
}

fn pack(call: &mut Call<'_>) -> Answer {
    let values = call.args();
    call.fuel(u64::try_from(values.len()).unwrap_or(u64::MAX))?;
    call.memory(values.len().saturating_mul(size_of::<Value>()))?;
    let table = call.table();
    for (key, value) in (1..).zip(&values) {
        call.set(table, Value::Int(key), *value);
    }
    let name = call.string(b"n");
    call.set(table, name, Value::Int(i64::try_from(values.len()).unwrap_or(i64::MAX)));
    Ok(Returns::One(Value::Table(table)))
}

pub(super) fn unpack(call: &mut Call<'_>) -> Answer {
    let table = match call.arg(0) {
        Some(Value::Table(table)) => table,
        Some(_) => return Err(call.crash("function_clause")),
        None => return Err(call.badarg("unpack")),
    };
    let Some(from) = limit(call, 1)?.unwrap_or(Some(1)) else { return Err(call.badarg("unpack")) };
    let to = match limit(call, 2)? {
        Some(to) => to.ok_or_else(|| call.badarg("unpack"))?,
        None => call.length(table),
    };
    if from > to {
        return Ok(Returns::None);
    }
    let length = to.saturating_sub(from).saturating_add(1).unsigned_abs();
    call.memory(usize::try_from(length).unwrap_or(usize::MAX).saturating_mul(size_of::<Value>() * 2))?;
    call.fuel(length)?;
    Ok(Returns::Many((from..=to).map(|key| at(call, table, key)).collect()))
}
