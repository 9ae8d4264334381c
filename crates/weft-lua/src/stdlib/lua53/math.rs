//! The `math` library.

use super::{Answer, Entry};
use crate::error::LuaError;
use crate::math as exact;
use crate::number::Num;
use crate::number::lua53::{Number, float_to_int};
use crate::random::Random;
use crate::value::{TableId, Value};
use crate::vm::{Call, Returns, Vm};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("abs", "abs", abs),
    ("acos", "acos", |call| smooth(call, exact::acos)),
    ("asin", "asin", |call| smooth(call, exact::asin)),
    ("atan", "atan", atan),
    ("ceil", "ceil", |call| rounded(call, f64::ceil)),
    ("cos", "cos", |call| smooth(call, exact::cos)),
    ("deg", "deg", |call| smooth(call, |x| x * (180.0 / std::f64::consts::PI))),
    ("exp", "exp", |call| smooth(call, exact::exp)),
    ("floor", "floor", |call| rounded(call, f64::floor)),
    ("fmod", "fmod", fmod),
    ("log", "log", log),
    ("max", "max", |call| extreme(call, true)),
    ("min", "min", |call| extreme(call, false)),
    ("modf", "modf", modf),
    ("rad", "rad", |call| smooth(call, |x| x * (std::f64::consts::PI / 180.0))),
    ("random", "random", random),
    ("randomseed", "randomseed", randomseed),
    ("sin", "sin", |call| smooth(call, exact::sin)),
    ("sqrt", "sqrt", |call| smooth(call, f64::sqrt)),
    ("tan", "tan", |call| smooth(call, exact::tan)),
    ("tointeger", "tointeger", tointeger),
    ("type", "type", kind),
    ("ult", "ult", ult),
];

pub(super) fn constants(vm: &mut Vm, table: TableId) {
    vm.set_field(table, "pi", Value::Float(std::f64::consts::PI));
    vm.set_field(table, "huge", Value::Float(f64::INFINITY));
    vm.set_field(table, "maxinteger", Value::Int(i64::MAX));
    vm.set_field(table, "mininteger", Value::Int(i64::MIN));
}

/// A number as a value.
pub(super) fn value(number: Number) -> Value {
    match number {
        Number::Int(n) => Value::Int(n),
        Number::Float(f) => Value::Float(f),
    }
}

fn smooth(call: &mut Call<'_>, function: fn(f64) -> f64) -> Answer {
    let x = call.float_arg(0)?;
    call.fuel(8)?;
    Ok(Returns::One(Value::Float(function(x))))
}

fn abs(call: &mut Call<'_>) -> Answer {
    Ok(Returns::One(match call.number_arg(0)? {
        Number::Int(n) => Value::Int(n.wrapping_abs()),
        Number::Float(f) => Value::Float(f.abs()),
    }))
}

fn atan(call: &mut Call<'_>) -> Answer {
    let y = call.float_arg(0)?;
    let x = if call.arg_or_nil(1).is_nil() { 1.0 } else { call.float_arg(1)? };
    Ok(Returns::One(Value::Float(exact::atan2(y, x))))
}

fn rounded(call: &mut Call<'_>, function: fn(f64) -> f64) -> Answer {
    Ok(Returns::One(match call.number_arg(0)? {
        Number::Int(n) => Value::Int(n),
        Number::Float(f) => whole_value(function(f)),
    }))
}

/// A float as the integer it is, if it is one.
fn whole_value(f: f64) -> Value {
    float_to_int(f).map_or(Value::Float(f), Value::Int)
}

fn fmod(call: &mut Call<'_>) -> Answer {
    let (a, b) = (call.number_arg(0)?, call.number_arg(1)?);
    Ok(Returns::One(match (a, b) {
        (Number::Int(_), Number::Int(0)) => return Err(call.bad(1, "zero")),
        (Number::Int(a), Number::Int(b)) => Value::Int(a.wrapping_rem(b)),
        (a, b) => Value::Float(a.float() % b.float()),
    }))
}

fn log(call: &mut Call<'_>) -> Answer {
    let x = call.float_arg(0)?;
    if call.arg_or_nil(1).is_nil() {
        return Ok(Returns::One(Value::Float(exact::log(x))));
    }
    let base = call.float_arg(1)?;
    let value = if base == 2.0 {
        libm::log2(x)
    } else if base == 10.0 {
        exact::log10(x)
    } else {
        exact::log(x) / exact::log(base)
    };
    Ok(Returns::One(Value::Float(value)))
}

fn extreme(call: &mut Call<'_>, largest: bool) -> Answer {
    let Some(mut best) = call.arg(0) else { return Err(call.bad(0, "value expected")) };
    for at in 1..call.count() {
        let other = call.arg_or_nil(at);
        let beats = if largest { call.vm.is_less(best, other)? } else { call.vm.is_less(other, best)? };
        if beats {
            best = other;
        }
    }
    Ok(Returns::One(best))
}

fn modf(call: &mut Call<'_>) -> Answer {
    let f = match call.number_arg(0)? {
        Number::Int(n) => return Ok(Returns::Two(Value::Int(n), Value::Float(0.0))),
        Number::Float(f) => f,
    };
    let whole = f.trunc();
    let rest = if f.is_infinite() { 0.0 } else { f - whole };
    Ok(Returns::Two(whole_value(whole), Value::Float(rest)))
}

/// Without a seed the numbers are those of one seed: a script's outcome depends on nothing else.
fn generator<'c>(call: &'c mut Call<'_>) -> Result<&'c mut Random, LuaError> {
    let bad = call.crash("badarith");
    if call.vm.random.is_none() {
        call.vm.random = Some(Random::seeded(&Num::Int(0)).map_err(|_| bad.clone())?);
    }
    call.vm.random.as_mut().ok_or(bad)
}

#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn random(call: &mut Call<'_>) -> Answer {
    let bits = generator(call)?.bits();
    let (low, high) = match call.count() {
        0 => return Ok(Returns::One(Value::Float((bits >> 11) as f64 / (1u64 << 53) as f64))),
        1 => (1, call.int_arg(0)?),
        2 => (call.int_arg(0)?, call.int_arg(1)?),
        _ => return Err(call.error("wrong number of arguments")),
    };
    let last = if call.count() == 1 { 0 } else { 1 };
    if low > high {
        return Err(call.bad(last, "interval is empty"));
    }
    if low < 0 && high > i64::MAX.wrapping_add(low) {
        return Err(call.bad(last, "interval too large"));
    }
    let range = high.wrapping_sub(low).cast_unsigned().wrapping_add(1);
    let picked = if range == 0 { bits } else { bits % range };
    Ok(Returns::One(Value::Int(low.wrapping_add(picked.cast_signed()))))
}

fn randomseed(call: &mut Call<'_>) -> Answer {
    let bits = match call.number_arg(0)? {
        Number::Int(n) => n,
        Number::Float(f) => float_to_int(f).unwrap_or(f.to_bits().cast_signed()),
    };
    let bad = call.crash("badarith");
    call.vm.random = Some(Random::seeded(&Num::Int(bits)).map_err(|_| bad)?);
    Ok(Returns::None)
}

fn tointeger(call: &mut Call<'_>) -> Answer {
    let value = match call.any(0)? {
        Value::Int(n) => Value::Int(n),
        Value::Float(f) => float_to_int(f).map_or(Value::Nil, Value::Int),
        text @ Value::Str(_) => call.vm.number(text).and_then(Number::int).map_or(Value::Nil, Value::Int),
        _ => Value::Nil,
    };
    Ok(Returns::One(value))
}

fn kind(call: &mut Call<'_>) -> Answer {
    let name = match call.any(0)? {
        Value::Int(_) => "integer",
        Value::Float(_) => "float",
        _ => return Ok(Returns::One(Value::Nil)),
    };
    Ok(Returns::One(call.string(name)))
}

fn ult(call: &mut Call<'_>) -> Answer {
    let (a, b) = (call.int_arg(0)?, call.int_arg(1)?);
    Ok(Returns::One(Value::Bool(a.cast_unsigned() < b.cast_unsigned())))
}
