//! Which import is which function.

use wasmi::{FuncType, Linker, Val, ValType};
use weft_codec::{Code, Error, Result};

use super::guest::{Args, call_named, val};
use super::{Call, Host, emscripten, invoke, strftime, syscalls, time, wasi};

/// Most parameters of an import; the longest `invoke_*` seen has about twelve.
const MAX_PARAMS: usize = 32;

/// Defines one imported function.
///
/// # Errors
/// `module-invalid` if the host has no such function.
pub(crate) fn define(linker: &mut Linker<Host>, module: &str, name: &str, ty: &FuncType) -> Result<()> {
    let known = ty.params().len() <= MAX_PARAMS && ty.results().len() <= 1 && is_known(module, name);
    if !known {
        let shown = |text: &str| text.chars().take(60).collect::<String>();
        return Err(Error::new(
            Code::ModuleInvalid,
            format!(
                "the module imports “{}.{}”, which its format does not offer",
                shown(module),
                shown(name)
            ),
        ));
    }
    let owned = name.to_owned();
    let result = ty.results().first().copied();
    linker
        .func_new(module, name, ty.clone(), move |mut call, args, results| {
            let value = dispatch(&mut call, &owned, args, result)?;
            if let (Some(slot), Some(value)) = (results.first_mut(), value) {
                *slot = value;
            }
            Ok(())
        })
        .map(|_| ())
        .map_err(|error| {
            Error::new(Code::ModuleInvalid, "the module imports a function twice").because(error)
        })
}

/// Names of the functions of `env`, `invoke_*` aside.
const ENV: &[&str] = &[
    "__assert_fail",
    "__asyncjs__weavedrive_close",
    "__asyncjs__weavedrive_open",
    "__asyncjs__weavedrive_read",
    "__syscall_dup3",
    "__syscall_fcntl64",
    "__syscall_ioctl",
    "__syscall_openat",
    "__syscall_readlinkat",
    "__syscall_renameat",
    "__syscall_rmdir",
    "__syscall_unlinkat",
    "_abort_js",
    "_emscripten_get_now_is_monotonic",
    "_emscripten_memcpy_js",
    "_emscripten_system",
    "_emscripten_throw_longjmp",
    "_gmtime_js",
    "_localtime_js",
    "_mktime_js",
    "_tzset_js",
    "emscripten_date_now",
    "emscripten_get_now",
    "emscripten_resize_heap",
    "exit",
    "metering_gasUsed",
    "strftime",
];

/// Names of the functions of `wasi_snapshot_preview1`.
const WASI: &[&str] = &["environ_get", "environ_sizes_get", "fd_close", "fd_read", "fd_seek", "fd_write"];

fn is_known(module: &str, name: &str) -> bool {
    match module {
        "env" => ENV.contains(&name) || name.starts_with("invoke_"),
        "wasi_snapshot_preview1" => WASI.contains(&name),
        _ => false,
    }
}

#[expect(clippy::cast_sign_loss, reason = "wasm integers have no sign")]
fn dispatch(
    call: &mut Call<'_>,
    name: &str,
    args: &[Val],
    result: Option<ValType>,
) -> Result<Option<Val>, wasmi::Error> {
    if name.starts_with("invoke_") {
        return invoke::invoke(call, name, args);
    }
    if matches!(name, "emscripten_date_now" | "emscripten_get_now") {
        return Ok(Some(Val::F64(emscripten::now(call).into())));
    }
    let value = integer(call, name, &Args(args))?;
    if name == "_mktime_js" && result == Some(ValType::I32) {
        // Without 64-bit integers in JavaScript, the high half goes a way of its own.
        call_named(call, "_emscripten_tempret_set", &[(value >> 32) as u64])?;
    }
    Ok(result.map(|ty| val(ty, value as u64)))
}

fn integer(call: &mut Call<'_>, name: &str, args: &Args<'_>) -> Result<i64, wasmi::Error> {
    match name {
        "__assert_fail" => Err(emscripten::assert_fail(call, args)),
        "__asyncjs__weavedrive_open" => emscripten::weavedrive_open(call),
        "__asyncjs__weavedrive_read" | "__asyncjs__weavedrive_close" => Err(emscripten::weavedrive_other()),
        "__syscall_dup3" => Ok(syscalls::dup3(call, args)),
        "__syscall_fcntl64" => syscalls::fcntl(call, args),
        "__syscall_ioctl" => syscalls::ioctl(call, args),
        "__syscall_openat" => syscalls::openat(call, args),
        "__syscall_readlinkat" => syscalls::readlinkat(call, args),
        "__syscall_renameat" => syscalls::renameat(call, args),
        "__syscall_rmdir" => syscalls::rmdir(call, args),
        "__syscall_unlinkat" => syscalls::unlinkat(call, args),
        "_abort_js" => Err(emscripten::abort()),
        "_emscripten_get_now_is_monotonic" => Ok(1),
        "_emscripten_memcpy_js" => emscripten::memcpy(call, args),
        "_emscripten_system" => Ok(emscripten::system(args)),
        "_emscripten_throw_longjmp" => Err(invoke::throw_longjmp()),
        "_gmtime_js" => time::gmtime(call, args),
        "_localtime_js" => time::localtime(call, args),
        "_mktime_js" => time::mktime(call, args),
        "_tzset_js" => time::tzset(call, args),
        "emscripten_resize_heap" => emscripten::resize_heap(call, args),
        "environ_sizes_get" => wasi::environ_sizes_get(call, args),
        "exit" => Err(emscripten::exit(call, args)),
        "fd_close" => Ok(wasi::fd_close(call, args)),
        "fd_read" => wasi::fd_read(call, args),
        "fd_seek" => wasi::fd_seek(call, args),
        "fd_write" => wasi::fd_write(call, args),
        "strftime" => strftime::strftime(call, args),
        // The formats without metering have used no gas; an environment without variables is written by doing nothing.
        "metering_gasUsed" | "environ_get" => Ok(0),
        _ => Err(super::halt::Halt::abort("it called a function that the host does not have")),
    }
}
