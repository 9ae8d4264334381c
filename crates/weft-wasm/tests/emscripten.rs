//! Guests of the emscripten formats that aos does not show: jumps without end, waiting, files, exits.
//!
//! What aos itself does is compared with the loader in `tests/tests/differential.rs`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use weft_wasm::{Code, Format, Limits, Machine, OnError, Outcome, Program};

/// The exports that the format asks for, with a stack that grows down from 64 KiB, around `handle`'s body.
fn guest(imports: &str, functions: &str, body: &str) -> String {
    format!(
        r#"(module {imports}
  (memory (export "memory") 4)
  (global $sp (mut i32) (i32.const 3000000))
  (data (i32.const 1024) "{{\"ok\":true,\"response\":{{\"Output\":\"done\"}}}}\00")
  (func (export "malloc") (param i32) (result i32) (i32.const 131072))
  (func (export "free") (param i32))
  (func $threw (export "setThrew") (param i32 i32) (i32.store (i32.const 512) (local.get 0)))
  (func (export "emscripten_stack_init"))
  (func (export "emscripten_stack_get_end") (result i32) (i32.const 2048))
  (func (export "emscripten_stack_get_free") (result i32) (i32.const 2900000))
  (func (export "emscripten_stack_get_current") (result i32) (global.get $sp))
  (func (export "_emscripten_stack_restore") (param i32) (global.set $sp (local.get 0)))
  (func (export "_emscripten_stack_alloc") (param i32) (result i32) (i32.const 16384))
  (func (export "asyncify_start_unwind") (param i32))
  (func (export "asyncify_stop_unwind"))
  (func (export "asyncify_start_rewind") (param i32))
  (func (export "asyncify_stop_rewind"))
  {functions}
  (func (export "handle") (param i32 i32) (result i32) {body}))"#
    )
}

fn run(imports: &str, functions: &str, body: &str) -> Outcome {
    let wasm = wat::parse_str(guest(imports, functions, body)).unwrap();
    let limits = Limits { memory_bytes: 4 << 20, gas: 1_000_000_000 };
    let program = Program::compile(&wasm, Format::Emscripten4, &limits).unwrap();
    let mut machine = Machine::new(&program, limits, OnError::RollBack).unwrap();
    machine.step("{}", "{}").unwrap()
}

const DONE: &str = "(i32.const 1024)";

#[test]
fn nested_invocations_end_before_the_stack_of_the_host() {
    let outcome = run(
        r#"(import "env" "invoke_v" (func $invoke (param i32)))"#,
        r#"(func (export "dynCall_v") (param i32) (call $invoke (i32.const 0)))"#,
        &format!("(call $invoke (i32.const 0)) {DONE}"),
    );
    assert_eq!(outcome.failure, Some(Code::Trap));
    assert!(outcome.error.unwrap().as_str().unwrap().contains("too deeply"));
}

#[test]
fn a_jump_lands_at_the_nearest_invocation() {
    let outcome = run(
        r#"(import "env" "invoke_v" (func $invoke (param i32)))
           (import "env" "_emscripten_throw_longjmp" (func $jump))"#,
        r#"(func (export "dynCall_v") (param i32) (call $jump))"#,
        &format!(
            "(call $invoke (i32.const 0)) (if (i32.ne (i32.load (i32.const 512)) (i32.const 1)) (then (unreachable))) {DONE}"
        ),
    );
    assert_eq!((outcome.output, outcome.failure), (json!("done"), None));
    let nowhere = run(
        r#"(import "env" "_emscripten_throw_longjmp" (func $jump))"#,
        "",
        &format!("(call $jump) {DONE}"),
    );
    assert_eq!(nowhere.failure, Some(Code::Trap));
}

#[test]
fn a_missing_dyn_call_is_the_modules_fault() {
    let outcome = run(
        r#"(import "env" "invoke_v" (func $invoke (param i32)))"#,
        "",
        &format!("(call $invoke (i32.const 0)) {DONE}"),
    );
    assert_eq!(outcome.failure, Some(Code::Trap));
    assert!(outcome.error.unwrap().as_str().unwrap().contains("dynCall_v"));
}

#[test]
fn exit_abort_and_drives_end_the_message() {
    for (import, call) in [
        (r#"(import "env" "exit" (func $f (param i32)))"#, "(call $f (i32.const 3))"),
        (r#"(import "env" "_abort_js" (func $f))"#, "(call $f)"),
        (
            r#"(import "env" "__asyncjs__weavedrive_close" (func $f (param i32) (result i32)))"#,
            "(drop (call $f (i32.const 3)))",
        ),
        (
            r#"(import "env" "__assert_fail" (func $f (param i32 i32 i32 i32)))"#,
            "(call $f (i32.const 1024) (i32.const 0) (i32.const 0) (i32.const 0))",
        ),
    ] {
        let outcome = run(import, "", &format!("{call} {DONE}"));
        assert!(outcome.failure == Some(Code::Trap) && outcome.rolled_back, "{import}: {outcome:?}");
    }
}

#[test]
fn pointers_out_of_memory_are_the_modules_fault() {
    for (import, call) in [
        (
            r#"(import "wasi_snapshot_preview1" "fd_write" (func $f (param i32 i32 i32 i32) (result i32)))"#,
            "(drop (call $f (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 8)))",
        ),
        (
            r#"(import "wasi_snapshot_preview1" "fd_write" (func $f (param i32 i32 i32 i32) (result i32)))"#,
            "(drop (call $f (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 8)))",
        ),
        (
            r#"(import "env" "__syscall_openat" (func $f (param i32 i32 i32 i32) (result i32)))"#,
            "(drop (call $f (i32.const -100) (i32.const 262143) (i32.const 0) (i32.const 0)))",
        ),
        (
            r#"(import "env" "_tzset_js" (func $f (param i32 i32 i32 i32)))"#,
            "(call $f (i32.const -4) (i32.const 0) (i32.const 0) (i32.const 0))",
        ),
    ] {
        let outcome =
            run(import, "", &format!("(i32.store8 (i32.const 262143) (i32.const 65)) {call} {DONE}"));
        assert_eq!(outcome.failure, Some(Code::Trap), "{call}: {outcome:?}");
    }
}

#[test]
fn copying_costs_gas() {
    let outcome = run(
        r#"(import "env" "_emscripten_memcpy_js" (func $f (param i32 i32 i32)))"#,
        "",
        "(loop $l (call $f (i32.const 131072) (i32.const 0) (i32.const 131072)) (br $l)) (unreachable)",
    );
    assert_eq!(outcome.failure, Some(Code::GasLimit));
}

#[test]
fn an_import_of_another_type_does_no_harm() {
    // Every import takes and gives whatever numbers the module declares.
    for import in ["fd_write", "fd_read", "fd_seek", "fd_close", "environ_get", "environ_sizes_get"] {
        let import =
            format!("(import \"wasi_snapshot_preview1\" \"{import}\" (func $f (param f64) (result f32)))");
        let _any = run(&import, "", &format!("(drop (call $f (f64.const 1))) {DONE}"));
    }
    for import in
        ["strftime", "_mktime_js", "__syscall_ioctl", "emscripten_date_now", "emscripten_resize_heap"]
    {
        let import = format!("(import \"env\" \"{import}\" (func $f (param f32) (result i64)))");
        let _any = run(&import, "", &format!("(drop (call $f (f32.const 1))) {DONE}"));
    }
}

#[test]
fn a_message_larger_than_the_stack_is_refused() {
    let wasm = wat::parse_str(guest("", "", DONE)).unwrap();
    let limits = Limits { memory_bytes: 4 << 20, gas: 1_000_000_000 };
    let program = Program::compile(&wasm, Format::Emscripten4, &limits).unwrap();
    let mut machine = Machine::new(&program, limits, OnError::RollBack).unwrap();
    let outcome = machine.step(&format!("\"{}\"", "x".repeat(2_000_000)), "{}").unwrap();
    assert_eq!(outcome.failure, Some(Code::Trap));
    assert_eq!(machine.step("{}", "{}").unwrap().output, json!("done"));
}
