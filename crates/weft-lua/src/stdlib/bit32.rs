//! The `bit32` library: on integers modulo 2 to the power of 32, with floats for results.

use super::args::{case_clause, integers};
use super::{Answer, Entry};
use crate::error::{LuaError, Term};
use crate::number::{BinOp, Num, binary};
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("band", "fband", |call| folded(call, "band", u32::MAX, |a, b| a & b)),
    ("bnot", "fbnot", bnot),
    ("bor", "fbor", |call| folded(call, "bor", 0, |a, b| a | b)),
    ("btest", "fbtest", btest),
    ("bxor", "fbxor", |call| folded(call, "bxor", 0, |a, b| a ^ b)),
    ("lshift", "flshift", |call| shifted(call, "lshift")),
    ("rshift", "frshift", |call| shifted(call, "rshift")),
    ("arshift", "farshift", |call| shifted(call, "arshift")),
    ("lrotate", "flrotate", |call| rotated(call, "lrotate")),
    ("rrotate", "frrotate", |call| rotated(call, "rrotate")),
    ("extract", "fextract", extract),
    ("replace", "freplace", replace),
];

fn float(n: u32) -> Answer {
    Ok(Returns::One(Value::Float(f64::from(n))))
}

/// An integer modulo 2 to the power of 32.
fn word(n: &Num) -> u32 {
    let low = binary(BinOp::Band, n, &Num::Int(0xffff_ffff)).ok().and_then(|n| n.to_i64());
    low.and_then(|low| u32::try_from(low).ok()).unwrap_or(0)
}

fn words(call: &Call<'_>, name: &'static str) -> Result<Vec<Num>, LuaError> {
    integers(call)?.ok_or_else(|| call.badarg(name))
}

fn folded(call: &mut Call<'_>, name: &'static str, none: u32, fold: fn(u32, u32) -> u32) -> Answer {
    match words(call, name)?.iter().map(word).reduce(fold) {
        Some(n) => float(n),
        // Of nothing, it is an integer.
        None => Ok(Returns::One(Value::Int(i64::from(none)))),
    }
}

fn btest(call: &mut Call<'_>) -> Answer {
    let all = words(call, "btest")?.iter().map(word).reduce(|a, b| a & b).unwrap_or(u32::MAX);
    Ok(Returns::One(Value::Bool(all != 0)))
}

/// Erlang's `bnot`, which is below zero.
fn bnot(call: &mut Call<'_>) -> Answer {
    match words(call, "bnot")?.first() {
        Some(n) => Ok(Returns::One(Value::Float(-1.0 - f64::from(word(n))))),
        None => Err(case_clause(Term::List(Vec::new()))),
    }
}

/// The two first arguments.
fn two(call: &Call<'_>, name: &'static str) -> Result<(u32, Num), LuaError> {
    match words(call, name)?.as_slice() {
        [x, y, ..] => Ok((word(x), y.clone())),
        _ => Err(call.badarg(name)),
    }
}

/// Shifts do not end at 32 bits to the left, and `arshift` by less than nothing goes to the left as well.
fn shifted(call: &mut Call<'_>, name: &'static str) -> Answer {
    let (word, by) = two(call, name)?;
    let right = match name {
        "lshift" => by.compare(&Num::Int(0)).is_lt(),
        _ => by.compare(&Num::Int(0)).is_gt(),
    };
    let distance = by.to_clamped().unwrap_or(0).unsigned_abs();
    let float = f64::from(word);
    if right {
        let shifted =
            u32::try_from(distance).ok().and_then(|distance| word.checked_shr(distance)).unwrap_or(0);
        return Ok(Returns::One(Value::Float(f64::from(shifted))));
    }
    let power = i32::try_from(distance).unwrap_or(i32::MAX).min(2000);
    let scaled =
        if word == 0 { 0.0 } else { float * 2f64.powi(power.min(1000)) * 2f64.powi((power - 1000).max(0)) };
    if scaled.is_finite() { Ok(Returns::One(Value::Float(scaled))) } else { Err(call.crash("badarg")) }
}

fn rotated(call: &mut Call<'_>, name: &'static str) -> Answer {
    let (word, by) = two(call, name)?;
    let by = binary(BinOp::Mod, &by, &Num::Int(32)).ok().and_then(|by| by.to_i64());
    let by = by.and_then(|by| u32::try_from(by).ok()).unwrap_or(0);
    float(if name == "lrotate" { word.rotate_left(by) } else { word.rotate_right(by) })
}

/// A field's place and width, if it lies in a word. `name` is where Luerl says the error is, `end` where it says so if the
/// field goes beyond the word.
fn field(call: &Call<'_>, place: &Num, width: &Num, name: &'static str) -> Result<(u32, u32), LuaError> {
    let small = |n: &Num| n.to_i64().and_then(|n| u32::try_from(n).ok());
    let is_negative = place.compare(&Num::Int(0)).is_lt() || width.compare(&Num::Int(0)).is_le();
    if is_negative {
        return Err(call.badarg(name));
    }
    match (small(place), small(width)) {
        (Some(place), Some(width)) if place.saturating_add(width) <= 32 => Ok((place, width)),
        _ => Err(call.badarg("extract")),
    }
}

/// So many bits, from the lowest.
fn mask(width: u32) -> u64 {
    (1 << width) - 1
}

fn extract(call: &mut Call<'_>) -> Answer {
    let args = words(call, "extract")?;
    let (Some(n), Some(place)) = (args.first(), args.get(1)) else { return Err(call.badarg("extract")) };
    let (place, width) = field(call, place, args.get(2).unwrap_or(&Num::Int(1)), "extract")?;
    let value = u64::from(word(n)) >> place & mask(width);
    float(u32::try_from(value).unwrap_or(0))
}

fn replace(call: &mut Call<'_>) -> Answer {
    let args = words(call, "replace")?;
    let (Some(n), Some(value), Some(place)) = (args.first(), args.get(1), args.get(2)) else {
        return Err(call.badarg("replace"));
    };
    let (place, width) = field(call, place, args.get(3).unwrap_or(&Num::Int(1)), "replace")?;
    let mask = mask(width) << place;
    let value = u64::from(word(n)) & !mask | u64::from(word(value)) << place & mask;
    float(u32::try_from(value).unwrap_or(0))
}
