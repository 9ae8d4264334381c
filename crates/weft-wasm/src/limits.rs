//! What a message may use, and what happens to the state when it fails.

use serde::{Deserialize, Serialize};

/// What one instance and one message may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Most bytes of linear memory, the module's initial memory included.
    pub memory_bytes: u64,
    /// Most gas of one message, in units of [`crate::rewrite`].
    pub gas: u64,
}

impl Default for Limits {
    /// The legacy CU's maxima: 1 GiB of memory, 9,000,000,000,000 units of compute.
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, gas: 9_000_000_000_000 }
    }
}

/// What happens to the memory when a message fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// The memory before the message stands and a new instance takes over, as in the legacy CU
    /// (permaweb/ao `servers/cu/src/effects/worker/evaluate.js`). What the network's processes follow.
    #[default]
    RollBack,
    /// The memory stays as the failed message left it, as with npm `@permaweb/ao-loader` alone.
    Keep,
}
