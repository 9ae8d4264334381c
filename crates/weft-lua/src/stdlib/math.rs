//! The `math` library.

use super::args::{integers, numbers, result};
use super::{Answer, Entry};
use crate::error::LuaError;
use crate::math;
use crate::number::{BinOp, Num, binary};
use crate::random::Random;
use crate::value::{TableId, Value};
use crate::vm::{Call, Returns, Vm};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("abs", "abs", abs),
    ("acos", "acos", |call| smooth(call, "acos", math::acos)),
    ("asin", "asin", |call| smooth(call, "asin", math::asin)),
    ("atan", "atan", atan),
    ("atan2", "atan2", |call| smooth_two(call, "atan2", math::atan2)),
    ("ceil", "ceil", |call| whole(call, "ceil", Num::ceil)),
    ("cos", "cos", |call| smooth(call, "cos", math::cos)),
    ("cosh", "cosh", |call| smooth(call, "cosh", math::cosh)),
    ("deg", "deg", |call| smooth(call, "deg", |x| 180.0 * x / std::f64::consts::PI)),
    ("exp", "exp", |call| smooth(call, "exp", math::exp)),
    ("floor", "floor", |call| whole(call, "floor", Num::floor)),
    ("fmod", "fmod", fmod),
    ("frexp", "frexp", frexp),
    ("ldexp", "ldexp", ldexp),
    ("log", "log", log),
    ("log10", "log10", log10),
    ("max", "max", |call| extreme(call, "max", |a, b| a.compare(b).is_gt())),
    ("min", "min", |call| extreme(call, "min", |a, b| a.compare(b).is_lt())),
    ("modf", "modf", modf),
    ("pow", "pow", |call| smooth_two(call, "pow", math::pow)),
    ("rad", "rad", |call| smooth(call, "rad", |x| std::f64::consts::PI * x / 180.0)),
    ("random", "random", random),
    ("randomseed", "randomseed", randomseed),
    ("sin", "sin", |call| smooth(call, "sin", math::sin)),
    ("sinh", "sinh", |call| smooth(call, "sinh", math::sinh)),
    ("sqrt", "sqrt", |call| smooth(call, "sqrt", f64::sqrt)),
    ("tan", "tan", |call| smooth(call, "tan", math::tan)),
    ("tanh", "tanh", |call| smooth(call, "tanh", math::tanh)),
    ("tointeger", "tointeger", tointeger),
    ("type", "type", kind),
];

pub(super) fn constants(vm: &mut Vm, table: TableId) {
    vm.set_field(table, "huge", Value::Float(f64::MAX));
    vm.set_field(table, "maxinteger", Value::Int(i64::MAX));
    vm.set_field(table, "mininteger", Value::Int(i64::MIN));
    vm.set_field(table, "pi", Value::Float(std::f64::consts::PI));
}

/// The first argument; it must be a number. All arguments are looked at.
fn first(call: &Call<'_>, name: &'static str) -> Result<Num, LuaError> {
    numbers(call)?.into_iter().next().flatten().ok_or_else(|| call.badarg(name))
}

/// The first two arguments; both must be numbers.
fn two(call: &Call<'_>, name: &'static str) -> Result<(Num, Num), LuaError> {
    match numbers(call)?.as_slice() {
        [Some(x), Some(y), ..] => Ok((x.clone(), y.clone())),
        _ => Err(call.badarg(name)),
    }
}

/// A float; Erlang fails where a function has no value.
fn float(call: &Call<'_>, f: f64) -> Answer {
    if f.is_finite() { Ok(Returns::One(Value::Float(f))) } else { Err(call.crash("badarith")) }
}

fn to_float(call: &Call<'_>, n: &Num) -> Result<f64, LuaError> {
    n.to_float().map_err(|_| call.crash("badarith"))
}

fn smooth(call: &mut Call<'_>, name: &'static str, function: fn(f64) -> f64) -> Answer {
    let x = first(call, name)?;
    float(call, function(to_float(call, &x)?))
}

fn smooth_two(call: &mut Call<'_>, name: &'static str, function: fn(f64, f64) -> f64) -> Answer {
    let (x, y) = two(call, name)?;
    float(call, function(to_float(call, &x)?, to_float(call, &y)?))
}

fn whole(call: &mut Call<'_>, name: &'static str, function: fn(&Num) -> Num) -> Answer {
    let x = first(call, name)?;
    Ok(Returns::One(call.value(function(&x))))
}

fn abs(call: &mut Call<'_>) -> Answer {
    let x = first(call, "abs")?;
    let is_negative = x.compare(&Num::Int(0)).is_lt();
    let x = if is_negative { binary(BinOp::Sub, &Num::Int(0), &x) } else { Ok(x) };
    Ok(Returns::One(result(call, x)?))
}

fn atan(call: &mut Call<'_>) -> Answer {
    match numbers(call)?.as_slice() {
        [Some(_), Some(_), ..] => smooth_two(call, "atan", math::atan2),
        _ => smooth(call, "atan", math::atan),
    }
}

/// Through the quotient as a float, as Luerl does it: for long integers that is not exact.
fn fmod(call: &mut Call<'_>) -> Answer {
    let (x, y) = two(call, "fmod")?;
    let rest = || {
        let quotient = binary(BinOp::Div, &x, &y)?.trunc();
        binary(BinOp::Sub, &x, &binary(BinOp::Mul, &quotient, &y)?)
    };
    let rest = rest();
    Ok(Returns::One(result(call, rest)?))
}

/// Taken from the bits, as Luerl does it; so zero has a mantissa of a half.
fn frexp(call: &mut Call<'_>) -> Answer {
    let x = first(call, "frexp")?;
    // Adding zero makes a negative zero positive.
    let bits = (to_float(call, &x)? + 0.0).to_bits();
    let half = f64::from_bits((bits & ((1 << 52) - 1)) | 0x3fe0_0000_0000_0000);
    let exponent = i64::try_from(bits >> 52 & 0x7ff).unwrap_or(0) - 1022;
    let mantissa = if bits >> 63 == 1 { -half } else { half };
    Ok(Returns::Two(Value::Float(mantissa), Value::Int(exponent)))
}

fn ldexp(call: &mut Call<'_>) -> Answer {
    match two(call, "ldexp")? {
        (Num::Float(mantissa), exponent) if exponent.is_integer() => {
            let power = math::pow(2.0, to_float(call, &exponent)?);
            if power.is_finite() { float(call, mantissa * power) } else { Err(call.crash("badarith")) }
        }
        _ => Err(call.badarg("ldexp")),
    }
}

fn log(call: &mut Call<'_>) -> Answer {
    let args = numbers(call)?;
    let (x, base) = match args.as_slice() {
        [Some(x), Some(base), ..] => (x, Some(base)),
        [Some(x), ..] => (x, None),
        _ => return Err(call.badarg("log")),
    };
    let x = to_float(call, x)?;
    match base {
        None => float(call, math::log(x)),
        Some(base) if base.same_value(&Num::Int(10)) => float(call, math::log10(x)),
        Some(base) => {
            let (x, base) = (math::log(x), math::log(to_float(call, base)?));
            if x.is_finite() && base.is_finite() {
                float(call, x / base)
            } else {
                Err(call.crash("badarith"))
            }
        }
    }
}

fn log10(call: &mut Call<'_>) -> Answer {
    let x = first(call, "log10")?;
    if x.same_value(&Num::Int(0)) {
        return float(call, -500.0);
    }
    float(call, math::log10(to_float(call, &x)?))
}

/// The first argument that no other beats.
fn extreme(call: &mut Call<'_>, name: &'static str, beats: fn(&Num, &Num) -> bool) -> Answer {
    // Luerl stops at the first argument that is no number.
    let mut best: Option<Num> = None;
    for at in 0..call.count() {
        let n = super::args::number(call, call.arg_or_nil(at))?.ok_or_else(|| call.badarg(name))?;
        if best.as_ref().is_none_or(|best| beats(&n, best)) {
            best = Some(n);
        }
    }
    let best = best.ok_or_else(|| call.badarg(name))?;
    Ok(Returns::One(call.value(best)))
}

fn modf(call: &mut Call<'_>) -> Answer {
    let x = first(call, "modf")?;
    let whole = x.trunc();
    let rest = if x.is_integer() { Ok(Num::Float(0.0)) } else { binary(BinOp::Sub, &x, &whole) };
    let rest = result(call, rest)?;
    Ok(Returns::Two(call.value(whole), rest))
}

fn random(call: &mut Call<'_>) -> Answer {
    let Some(args) = integers(call)? else { return Err(call.badarg("random")) };
    let one = Num::Int(1);
    match args.as_slice() {
        [] | [_] | [_, _] => {}
        _ => return Err(call.badarg("random")),
    }
    let is_empty = match args.as_slice() {
        [high] => high.compare(&one).is_lt(),
        [low, high, ..] => high.compare(low).is_lt(),
        [] => false,
    };
    if is_empty {
        return Err(call.badarg("random"));
    }
    let picked = {
        let random = generator(call)?;
        match args.as_slice() {
            [] => return Ok(Returns::One(Value::Float(random.float()))),
            [high] => random.up_to(high),
            [low, high, ..] => random.between(low, high),
        }
    };
    Ok(Returns::One(result(call, picked)?))
}

/// The generator. One that no script has seeded is seeded by chance, which makes what follows not replayable.
fn generator<'c>(call: &'c mut Call<'_>) -> Result<&'c mut Random, LuaError> {
    if call.vm.random.is_none() {
        call.unreplayable("math.random");
        let seed = call.vm.world.entropy();
        let seeded = Random::seeded(&Num::Int(i64::try_from(seed >> 1).unwrap_or(0)));
        call.vm.random = Some(seeded.map_err(|_| call.crash("badarg"))?);
    }
    let failure = call.crash("badarg");
    call.vm.random.as_mut().ok_or(failure)
}

fn randomseed(call: &mut Call<'_>) -> Answer {
    let seed = first(call, "randomseed")?;
    call.vm.random = Some(Random::seeded(&seed).map_err(|_| call.crash("badarg"))?);
    Ok(Returns::None)
}

fn tointeger(call: &mut Call<'_>) -> Answer {
    let args = numbers(call)?;
    let Some(x) = args.first() else { return Err(call.badarg("tointeger")) };
    Ok(Returns::One(match x.as_ref().and_then(Num::to_integer) {
        Some(n) => call.value(n),
        None => Value::Nil,
    }))
}

fn kind(call: &mut Call<'_>) -> Answer {
    let name = match call.arg(0) {
        None => return Err(call.badarg("type")),
        Some(Value::Int(_) | Value::Big(_)) => "integer",
        Some(Value::Float(_)) => "float",
        Some(_) => return Ok(Returns::One(Value::Nil)),
    };
    Ok(Returns::One(call.string(name)))
}
