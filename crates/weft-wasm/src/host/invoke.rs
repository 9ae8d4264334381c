//! `invoke_*` and `longjmp`: how C's non-local jumps cross the host.

use super::Call;
use super::guest::{Args, call_export, call_named, integer, promised};
use super::slices;
use crate::engine::{After, Progress, Stop, Type, Value};

/// Most open `invoke_*` calls. Each takes a frame of the host's own stack; Lua allows about 200 nested C calls.
const MAX_INVOCATIONS: u32 = 240;

/// Calls the `dynCall_*` export of the same signature, and turns a `longjmp` out of it into `setThrew(1, 0)`.
///
/// The loader goes through the export, not through the table: the memory shows the difference.
pub(crate) fn invoke(call: &mut Call<'_>, name: &str, args: &[Value]) -> Result<Option<Value>, Stop> {
    let signature = name.strip_prefix("invoke_").unwrap_or_default();
    let target = promised(call, &format!("dynCall_{signature}"))?;
    let params = &target.function.signature.params;
    if params.len() != args.len() {
        return Err(Stop::abort(format!("its “dynCall_{signature}” does not fit its “{name}”")));
    }
    let args: Vec<Value> = params.iter().zip(args).map(|(ty, arg)| fit(*ty, *arg)).collect();
    if call.host(|host| host.invocations) >= MAX_INVOCATIONS {
        return Err(Stop::TooDeep);
    }
    let stack = call_named(call, "emscripten_stack_get_current", &[])?;
    call.host(|host| host.invocations += 1);
    let ended = match slices::call(call, &target, &args, After::Invoke { stack }) {
        Ok(Progress::Waiting) => return Err(Stop::Waiting),
        Ok(Progress::Ended(value)) => Ok(value),
        Err(error) => Err(error),
    };
    end(call, stack, ended)
}

/// What is left to do when the call has ended.
pub(crate) fn end(
    call: &mut Call<'_>,
    stack: u64,
    ended: Result<Option<Value>, Stop>,
) -> Result<Option<Value>, Stop> {
    call.host(|host| host.invocations = host.invocations.saturating_sub(1));
    let error = match ended {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // The loader restores the stack for whatever was thrown, and passes on what is no jump.
    if let Some(restore) = call.export("_emscripten_stack_restore") {
        call_export(call, &restore, &[stack])?;
    }
    if error != Stop::LongJump {
        return Err(error);
    }
    call_named(call, "setThrew", &[1, 0])?;
    Ok(None)
}

/// The table index is a 64-bit number in the import and a 32-bit one in the export.
fn fit(ty: Type, arg: Value) -> Value {
    match ty {
        Type::I32 | Type::I64 => integer(ty, Args(&[arg]).size(0)),
        // A number of another type would be the module's mistake.
        Type::F32 | Type::F64 if arg.ty() == ty => arg,
        Type::F32 | Type::F64 => Value::of(ty, 0),
    }
}

/// `_emscripten_throw_longjmp`.
pub(crate) fn throw_longjmp() -> Stop {
    Stop::LongJump
}
