//! See `weft_fuzz::properties::su_page`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weft_fuzz::properties::su_page(bytes));
