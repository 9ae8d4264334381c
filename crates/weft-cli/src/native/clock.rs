//! Time from the operating system.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use weft_node::seams::Clock;

/// The machine's clock, on a tokio runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct NativeClock;

impl Clock for NativeClock {
    #[expect(clippy::disallowed_methods, reason = "this is the seam that everybody else takes the time from")]
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    async fn breathe(&self) {
        tokio::task::yield_now().await;
    }

    async fn sleep(&self, ms: u32) {
        tokio::time::sleep(Duration::from_millis(u64::from(ms))).await;
    }
}
