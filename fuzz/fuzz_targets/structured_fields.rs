//! See `weft_fuzz::properties::structured_fields`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weft_fuzz::properties::structured_fields(bytes));
