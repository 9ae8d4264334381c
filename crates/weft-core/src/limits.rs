//! What a node is willing to give.

/// The most a node gives any process. The default is the legacy compute unit's: 1 GiB and 9 · 10¹² gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLimits {
    /// Bytes of linear memory.
    pub memory_bytes: u64,
    /// Gas for one message.
    pub gas: u64,
}

impl Default for NodeLimits {
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, gas: 9_000_000_000_000 }
    }
}

impl NodeLimits {
    /// No limit of the node's own: a process gets what its tags ask for.
    #[must_use]
    pub const fn unbounded() -> Self {
        Self { memory_bytes: u64::MAX, gas: u64::MAX }
    }
}
