//! What only a running node has: asked for by devices, answered by whoever drives the resolver.
//!
//! The resolver never waits. A [`Host`] that does not have an answer yet notes the [`Need`], and fails; the resolution ends, the
//! node obtains what was needed, and resolves again from the start. So what a need stands for happens once, whatever the number of
//! resolutions.

use weft_codec::message::Message;
use weft_codec::{Code, Error, Id, Result};

use super::Answer;

/// What a device needs of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// What the node says of itself.
    Node,
    /// The processes whose schedules are here.
    Processes,
    /// The last slot of a process: `process`, `current`, `timestamp`, `block-height`, `block-hash`.
    Slot(Id),
    /// Assignments, both ends included.
    Schedule {
        /// The process.
        process: Id,
        /// The first slot.
        from: u64,
        /// The last; none for the newest.
        to: Option<u64>,
        /// As the JSON of a legacy scheduler.
        legacy: bool,
    },
    /// The state of a process after a slot.
    State {
        /// The process.
        process: Id,
        /// The slot; none for the newest.
        slot: Option<u64>,
    },
    /// What one message gave, also as a legacy compute unit's JSON under `raw`.
    Results {
        /// The process.
        process: Id,
        /// Which message.
        at: At,
    },
    /// A slot for the signed item of the request.
    Append {
        /// The item's id.
        item: Id,
    },
    /// A slot for the signed item of the request, its evaluation, and that of whatever it sends.
    Push {
        /// The item's id.
        item: Id,
    },
    /// What a message that nobody signed would give.
    DryRun {
        /// The process.
        process: Id,
        /// The message.
        message: Message,
    },
    /// A key of a device that something else runs ([`super::device::Outside`]).
    Outside {
        /// The device's name.
        device: String,
        /// The key, as the device wrote it.
        key: String,
        /// The message that has the device.
        base: Message,
        /// What is asked of it.
        request: Message,
    },
    /// A function of a Lua script over a state.
    Script {
        /// The state.
        state: Message,
        /// The script.
        code: String,
        /// The function's name.
        function: String,
        /// The function's second argument.
        request: Message,
    },
}

/// A place in a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The slot.
    Slot(u64),
    /// The message that has it.
    Message(Id),
}

/// Answers needs.
pub trait Host {
    /// What the node has for a need. Errors are the host's own; they end the resolution.
    fn ask(&self, need: &Need) -> Result<Answer>;
}

/// No node: what needs one is `device-unavailable`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;

impl Host for NoHost {
    fn ask(&self, _: &Need) -> Result<Answer> {
        Err(Error::new(Code::DeviceUnavailable, "The request needs a node, and there is none around it."))
    }
}
