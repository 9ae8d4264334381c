//! Every vector that HyperBEAM made, in both platforms: `cargo xtask vectors FILE…` shows one file's cases.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, on both platforms")]
#![allow(clippy::print_stdout, reason = "how many cases ran is part of the result")]

use serde_json::json;
use weft_tests::{fixtures, vectors};

#[weft_tests::both]
fn all_cases_are_as_hyperbeam_has_them() {
    for (name, text, count) in fixtures::HYPERBEAM {
        let cases =
            vectors::run(&fixtures::json(text)).unwrap_or_else(|sentence| panic!("{name}: {sentence}"));
        for case in &cases {
            assert!(case.same(), "{name}: {}\nexpected {}\ngot      {}", case.name, case.expected, case.got);
        }
        println!("{name}: {} cases", cases.len());
        assert_eq!(cases.len(), count, "{name}");
    }
}

/// A list of steps in a file of its own, and a case that differs.
#[weft_tests::both]
fn a_list_of_steps_is_a_file_too() {
    let step = "UfSqKA58Hwk99Jg5fsYGY4iKDfnnUAW9MQdMv2-Fw40/k";
    let next = "G5dH2pmpAdggsRp1Go0El9i33YJDmFpIm92me6kkttE/next-key";
    let steps = |last: &str| {
        json!({
            "base_message": { "a": "b" },
            "steps": [{ "key": "k", "hashpath": step }, { "request": { "path": "next-key" }, "hashpath": last }],
        })
    };
    assert!(vectors::run(&steps(next)).unwrap().iter().all(vectors::Case::same));
    let differs: Vec<bool> = vectors::run(&steps(step)).unwrap().iter().map(vectors::Case::same).collect();
    assert_eq!(differs, [true, false]);
    assert!(vectors::run(&json!({ "cases": [{ "odd": 1 }] })).is_err());
    assert!(vectors::run(&json!({})).is_err());
}
