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
    let output = lua("print('before') while true do end", &["--fuel", "100000"]);
    assert!(!output.status.success());
    assert_eq!(output.stdout, b"before \n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("lua-out-of-fuel"));
}

#[test]
fn the_profile_of_lua_5_3_answers_as_puc_s_lua() {
    // tests/fixtures/lua53 has such answers of PUC's Lua by the hundred; here is how they are asked for.
    let output =
        lua("return math.maxinteger + 1, 1 / 0, 'x', {1, a = 2.0}", &["--json", "--profile", "lua53"]);
    assert_eq!(json(&output)["result"], "ok -9223372036854775808, inf, \"x\", {1, [\"a\"] = 2.0}");
    assert!(output.status.success());
    let output = lua("local t return t.x", &["--json", "--profile", "lua53"]);
    assert_eq!(json(&output)["result"], "error \"script:1: attempt to index a nil value (local 't')\"");
}
