//! The ways in which the host stops a module.

use std::fmt;

use wasmi::errors::HostError;

/// Why the host stopped the module. Travels through wasmi as an error.
#[derive(Debug)]
pub(crate) enum Halt {
    /// `longjmp`: caught by the nearest `invoke_*`.
    LongJump,
    /// `abort` or a broken promise of the module.
    Abort(String),
    /// `exit` with its status.
    Exit(i32),
    /// Calls nested deeper than the host's own stack allows.
    TooDeep,
    /// A call inside this import waits for the next slice: see `slices`.
    Stopped,
    /// This machine, not the module, ran out of memory: no outcome may be built on it.
    HostMemory,
}

impl HostError for Halt {}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LongJump => f.write_str("it jumped out of a place that no longer exists"),
            Self::Abort(what) => f.write_str(what),
            Self::Exit(status) => write!(f, "it ended itself with exit({status})"),
            Self::TooDeep => f.write_str("its calls nest too deeply"),
            Self::Stopped => f.write_str("it waits for the rest of its gas"),
            Self::HostMemory => f.write_str("this machine has no more memory"),
        }
    }
}

impl Halt {
    /// The halt inside a wasmi error.
    pub(crate) fn of(error: &wasmi::Error) -> Option<&Self> {
        error.downcast_ref::<Self>()
    }

    /// An abort with its sentence.
    pub(crate) fn abort(what: impl Into<String>) -> wasmi::Error {
        wasmi::Error::host(Self::Abort(what.into()))
    }
}
