//! Which import is which function.

use weft_codec::{Code, Error, Result};

use super::guest::{self, Args, call_named, integer};
use super::{Call, emscripten, invoke, pure, slices, stat, strftime, syscalls, time, wasi, weavedrive};
use crate::engine::{Stop, Type, Value};
use crate::format::Format;
use crate::interface::Import;
use crate::rewrite;

/// Most parameters of an import; the longest `invoke_*` seen has about twelve.
pub(crate) const MAX_PARAMS: usize = 32;

/// Checks that the host has an imported function.
///
/// # Errors
/// `module-invalid` if it has not.
pub(crate) fn check(import: &Import, format: Format) -> Result<()> {
    let Import { module, name, signature } = import;
    let ours = module == rewrite::GAS_MODULE;
    let fits = signature.params.len() <= MAX_PARAMS && signature.results.len() <= 1;
    if ours || fits && (format == Format::Pure || is_known(module, name)) {
        return Ok(());
    }
    let shown = |text: &str| text.chars().take(60).collect::<String>();
    Err(Error::new(
        Code::ModuleInvalid,
        format!("the module imports “{}.{}”, which its format does not offer", shown(module), shown(name)),
    ))
}

/// Answers an imported function.
pub(crate) fn answer(
    call: &mut Call<'_>,
    import: &Import,
    args: &[Value],
) -> std::result::Result<Option<Value>, Stop> {
    let result = import.signature.results.first().copied();
    if import.module != rewrite::GAS_MODULE {
        if call.format() == Format::Pure {
            return pure::answer(call, import, args);
        }
        return dispatch(call, &import.name, args, result);
    }
    if import.name == rewrite::GROW_NAME {
        // -1 where it may not, as by `memory.grow`.
        let before = guest::grow(call, Args(args).size(0))?.unwrap_or(u64::MAX);
        return Ok(result.map(|ty| integer(ty, before)));
    }
    if import.name == rewrite::UNCAUGHT_NAME {
        return Err(Stop::Uncaught);
    }
    slices::out_of_gas(call)?;
    Ok(None)
}

/// Names of the functions of `env`, `invoke_*` aside.
const ENV: &[&str] = &[
    "__assert_fail",
    "__cxa_throw",
    "__asyncjs__weavedrive_close",
    "__asyncjs__weavedrive_open",
    "__asyncjs__weavedrive_read",
    "__syscall_chmod",
    "__syscall_dup3",
    "__syscall_faccessat",
    "__syscall_fchmod",
    "__syscall_fchown32",
    "__syscall_fcntl64",
    "__syscall_fstat64",
    "__syscall_ftruncate64",
    "__syscall_getcwd",
    "__syscall_ioctl",
    "__syscall_lstat64",
    "__syscall_mkdirat",
    "__syscall_newfstatat",
    "__syscall_openat",
    "__syscall_readlinkat",
    "__syscall_renameat",
    "__syscall_rmdir",
    "__syscall_stat64",
    "__syscall_unlinkat",
    "__syscall_utimensat",
    "_abort_js",
    "_emscripten_get_now_is_monotonic",
    "_emscripten_memcpy_js",
    "_emscripten_system",
    "_emscripten_throw_longjmp",
    "_gmtime_js",
    "_localtime_js",
    "_mktime_js",
    "_munmap_js",
    "_tzset_js",
    "emscripten_date_now",
    "emscripten_err",
    "emscripten_get_heap_max",
    "emscripten_get_now",
    "emscripten_resize_heap",
    "exit",
    "metering_gasUsed",
    "strftime",
    "strftime_l",
];

/// Names of the functions of `wasi_snapshot_preview1`.
const WASI: &[&str] = &[
    "environ_get",
    "environ_sizes_get",
    "fd_close",
    "fd_fdstat_get",
    "fd_read",
    "fd_seek",
    "fd_sync",
    "fd_write",
];

fn is_known(module: &str, name: &str) -> bool {
    match module {
        "env" => ENV.contains(&name) || name.starts_with("invoke_"),
        "wasi_snapshot_preview1" => WASI.contains(&name),
        _ => false,
    }
}

fn dispatch(
    call: &mut Call<'_>,
    name: &str,
    args: &[Value],
    result: Option<Type>,
) -> std::result::Result<Option<Value>, Stop> {
    if name.starts_with("invoke_") {
        return invoke::invoke(call, name, args);
    }
    if matches!(name, "emscripten_date_now" | "emscripten_get_now") {
        return Ok(Some(Value::F64(emscripten::now(call).to_bits())));
    }
    let value = number(call, name, &Args(args))?;
    if name == "_mktime_js" && result == Some(Type::I32) {
        // Without 64-bit integers in JavaScript, the high half goes a way of its own.
        call_named(call, "_emscripten_tempret_set", &[(value >> 32).cast_unsigned()])?;
    }
    Ok(result.map(|ty| integer(ty, value.cast_unsigned())))
}

fn number(call: &mut Call<'_>, name: &str, args: &Args<'_>) -> std::result::Result<i64, Stop> {
    match name {
        "__assert_fail" => Err(emscripten::assert_fail(call, args)),
        "__asyncjs__weavedrive_close" => weavedrive::close(call, args),
        "__asyncjs__weavedrive_open" => weavedrive::open(call, args),
        "__asyncjs__weavedrive_read" => weavedrive::read(call, args),
        "__cxa_throw" => Err(Stop::abort("it threw a C++ exception; it was built without what catches them")),
        "__syscall_chmod" => stat::chmod(call, args),
        "__syscall_faccessat" => stat::faccessat(call, args),
        "__syscall_fchmod" => Ok(stat::fchmod(call, args)),
        "__syscall_fchown32" => Ok(stat::fchown(call, args)),
        "__syscall_fstat64" => stat::fstat(call, args),
        "__syscall_ftruncate64" => Ok(stat::ftruncate(call, args)),
        "__syscall_getcwd" => stat::getcwd(call, args),
        "__syscall_lstat64" | "__syscall_stat64" => stat::stat(call, args),
        "__syscall_mkdirat" => stat::mkdirat(call, args),
        "__syscall_newfstatat" => stat::fstatat(call, args),
        "__syscall_utimensat" => stat::utimensat(call, args),
        "_munmap_js" => Ok(stat::munmap(call, args)),
        "emscripten_get_heap_max" => Ok(i64::try_from(call.format().heap_max()).unwrap_or(i64::MAX)),
        "fd_fdstat_get" => wasi::fd_fdstat_get(call, args),
        "fd_sync" => Ok(wasi::fd_sync(call, args)),
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
        "strftime" | "strftime_l" => strftime::strftime(call, args),
        // The formats without metering have used no gas; an environment without variables is written by doing nothing.
        "metering_gasUsed" | "environ_get" | "emscripten_err" => Ok(0),
        _ => Err(Stop::abort("it called a function that the host does not have")),
    }
}
