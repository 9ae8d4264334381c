//! The contract of [`Clock`].

use std::cell::Cell;
use std::pin::pin;
use std::task::Poll;

use futures_util::future::join3;
use weft_node::seams::Clock;

/// 2024-01-01, in milliseconds: no clock of a machine is before it.
const YEAR_2024: u64 = 1_704_067_200_000;

/// What holds for any clock.
///
/// # Panics
///
/// If the clock breaks the contract.
pub async fn holds(clock: &impl Clock) {
    let before = clock.now_ms();
    clock.sleep(20).await;
    let after = clock.now_ms();
    // Timers may ring within the millisecond that they were set for.
    assert!(after >= before + 19, "{before} {after}");
    clock.sleep(0).await;
    lets_others_run(clock).await;
    // Several may breathe at a time, and each breath ends.
    join3(clock.breathe(), clock.breathe(), clock.breathe()).await;
}

/// What holds for the clock of a machine.
///
/// # Panics
///
/// If the clock breaks the contract.
pub fn is_the_machines(clock: &impl Clock) {
    assert!(clock.now_ms() > YEAR_2024);
}

/// A breath ends, and not before another task had its turn.
async fn lets_others_run(clock: &impl Clock) {
    let ran = Cell::new(false);
    let mut breath = pin!(async {
        clock.breathe().await;
        assert!(ran.get(), "the other task had no turn");
    });
    std::future::poll_fn(|context| match breath.as_mut().poll(context) {
        Poll::Pending => {
            ran.set(true);
            Poll::Pending
        }
        ready => ready,
    })
    .await;
}
