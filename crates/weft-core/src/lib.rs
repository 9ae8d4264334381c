//! The process as a pure fold over its history: what a process sees and what it answers.
//!
//! Nothing here awaits, and nothing here knows a clock, a network or a store. A verified entry goes in, a
//! result comes out; `weft-node` decides which entries, and keeps the results.
#![forbid(unsafe_code)]

mod limits;
mod result;

pub use limits::NodeLimits;
pub use result::SlotResult;
