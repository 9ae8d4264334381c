//! The imports of the module `env` that are neither files nor time.

use super::guest::{self, Args, call_export, charge, text};
use super::{Call, Host};
use crate::engine::Stop;
use crate::format::Format;

const PAGE: u64 = 65_536;

/// `emscripten_resize_heap(size)`: grows by a fifth more than asked for, then a tenth, then a twentieth.
pub(crate) fn resize_heap(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    Ok(i64::from(grow_to(call, args.size(0))?))
}

fn grow_to(call: &mut Call<'_>, requested: u64) -> Result<bool, Stop> {
    let old = call.guest.memory_bytes();
    if requested <= old {
        return Err(Stop::abort("it asked for a heap that is not larger than the one it has"));
    }
    let max = call.format().heap_max();
    if requested > max {
        return Ok(false);
    }
    for cut in [1, 2, 4] {
        let size = grown_size(old, requested, cut, max);
        if guest::grow(call, size.saturating_sub(old) / PAGE)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The size that the loader asks for. Its arithmetic is that of JavaScript: 64-bit floating point.
#[expect(clippy::cast_precision_loss, reason = "sizes are below 2^35, far within 53 bits")]
#[expect(clippy::cast_possible_truncation, reason = "the sum is positive and below 2^36")]
#[expect(clippy::cast_sign_loss, reason = "the sum is positive")]
pub(crate) fn grown_size(old: u64, requested: u64, cut: u32, max: u64) -> u64 {
    let over_grown = old as f64 * (1.0 + 0.2 / f64::from(cut));
    let over_grown = over_grown.min(requested as f64 + 100_663_296.0).max(requested as f64);
    // What is not a whole number of bytes is rounded up to a page with the rest, and `memory.grow` takes whole pages.
    let aligned = (over_grown / PAGE as f64).ceil() * PAGE as f64;
    (aligned as u64).min(max)
}

/// The size that a new instance's memory takes when a memory of `wanted` bytes is put into it (loader `resizeHeap`).
pub(crate) fn restored_size(format: Format, initial: u64, wanted: u64) -> u64 {
    if wanted <= initial { initial } else { grown_size(initial, wanted, 1, format.heap_max()) }
}

/// `_emscripten_memcpy_js(to, from, len)`: JavaScript's `copyWithin`, which copies what lies inside the memory and says
/// nothing about the rest. aos depends on it: when an allocation fails, it copies from and to address zero.
pub(crate) fn memcpy(call: &mut Call<'_>, args: &Args<'_>) -> Result<i64, Stop> {
    let size = call.guest.memory_bytes();
    let wide = call.format().pointer_bytes() == 8;
    let number =
        |index: usize| if wide { args.long(index).0 } else { i64::try_from(args.size(index)).unwrap_or(0) };
    let (to, from, len) = (number(0), number(1), number(2));
    let (to, start, end) = (clamp(to, size), clamp(from, size), clamp(from.saturating_add(len), size));
    let count = end.saturating_sub(start).min(size - to);
    charge(call, count)?;
    if count > 0 && to != start {
        call.guest.copy(to, start, count)?;
    }
    Ok(0)
}

/// An index as `copyWithin` takes it: from the end if negative, and never beyond it. What JavaScript's numbers do not
/// hold exactly, the loader makes NaN, and NaN is zero here.
fn clamp(index: i64, size: u64) -> u64 {
    const MAX_SAFE: u64 = 1 << 53;
    match u64::try_from(index) {
        _ if index.unsigned_abs() > MAX_SAFE => 0,
        Ok(index) => index.min(size),
        Err(_) => size.saturating_sub(index.unsigned_abs()),
    }
}

/// `emscripten_date_now` and `emscripten_get_now`: the counter.
#[expect(
    clippy::cast_precision_loss,
    reason = "the counter is a whole number of milliseconds, as in JavaScript"
)]
pub(crate) fn now(call: &mut Call<'_>) -> f64 {
    call.host(Host::tick) as f64
}

/// `_emscripten_system(command)`: there is no shell. (Under node, the loader's 32-bit format does run one.)
pub(crate) fn system(args: &Args<'_>) -> i64 {
    if args.size(0) == 0 { 0 } else { -52 }
}

/// `_abort_js`.
pub(crate) fn abort() -> Stop {
    Stop::abort("it called abort()")
}

/// `__assert_fail(condition, file, line, function)`.
pub(crate) fn assert_fail(call: &mut Call<'_>, args: &Args<'_>) -> Stop {
    match text(call, args.size(0)) {
        Ok(condition) => {
            let shown: String = condition.chars().take(200).collect();
            Stop::abort(format!("its assertion “{shown}” failed"))
        }
        Err(error) => error,
    }
}

/// `exit(status)`: what is left in its buffers is written first, as by the loader's `checkUnflushedContent`.
pub(crate) fn exit(call: &mut Call<'_>, args: &Args<'_>) -> Stop {
    if let Some(flush) = call.export("fflush")
        && let Err(error) = call_export(call, &flush, &[0])
    {
        return error;
    }
    Stop::Exit(args.int(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_as_the_loader_does() {
        // Sizes seen in ao-loader 0.0.49: 110,034,944 after the first message of aos2_0_6, then 22 MiB more by a fifth.
        assert_eq!(grown_size(110_034_944, 110_100_480, 1, u64::MAX), 132_055_040);
        assert_eq!(grown_size(369_098_752, 669_057_024, 1, u64::MAX), 669_057_024);
        assert_eq!(grown_size(1 << 30, (1 << 30) + 1, 4, u64::MAX), 1_127_481_344);
        assert_eq!(
            grown_size(4_294_000_000, 4_294_900_000, 1, Format::Emscripten4.heap_max()),
            4_294_901_760
        );
        assert_eq!(restored_size(Format::Wasm64, 1_048_576, 1_048_576), 1_048_576);
        assert_eq!(restored_size(Format::Wasm64, 1_048_576, 1_114_112), 1_310_720);
    }
}
