//! The demo: two tokens, one in Rust and one in Lua, with signed histories that a page can sync without any network, and a
//! list of ways to falsify them, each of which must be refused.

mod archive;
mod build;
mod fetch;
mod scripts;
pub mod tamper;

pub use archive::{DemoArchive, DemoChain, DemoEntry, DemoProcess, Kept};
pub use build::{DemoKeys, DemoPrograms, FORGED_SLOT, build_demo};
pub use fetch::DemoFetch;
