//! See `weft_fuzz::properties::lua_number`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weft_fuzz::properties::lua_number(bytes));
