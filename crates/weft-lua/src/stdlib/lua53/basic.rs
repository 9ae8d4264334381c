//! The basic functions, but for those that load programs.

use super::args::count;
use super::{Answer, Entry};
use crate::error::{LuaError, Term};
use crate::number::lua53::string_to_number;
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("assert", "assert", assert),
    ("collectgarbage", "collectgarbage", collectgarbage),
    ("error", "error", error),
    ("getmetatable", "getmetatable", getmetatable),
    ("ipairs", "ipairs", ipairs),
    ("next", "next", next),
    ("pairs", "pairs", pairs),
    ("pcall", "pcall", pcall),
    ("print", "print", print),
    ("rawequal", "rawequal", rawequal),
    ("rawget", "rawget", rawget),
    ("rawlen", "rawlen", rawlen),
    ("rawset", "rawset", rawset),
    ("select", "select", select),
    ("setmetatable", "setmetatable", setmetatable),
    ("tonumber", "tonumber", tonumber),
    ("tostring", "tostring", tostring),
    ("type", "type", kind),
    ("xpcall", "xpcall", xpcall),
];

fn assert(call: &mut Call<'_>) -> Answer {
    if call.any(0)?.is_true() {
        return Ok(Returns::Many(call.args()));
    }
    match call.arg(1) {
        Some(message) => Err(LuaError::lua(Term::Value(message))),
        None => Err(call.error("assertion failed!")),
    }
}

/// What a script asks for is not held by registers that it cannot see: a weak table would show it.
fn full_collection(call: &mut Call<'_>) -> Result<(), LuaError> {
    call.fuel(100)?;
    call.forget_above();
    call.vm.collect(&[]);
    Ok(())
}

fn collectgarbage(call: &mut Call<'_>) -> Answer {
    let option = call.text_or(0)?.unwrap_or_else(|| b"collect".to_vec());
    let value = match option.as_slice() {
        b"collect" => {
            full_collection(call)?;
            Value::Int(0)
        }
        b"step" => {
            full_collection(call)?;
            Value::Bool(true)
        }
        #[expect(clippy::cast_precision_loss, reason = "kilobytes as a float")]
        b"count" => Value::Float(call.vm.memory() as f64 / 1024.0),
        b"isrunning" => Value::Bool(true),
        b"stop" | b"restart" => Value::Int(0),
        b"setpause" => Value::Int(200),
        b"setstepmul" => Value::Int(200),
        other => {
            let what = format!("invalid option '{}'", String::from_utf8_lossy(other));
            return Err(call.bad(0, &what));
        }
    };
    Ok(Returns::One(value))
}

fn error(call: &mut Call<'_>) -> Answer {
    let level = call.int_or(1, 1)?;
    let mut value = call.arg_or_nil(0);
    if let (Value::Str(id), Ok(level @ 1..)) = (value, usize::try_from(level)) {
        let place = call.vm.position(level);
        let text = [place.as_bytes(), call.vm.heap.bytes(id)].concat();
        value = call.made(&text)?;
    }
    Err(LuaError::lua(Term::Value(value)))
}

fn getmetatable(call: &mut Call<'_>) -> Answer {
    let value = call.any(0)?;
    let Some(meta) = call.metatable(value) else { return Ok(Returns::One(Value::Nil)) };
    let shown = call.metamethod(value, "__metatable");
    Ok(Returns::One(if shown.is_nil() { Value::Table(meta) } else { shown }))
}

fn setmetatable(call: &mut Call<'_>) -> Answer {
    let table = call.table_arg(0)?;
    let meta = match call.arg(1) {
        Some(Value::Nil) => None,
        Some(Value::Table(meta)) => Some(meta),
        _ => return Err(call.bad(1, "nil or table expected")),
    };
    if !call.metamethod(Value::Table(table), "__metatable").is_nil() {
        return Err(call.error("cannot change a protected metatable"));
    }
    call.set_metatable(table, meta);
    Ok(Returns::One(Value::Table(table)))
}

fn ipairs(call: &mut Call<'_>) -> Answer {
    let value = call.any(0)?;
    let step = call.vm.native("_G", "ipairs_aux", |call| {
        let at = call.int_arg(1)?.wrapping_add(1);
        let list = call.arg_or_nil(0);
        let value = call.index(list, Value::Int(at))?;
        Ok(if value.is_nil() { Returns::One(Value::Nil) } else { Returns::Two(Value::Int(at), value) })
    });
    Ok(Returns::Many(vec![step, value, Value::Int(0)]))
}

fn next(call: &mut Call<'_>) -> Answer {
    let table = call.table_arg(0)?;
    let key = call.arg_or_nil(1);
    Ok(match call.next(table, key) {
        Some((key, value)) => Returns::Two(key, value),
        None => Returns::One(Value::Nil),
    })
}

fn pairs(call: &mut Call<'_>) -> Answer {
    let value = call.any(0)?;
    let method = call.metamethod(value, "__pairs");
    if method.is_nil() {
        let next = call.vm.native("_G", "next", next);
        return Ok(Returns::Many(vec![next, value, Value::Nil]));
    }
    let mut values = call.call(method, &[value])?;
    values.resize(3, Value::Nil);
    Ok(Returns::Many(values))
}

fn pcall(call: &mut Call<'_>) -> Answer {
    let function = call.any(0)?;
    Ok(Returns::Protected(function, call.args_from(1)))
}

fn xpcall(call: &mut Call<'_>) -> Answer {
    let handler = call.function_arg(1)?;
    Ok(Returns::Guarded(handler, call.arg_or_nil(0), call.args_from(2)))
}

fn print(call: &mut Call<'_>) -> Answer {
    let globals = call.vm.globals();
    let tostring = call.vm.get_field(globals, "tostring");
    call.keep(tostring);
    let mut line = Vec::new();
    for (at, value) in call.args().into_iter().enumerate() {
        let text = call.call(tostring, &[value])?.first().copied().unwrap_or(Value::Nil);
        let Some(text) = call.bytes(text) else {
            return Err(call.error("'tostring' must return a string to 'print'"));
        };
        if at > 0 {
            line.push(b'\t');
        }
        line.extend_from_slice(text);
        call.fuel(super::args::work(line.len()) + 1)?;
    }
    line.push(b'\n');
    super::os::write(call, &line)?;
    Ok(Returns::None)
}

fn rawequal(call: &mut Call<'_>) -> Answer {
    let (a, b) = (call.any(0)?, call.any(1)?);
    Ok(Returns::One(Value::Bool(call.equal(a, b))))
}

fn rawget(call: &mut Call<'_>) -> Answer {
    let table = call.table_arg(0)?;
    let key = call.any(1)?;
    Ok(Returns::One(call.get(table, key)))
}

fn rawlen(call: &mut Call<'_>) -> Answer {
    match call.arg_or_nil(0) {
        Value::Table(table) => Ok(Returns::One(Value::Int(call.vm.heap.border(table)))),
        Value::Str(id) => Ok(Returns::One(count(call.vm.heap.bytes(id).len()))),
        _ => Err(call.bad(0, "table or string expected")),
    }
}

fn rawset(call: &mut Call<'_>) -> Answer {
    let table = call.table_arg(0)?;
    let (key, value) = (call.any(1)?, call.any(2)?);
    call.vm.check_key(key)?;
    call.set(table, key, value);
    Ok(Returns::One(Value::Table(table)))
}

fn select(call: &mut Call<'_>) -> Answer {
    let given = call.count() - 1.min(call.count());
    if let Value::Str(id) = call.arg_or_nil(0)
        && call.vm.heap.bytes(id).first() == Some(&b'#')
    {
        return Ok(Returns::One(count(given)));
    }
    let at = call.int_arg(0)?;
    let length = i64::try_from(given).unwrap_or(i64::MAX);
    let from = if at < 0 { length.saturating_add(at).saturating_add(1) } else { at };
    match usize::try_from(from) {
        Ok(from @ 1..) => Ok(Returns::Many(call.args_from(from))),
        _ => Err(call.bad(0, "index out of range")),
    }
}

fn tonumber(call: &mut Call<'_>) -> Answer {
    if call.arg_or_nil(1).is_nil() {
        let value = match call.any(0)? {
            number @ (Value::Int(_) | Value::Float(_)) => number,
            Value::Str(id) => {
                let length = call.vm.heap.bytes(id).len();
                call.fuel(super::args::work(length))?;
                string_to_number(call.vm.heap.bytes(id)).map_or(Value::Nil, super::math::value)
            }
            _ => Value::Nil,
        };
        return Ok(Returns::One(value));
    }
    let base = call.int_arg(1)?;
    let Some(Value::Str(_)) = call.arg(0) else { return Err(call.bad_type(0, "string")) };
    let text = call.text_arg(0)?;
    let base = match u32::try_from(base) {
        Ok(base @ 2..=36) => base,
        _ => return Err(call.bad(1, "base out of range")),
    };
    Ok(Returns::One(in_base(&text, base).map_or(Value::Nil, Value::Int)))
}

fn in_base(text: &[u8], base: u32) -> Option<i64> {
    let is_space = |c: &u8| matches!(c, b' ' | 9..=13);
    let begin = text.iter().position(|c| !is_space(c))?;
    let end = text.iter().rposition(|c| !is_space(c))?;
    let text = text.get(begin..=end)?;
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let n = digits.iter().try_fold(0i64, |sum, c| {
        let digit = char::from(*c).to_digit(base)?;
        Some(sum.wrapping_mul(i64::from(base)).wrapping_add(i64::from(digit)))
    })?;
    Some(if negative { n.wrapping_neg() } else { n })
}

fn tostring(call: &mut Call<'_>) -> Answer {
    let value = call.any(0)?;
    call.shown(value).map(Returns::One)
}

fn kind(call: &mut Call<'_>) -> Answer {
    let name = call.any(0)?.type_name();
    Ok(Returns::One(call.string(name)))
}
