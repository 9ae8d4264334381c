//! See `weft_fuzz::rewrite::rewrite_module`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _compared = weft_fuzz::rewrite::rewrite_module(bytes);
});
