//! What every implementation of a seam must do, as functions over the seam. `tests/tests/contracts.rs` calls them with
//! the native and the memory implementations, the browser's tests with those of the browser.

pub mod clock;
pub mod engine;
pub mod fetch;
pub mod hostile;
pub mod signatures;
pub mod store;
