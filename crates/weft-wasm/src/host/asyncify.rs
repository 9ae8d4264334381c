//! Asyncify: how a module waits for an import, and why its memory shows it.
//!
//! The loader answers `__asyncjs__weavedrive_*` ([`super::weavedrive`]) through a promise: the module saves its stack into a block of 40 MiB that
//! it allocates, returns from `handle`, and is started again. We have the answer at once, but must take the same way: the
//! block is part of the memory (loader `Asyncify.allocateData`, `handleSleep`, `doRewind`).

use super::Call;
use super::guest::{call_named, write_i32, write_size};
use crate::engine::Stop;

/// `Asyncify.StackSize` of the loader.
const STACK_BYTES: u64 = 41_943_040;

/// Where the module stands with waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Running.
    #[default]
    Normal,
    /// Saving its stack on the way out of `handle`.
    Unwinding,
    /// Restoring its stack on the way back in.
    Rewinding,
}

/// State of asyncify in one instance.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asyncify {
    pub(crate) state: State,
    /// The block that holds the saved stack.
    pub(crate) data: u64,
    /// What it waits for.
    pub(crate) answer: i64,
}

/// Lets the module wait for `answer`, which is there already.
pub(crate) fn sleep(call: &mut Call<'_>, answer: i64) -> Result<i64, Stop> {
    match call.host(|host| host.asyncify.state) {
        State::Normal => {
            call.host(|host| host.asyncify.state = State::Unwinding);
            let data = allocate(call)?;
            call.host(|host| host.asyncify.data = data);
            call_named(call, "asyncify_start_unwind", &[data])?;
            Ok(0)
        }
        State::Rewinding => {
            call.host(|host| host.asyncify.state = State::Normal);
            call_named(call, "asyncify_stop_rewind", &[])?;
            let data = call.host(|host| host.asyncify.data);
            call_named(call, "free", &[data])?;
            call.host(|host| host.asyncify.data = 0);
            Ok(answer)
        }
        State::Unwinding => Err(Stop::abort("it waits while it waits already")),
    }
}

/// The block: where the stack goes, where it ends, and which export to start again (always the first: `handle`).
fn allocate(call: &mut Call<'_>) -> Result<u64, Stop> {
    let width = call.format().pointer_bytes();
    let header = 3 * width;
    let data = call_named(call, "malloc", &[header + STACK_BYTES])?;
    write_size(call, data, data.wrapping_add(header))?;
    write_size(call, data.wrapping_add(width), data.wrapping_add(header + STACK_BYTES))?;
    write_i32(call, data.wrapping_add(2 * width), 0)?;
    Ok(data)
}
