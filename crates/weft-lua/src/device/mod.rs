//! `lua@5.3a` and the part of `process@1.0` that runs it: what HyperBEAM does around Luerl (reference devices.md §2, §6).
//!
//! | part | what |
//! |---|---|
//! | [`Held`] | values of a state in memory, between messages and the machine |
//! | [`Device`] | modules, sandbox, calls; the machine is kept only if a call's result is a message |
//! | `ao` | the table `ao` that scripts see: `get`, `resolve`, `set`, `event` |
//! | [`Process`] | a state that assignments are applied to, slot by slot, and its snapshot |
//! | [`Script`] | a function over a state that keeps nothing |
//!
//! Where a node fails, the outcome is the node's, with the reason: [`Outcome::Failed`], [`Outcome::Thrown`], [`Outcome::Stuck`].

mod ao;
mod call;
mod held;
mod modules;
mod process;
mod script;
mod snapshot;

pub use call::{Called, Device};
pub use held::{Held, Key, Map, read_message, write_message};
pub use modules::Store;
pub use process::{Outcome, Process, Slot};
pub use script::{Script, ScriptAnswer};
