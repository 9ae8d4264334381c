//! One message, however long it runs: slice after slice, with a breath between two.

use weft_codec::Result;
use weft_core::{Evaluated, Evaluation, LocalAnswer, LocalRun, LuaAnswer, LuaRun, SlotResult};

use crate::seams::Clock;

/// Gas of one slice: about a hundredth of a second in a browser, less natively. A Cancel, and other work of the thread,
/// waits no longer than that.
const SLICE: u64 = 1_000_000;

/// The first slice, which most messages end in.
pub(crate) fn begin(evaluation: Evaluation<'_>) -> Result<Evaluated<'_>> {
    evaluation.go_on(SLICE)
}

/// Evaluates to the end. `between` is called between two slices; its error ends the evaluation, which then never happened.
pub(crate) async fn evaluate<C: Clock>(
    mut evaluation: Evaluation<'_>,
    clock: &C,
    mut between: impl FnMut() -> Result<()>,
) -> Result<SlotResult> {
    loop {
        match evaluation.go_on(SLICE)? {
            Evaluated::Ended(result) => return Ok(*result),
            Evaluated::More(rest) => evaluation = rest,
        }
        clock.breathe().await;
        between()?;
    }
}

/// Runs a script to its end.
pub(crate) async fn run_script<C: Clock>(mut run: LuaRun, clock: &C) -> Result<LuaAnswer> {
    loop {
        if let Some(answer) = run.go_on(SLICE)? {
            return Ok(answer);
        }
        clock.breathe().await;
    }
}

/// Runs a script of the reader's own to its end.
pub(crate) async fn run_local<C: Clock>(mut run: LocalRun, clock: &C) -> Result<LocalAnswer> {
    loop {
        if let Some(answer) = run.go_on(SLICE)? {
            return Ok(answer);
        }
        clock.breathe().await;
    }
}
