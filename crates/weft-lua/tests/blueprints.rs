//! The blueprints of `examples/blueprints`, beside what Luerl 1.3.0 makes of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use weft_lua::{Limits, Profile, Vm};

fn read(name: &str) -> String {
    std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/blueprints").join(name),
    )
    .unwrap()
}

#[test]
fn blueprints_do_as_on_luerl() {
    for name in ["chat", "staking", "token", "voting"] {
        let program =
            [read(&format!("{name}.lua")), read(&format!("{name}.messages.lua")), read("run.lua")].concat();
        let mut vm = Vm::new(Profile::Luerl, Limits::default());
        let answer = weft_lua::answer(&mut vm, program.as_bytes()).unwrap();
        assert_eq!(answer, read(&format!("{name}.luerl")).trim_end_matches('\n'), "{name}");
    }
}
