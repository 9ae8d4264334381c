//! The browser side of Weft: the seams over IndexedDB, `fetch` and the event loop, and the exports that the worker in
//! `web/js/worker.ts` calls. Everything here runs in a dedicated worker, never on the page's own thread.
//!
//! Natively the crate is empty.
#![cfg(target_arch = "wasm32")]

mod api;
mod boundary;
mod cards;
mod check;
mod clock;
mod demo;
mod engine;
mod events;
mod fetch;
mod fraud;
mod include;
mod lua;
mod network;
mod panic;
mod receipt_file;
mod road;
mod signatures;
mod store;
mod tamper;

pub use api::WeftNode;
pub use clock::BrowserClock;
pub use engine::Native;
pub use fetch::{BrowserFetch, Cancel};
pub use network::WeftNetwork;
pub use signatures::WebCrypto;
pub use store::IndexedStore;
