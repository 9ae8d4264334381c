//! `invoke_*` and `longjmp`: how C's non-local jumps cross the host.

use wasmi::{Val, ValType};

use super::Call;
use super::guest::{Args, call_export, call_named, call_with, promised, val};
use super::halt::Halt;

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
    let result = call_with(&mut *call, &target, &args);
    call.data_mut().invocations -= 1;
    match result {
        Err(error) => {
            // The loader restores the stack for whatever was thrown, and passes on what is no jump.
            if let Some(restore) = call.data().export("_emscripten_stack_restore") {
                call_export(&mut *call, &restore, &[stack])?;
            }
            if !matches!(Halt::of(&error), Some(Halt::LongJump)) {
                return Err(error);
            }
            call_named(call, "setThrew", &[1, 0])?;
            Ok(None)
        }
        Ok(value) => Ok(value),
    }
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
