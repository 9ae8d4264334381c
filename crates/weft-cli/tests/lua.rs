//! `weft lua` as a user runs it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Runs `weft lua - …` with a script on its standard input.
fn lua(script: &str, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
    command.args(["lua", "-"]).args(more).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_script_gives_what_luerl_gives() {
    // Answers of Luerl 1.3.0: reference/vectors/luerl.json.
    let output = lua("return 9223372036854775807 + 1", &["--json", "--profile", "luerl"]);
    assert_eq!(json(&output)["result"], "ok [9223372036854775808]");
    assert!(output.status.success());
    let output = lua("return 4//2, 7//2, -7//2, 7.5//2", &["--json"]);
    assert_eq!(json(&output)["result"], "ok [2,3,-4,3.0]");
}

#[test]
fn a_script_without_end_ends_with_its_fuel() {
    let output = lua("while true do end", &["--fuel", "100000"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("lua-out-of-fuel"));
}

#[test]
fn a_profile_that_is_not_there_is_refused() {
    let output = lua("return 1", &["--profile", "lua53"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("request-invalid"));
}
