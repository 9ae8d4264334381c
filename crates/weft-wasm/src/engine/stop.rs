//! Why a call did not come to its end.

use std::fmt;

/// Why a call did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// `longjmp`: caught by the nearest `invoke_*`.
    LongJump,
    /// `abort` or a broken promise of the module.
    Abort(String),
    /// `exit` with its status.
    Exit(i32),
    /// An exception that nothing caught.
    Uncaught,
    /// Calls nested deeper than the host's own stack allows.
    TooDeep,
    /// The message used all the gas it was allowed.
    OutOfGas,
    /// The slice is used up, or a call inside this import waits for the next slice.
    Waiting,
    /// The module trapped.
    Trap(Trap),
    /// It opened a file of this path that nobody has put on its drive yet: no outcome may be built on it.
    Wants(String),
    /// It opened a file that it may not read, over which a compute unit ends: no outcome may be built on it.
    Refused(String),
    /// This machine, not the module, ran out of memory: no outcome may be built on it.
    HostMemory,
    /// The engine cannot say what the module does: no outcome may be built on it.
    Engine(String),
}

/// How a module trapped. Engines tell some of these apart less well than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// `unreachable`.
    Unreachable,
    /// A load, a store or a segment outside of the memory.
    Memory,
    /// An element outside of a table.
    Table,
    /// An indirect call of nothing, or of a function of another type.
    IndirectCall,
    /// An integer divided by zero.
    DivisionByZero,
    /// A number that its type does not hold.
    Overflow,
    /// Calls that nest too deeply.
    Stack,
    /// Anything else.
    Other,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LongJump => f.write_str("it jumped out of a place that no longer exists"),
            Self::Abort(what) => f.write_str(what),
            Self::Exit(status) => write!(f, "it ended itself with exit({status})"),
            Self::Uncaught => f.write_str("it threw an exception that nothing caught"),
            Self::TooDeep => f.write_str("its calls nest too deeply"),
            Self::OutOfGas => f.write_str("it used all its gas"),
            Self::Waiting => f.write_str("it waits for the rest of its gas"),
            Self::Trap(trap) => write!(f, "{trap}"),
            Self::Wants(path) => write!(f, "it wants the file “{path}”"),
            Self::Refused(path) => write!(f, "it may not read the file “{path}”"),
            Self::HostMemory => f.write_str("this machine has no more memory"),
            Self::Engine(what) => write!(f, "its engine failed: {what}"),
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "it came to a place that it calls unreachable",
            Self::Memory => "an address is outside of the memory",
            Self::Table => "an element is outside of its table",
            Self::IndirectCall => "an indirect call meets no function of its type",
            Self::DivisionByZero => "a number is divided by zero",
            Self::Overflow => "a number does not fit its type",
            Self::Stack => "its calls nest too deeply",
            Self::Other => "WebAssembly does not allow what it did",
        })
    }
}

impl std::error::Error for Stop {}

impl Stop {
    /// An abort with its sentence.
    #[must_use]
    pub fn abort(what: impl Into<String>) -> Self {
        Self::Abort(what.into())
    }
}

impl From<Trap> for Stop {
    fn from(trap: Trap) -> Self {
        Self::Trap(trap)
    }
}

impl From<super::OutOfBounds> for Stop {
    fn from(_: super::OutOfBounds) -> Self {
        Self::Trap(Trap::Memory)
    }
}
