//! Slices: how a message stops on its way and goes on later.
//!
//! A message's gas is in two places: in the module's counter what this slice may burn, in [`Meter`] the rest. When the counter
//! is below zero, the module calls an import ([`out_of_gas`]). Where the engine can stop a call on its way, that import ends
//! with [`Stop::Waiting`], and the engine keeps what is to go on (`engine/wasmi.rs`); elsewhere it takes more at once.
//!
//! The counter goes below zero by up to the cost of what came before the next look at it; the message is out of gas where both
//! together are below zero.
//!
//! What a message does, and the gas it takes, is the same however it is cut.

use super::{Call, Export};
use crate::engine::{After, Progress, Stop, Value};

/// The gas that is not in the module's counter.
#[derive(Default)]
pub(crate) struct Meter {
    /// Gas of the message that no slice has had yet.
    reserve: u64,
    /// How much of it a call gets that has to go on at once.
    slice: u64,
    /// Open calls that cannot stop.
    unbroken: u32,
    /// How often more was taken at once.
    at_once: u64,
}

/// Calls an export. It may wait; an import that calls one must end with [`Stop::Waiting`] then.
pub(crate) fn call(
    call: &mut Call<'_>,
    export: &Export,
    args: &[Value],
    after: After,
) -> Result<Progress, Stop> {
    call.guest.call(export.place, args, after)
}

/// Calls an export to its end, however many slices that takes.
pub(crate) fn call_unbroken(
    call: &mut Call<'_>,
    export: &Export,
    args: &[Value],
) -> Result<Option<Value>, Stop> {
    call.host(|host| host.meter.unbroken += 1);
    let progress = call.guest.call(export.place, args, After::Nothing);
    call.host(|host| host.meter.unbroken -= 1);
    match progress? {
        Progress::Ended(value) => Ok(value),
        Progress::Waiting => Err(Stop::Waiting),
    }
}

/// What a counter can hold: more gas than this is none but that.
const MOST: u64 = i64::MAX.unsigned_abs();

/// The gas that the message has left. `None` if it used more than it was allowed.
pub(crate) fn left(call: &Call<'_>) -> Option<u64> {
    call.host(|host| host.meter.reserve).checked_add_signed(call.guest.gas())
}

/// The gas that the message has left, and the error where there is none.
fn some_left(call: &Call<'_>) -> Result<u64, Stop> {
    left(call).ok_or(Stop::OutOfGas)
}

/// Divides what is left: a slice for the module's counter, the rest for later.
fn divide(call: &mut Call<'_>, left: u64) {
    let given = call.host(|host| {
        let given = host.meter.slice.min(left);
        host.meter.reserve = left - given;
        given
    });
    call.guest.set_gas(i64::try_from(given).unwrap_or(i64::MAX));
}

/// Fills both meters for a new message; its first slice is still to come.
pub(crate) fn fill(call: &mut Call<'_>, gas: u64) {
    call.host(|host| host.meter = Meter { reserve: allowed(gas), ..Meter::default() });
    call.guest.set_gas(0);
}

/// The limit that is kept where this one is asked for.
pub(crate) fn allowed(gas: u64) -> u64 {
    gas.min(MOST)
}

/// Begins a slice of this much gas.
pub(crate) fn slice(call: &mut Call<'_>, gas: u64) {
    call.host(|host| host.meter.slice = gas);
    // A message that has nothing left finds out by itself.
    if let Some(left) = left(call) {
        divide(call, left);
    }
}

/// The import that the module calls when its counter is below zero.
pub(crate) fn out_of_gas(call: &mut Call<'_>) -> Result<(), Stop> {
    let left = some_left(call)?;
    if call.guest.can_wait() && call.host(|host| host.meter.unbroken) == 0 {
        return Err(Stop::Waiting);
    }
    let at_once = call.host(|host| {
        host.meter.at_once = host.meter.at_once.saturating_add(1);
        host.meter.at_once
    });
    if !call.guest.can_wait() && at_once > call.guest.patience() {
        return Err(Stop::Engine(
            "the message takes longer than this engine may keep others waiting".to_owned(),
        ));
    }
    divide(call, left);
    Ok(())
}

/// Takes gas for what the host does on the module's behalf.
pub(crate) fn charge(call: &mut Call<'_>, gas: u64) -> Result<(), Stop> {
    if gas > some_left(call)? {
        return Err(Stop::OutOfGas);
    }
    let rest = call.guest.gas().saturating_sub_unsigned(gas);
    call.guest.set_gas(rest);
    Ok(())
}
