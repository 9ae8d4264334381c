//! What HyperBEAM gives a module that it runs as it is: its devices `wasm-64@1.0` (`dev_wasm.erl`, `hb_beamr`) and `wasi@1.0`
//! (`dev_wasi.erl`).
//!
//! An import is answered by the library of whoever runs the module, else by `wasi@1.0`, else with 0: a node has a stub for whatever
//! nobody answers. `invoke_*` calls the table and drops what it gives; what fails there fails, also a `longjmp`, whose import is such
//! a stub.

use super::Call;
use super::guest::{Args, integer, promised, write};
use super::slices;
use crate::engine::{Stop, Value};
use crate::interface::Import;
use crate::rewrite::CALL_PREFIX;

/// What answers imports that are not HyperBEAM's own, as devices in a message's `stdlib` do.
pub trait Library {
    /// The answer to an import, as a number of whatever type the import has; `None` if it is not here.
    fn answer(&self, module: &str, name: &str, args: &[Value]) -> Option<Value>;
}

/// Most open `invoke_*` calls; each takes a frame of the host's own stack.
const MAX_INVOCATIONS: u32 = 240;

/// What the clock says: one, whatever was asked, and nothing is written.
const CLOCK: u64 = 1;

pub(crate) fn answer(call: &mut Call<'_>, import: &Import, args: &[Value]) -> Result<Option<Value>, Stop> {
    let result = import.signature.results.first().copied();
    let library = call.around.library.clone();
    if let Some(value) = library.and_then(|library| library.answer(&import.module, &import.name, args)) {
        return Ok(result.map(|ty| Value::of(ty, value.bits())));
    }
    let number = match (import.module.as_str(), import.name.as_str()) {
        (_, name) if name.starts_with("invoke_") => {
            invoke(call, name, args)?;
            0
        }
        ("wasi_snapshot_preview1", "fd_write") => fd_write(call, &Args(args))?,
        ("wasi_snapshot_preview1", "fd_read") => fd_read(call, &Args(args))?,
        ("wasi_snapshot_preview1", "clock_time_get") => CLOCK,
        _ => 0,
    };
    Ok(result.map(|ty| integer(ty, number)))
}

/// Calls what stands at a place of the table. With no argument but the place, nothing is called.
fn invoke(call: &mut Call<'_>, name: &str, args: &[Value]) -> Result<(), Stop> {
    if args.len() <= 1 {
        return Ok(());
    }
    let letters = name.strip_prefix("invoke_").unwrap_or_default();
    let target = promised(call, &format!("{CALL_PREFIX}{letters}"))?;
    if call.host(|host| host.invocations) >= MAX_INVOCATIONS {
        return Err(Stop::TooDeep);
    }
    call.host(|host| host.invocations += 1);
    let place = target.function.signature.params.first().map(|ty| integer(*ty, Args(args).size(0)));
    let args: Vec<Value> = place.into_iter().chain(args.iter().skip(1).copied()).collect();
    let ended = slices::call_unbroken(call, &target, &args);
    call.host(|host| host.invocations = host.invocations.saturating_sub(1));
    ended.map(drop)
}

/// The device looks for bytes in the descriptor, which has none to begin with, and fails; it does not where nothing is written.
fn fd_write(call: &mut Call<'_>, args: &Args<'_>) -> Result<u64, Stop> {
    if args.size(2) != 0 {
        return Err(Stop::abort("it wrote to a file, and the device wasi@1.0 of a node fails over that"));
    }
    write(call, args.size(3), &0_u64.to_le_bytes())?;
    Ok(0)
}

/// The only file that can be read is the empty standard input.
fn fd_read(call: &mut Call<'_>, args: &Args<'_>) -> Result<u64, Stop> {
    if args.size(2) != 0 && args.int(0) != 0 {
        return Err(Stop::abort("it read a file, and the device wasi@1.0 of a node fails over that"));
    }
    write(call, args.size(3), &0_u64.to_le_bytes())?;
    Ok(0)
}
