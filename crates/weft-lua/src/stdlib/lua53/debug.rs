//! What there is of the `debug` library: metatables, and where a call stands.

use super::{Answer, Entry};
use crate::syntax::lua53::short_name;
use crate::value::Value;
use crate::vm::{Call, Caller, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("getinfo", "getinfo", getinfo),
    ("getmetatable", "getmetatable", getmetatable),
    ("setmetatable", "setmetatable", setmetatable),
    ("traceback", "traceback", traceback),
];

fn getmetatable(call: &mut Call<'_>) -> Answer {
    let value = call.any(0)?;
    Ok(Returns::One(call.metatable(value).map_or(Value::Nil, Value::Table)))
}

fn setmetatable(call: &mut Call<'_>) -> Answer {
    let value = call.any(0)?;
    let meta = match call.arg(1) {
        Some(Value::Nil) => None,
        Some(Value::Table(meta)) => Some(meta),
        _ => return Err(call.bad(1, "nil or table expected")),
    };
    match value {
        Value::Table(table) => call.set_metatable(table, meta),
        Value::Nil => call.vm.heap.metas.nil = meta,
        Value::Bool(_) => call.vm.heap.metas.boolean = meta,
        Value::Int(_) | Value::Float(_) | Value::Big(_) => call.vm.heap.metas.number = meta,
        Value::Str(_) => call.vm.heap.metas.string = meta,
        Value::Function(..) | Value::Native(_) | Value::Thread(_) => {}
    }
    Ok(Returns::One(value))
}

/// Of a level: `currentline`, `short_src`, `source`, `what`, `linedefined`. Of a function: what does not depend on a call.
fn getinfo(call: &mut Call<'_>) -> Answer {
    let lines = match call.arg_or_nil(0) {
        Value::Function(proto, _) => call.vm.heap.proto(proto).map(|proto| {
            let what = if proto.line == 0 { "main" } else { "Lua" };
            (proto.chunk.name.to_string(), None, proto.line, what)
        }),
        Value::Native(_) => Some(("=[C]".to_owned(), None, 0, "C")),
        _ => {
            let level = call.int_arg(0)?;
            let Ok(level) = usize::try_from(level) else { return Err(call.bad(0, "level out of range")) };
            match if level == 0 { Some(Caller::Native) } else { call.vm.caller(level) } {
                None => return Ok(Returns::One(Value::Nil)),
                Some(Caller::Native) => Some(("=[C]".to_owned(), None, 0, "C")),
                Some(Caller::Lua(frame)) => call.vm.frame_lines(frame).map(|(name, line, begins)| {
                    (name, Some(line), begins, if begins == 0 { "main" } else { "Lua" })
                }),
            }
        }
    };
    let Some((name, line, begins, what)) = lines else { return Ok(Returns::One(Value::Nil)) };
    let table = call.table();
    call.keep(Value::Table(table));
    let texts = [("source", name.clone()), ("short_src", short_name(&name)), ("what", what.to_owned())];
    for (field, text) in texts {
        let text = call.string(text);
        call.vm.set_field(table, field, text);
    }
    let (begins, line) = if what == "C" { (-1, -1) } else { (i64::from(begins), line.map_or(-1, i64::from)) };
    call.vm.set_field(table, "linedefined", Value::Int(begins));
    call.vm.set_field(table, "currentline", Value::Int(line));
    Ok(Returns::One(Value::Table(table)))
}

fn traceback(call: &mut Call<'_>) -> Answer {
    if let Some(message) = call.arg(0)
        && !matches!(message, Value::Nil | Value::Str(_) | Value::Int(_) | Value::Float(_))
    {
        return Ok(Returns::One(message));
    }
    let mut text = call.text_or(0)?.unwrap_or_default();
    if !text.is_empty() {
        text.push(b'\n');
    }
    text.extend_from_slice(b"stack traceback:");
    let level = usize::try_from(call.int_or(1, 1)?).unwrap_or(usize::MAX);
    for at in (level.max(1)..level.saturating_add(22)).map_while(|level| call.vm.caller(level)) {
        let line = match at {
            Caller::Native => "\n\t[C]: in ?".to_owned(),
            Caller::Lua(frame) => match call.vm.frame_lines(frame) {
                Some((name, line, 0)) => format!("\n\t{}:{line}: in main chunk", short_name(&name)),
                Some((name, line, begins)) => {
                    let name = short_name(&name);
                    format!("\n\t{name}:{line}: in function <{name}:{begins}>")
                }
                None => continue,
            },
        };
        text.extend_from_slice(line.as_bytes());
    }
    Ok(Returns::One(call.made(&text)?))
}
