//! `cargo xtask vectors FILE…`: runs vector files and says of each case what was expected and what came out.
#![forbid(unsafe_code)]
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::print_stdout, reason = "a command line tool: printing is what it does")]

use std::process::ExitCode;

use serde_json::Value;
use weft_tests::vectors;

/// The longest value that is printed whole, in characters.
const SHOWN: usize = 2000;

fn main() -> ExitCode {
    let mut all_same = true;
    for file in std::env::args().skip(1) {
        let cases = std::fs::read(&file)
            .map_err(|error| error.to_string())
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).map_err(|error| error.to_string()))
            .and_then(|json| vectors::run(&json));
        match cases {
            Err(sentence) => {
                println!("{file}: {sentence}");
                all_same = false;
            }
            Ok(cases) => {
                for case in &cases {
                    let (expected, got) = (shown(&case.expected), shown(&case.got));
                    let verdict = if case.same() { "same" } else { "DIFFERS" };
                    println!("{verdict}  {}\n  expected {expected}\n  got      {got}", case.name);
                }
                let same = cases.iter().filter(|case| case.same()).count();
                println!("{file}: {same} of {} cases the same", cases.len());
                all_same &= same == cases.len();
            }
        }
    }
    if all_same { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text,
    }
}
