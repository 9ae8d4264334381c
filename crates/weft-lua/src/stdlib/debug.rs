//! The `debug` library.

use super::{Answer, Entry};
use crate::value::Value;
use crate::vm::{Call, Returns};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("getmetatable", "getmetatable", getmetatable),
    ("getuservalue", "getuservalue", getuservalue),
    ("setmetatable", "setmetatable", setmetatable),
    ("setuservalue", "setuservalue", setuservalue),
];

fn getmetatable(call: &mut Call<'_>) -> Answer {
    let Some(value) = call.arg(0) else { return Err(call.badarg("getmetatable")) };
    Ok(Returns::One(call.metatable(value).map_or(Value::Nil, Value::Table)))
}

/// Of any value: what is no table shares its metatable with all of its kind.
fn setmetatable(call: &mut Call<'_>) -> Answer {
    let (Some(value), Some(meta)) = (call.arg(0), call.arg(1)) else {
        return Err(call.badarg("setmetatable"));
    };
    let meta = match meta {
        Value::Table(meta) => Some(meta),
        // Luerl keeps it and finds nothing in it.
        _ => None,
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

fn getuservalue(call: &mut Call<'_>) -> Answer {
    match call.arg(0) {
        Some(_) => Ok(Returns::One(Value::Nil)),
        None => Err(call.badarg("getuservalue")),
    }
}

fn setuservalue(call: &mut Call<'_>) -> Answer {
    match (call.arg(0), call.arg(1)) {
        (Some(value), Some(_)) => Ok(Returns::One(value)),
        _ => Err(call.badarg("setuservalue")),
    }
}
