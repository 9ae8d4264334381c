//! Runs the wasm module of an AO process: one message in, one outcome out, memory kept in place.
//!
//! [`Program`] is a compiled module, [`Machine`] a running process, [`Outcome`] what one message gave, [`Snapshot`] the
//! whole state between two messages. Everything here is synchronous and pure: no clock, no network, no files. The clock
//! and the files that a module sees are the deterministic ones of the loader it was made for.
//!
//! # Formats
//!
//! `wasm64-unknown-emscripten-draft_2024_02_15` and `wasm32-unknown-emscripten4` are those of npm `@permaweb/ao-loader`;
//! output and memory are equal to the loader's, byte by byte (`tests/tests/differential.rs`).
//!
//! # The plain ABI: `wasm32-unknown-unknown`
//!
//! For programs that need no emscripten. Such a module imports nothing, and exports:
//!
//! | Export | Type | Meaning |
//! |---|---|---|
//! | `memory` | 32-bit memory | holds the whole state, with the mutable globals |
//! | `malloc` | `(i32) -> i32` | gives a block of that many bytes, or 0 |
//! | `handle` | `(i32, i32) -> i32` | evaluates a message |
//! | `free` | `(i32)` | optional: takes a block back |
//! | `_initialize` | `()` | optional: called once in a new instance |
//!
//! For each message the host takes two blocks from `malloc`, writes the message and the environment as NUL-terminated
//! UTF-8 JSON, calls `handle` with their addresses, reads the NUL-terminated answer at the address that comes back, and
//! gives both blocks to `free`. The answer belongs to the module and must stay until the next call. The JSON is that of
//! ao-loader: `{"ok": true, "response": {"Output", "Messages", "Spawns", "Assignments", "Error"?}}`.
//!
//! State is the memory and the mutable globals, which are numbers. A module that changes tables or drops segments while it
//! runs is refused, since a snapshot would not hold that. After a message that failed, the memory of before goes into a
//! new instance: the globals start anew. `examples/token` is a program for this ABI.
//!
//! # HyperBEAM's own: `wasm-64@1.0`
//!
//! A module that a node runs without a loader's conventions, with the devices `wasm-64@1.0`, `wasi@1.0` and `json-iface@1.0`. It may
//! import whatever it wants ([`Library`] answers; 0 where nobody does), and may have a memory of either kind or none. As a process it
//! exports `malloc` and `handle`: a message and the environment are written into blocks of `malloc` that nobody takes back. Any
//! module's functions are called by their names ([`Functions`]).
#![forbid(unsafe_code)]

mod divergence;
mod drive;
pub mod engine;
mod format;
mod functions;
mod host;
mod inspect;
mod instance;
pub mod interface;
mod limits;
mod machine;
mod outcome;
mod pages;
mod prepared;
mod program;
pub mod rewrite;
mod runner;
mod snapshot;

pub use divergence::Divergence;
pub use drive::Drive;
pub use format::Format;
pub use functions::{Called, Functions};
pub use host::pure::Library;
pub use limits::{Limits, OnError};
pub use machine::{Machine, Progress, Step};
pub use outcome::Outcome;
pub use pages::PAGE;
pub use prepared::Prepared;
pub use program::Program;
pub use runner::{Engines, Policy, RanOn, Runner, Setup, Turn, Turned};
pub use snapshot::Snapshot;
pub use weft_codec::{Code, Error, Result};
