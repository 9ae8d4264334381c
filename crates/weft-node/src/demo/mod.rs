//! The demo process: a signed history of the token program that a page can sync without any network, and a list of
//! ways to falsify it, each of which must be refused.

mod archive;
mod build;
mod fetch;
pub mod tamper;

pub use archive::{DemoArchive, DemoChain, DemoEntry, Kept};
pub use build::{DemoKeys, FORGED_SLOT, build_demo};
pub use fetch::DemoFetch;
