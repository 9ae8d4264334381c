//! What must hold for any bytes whatever: the bodies of the fuzz targets. `tests/tests/fuzz_seeds.rs` runs them over
//! the committed seeds without a fuzzer.
#![forbid(unsafe_code)]

pub mod properties;
// Run without a fuzzer by `crates/weft-wasm/tests/rewrite.rs`.
#[path = "properties/rewrite.rs"]
pub mod rewrite;
