//! See `weft_fuzz::properties::rewrite_exceptions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weft_fuzz::properties::rewrite_exceptions(bytes));
