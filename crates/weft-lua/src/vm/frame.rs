//! What the machine remembers of a call in progress.

use std::rc::Rc;

use crate::compile::Proto;
use crate::value::{EnvId, ProtoId};

/// What becomes of a call's values. Registers are the caller's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Give {
    /// So many of them, from a register on; `MANY`: all, and the caller notes how many.
    Values { to: u8, count: u8 },
    /// The first, or `nil`.
    One { to: u8 },
    /// Whether the first is true; or whether it is not.
    Truth { to: u8, negate: bool },
    /// Leaves for an instruction if the first is not true; or if it is.
    Condition { negate: bool, to: u32 },
    /// The values of a loop's step.
    Each { base: u8, count: u8, to: u32 },
    /// Nothing.
    Drop,
    /// The values go to a protected call.
    Protected,
    /// The values go to the host or the native that called.
    Host,
}

/// A call in progress.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Nothing for a protected call's own frame.
    pub(crate) proto: Option<Rc<Proto>>,
    pub(crate) function: Option<ProtoId>,
    pub(crate) env: EnvId,
    /// Its first register.
    pub(super) base: usize,
    pub(super) pc: usize,
    /// Where a list of values in its registers ends.
    pub(super) top: usize,
    /// The further arguments of a vararg function stand right below its registers. Of a protected call's frame, 1 says that
    /// the first register is a message handler.
    pub(super) varargs: usize,
    /// How many arguments it was given.
    pub(super) given: u32,
    pub(super) give: Give,
}
