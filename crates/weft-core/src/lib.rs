//! The process as a pure fold over its history: what a process sees and what it answers.
//!
//! Nothing here awaits, and nothing here knows a clock, a network or a store. A verified entry goes in, a
//! result comes out; `weft-node` decides which entries, and keeps the results.
#![forbid(unsafe_code)]

pub mod aocore;
pub mod dedup;
mod limits;
mod lua;
mod machine;
mod modules;
mod options;
mod replay;
mod result;
pub mod view;
pub mod weavedrive;

pub use limits::NodeLimits;
pub use lua::{LocalAnswer, LocalProfile, LocalRun, LocalScript};
pub use machine::{
    Evaluated, Evaluation, LuaAnswer, LuaRun, ProcessMachine, Program, SignedModules, Snapshot, check_signed,
    compile, compile_kept,
};
pub use modules::{MAX_MODULES, MAX_MODULES_BYTES, boot_item, module_ids};
pub use options::{EngineKind, ModuleFormat, ModuleOptions, cron_intervals, needs_weavedrive, parse_size};
pub use replay::{Replay, ResultCheck};
pub use result::SlotResult;
pub use weft_wasm::engine::Engine;
pub use weft_wasm::{Engines, Policy, RanOn};
