//! What the tests share: one test attribute for two platforms, the committed fixtures, a key to sign with.
//!
//! A test program that also runs in the browser starts with `weft_tests::in_browser!();` and marks its tests
//! `#[weft_tests::both]`, or `#[weft_tests::both_async]` for an `async fn`. Only what is below `web` is tested so;
//! the package depends on nothing that does not build for wasm32.
#![forbid(unsafe_code)]

pub mod contracts;
pub mod differential;
pub mod faulty;
pub mod fixtures;
pub mod history;
pub mod receipts;
pub mod signing;
pub mod vectors;
pub mod world;

#[cfg(not(target_arch = "wasm32"))]
pub use std::prelude::v1::test as both;
#[cfg(not(target_arch = "wasm32"))]
pub use tokio::test as both_async;
#[cfg(target_arch = "wasm32")]
pub use wasm_bindgen_test::{wasm_bindgen_test as both, wasm_bindgen_test as both_async};

/// Says that these tests, when they are wasm, run in a browser: in a dedicated worker, as the node does on the page.
#[macro_export]
macro_rules! in_browser {
    () => {
        #[cfg(target_arch = "wasm32")]
        wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);
    };
}
