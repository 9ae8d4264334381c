//! Profile `lua53` against PUC's Lua 5.3: what it answers to the programs of `tests/lua53/cases`, as `tests/fixtures/lua53` has
//! it. What differs is listed in `known-differences.json` there; a listed program that agrees fails the test, too.
//!
//! `WEFT_LUA_DIFFERENCES=FILE` writes what differs.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use weft_lua::{Limits, Profile, Vm, answer};

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/lua53"))
}

fn ours(program: &str) -> String {
    let limits = Limits { fuel: 200_000_000, ..Limits::default() };
    let mut vm = Vm::new(Profile::Lua53, limits);
    match answer(&mut vm, program.as_bytes()) {
        Ok(text) => text,
        Err(error) => format!("{}: {}", error.code(), String::from_utf8_lossy(&vm.error_text(&error))),
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the name of a file to write, for who works on this")]
fn programs_end_as_in_puc_s_lua() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let listed: Value =
        serde_json::from_slice(&std::fs::read(fixtures().join("known-differences.json")).unwrap()).unwrap();
    let listed: BTreeSet<String> = listed["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["lua"].as_str().unwrap().to_owned())
        .collect();
    let (mut all, mut wrong, mut fixed) = (0, Vec::new(), Vec::new());
    for file in files.iter().filter(|file| !file.ends_with("known-differences.json")) {
        let file: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap() {
            let (program, wanted) = (case["lua"].as_str().unwrap(), case["puc"].as_str().unwrap());
            let given = ours(program);
            all += 1;
            match (given == wanted, listed.contains(program)) {
                (false, false) => wrong.push(json!({ "lua": program, "puc": wanted, "weft": given })),
                (true, true) => fixed.push(program.to_owned()),
                _ => {}
            }
        }
    }
    if let Ok(path) = std::env::var("WEFT_LUA_DIFFERENCES") {
        std::fs::write(path, serde_json::to_string_pretty(&json!({ "cases": wrong })).unwrap()).unwrap();
    }
    assert!(all >= 700, "the corpus is there");
    assert!(fixed.is_empty(), "listed as different, but equal: {fixed:#?}");
    let shown: Vec<_> = wrong.iter().take(3).collect();
    assert!(wrong.is_empty(), "{} of {all} differ, such as {shown:#?}", wrong.len());
}
