//! What it takes to go back: a snapshot, and the messages that succeeded since.
//!
//! A snapshot of 110 MB costs as much as many small messages, and most messages do not fail. So going back runs the
//! messages since the last snapshot again, and a new snapshot is taken at the interval that costs least over time: the
//! square root of twice the snapshot's cost times the distance between failures (J. W. Young, 1974). Costs are counted in
//! gas, so that every machine takes the same way.

use crate::snapshot::Snapshot;

/// Bytes of memory that a snapshot reads in the time of one unit of gas. Measured on aos2_0_6: 110 MB take as long as 40
/// million units.
const BYTES_PER_GAS: u64 = 2;

/// Failures are first assumed to be this many snapshot costs apart.
const FIRST_DISTANCE: u64 = 128;

/// Most bytes of messages kept for running again.
const MAX_LOG_BYTES: usize = 32 << 20;

/// What happened since the base.
pub(crate) enum Event {
    /// A message that succeeded, with its environment.
    Message(String, String),
    /// A message that failed: from here on a new instance holds the memory.
    Renewal,
}

/// The way back.
pub(crate) struct History {
    /// `None`: a new instance.
    base: Option<Snapshot>,
    events: Vec<Event>,
    bytes: usize,
    gas: u64,
    gas_since_failure: u64,
    /// Smoothed distance between failures; `None` before the first.
    distance: Option<u64>,
    /// What takes the last message back.
    last: Last,
}

/// What takes the last message back.
enum Last {
    /// There is none, or it cannot be taken back any more.
    Unknown,
    /// It is the last event.
    Event,
    /// It left nothing.
    Nothing,
    /// The state before it.
    State(Snapshot),
}

impl History {
    /// A history that begins at a snapshot, or at a new instance.
    pub(crate) fn new(base: Option<Snapshot>) -> Self {
        Self {
            base,
            events: Vec::new(),
            bytes: 0,
            gas: 0,
            gas_since_failure: 0,
            distance: None,
            last: Last::Unknown,
        }
    }

    /// Remembers a message that succeeded.
    pub(crate) fn push(&mut self, message: String, env: String, gas: u64) {
        self.bytes = self.bytes.saturating_add(message.len()).saturating_add(env.len());
        self.gas = self.gas.saturating_add(gas);
        self.gas_since_failure = self.gas_since_failure.saturating_add(gas);
        self.events.push(Event::Message(message, env));
        self.last = Last::Event;
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
        self.events.clear();
        self.bytes = 0;
        self.gas = 0;
        self.last = Last::Unknown;
    }

    /// The memory before a message was written over the instance.
    pub(crate) fn overwritten(&mut self, before: Snapshot, after: Snapshot) {
        self.rebase(after);
        self.last = Last::State(before);
    }

    /// Forgets the last message. Whether that can be.
    pub(crate) fn take_back(&mut self) -> bool {
        match std::mem::replace(&mut self.last, Last::Unknown) {
            Last::Unknown => return false,
            Last::Nothing => {}
            Last::Event => {
                self.events.pop();
            }
            Last::State(before) => self.rebase(before),
        }
        true
    }

    /// A message failed, and a new instance took over.
    pub(crate) fn failed(&mut self) {
        let seen = self.gas_since_failure;
        let smoothed = self.distance.map_or(seen, |old| old - old / 4 + seen / 4);
        self.distance = Some(smoothed);
        self.gas_since_failure = 0;
        // A second renewal would change nothing.
        self.last = Last::Nothing;
        if !matches!(self.events.last(), Some(Event::Renewal)) {
            self.events.push(Event::Renewal);
            self.last = Last::Event;
        }
    }

    pub(crate) fn base(&self) -> Option<&Snapshot> {
        self.base.as_ref()
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_come_closer_when_messages_fail_more_often() {
        const MEMORY: u64 = 1_000_000;
        let messages_until_due = |history: &mut History| {
            let count = (1..10_000).find(|_| {
                history.push("{}".to_owned(), "{}".to_owned(), MEMORY / 10);
                history.is_due(MEMORY)
            });
            history.events.clear();
            history.gas = 0;
            count
        };
        let mut history = History::new(None);
        let calm = messages_until_due(&mut history).unwrap();
        for _ in 0..10 {
            history.push("{}".to_owned(), "{}".to_owned(), MEMORY / 10);
            history.failed();
        }
        history.gas = 0;
        let failing = messages_until_due(&mut history).unwrap();
        assert!(failing < calm && failing > 1, "{failing} and {calm}");
    }
}
