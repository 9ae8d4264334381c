//! See `weft_fuzz::properties::request_path`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weft_fuzz::properties::request_path(bytes));
