//! See `weft_fuzz::properties::lua53_program`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weft_fuzz::properties::lua53_program(bytes));
