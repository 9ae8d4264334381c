//! The basic library.

use super::args::{case_clause, integer, integer_in, owned_text};
use super::{Answer, Entry, io, table};
use crate::error::{LuaError, Term};
use crate::value::{TableId, Value};
use crate::vm::{Call, Returns, Vm};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("assert", "assert", assert),
    ("collectgarbage", "collectgarbage", collectgarbage),
    ("eprint", "eprint", eprint),
    ("getmetatable", "getmetatable", getmetatable),
    ("next", "next", next),
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
    ("unpack", "unpack", table::unpack),
];

fn assert(call: &mut Call<'_>) -> Answer {
    if call.arg_or_nil(0).is_true() {
        call.fuel(u64::try_from(call.count() / 8).unwrap_or(u64::MAX))?;
        return Ok(Returns::Many(call.args()));
    }
    let message = match call.arg(1) {
        Some(message) => message,
        None => call.string(b"assertion failed"),
    };
    Err(LuaError::lua(Term::tuple([Term::atom("assert_error"), message.into()])))
}

/// Scripts can see that Luerl collects: it gives the numbers of what is gone to new tables and functions.
fn collectgarbage(call: &mut Call<'_>) -> Answer {
    if call.arg(0).is_none_or(|what| call.bytes(what) == Some(b"collect")) {
        call.vm.collect_as_luerl(&[]);
    }
    Ok(Returns::None)
}

fn getmetatable(call: &mut Call<'_>) -> Answer {
    let Some(value) = call.arg(0) else { return Err(call.badarg("getmetatable")) };
    Ok(Returns::One(match (call.metatable(value), call.metamethod(value, "__metatable")) {
        (Some(meta), Value::Nil) => Value::Table(meta),
        (Some(_), shown) => shown,
        (None, _) => Value::Nil,
    }))
}

fn setmetatable(call: &mut Call<'_>) -> Answer {
    let (table, meta) = match (call.arg(0), call.arg(1)) {
        (Some(Value::Table(table)), Some(Value::Table(meta))) => (table, Some(meta)),
        (Some(Value::Table(table)), Some(Value::Nil)) => (table, None),
        _ => return Err(call.badarg("setmetatable")),
    };
    let value = Value::Table(table);
    if !call.metamethod(value, "__metatable").is_nil() {
        return Err(LuaError::triple("badarg", "setmetatable", &[value]));
    }
    call.set_metatable(table, meta);
    Ok(Returns::One(value))
}

/// Installs `pairs` and `ipairs`, which answer other functions of the library.
pub(super) fn install_steppers(vm: &mut Vm, globals: TableId) {
    let next = vm.get_field(globals, "next");
    let pairs = vm
        .native("luerl_lib_basic", "pairs", move |call| stepper(call, "pairs", "__pairs", next, Value::Nil));
    vm.set_field(globals, "pairs", pairs);
    let next = vm.native("luerl_lib_basic", "ipairs_next", ipairs_next);
    let ipairs = vm.native("luerl_lib_basic", "ipairs", move |call| {
        stepper(call, "ipairs", "__ipairs", next, Value::Int(0))
    });
    vm.set_field(globals, "ipairs", ipairs);
}

/// What steps through a value's entries: the metamethod's answer, or this function, the value and where it begins.
fn stepper(call: &mut Call<'_>, name: &'static str, event: &str, step: Value, from: Value) -> Answer {
    let Some(value) = call.arg(0) else { return Err(call.badarg(name)) };
    match call.metamethod(value, event) {
        Value::Nil => Ok(Returns::Many(vec![step, value, from])),
        method => Ok(Returns::Tail(method, vec![value])),
    }
}

fn ipairs_next(call: &mut Call<'_>) -> Answer {
    let place = call.arg(1).unwrap_or(Value::Int(0));
    let (Some(Value::Table(table)), Value::Int(_) | Value::Big(_)) = (call.arg(0), place) else {
        return Err(bad_step(call, "ipairs", Value::Int(0)));
    };
    let Value::Int(place) = place else {
        // No table goes so far up; Erlang's arrays have nothing below 0.
        let beyond = call.num(place).is_some_and(|place| place.compare(&0.into()).is_gt());
        return if beyond { Ok(Returns::One(Value::Nil)) } else { Err(call.crash("badarg")) };
    };
    let next = Value::Int(place.saturating_add(1));
    match place {
        ..=-2 => Err(call.crash("badarg")),
        -1 => Ok(Returns::One(Value::Nil)),
        _ => match call.get(table, next) {
            Value::Nil => Ok(Returns::One(Value::Nil)),
            value => Ok(Returns::Two(next, value)),
        },
    }
}

/// The error of a function that steps, which has filled in where to begin.
fn bad_step(call: &Call<'_>, name: &'static str, begin: Value) -> LuaError {
    let mut args = call.args();
    if args.len() == 1 {
        args.push(begin);
    }
    LuaError::triple("badarg", name, &args)
}

fn next(call: &mut Call<'_>) -> Answer {
    let Some(Value::Table(table)) = call.arg(0) else { return Err(bad_step(call, "next", Value::Nil)) };
    let key = call.arg_or_nil(1);
    Ok(match call.next(table, key) {
        Some((key, value)) => Returns::Two(key, value),
        None => Returns::One(Value::Nil),
    })
}

/// Prints the arguments with a blank after each.
fn print(call: &mut Call<'_>) -> Answer {
    for value in call.args() {
        let text = to_text(call, value)?;
        let Some(mut text) = call.bytes(text).map(<[u8]>::to_vec) else { return Err(call.crash("badarg")) };
        text.push(b' ');
        io::print(call, &text)?;
    }
    io::print(call, b"\n")?;
    Ok(Returns::None)
}

/// Prints the arguments as Erlang terms.
fn eprint(call: &mut Call<'_>) -> Answer {
    for value in call.args() {
        let text = format!("{} ", call.vm.term_text(&Term::Value(value)));
        io::print(call, text.as_bytes())?;
    }
    io::print(call, b"\n")?;
    Ok(Returns::None)
}

fn rawequal(call: &mut Call<'_>) -> Answer {
    match (call.arg(0), call.arg(1)) {
        (Some(a), Some(b)) => Ok(Returns::One(Value::Bool(call.identical(a, b)))),
        _ => Err(call.badarg("rawequal")),
    }
}

/// A string's length is a float here.
fn rawlen(call: &mut Call<'_>) -> Answer {
    match call.arg_or_nil(0) {
        Value::Table(table) => Ok(Returns::One(Value::Int(call.length(table)))),
        value => match call.bytes(value).map(<[u8]>::len) {
            Some(length) => Ok(Returns::One(float(length))),
            None => Err(call.badarg("rawlen")),
        },
    }
}

#[expect(clippy::cast_precision_loss, reason = "memory is not so large")]
fn float(length: usize) -> Value {
    Value::Float(length as f64)
}

fn rawget(call: &mut Call<'_>) -> Answer {
    match (call.arg(0), call.arg(1)) {
        (Some(Value::Table(table)), Some(key)) => Ok(Returns::One(call.get(table, key))),
        _ => Err(call.badarg("rawget")),
    }
}

fn rawset(call: &mut Call<'_>) -> Answer {
    match (call.arg(0), call.arg(1), call.arg(2)) {
        (Some(table), Some(Value::Nil), Some(_)) => Err(LuaError::illegal_index(table, Value::Nil)),
        (Some(Value::Table(table)), Some(key), Some(value)) => {
            call.set_raw(table, key, value);
            Ok(Returns::One(Value::Table(table)))
        }
        _ => Err(call.badarg("rawset")),
    }
}

fn select(call: &mut Call<'_>) -> Answer {
    let Some(which) = call.arg(0) else { return Err(call.badarg("select")) };
    let rest = call.count() - 1;
    if call.bytes(which) == Some(b"#") {
        return Ok(Returns::One(float(rest)));
    }
    let which = integer(call, which)?.and_then(|which| which.to_clamped());
    let skipped = match which {
        Some(n @ 1..) => usize::try_from(n - 1).unwrap_or(usize::MAX),
        Some(n @ ..=-1) => rest.saturating_sub(usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX)),
        _ => return Err(call.badarg("select")),
    };
    call.fuel(u64::try_from(rest.saturating_sub(skipped) / 8).unwrap_or(u64::MAX))?;
    Ok(Returns::Many(call.args_from(skipped.saturating_add(1))))
}

fn tonumber(call: &mut Call<'_>) -> Answer {
    let Some(value) = call.arg(0) else { return Err(call.badarg("tonumber")) };
    let number = match call.arg(1) {
        None => super::args::number(call, value)?,
        Some(base) => {
            let no_case = || case_clause(Term::atom("error"));
            let text = owned_text(call, value)?.ok_or_else(no_case)?;
            let base = integer(call, base)?.ok_or_else(no_case)?;
            integer_in(call, &text, &base)?
        }
    };
    Ok(Returns::One(number.map_or(Value::Nil, |number| call.value(number))))
}

fn tostring(call: &mut Call<'_>) -> Answer {
    let Some(value) = call.arg(0) else { return Err(call.badarg("tostring")) };
    match call.metamethod(value, "__tostring") {
        Value::Nil => Ok(Returns::One(plain_text(call, value)?)),
        method if method.is_function() => Ok(Returns::Tail(method, vec![value])),
        other => Err(case_clause(other.into())),
    }
}

/// What `tostring` gives, for a function of the library that needs exactly one value of it.
pub(super) fn to_text(call: &mut Call<'_>, value: Value) -> Result<Value, LuaError> {
    match call.metamethod(value, "__tostring") {
        Value::Nil => plain_text(call, value),
        method if method.is_function() => match *call.call(method, &[value])? {
            [text] => Ok(text),
            _ => Err(call.crash("badmatch")),
        },
        other => Err(case_clause(other.into())),
    }
}

/// A value's text, without metamethods.
fn plain_text(call: &mut Call<'_>, value: Value) -> Result<Value, LuaError> {
    if let Value::Str(_) = value {
        return Ok(value);
    }
    if let Some(number) = call.num(value) {
        call.fuel(number.text_cost())?;
    }
    let text = call.vm.plain_text(value);
    super::args::string(call, &text)
}

fn kind(call: &mut Call<'_>) -> Answer {
    match call.arg(0) {
        Some(value) => Ok(Returns::One(call.string(value.type_name()))),
        None => Err(call.badarg("type")),
    }
}
