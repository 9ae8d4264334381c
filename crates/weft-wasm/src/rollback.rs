//! What it takes to go back: a snapshot, and the messages that succeeded since.
//!
//! A snapshot of 110 MB costs as much as many small messages, and most messages do not fail. So going back runs the
//! messages since the last snapshot again, and a new snapshot is taken at the interval that costs least over time: the
//! square root of twice the snapshot's cost times the distance between failures (J. W. Young, 1974). Costs are counted in
//! gas, so that every machine takes the same way.

use crate::snapshot::Snapshot;

/// Bytes of memory that a snapshot reads in the time of one unit of gas. Measured: 110 MB cost about as much as 10
/// million units.
const BYTES_PER_GAS: u64 = 11;

/// Failures are first assumed to be this many snapshot costs apart.
const FIRST_DISTANCE: u64 = 100;

/// Most bytes of messages kept for running again.
const MAX_LOG_BYTES: usize = 32 << 20;

/// The way back.
pub(crate) struct History {
    /// `None`: a new instance.
    base: Option<Snapshot>,
    /// Messages since, with their environments.
    messages: Vec<(String, String)>,
    bytes: usize,
    gas: u64,
    gas_since_failure: u64,
    /// Smoothed distance between failures; `None` before the first.
    distance: Option<u64>,
}

impl History {
    /// A history that begins at a snapshot, or at a new instance.
    pub(crate) fn new(base: Option<Snapshot>) -> Self {
        Self { base, messages: Vec::new(), bytes: 0, gas: 0, gas_since_failure: 0, distance: None }
    }

    /// Remembers a message that succeeded.
    pub(crate) fn push(&mut self, message: &str, env: &str, gas: u64) {
        self.bytes = self.bytes.saturating_add(message.len()).saturating_add(env.len());
        self.gas = self.gas.saturating_add(gas);
        self.gas_since_failure = self.gas_since_failure.saturating_add(gas);
        self.messages.push((message.to_owned(), env.to_owned()));
    }

    /// Whether a new base is worth its cost.
    pub(crate) fn is_due(&self, memory_bytes: u64) -> bool {
        let cost = (memory_bytes / BYTES_PER_GAS).max(1);
        let distance = self.distance.unwrap_or(cost.saturating_mul(FIRST_DISTANCE));
        let interval = cost.saturating_mul(2).saturating_mul(distance).isqrt();
        self.gas > interval || self.bytes > MAX_LOG_BYTES
    }

    /// Begins again at this snapshot.
    pub(crate) fn rebase(&mut self, base: Snapshot) {
        self.base = Some(base);
        self.messages.clear();
        self.bytes = 0;
        self.gas = 0;
    }

    /// A message failed; the state is now that of the snapshot.
    pub(crate) fn failed(&mut self, base: Snapshot) {
        let seen = self.gas_since_failure;
        let smoothed = self.distance.map_or(seen, |old| old - old / 4 + seen / 4);
        self.distance = Some(smoothed);
        self.gas_since_failure = 0;
        self.rebase(base);
    }

    pub(crate) fn base(&self) -> Option<&Snapshot> {
        self.base.as_ref()
    }

    pub(crate) fn messages(&self) -> &[(String, String)] {
        &self.messages
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}
