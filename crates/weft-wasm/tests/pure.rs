//! Modules that HyperBEAM runs as they are: functions by their names, imports that nobody answers, tables, processes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::rc::Rc;

use serde_json::json;
use weft_wasm::engine::Value;
use weft_wasm::{Code, Format, Functions, Library, Limits, Machine, OnError, Program};

fn limits() -> Limits {
    Limits { memory_bytes: 4 << 20, gas: 1_000_000 }
}

fn program(text: &str) -> Program {
    Program::compile(&wat::parse_str(text).unwrap(), Format::Pure, &limits()).unwrap()
}

fn functions(text: &str) -> Functions {
    Functions::new(&program(text), limits()).unwrap()
}

#[test]
fn a_module_without_a_memory_is_called() {
    let mut module = functions(
        r#"(module (type (func)) (tag (type 0))
          (func $fac (export "fac") (param f64) (result f64)
            (if (result f64) (f64.lt (local.get 0) (f64.const 1)) (then (f64.const 1))
              (else (f64.mul (local.get 0) (call $fac (f64.sub (local.get 0) (f64.const 1)))))))
          (func (export "memory") (throw 0)) (func (export "two") (result i32 i32) (i32.const 1) (i32.const 2)))"#,
    );
    let five = Value::F64(5_f64.to_bits());
    let called = module.call("fac", &[five]).unwrap();
    assert_eq!(called.result, Some(Value::F64(120_f64.to_bits())));
    assert!(called.gas > 0);
    for (name, args) in [
        ("fac", vec![]),
        ("fac", vec![Value::I32(5)]),
        ("two", vec![]),
        ("none", vec![]),
        ("weft:gas", vec![]),
    ] {
        assert_eq!(module.call(name, &args).unwrap_err().code(), Code::DeviceFailed, "{name}");
    }
    assert_eq!(module.memory_bytes(), 0);
    assert!(module.read(0, 1).is_none() && module.read(u64::MAX, 1).is_none() && !module.write(0, b"a"));
    let endless = Value::F64(f64::INFINITY.to_bits());
    assert!(module.call("fac", &[endless]).is_err());
}

#[test]
fn imports_are_the_library_s_or_nothing() {
    struct Adds;
    impl Library for Adds {
        fn answer(&self, module: &str, name: &str, args: &[Value]) -> Option<Value> {
            let [Value::I32(a), Value::I32(b)] = args else { return None };
            (module == "lib" && name == "add").then_some(Value::I32(a.wrapping_add(*b)))
        }
    }
    let text = r#"(module (import "lib" "add" (func $add (param i32 i32) (result i32)))
      (import "nobody" "knows" (func $nobody (param f64) (result i64)))
      (func (export "add") (param i32) (result i32) (call $add (local.get 0) (i32.const 2)))
      (func (export "nobody") (result i64) (call $nobody (f64.const 3))))"#;
    let mut bare = functions(text);
    let with = program(text).with_library(Rc::new(Adds));
    let mut module = Functions::new(&with, limits()).unwrap();
    assert_eq!(bare.call("add", &[Value::I32(40)]).unwrap().result, Some(Value::I32(0)));
    assert_eq!(module.call("add", &[Value::I32(40)]).unwrap().result, Some(Value::I32(42)));
    assert_eq!(module.call("nobody", &[]).unwrap().result, Some(Value::I64(0)));
    let other = "(module (import \"a\" \"b\" (func (param externref))))";
    let refused =
        Program::compile(&wat::parse_str(other).unwrap(), Format::Pure, &limits()).map(drop).unwrap_err();
    assert_eq!(refused.code(), Code::ModuleInvalid);
}

#[test]
fn invoke_calls_the_table() {
    let mut module = functions(
        r#"(module (import "env" "invoke_vi" (func $invoke (param i32 i32))) (import "env" "invoke_j" (func $bare (param i64) (result i64)))
          (import "env" "invoke_vi" (func $again (param i32 i32)))
          (import "env" "_emscripten_throw_longjmp" (func $jump))
          (memory (export "memory") i64 1 2) (table 5 funcref) (elem (i32.const 1) $keep $fails $nothing $loops)
          (func $keep (param i32) (i32.store (i64.const 8) (local.get 0)))
          (func $fails (param i32) (call $jump) (unreachable))
          (func $nothing (result i64) (i32.store (i64.const 8) (i32.const 99)) (i64.const 5))
          (func $loops (param i32) (call $invoke (i32.const 4) (local.get 0)))
          (func (export "at") (param i32 i32) (result i32)
            (call $invoke (local.get 0) (local.get 1)) (i32.load (i64.const 8)))
          (func (export "bare") (param i64) (result i64) (call $bare (local.get 0))))"#,
    );
    let mut at = |place, number| module.call("at", &[Value::I32(place), Value::I32(number)]);
    assert_eq!(at(1, 7).unwrap().result, Some(Value::I32(7)));
    // What jumps, what is not there, what has another type, and what goes on for ever.
    for place in [2, 0, 3, 9, 4] {
        assert_eq!(at(place, 8).unwrap_err().code(), Code::Trap, "{place}");
    }
    assert_eq!(at(1, 6).unwrap().result, Some(Value::I32(6)));
    assert_eq!(module.call("bare", &[Value::I64(3)]).unwrap().result, Some(Value::I64(0)));
    assert_eq!(module.read(8, 1).unwrap(), [6], "it calls nothing without an argument");
    assert!(module.call("weft:call:vi", &[Value::I32(1), Value::I32(1)]).is_err());
}

/// A process: it counts, and writes to a descriptor if the message says so.
const PROCESS: &str = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i64 i64 i64) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i64) (result i32)))
  (memory (export "memory") i64 1 2) (global $heap (mut i64) (i64.const 4096))
  (data (i64.const 1024) "{\"ok\":true,\"response\":{\"Output\":{\"data\":\"0\"}}}\00")
  (func (export "malloc") (param i64) (result i64)
    (global.get $heap) (global.set $heap (i64.add (global.get $heap) (local.get 0))))
  (func (export "free") (param i64) (unreachable))
  (func (export "handle") (param i64 i64) (result i64)
    (i32.store8 (i64.const 1065) (i32.add (i32.load8_u (i64.const 1065)) (call $clock (i32.const 0) (i64.const 0) (i64.const 0))))
    (drop (call $write (i32.const 1) (i64.const 0) (i64.extend_i32_u (i32.eq (i32.load8_u (local.get 0)) (i32.const 119))) (i64.const 64)))
    (i64.const 1024)))"#;

#[test]
fn a_process_is_handled_as_json_iface_does() {
    let mut machine = Machine::new(&program(PROCESS), limits(), OnError::RollBack).unwrap();
    assert_eq!(machine.step("a", "{}").unwrap().output, json!({"data": "1"}));
    let failed = machine.step("w", "{}").unwrap();
    assert_eq!((failed.failure, failed.rolled_back), (Some(Code::Trap), true));
    assert!(failed.error.unwrap().to_string().contains("wasi@1.0"));
    assert_eq!(machine.step("a", "{}").unwrap().output, json!({"data": "2"}));
}

#[test]
fn what_is_altered_never_panics() {
    let texts = [
        PROCESS,
        "(module (import \"env\" \"invoke_ii\" (func (param i32 i32) (result i32))) (table 1 funcref) (func (export \"f\")))",
    ];
    for wasm in texts.map(|text| wat::parse_str(text).unwrap()) {
        for at in 0..wasm.len() {
            for bit in 0..8 {
                let mut altered = wasm.clone();
                altered[at] ^= 1 << bit;
                let Ok(program) = Program::compile(&altered, Format::Pure, &limits()) else { continue };
                let Ok(mut machine) = Machine::new(&program, limits(), OnError::RollBack) else { continue };
                let _any = machine.step("a", "{}");
            }
        }
    }
}
