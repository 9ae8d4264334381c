//! A program's outcome in profile `lua53`, in Lua's own notation: `ok 1, 2.0, "x", {10, 20, a = true}`, `error "script:1: …"`.
//!
//! tests/lua53/README.md says how it reads. It is what corpora are compared by; `tests/lua53/judge.lua` writes it for PUC's Lua.

use std::fmt::Write as _;

use crate::error::{ErrorKind, LuaError, Term};
use crate::number::{lua53, printf};
use crate::value::{TableId, Value};
use crate::vm::Vm;

/// How deep results may nest.
const MAX_DEPTH: usize = 100;

/// Runs a program and writes down what comes of it.
pub(crate) fn answer(vm: &mut Vm, program: &[u8]) -> Result<String, LuaError> {
    let outcome = vm.load(program, "=script").and_then(|function| vm.call(function, &[]));
    match outcome {
        Ok(values) => {
            let mut out = "ok".to_owned();
            for (at, value) in values.into_iter().enumerate() {
                out.push_str(if at == 0 { " " } else { ", " });
                write(vm, value, &mut Vec::new(), &mut out)?;
            }
            Ok(out)
        }
        Err(error) => described(vm, error),
    }
}

/// An error in the same notation; the error itself, where it is a limit.
pub(crate) fn described(vm: &mut Vm, error: LuaError) -> Result<String, LuaError> {
    let word = match error.kind() {
        ErrorKind::Lua => "error",
        ErrorKind::Syntax => "syntax",
        _ => return Err(error),
    };
    let value = match error.term() {
        Term::Value(value) => *value,
        _ => {
            let text = vm.error_text(&error);
            vm.string(text)
        }
    };
    let mut out = format!("{word} ");
    write(vm, value, &mut Vec::new(), &mut out)?;
    Ok(out)
}

fn write(vm: &mut Vm, value: Value, within: &mut Vec<TableId>, out: &mut String) -> Result<(), LuaError> {
    vm.charge(1)?;
    vm.check_memory(out.len())?;
    match value {
        Value::Nil => out.push_str("nil"),
        Value::Bool(truth) => out.push_str(if truth { "true" } else { "false" }),
        Value::Int(n) => out.push_str(&n.to_string()),
        Value::Float(f) => out.push_str(&float(f)),
        Value::Str(id) => text(vm.heap.bytes(id), out),
        Value::Table(id) => table(vm, id, within, out)?,
        other => out.push_str(other.type_name()),
    }
    Ok(())
}

/// Seventeen digits at most, and a point or an exponent.
fn float(f: f64) -> String {
    if !f.is_finite() {
        return lua53::float_text(f);
    }
    let mut text = printf::general(f, 17, false);
    if !text.contains(['.', 'e']) {
        text.push_str(".0");
    }
    text
}

fn text(bytes: &[u8], out: &mut String) {
    out.push('"');
    for c in bytes {
        match c {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*c));
            }
            b'\n' => out.push_str("\\n"),
            b' '..=b'~' => out.push(char::from(*c)),
            // Writing to a text cannot fail.
            c => drop(write!(out, "\\{c:03}")),
        }
    }
    out.push('"');
}

/// The items from 1 on, then the other entries by the text of their keys.
fn table(vm: &mut Vm, id: TableId, within: &mut Vec<TableId>, out: &mut String) -> Result<(), LuaError> {
    if within.contains(&id) {
        out.push_str("<cycle>");
        return Ok(());
    }
    if within.len() >= MAX_DEPTH {
        out.push_str("<deep>");
        return Ok(());
    }
    within.push(id);
    let mut items = 0i64;
    let mut parts = Vec::new();
    loop {
        let value = vm.get(id, Value::Int(items + 1));
        if value.is_nil() {
            break;
        }
        items += 1;
        let mut part = String::new();
        write(vm, value, within, &mut part)?;
        parts.push(part);
    }
    let mut others = Vec::new();
    let mut key = Value::Nil;
    while let Some((next, value)) = vm.next(id, key) {
        key = next;
        if matches!(next, Value::Int(n) if (1..=items).contains(&n)) {
            continue;
        }
        let mut part = "[".to_owned();
        write(vm, next, within, &mut part)?;
        part.push_str("] = ");
        write(vm, value, within, &mut part)?;
        others.push(part);
    }
    others.sort();
    within.pop();
    parts.extend(others);
    out.push('{');
    out.push_str(&parts.join(", "));
    out.push('}');
    Ok(())
}
