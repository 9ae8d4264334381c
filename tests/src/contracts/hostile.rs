//! Modules made to harm: on every engine each is refused or stopped with its code, whatever the policy, and its process is what it
//! was before.

use std::rc::Rc;

use weft_wasm::engine::Engine;
use weft_wasm::{Code, Engines, Error, Format, Limits, OnError, Policy, Runner, Setup, Turned};

/// What every module here has.
const HEAD: &str = r#"(memory (export "memory") 2 5000)
  (func (export "malloc") (param i32) (result i32) (i32.const 4096))"#;

/// Where an answer stands.
const ANSWER: &str = r#"(data (i32.const 1024) "{\"ok\":true,\"response\":{\"Output\":\"0\"}}\00")"#;

/// When a module is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Met {
    /// Before it runs.
    Refused(Code),
    /// When it starts.
    NotStarted(Code),
    /// By its first message.
    Stopped(Code),
    /// Not at all: what it does is within its limits.
    Runs,
}

fn limits() -> Limits {
    Limits { memory_bytes: 64 << 20, gas: 3_000_000 }
}

/// A module whose message does this.
fn message(body: &str) -> String {
    format!(
        "(module {HEAD} {ANSWER} (func (export \"handle\") (param i32 i32) (result i32) {body} (i32.const 1024)))"
    )
}

/// A module that has this beside what it needs.
fn with(part: &str) -> String {
    format!(
        "(module {HEAD} {ANSWER} {part} (func (export \"handle\") (param i32 i32) (result i32) (i32.const 1024)))"
    )
}

fn texts() -> Vec<(String, Met)> {
    use Met::{NotStarted, Refused, Runs, Stopped};
    let repeated = |what: &str, times: usize| what.repeat(times);
    let deep = format!("{} {}", repeated("(block ", 60_000), repeated(")", 60_000));
    let globals = repeated("(global (mut i64) (i64.const 0))", 300);
    let locals = format!("(func (local {}))", repeated("i64 ", 50_100));
    vec![
        (message(""), Runs),
        // Tables, memories, globals, nesting, locals.
        (with("(table 2000000 funcref)"), Refused(Code::TooLarge)),
        (with("(table i64 0x100000000 funcref)"), Refused(Code::TooLarge)),
        (with(&repeated("(table 1 funcref)", 40)), Refused(Code::TooLarge)),
        (with(&globals), Refused(Code::TooLarge)),
        (with(&locals), Refused(Code::ModuleInvalid)),
        (message(&deep), Refused(Code::ModuleInvalid)),
        (with("(memory 1)"), Refused(Code::ModuleInvalid)),
        (message("").replace("2 5000", "5000"), Refused(Code::MemoryLimit)),
        (message("").replace("2 5000", "65536"), Refused(Code::MemoryLimit)),
        // Imports.
        (message("").replace("(module", "(module (import \"env\" \"launch\" (func))"), Refused(Code::ModuleInvalid)),
        (message("").replace("(module", "(module (import \"weft\" \"gas\" (func))"), Refused(Code::ModuleInvalid)),
        (message("").replace("(module", "(module (import \"env\" \"g\" (global i32))"), Refused(Code::ModuleInvalid)),
        (message("").replace("(module", "(module (import \"env\" \"t\" (table 1 funcref))"), Refused(Code::ModuleInvalid)),
        // Names that the rewrite gives, exported already.
        (with("(func (export \"weft:start\"))  (func $s) (start $s)"), Refused(Code::ModuleInvalid)),
        (with("(global (export \"weft:gas\") (mut i64) (i64.const 0))"), Refused(Code::ModuleInvalid)),
        // What this version does not run.
        (with("(tag $e) (func (block (try_table (catch $e 0) (throw $e))))"), Refused(Code::ModuleInvalid)),
        (with("(tag $e (param externref)) (func (throw $e (ref.null extern)))"), Refused(Code::ModuleInvalid)),
        (with("(tag $e (param v128)) (func (throw $e (v128.const i64x2 0 0)))"), Refused(Code::ModuleInvalid)),
        (with("(func try catch_all end)"), Refused(Code::ModuleInvalid)),
        (with("(func (drop (i32x4.relaxed_trunc_f32x4_s (v128.const i64x2 0 0))))"), Refused(Code::ModuleInvalid)),
        (with("(func (param v128) (result v128) (f64x2.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))"), Refused(Code::ModuleInvalid)),
        (with("(global (mut v128) (v128.const i64x2 0 0))"), Refused(Code::ModuleInvalid)),
        (message("").replace("(module", "(module (import \"env\" \"exit\" (func (param v128)))"), Refused(Code::ModuleInvalid)),
        // Vectors: what is infinitely many of them, what is NaN in all their lanes, and what lies beyond the memory.
        (message("(loop $l (v128.store (i32.const 0) (f32x4.max (v128.load (i32.const 0)) (v128.const i64x2 -1 -1))) (br $l))"), Stopped(Code::GasLimit)),
        (message("(v128.store (i32.const 131060) (f64x2.div (v128.const i64x2 0 0) (v128.const i64x2 0 0)))"), Stopped(Code::Trap)),
        (message("(v128.store (i32.const 0) (f32x4.demote_f64x2_zero (f64x2.sqrt (v128.const f64x2 -1 nan))))"), Runs),
        (message("").replace("2 5000", "2 5000 shared"), Refused(Code::ModuleInvalid)),
        (with("(table $t 1 funcref) (func (table.set $t (i32.const 0) (ref.null func)))"), Refused(Code::ModuleInvalid)),
        (with("(table $t 1 funcref) (func (drop (table.grow $t (ref.null func) (i32.const 9))))"), Refused(Code::ModuleInvalid)),
        // Starts.
        (with("(func $s (loop $l (br $l))) (start $s)"), NotStarted(Code::GasLimit)),
        (with("(func $s (call $s)) (start $s)"), NotStarted(Code::Trap)),
        (with("(func $s (unreachable)) (start $s)"), NotStarted(Code::Trap)),
        (with("(data (i32.const 131071) \"xx\")"), NotStarted(Code::Trap)),
        (with("(table 1 funcref) (func $f) (elem (i32.const 1) $f)"), NotStarted(Code::Trap)),
        // Exceptions.
        (message("(throw $e)").replace("(module", "(module (tag $e)"), Stopped(Code::ExceptionUncaught)),
        (message("try throw 0 catch_all rethrow 0 end").replace("(module", "(module (tag $e)"), Stopped(Code::ExceptionUncaught)),
        (message("try throw 0 catch 0 end").replace("(module", "(module (tag $e)"), Runs),
        (message("loop $l try throw 0 catch_all br $l end end").replace("(module", "(module (tag $e)"), Stopped(Code::GasLimit)),
        (with("(tag $e) (func $s (throw $e)) (start $s)"), NotStarted(Code::ExceptionUncaught)),
        // Messages that do not end.
        (message("(loop $l (br $l))"), Stopped(Code::GasLimit)),
        (message("(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 131072)) (br $l))"), Stopped(Code::GasLimit)),
        (message("(loop $l (drop (memory.grow (i32.const 0))) (br $l))"), Stopped(Code::GasLimit)),
        (message("(loop $l (drop (memory.grow (i32.const 1))) (br $l))"), Stopped(Code::GasLimit)),
        // Memory is there to be asked for.
        (message("(drop (memory.grow (i32.const 900))) (drop (memory.grow (i32.const -1)))"), Runs),
        (message("(i32.store (i32.const -2) (i32.const 1))"), Stopped(Code::Trap)),
        // Recursion: into itself, by a table, and wide.
        (message("(call $deep (i64.const 0))").replace("(func (export \"handle\")", "(func $deep (param i64) (call $deep (i64.add (local.get 0) (i64.const 1)))) (func (export \"handle\")"), Stopped(Code::Trap)),
        (message("(call_indirect (i32.const 0))").replace("(func (export \"handle\")", "(table 1 funcref) (func $deep (call_indirect (i32.const 0)) (call_indirect (i32.const 0))) (elem (i32.const 0) $deep) (func (export \"handle\")"), Stopped(Code::Trap)),
        (message("(drop (call $wide (i32.const 60)))").replace("(func (export \"handle\")", "(func $wide (param i32) (result i32) (if (result i32) (local.get 0) (then (i32.add (call $wide (i32.sub (local.get 0) (i32.const 1))) (call $wide (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 1)))) (func (export \"handle\")"), Stopped(Code::GasLimit)),
        // Answers that are none.
        (message("(return (i32.const -1))"), Stopped(Code::ResultMalformed)),
        (message("(memory.fill (i32.const 0) (i32.const 34) (i32.const 131072))"), Stopped(Code::ResultMalformed)),
    ]
}

/// Bytes that are no module: a sound one, cut short, with a section twice, in another order, and with lengths that lie.
fn broken() -> Result<Vec<Vec<u8>>, String> {
    let sound = wat::parse_str(message("")).map_err(|error| error.to_string())?;
    let mut list: Vec<Vec<u8>> =
        (0..sound.len()).step_by(7).map(|end| sound.iter().take(end).copied().collect()).collect();
    let (head, sections) = sound.split_at(8);
    list.push([head, sections, sections].concat());
    list.push([head, &[10, 2, 0, 0], sections].concat());
    for length in
        [[0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x80, 0x80, 0x80, 0x80, 0x80]]
    {
        for id in [0, 1, 3, 10, 11, 99] {
            list.push([head, &[id], &length, sections].concat());
        }
    }
    Ok(list)
}

/// What a process gives until it is found out. Whoever takes it for another is told what it was.
fn met(module: &[u8], engines: &Engines) -> Result<Met, Error> {
    let setup = match Setup::compile(module, Format::Plain, &limits(), engines) {
        Ok(setup) => setup,
        Err(error) => return Ok(Met::Refused(error.code())),
    };
    let mut runner = match Runner::new(&setup, limits(), OnError::RollBack) {
        Ok(runner) => runner,
        Err(error) => return Ok(Met::NotStarted(error.code())),
    };
    let before = runner.memory_sha256();
    let mut turn = runner.begin("{\"a\":\"b\"}".to_owned(), "{}".to_owned())?;
    let outcome = loop {
        match turn.go_on(1_000_000)? {
            Turned::Ended(outcome, _) => break outcome,
            Turned::More(rest) => turn = rest,
        }
    };
    let Some(code) = outcome.failure else { return Ok(Met::Runs) };
    assert_eq!(before, runner.memory_sha256(), "{code:?} left its marks");
    Ok(Met::Stopped(code))
}

/// Every hostile module is met on this engine, under each policy, as it should be. Returns how many there were.
pub fn are_met(engine: &Rc<dyn Engine>) -> usize {
    let mut modules = Vec::new();
    for (text, expected) in texts() {
        match wat::parse_str(&text) {
            Ok(module) => modules.push((text, module, expected)),
            Err(error) => assert!(text.is_empty(), "{error}"),
        }
    }
    let refused = |bytes: Vec<u8>| (format!("{bytes:02x?}"), bytes, Met::Refused(Code::ModuleInvalid));
    modules.extend(broken().unwrap_or_default().into_iter().map(refused));
    for (text, module, expected) in &modules {
        for policy in [Policy::Referee, Policy::Reference, Policy::Fast] {
            let engines = Engines { fast: Some(Rc::clone(engine)), policy };
            let text: String = text.chars().take(600).collect();
            assert_eq!(
                met(module, &engines).map_err(|error| error.to_string()),
                Ok(*expected),
                "{policy:?}: {text}"
            );
        }
    }
    modules.len()
}
