//! `invoke_*` and `longjmp`: how C's non-local jumps cross the host.

use wasmi::{AsContextMut, StoreContextMut, Val, ValType};

use super::guest::{Args, call_export, call_named, promised, val};
use super::halt::Halt;
use super::slices::{self, After, Progress};
use super::{Call, Host};

/// Most open `invoke_*` calls. Each takes a frame of the host's own stack; Lua allows about 200 nested C calls.
const MAX_INVOCATIONS: u32 = 240;

/// Calls the `dynCall_*` export of the same signature, and turns a `longjmp` out of it into `setThrew(1, 0)`.
///
/// The loader goes through the export, not through the table: the memory shows the difference.
pub(crate) fn invoke(call: &mut Call<'_>, name: &str, args: &[Val]) -> Result<Option<Val>, wasmi::Error> {
    let signature = name.strip_prefix("invoke_").unwrap_or_default();
    let target = promised(call, &format!("dynCall_{signature}"))?;
    if target.params.len() != args.len() {
        return Err(Halt::abort(format!("its “dynCall_{signature}” does not fit its “{name}”")));
    }
    let args: Vec<Val> = target.params.iter().zip(args).map(|(ty, arg)| fit(*ty, arg)).collect();
    if call.data().invocations >= MAX_INVOCATIONS {
        return Err(wasmi::Error::host(Halt::TooDeep));
    }
    let stack = call_named(call, "emscripten_stack_get_current", &[])?;
    call.data_mut().invocations += 1;
    let ended = match slices::call(&mut *call, &target, &args, After::Invoke { stack }) {
        Ok(Progress::Stopped) => return Err(wasmi::Error::host(Halt::Stopped)),
        Ok(Progress::Ended(value)) => Ok(value),
        Err(error) => Err(error),
    };
    end(call.as_context_mut(), stack, ended)
}

/// What is left to do when the call has ended.
pub(crate) fn end(
    mut context: StoreContextMut<'_, Host>,
    stack: u64,
    ended: Result<Option<Val>, wasmi::Error>,
) -> Result<Option<Val>, wasmi::Error> {
    let host = context.data_mut();
    host.invocations = host.invocations.saturating_sub(1);
    let error = match ended {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // The loader restores the stack for whatever was thrown, and passes on what is no jump.
    if let Some(restore) = host.export("_emscripten_stack_restore") {
        call_export(&mut context, &restore, &[stack])?;
    }
    if !matches!(Halt::of(&error), Some(Halt::LongJump)) {
        return Err(error);
    }
    call_named(&mut context, "setThrew", &[1, 0])?;
    Ok(None)
}

/// The table index is a 64-bit number in the import and a 32-bit one in the export.
fn fit(ty: ValType, arg: &Val) -> Val {
    match ty {
        ValType::I32 | ValType::I64 => val(ty, Args(std::slice::from_ref(arg)).size(0)),
        _ => arg.clone(),
    }
}

/// `_emscripten_throw_longjmp`.
pub(crate) fn throw_longjmp() -> wasmi::Error {
    wasmi::Error::host(Halt::LongJump)
}
