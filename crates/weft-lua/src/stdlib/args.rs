//! How Luerl's library takes its arguments: texts for numbers, numbers for texts, and what it says when it cannot.

use std::borrow::Cow;

use crate::error::{LuaError, Term};
use crate::number::{Num, NumError, Numeral, integer_in_base, to_number};
use crate::value::Value;
use crate::vm::Call;

/// A number, or the text of one; nothing for other values.
pub(super) fn number(call: &Call<'_>, value: Value) -> Result<Option<Num>, LuaError> {
    match call.bytes(value) {
        Some(text) => read(call, to_number(text)),
        None => Ok(call.num(value)),
    }
}

/// An integer written in a base.
pub(super) fn integer_in(call: &Call<'_>, text: &[u8], base: &Num) -> Result<Option<Num>, LuaError> {
    read(call, integer_in_base(text, base))
}

/// What was read from a text; nothing if it is no number.
fn read(call: &Call<'_>, number: Result<Num, Numeral>) -> Result<Option<Num>, LuaError> {
    match number {
        Ok(number) => Ok(Some(number)),
        Err(Numeral::Malformed) => Ok(None),
        Err(Numeral::Badarg) => Err(call.crash("badarg")),
        Err(Numeral::Badarith) => Err(call.crash("badarith")),
        Err(Numeral::TooLong) => Err(too_long(call)),
    }
}

/// A number without a fraction, or the text of one.
pub(super) fn integer(call: &Call<'_>, value: Value) -> Result<Option<Num>, LuaError> {
    Ok(number(call, value)?.and_then(|n| n.to_integer()))
}

/// A number without a fraction as a position or count: what lies beyond 64 bits counts as the last that does not.
pub(super) fn position(call: &Call<'_>, value: Value) -> Result<Option<i64>, LuaError> {
    Ok(number(call, value)?.and_then(|n| n.to_clamped()))
}

/// All arguments as numbers without a fraction; nothing if one is none.
pub(super) fn integers(call: &Call<'_>) -> Result<Option<Vec<Num>>, LuaError> {
    let mut integers = Vec::with_capacity(call.count());
    for at in 0..call.count() {
        match integer(call, call.arg_or_nil(at))? {
            Some(n) => integers.push(n),
            None => return Ok(None),
        }
    }
    Ok(Some(integers))
}

/// All arguments as numbers, where one is none `None`.
pub(super) fn numbers(call: &Call<'_>) -> Result<Vec<Option<Num>>, LuaError> {
    (0..call.count()).map(|at| number(call, call.arg_or_nil(at))).collect()
}

/// Whether a value is a text or has one: a string or a number.
pub(super) fn is_text(value: Value) -> bool {
    value.is_number() || matches!(value, Value::Str(_))
}

/// The text of a string or of a number; nothing for other values.
pub(super) fn text<'c>(call: &'c mut Call<'_>, value: Value) -> Result<Option<Cow<'c, [u8]>>, LuaError> {
    if let Some(number) = call.num(value) {
        call.fuel(number.text_cost())?;
        return Ok(Some(Cow::Owned(number.to_string().into_bytes())));
    }
    Ok(call.bytes(value).map(Cow::Borrowed))
}

/// As [`text`], in bytes of its own.
pub(super) fn owned_text(call: &mut Call<'_>, value: Value) -> Result<Option<Vec<u8>>, LuaError> {
    let text = text(call, value)?.map(Cow::into_owned);
    if let Some(text) = &text {
        call.fuel(work(text.len()))?;
    }
    Ok(text)
}

/// What so many bytes cost.
pub(super) fn work(bytes: usize) -> u64 {
    u64::try_from(bytes / 16).unwrap_or(u64::MAX)
}

/// A string of these bytes, paid for.
pub(super) fn string(call: &mut Call<'_>, bytes: &[u8]) -> Result<Value, LuaError> {
    call.fuel(work(bytes.len()))?;
    call.memory(bytes.len())?;
    Ok(call.string(bytes))
}

/// The number as a value, or Erlang's failure.
pub(super) fn result(call: &mut Call<'_>, number: Result<Num, NumError>) -> Result<Value, LuaError> {
    match number {
        Ok(number) => Ok(call.value(number)),
        Err(NumError::Arith) => Err(call.crash("badarith")),
        Err(NumError::TooLong) => Err(too_long(call)),
    }
}

/// A count as a value.
pub(super) fn count(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

/// An integer that is too long for this implementation.
#[cold]
pub(super) fn too_long(call: &Call<'_>) -> LuaError {
    call.unsupported("An integer became longer than a million bits.")
}

/// Erlang's `{case_clause,Term}`, which no `pcall` catches.
#[cold]
pub(super) fn case_clause(term: Term) -> LuaError {
    LuaError::crash(Term::tuple([Term::atom("case_clause"), term]))
}
