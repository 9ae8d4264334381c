//! What a Lua process sees and says: signed items as AO-Core messages, and its results as a compute unit's.

mod local;
mod said;
mod seen;

pub use local::{LocalAnswer, LocalProfile, LocalRun, LocalScript};
pub(crate) use said::{json_of, outbox};
pub(crate) use seen::{held_of, module_message, process_message, request_message, shown_message};
