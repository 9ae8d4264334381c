//! The `coroutine` library. `wrap` is in the prelude.

use super::{Answer, Entry};
use crate::error::{LuaError, Term};
use crate::value::{ThreadId, Value};
use crate::vm::{Call, Returns, Status};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("create", "create", create),
    ("isyieldable", "isyieldable", isyieldable),
    ("resume", "resume", resume),
    ("running", "running", running),
    ("status", "status", status),
    ("yield", "yield", yield_),
];

fn create(call: &mut Call<'_>) -> Answer {
    let function = call.function_arg(0)?;
    call.memory(4096)?;
    Ok(Returns::One(call.vm.new_thread(function)))
}

fn thread(call: &mut Call<'_>) -> Result<ThreadId, LuaError> {
    match call.arg(0) {
        Some(Value::Thread(id)) => Ok(id),
        _ => Err(call.bad(0, "thread expected")),
    }
}

/// Resumes with the arguments but the first.
fn resumed(call: &mut Call<'_>, id: ThreadId) -> Result<Result<Vec<Value>, Value>, LuaError> {
    let status = call.vm.status(id);
    if status != Status::Suspended {
        let what = if status == Status::Dead { "dead" } else { "non-suspended" };
        let text = call.string(format!("cannot resume {what} coroutine"));
        return Ok(Err(text));
    }
    call.fuel(20)?;
    let args = call.args_from(1);
    call.vm.resume(id, &args)
}

fn resume(call: &mut Call<'_>) -> Answer {
    let id = thread(call)?;
    Ok(match resumed(call, id)? {
        Ok(mut values) => {
            values.insert(0, Value::Bool(true));
            Returns::Many(values)
        }
        Err(value) => Returns::Two(Value::Bool(false), value),
    })
}

/// What `coroutine.wrap` made: an error goes on, with the place where it was resumed.
pub(super) fn wrapped(call: &mut Call<'_>) -> Answer {
    let id = thread(call)?;
    match resumed(call, id)? {
        Ok(values) => Ok(Returns::Many(values)),
        Err(value) => {
            let mut value = value;
            if let Value::Str(text) = value {
                let place = call.vm.position(1);
                let text = [place.as_bytes(), call.vm.heap.bytes(text)].concat();
                value = call.made(&text)?;
            }
            Err(LuaError::lua(Term::Value(value)))
        }
    }
}

fn yield_(call: &mut Call<'_>) -> Answer {
    Ok(Returns::Yield(call.args()))
}

fn isyieldable(call: &mut Call<'_>) -> Answer {
    Ok(Returns::One(Value::Bool(call.vm.is_yieldable())))
}

fn running(call: &mut Call<'_>) -> Answer {
    let (id, main) = call.vm.running();
    Ok(Returns::Two(Value::Thread(id), Value::Bool(main)))
}

fn status(call: &mut Call<'_>) -> Answer {
    let id = thread(call)?;
    let name = match call.vm.status(id) {
        Status::Suspended => "suspended",
        Status::Running => "running",
        Status::Normal => "normal",
        Status::Dead => "dead",
    };
    Ok(Returns::One(call.string(name)))
}
