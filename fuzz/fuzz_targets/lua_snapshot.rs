//! See `weft_fuzz::properties::lua_snapshot`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weft_fuzz::properties::lua_snapshot(bytes));
