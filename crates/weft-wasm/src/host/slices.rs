//! Slices: how a message stops on its way and goes on later.
//!
//! A message's gas is in two places: in the store's meter what this slice may burn, in [`Meter`] the rest. When the store's
//! meter runs dry, wasmi stops the call where it is and can go on from there. But a call may stand inside an import
//! (`invoke_*`), and an import cannot be left in the middle: it ends with [`Halt::Stopped`], the call around it stops at that
//! import, and so on outward. All stopped calls are kept, the innermost first. Going on resumes the innermost; what it
//! gives becomes the answer of the import that made it, with which the next call outward resumes.
//!
//! What a message does, and the gas it takes, is the same however it is cut.

use wasmi::{
    AsContextMut, Error, ResumableCall, ResumableCallHostTrap, ResumableCallOutOfFuel, Store,
    StoreContextMut, TrapCode, Val,
};

use super::halt::Halt;
use super::{Export, Host, invoke};

/// The gas that is not in the store's meter, and the calls that wait for it.
#[derive(Default)]
pub(crate) struct Meter {
    /// Gas of the message that no slice has had yet.
    reserve: u64,
    /// How much of it a call gets that has to go on at once.
    slice: u64,
    /// Open calls that cannot stop.
    unbroken: u32,
    /// Calls that stopped, the innermost first.
    stopped: Vec<Stopped>,
}

/// How far a call came.
pub(crate) enum Progress {
    /// To its end, with its result if it has one.
    Ended(Option<Val>),
    /// It waits for the next slice.
    Stopped,
}

/// What the host does once a call has ended.
#[derive(Clone, Copy)]
pub(crate) enum After {
    /// Nothing.
    Nothing,
    /// The rest of an `invoke_*`, which began with the module's stack here.
    Invoke { stack: u64 },
}

/// A call that stopped.
struct Stopped {
    at: At,
    results: Vec<Val>,
    after: After,
}

/// Where a call stopped.
enum At {
    /// Before an instruction that it had no gas for.
    Gas(ResumableCallOutOfFuel),
    /// In an import that stopped.
    Import(ResumableCallHostTrap),
    /// In an import whose answer is its own result, since it was called at the very end.
    Tail,
}

/// Calls an export. It may stop; an import that calls one must end with [`Halt::Stopped`] then.
pub(crate) fn call(
    mut context: impl AsContextMut<Data = Host>,
    export: &Export,
    args: &[Val],
    after: After,
) -> Result<Progress, Error> {
    let mut results: Vec<Val> = export.results.iter().map(|ty| Val::default_for_ty(*ty)).collect();
    let call = export.func.call_resumable(context.as_context_mut(), args, &mut results);
    settle(context.as_context_mut(), call, results, after)
}

/// Calls an export to its end, however many slices that takes.
pub(crate) fn call_unbroken(
    mut context: impl AsContextMut<Data = Host>,
    export: &Export,
    args: &[Val],
) -> Result<Option<Val>, Error> {
    context.as_context_mut().data_mut().meter.unbroken += 1;
    let progress = call(context.as_context_mut(), export, args, After::Nothing);
    context.as_context_mut().data_mut().meter.unbroken -= 1;
    match progress? {
        Progress::Ended(value) => Ok(value),
        Progress::Stopped => Err(Error::host(Halt::Stopped)),
    }
}

/// Takes a call from where it came to: to its end, or among the stopped ones.
fn settle(
    mut context: StoreContextMut<'_, Host>,
    mut call: Result<ResumableCall, Error>,
    mut results: Vec<Val>,
    after: After,
) -> Result<Progress, Error> {
    let at = loop {
        match call {
            Ok(ResumableCall::Finished) => return Ok(Progress::Ended(results.into_iter().next())),
            Ok(ResumableCall::HostTrap(trap)) if is_stop(trap.host_error()) => break At::Import(trap),
            Ok(ResumableCall::HostTrap(trap)) => return Err(trap.into_host_error()),
            Ok(ResumableCall::OutOfFuel(dry)) => {
                if !has(&context, dry.required_fuel())? {
                    return Err(TrapCode::OutOfFuel.into());
                }
                if context.data().meter.unbroken == 0 {
                    break At::Gas(dry);
                }
                feed(&mut context, dry.required_fuel())?;
                call = dry.resume(context.as_context_mut(), &mut results);
            }
            Err(error) if is_stop(&error) => break At::Tail,
            Err(error) => return Err(error),
        }
    };
    context.data_mut().meter.stopped.push(Stopped { at, results, after });
    Ok(Progress::Stopped)
}

fn is_stop(error: &Error) -> bool {
    matches!(Halt::of(error), Some(Halt::Stopped))
}

/// Lets what stopped go on.
pub(crate) fn go_on(store: &mut Store<Host>) -> Result<Progress, Error> {
    let mut outer = std::mem::take(&mut store.data_mut().meter.stopped);
    outer.reverse();
    let mut given = Ok(None);
    while let Some(Stopped { at, results, after }) = outer.pop() {
        let progress = match given {
            Ok(value) => resume(store.as_context_mut(), Stopped { at, results, after }, value),
            Err(error) => Err(error),
        };
        let ended = match progress {
            Ok(Progress::Ended(value)) => Ok(value),
            Ok(Progress::Stopped) => {
                store.data_mut().meter.stopped.extend(outer.into_iter().rev());
                return Ok(Progress::Stopped);
            }
            Err(error) => Err(error),
        };
        given = match after {
            After::Nothing => ended,
            After::Invoke { stack } => invoke::end(store.as_context_mut(), stack, ended),
        };
    }
    given.map(Progress::Ended)
}

/// Resumes one call; `value` is the answer of the import it stopped in.
fn resume(
    mut context: StoreContextMut<'_, Host>,
    stopped: Stopped,
    value: Option<Val>,
) -> Result<Progress, Error> {
    let Stopped { at, mut results, after } = stopped;
    let call = match at {
        At::Gas(dry) => {
            feed(&mut context, dry.required_fuel())?;
            dry.resume(context.as_context_mut(), &mut results)
        }
        At::Import(trap) => {
            let ty = trap.host_func().ty(&context);
            let answer: Vec<Val> =
                ty.results().iter().map(|ty| value.clone().unwrap_or(Val::default_for_ty(*ty))).collect();
            trap.resume(context.as_context_mut(), &answer, &mut results)
        }
        At::Tail => return Ok(Progress::Ended(value)),
    };
    settle(context, call, results, after)
}

/// Fills both meters for a new message.
pub(crate) fn fill(store: &mut Store<Host>, gas: u64) -> Result<(), Error> {
    store.data_mut().meter = Meter { reserve: gas, ..Meter::default() };
    store.set_fuel(0)
}

/// Moves a slice of the reserve into the store's meter.
pub(crate) fn slice(store: &mut Store<Host>, gas: u64) -> Result<(), Error> {
    let left = store.get_fuel()?;
    let meter = &mut store.data_mut().meter;
    meter.slice = gas;
    let moved = gas.min(meter.reserve);
    meter.reserve -= moved;
    store.set_fuel(left.saturating_add(moved))
}

/// The gas that the message has left.
pub(crate) fn left(store: &Store<Host>) -> u64 {
    store.get_fuel().unwrap_or(0).saturating_add(store.data().meter.reserve)
}

/// Whether the message has this much gas left.
fn has(context: &StoreContextMut<'_, Host>, gas: u64) -> Result<bool, Error> {
    Ok(gas <= context.get_fuel()?.saturating_add(context.data().meter.reserve))
}

/// Sees to it that the store's meter has at least this much, which the message has left.
fn feed(context: &mut StoreContextMut<'_, Host>, gas: u64) -> Result<(), Error> {
    let here = context.get_fuel()?;
    let Some(missing) = gas.checked_sub(here).filter(|missing| *missing > 0) else { return Ok(()) };
    let meter = &mut context.data_mut().meter;
    let moved = missing.max(meter.slice).min(meter.reserve);
    meter.reserve -= moved;
    context.set_fuel(here + moved)
}

/// Takes gas for what the host does on the module's behalf.
pub(crate) fn charge(mut context: StoreContextMut<'_, Host>, gas: u64) -> Result<(), Error> {
    if !has(&context, gas)? {
        return Err(TrapCode::OutOfFuel.into());
    }
    feed(&mut context, gas)?;
    let here = context.get_fuel()?;
    context.set_fuel(here - gas)
}
