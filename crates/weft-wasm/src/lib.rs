//! Runs the wasm module of an AO process: one message in, one outcome out, memory kept in place.
//!
//! [`Program`] is a compiled module, [`Machine`] a running instance of it, [`Outcome`] what one message gave, [`Snapshot`]
//! the whole state between two messages. Everything here is synchronous and pure: no clock, no network, no files. The
//! clock and the files that a module sees are the deterministic ones of the loader it was made for.

mod format;
mod host;
mod inspect;
mod instance;
mod limits;
mod machine;
mod outcome;
mod program;
mod rollback;
mod snapshot;

pub use format::Format;
pub use limits::{Limits, OnError};
pub use machine::Machine;
pub use outcome::Outcome;
pub use program::Program;
pub use snapshot::Snapshot;
pub use weft_codec::{Code, Error, Result};
