//! See `weft_fuzz::properties::graphql_answer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| weft_fuzz::properties::graphql_answer(bytes));
