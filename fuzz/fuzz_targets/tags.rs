//! See `weft_fuzz::properties::tags`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weft_fuzz::properties::tags(bytes));
