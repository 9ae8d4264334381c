//! Programs beside what Luerl 1.3.0 answered: `tests/fixtures/lua`, and the reference's `luerl.json` where `../shared` stands
//! beside the repository. What differs is listed in `known-differences.json`, and a listed case that agrees fails the test.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use weft_lua::{Limits, Profile, Vm, answer};

const KNOWN: &str = "known-differences.json";
/// More than any program of the corpus needs, and little enough that one that runs away ends soon.
const LIMITS: Limits = Limits { fuel: 200_000_000, memory: 256 << 20, depth: 200_000 };

struct Case {
    lua: String,
    luerl: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/lua")
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn cases(path: &Path) -> Vec<Case> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let file = read(path);
    file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| Case { lua: text(&case["lua"]), luerl: text(&case["luerl"]) })
        .collect()
}

fn known() -> BTreeMap<String, String> {
    let file = read(&folder().join(KNOWN));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    file["cases"].as_array().unwrap().iter().map(|case| (text(&case["lua"]), text(&case["why"]))).collect()
}

fn ours(program: &str) -> String {
    let mut vm = Vm::new(Profile::Luerl, LIMITS);
    answer(&mut vm, program.as_bytes()).unwrap_or_else(|error| format!("{} {:?}", error.kind().code(), error))
}

/// Of a program that is refused, Luerl's words are for people: the kind and the line count.
fn compared(answer: &str) -> &str {
    match answer.strip_prefix("compile_error [{") {
        Some(rest) => rest.split_once(',').map_or(rest, |(line, _)| line),
        None => answer,
    }
}

fn corpus() -> Vec<(String, Vec<Case>)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().is_some_and(|name| name != KNOWN));
    paths.sort();
    paths.iter().map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), cases(path))).collect()
}

#[test]
fn every_case_of_the_corpus_agrees_or_is_listed() {
    let known = known();
    let (mut agreed, mut listed) = (0_u32, 0_u32);
    let (mut wrong, mut passing) = (Vec::new(), Vec::new());
    // Past the capture of the test runner: the counts are part of the result.
    let mut out = std::io::stdout();
    for (name, cases) in corpus() {
        let before = agreed;
        for case in &cases {
            let found = ours(&case.lua);
            let same = compared(&found) == compared(&case.luerl)
                && found.starts_with("compile") == case.luerl.starts_with("compile");
            match (same, known.contains_key(&case.lua)) {
                (true, false) => agreed += 1,
                (false, true) => listed += 1,
                (true, true) => passing.push(case.lua.clone()),
                (false, false) => {
                    wrong.push(format!("{name}: {}\n  luerl {}\n  ours  {found}", case.lua, case.luerl));
                }
            }
        }
        writeln!(out, "lua corpus, {name}: {} of {} as Luerl", agreed - before, cases.len()).unwrap();
    }
    writeln!(out, "{agreed} passed, {} failed, {listed} skipped", wrong.len() + passing.len()).unwrap();
    if let Some(path) = std::env::var_os("WEFT_LUA_DIFFERENCES") {
        std::fs::write(path, wrong.join("\n")).unwrap();
    }
    assert!(passing.is_empty(), "listed in {KNOWN}, but these agree:\n{}", passing.join("\n"));
    let shown: Vec<&str> = wrong.iter().take(20).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} programs differ from Luerl:\n{}", wrong.len(), shown.join("\n"));
}

#[test]
fn the_reference_s_cases_agree_to_the_letter() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference/vectors/luerl.json");
    let mut out = std::io::stdout();
    if !path.is_file() {
        writeln!(out, "luerl.json: ../shared/reference is not there; the committed corpus stands for it")
            .unwrap();
        return;
    }
    let cases = cases(&path);
    let wrong: Vec<String> = cases
        .iter()
        .map(|case| (case, ours(&case.lua)))
        .filter(|(case, found)| *found != case.luerl)
        .map(|(case, found)| format!("{}\n  luerl {}\n  ours  {found}", case.lua, case.luerl))
        .collect();
    writeln!(out, "luerl.json: {} of {} to the letter", cases.len() - wrong.len(), cases.len()).unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
