//! See `weft_fuzz::properties::httpsig`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weft_fuzz::properties::httpsig(bytes));
