//! Lua: a virtual machine that answers with Luerl's bytes, and metered expressions over results on piccolo.
//!
//! The virtual machine is [`Vm`]. docs/lua.md says why it is our own and what it promises; a [`Filter`] is one Lua expression
//! that is true or false of a JSON value, metered, with a memory cap, without input, output, clock or randomness.
#![forbid(unsafe_code)]

mod answer;
mod answer53;
mod compile;
mod error;
#[cfg(feature = "filter")]
mod filter;
mod heap;
#[cfg(feature = "filter")]
mod json;
mod snapshot;
mod stdlib;
mod syntax;
mod value;
mod vm;
mod world;

pub mod device;
pub mod format;
pub mod math;
pub mod number;
pub mod pattern;
pub mod random;

pub use answer::{answer, described};
pub use error::{Callee, ErrorKind, Level, LuaError, Term};
#[cfg(feature = "filter")]
pub use filter::Filter;
pub use value::{BigId, EnvId, NativeId, ProtoId, StrId, TableId, Value};
pub use vm::{Call, Host, Limits, Profile, Returns, Vm};
pub use world::{Nowhere, World};
