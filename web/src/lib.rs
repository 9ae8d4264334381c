//! The browser side of Weft: the seams over IndexedDB, `fetch` and the event loop, and the exports that the worker in
//! `web/js/worker.ts` calls. Everything here runs in a dedicated worker, never on the page's own thread.
//!
//! Natively the crate is empty.
#![cfg(target_arch = "wasm32")]

mod clock;
mod error;
mod fetch;
mod store;

pub use clock::BrowserClock;
pub use fetch::{BrowserFetch, Cancel};
pub use store::IndexedStore;
