//! A rewritten module on two engines, V8 and wasmi: the same answers, the same gas; and the original on V8 answers alike.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "how much was compared is part of the result")]

use std::path::{Path, PathBuf};
use std::process::Command;

use wasmi::{Caller, Engine, Extern, Linker, Module, Store, Val};
use weft_wasm::rewrite::{GAS, GAS_MODULE, GAS_NAME, GROW_NAME, UNCAUGHT_NAME, rewrite};

const UNARY: [&str; 5] = ["sqrt", "ceil", "floor", "trunc", "nearest"];
const BINARY: [&str; 6] = ["add", "sub", "mul", "div", "min", "max"];

/// Bits of doubles and floats that make an operation choose: NaN of both signs, quiet and signalling, and what gives NaN.
const OPERANDS: [(u64, u32); 9] = [
    (0xFFF8_0000_0000_0000, 0xFFC0_0000),
    (0x7FF8_0000_0000_0000, 0x7FC0_0000),
    (0x7FF8_0000_0000_0123, 0x7FC0_0123),
    (0xFFF0_0000_2000_0009, 0xFF80_0009),
    (0, 0),
    (0x3FF0_0000_0000_0000, 0x3F80_0000),
    (0xBFF4_0000_0000_0000, 0xBFA0_0000),
    (0x7FF0_0000_0000_0000, 0x7F80_0000),
    (0xFFF0_0000_0000_0000, 0xFF80_0000),
];

/// Names of exports, and their arguments.
pub(crate) type Calls = Vec<(String, Vec<u64>)>;

/// A module of functions from bits to bits, and the calls of them.
fn floats() -> (String, Calls) {
    let (mut text, mut calls) = ("(module\n".to_owned(), Vec::new());
    for (width, wide) in [("f64", true), ("f32", false)] {
        let bits = |(double, float): (u64, u32)| if wide { double } else { u64::from(float) };
        let operand = |at: usize| match wide {
            true => format!("(f64.reinterpret_i64 (local.get {at}))"),
            false => format!("(f32.reinterpret_i32 (i32.wrap_i64 (local.get {at})))"),
        };
        let result = |value: String| match wide {
            true => format!("(i64.reinterpret_f64 {value})"),
            false => format!("(i64.extend_i32_u (i32.reinterpret_f32 {value}))"),
        };
        for op in UNARY {
            let body = result(format!("({width}.{op} {})", operand(0)));
            text += &format!("(func (export \"{width}.{op}\") (param i64) (result i64) {body})\n");
            calls.extend(OPERANDS.map(|a| (format!("{width}.{op}"), vec![bits(a)])));
        }
        for op in BINARY {
            let body = result(format!("({width}.{op} {} {})", operand(0), operand(1)));
            text += &format!("(func (export \"{width}.{op}\") (param i64 i64) (result i64) {body})\n");
            for a in OPERANDS {
                calls.extend(OPERANDS.map(|b| (format!("{width}.{op}"), vec![bits(a), bits(b)])));
            }
        }
    }
    text += r#"(func (export "promote") (param i64) (result i64)
        (i64.reinterpret_f64 (f64.promote_f32 (f32.reinterpret_i32 (i32.wrap_i64 (local.get 0))))))
      (func (export "demote") (param i64) (result i64)
        (i64.extend_i32_u (i32.reinterpret_f32 (f32.demote_f64 (f64.reinterpret_i64 (local.get 0)))))))"#;
    for (double, float) in OPERANDS {
        calls.push(("promote".to_owned(), vec![float.into()]));
        calls.push(("demote".to_owned(), vec![double]));
    }
    (text, calls)
}

/// The same of vectors, whose lanes hold the operands in both orders: functions of the halves of the result.
fn vectors() -> (String, Calls) {
    let (mut text, mut calls) = ("(module\n".to_owned(), Vec::new());
    let mut function = |op: &str, operands: &[[usize; 2]], wide: bool| {
        let bits = |(double, float): (u64, u32)| if wide { double } else { u64::from(float) };
        let vectors: String = operands.iter().map(|[a, b]| vector(*a, *b, wide)).collect();
        for half in 0..2 {
            let name = format!("{op} {half}");
            text += &format!(
                "(func (export \"{name}\") (param i64 i64) (result i64) (i64x2.extract_lane {half} ({op} {vectors})))\n"
            );
            for a in OPERANDS {
                calls.extend(OPERANDS.map(|b| (name.clone(), vec![bits(a), bits(b)])));
            }
        }
    };
    for (shape, wide) in [("f64x2", true), ("f32x4", false)] {
        for op in UNARY {
            function(&format!("{shape}.{op}"), &[[0, 1]], wide);
        }
        for op in BINARY.iter().chain(&["pmin", "pmax"]) {
            function(&format!("{shape}.{op}"), &[[0, 1], [1, 0]], wide);
        }
    }
    function("f64x2.promote_low_f32x4", &[[0, 1]], false);
    function("f32x4.demote_f64x2_zero", &[[0, 1]], true);
    (text + ")", calls)
}

/// A vector of the bits in two arguments: of both as doubles, or as the first, second, fourth, and nothing as the third float.
fn vector(a: usize, b: usize, wide: bool) -> String {
    if wide {
        return format!("(i64x2.replace_lane 1 (i64x2.splat (local.get {a})) (local.get {b}))");
    }
    let [a, b] = [a, b].map(|at| format!("(i32.wrap_i64 (local.get {at}))"));
    format!("(i32x4.replace_lane 2 (i32x4.replace_lane 0 (i32x4.splat {b}) {a}) (i32.const 0))")
}

/// Control flow, calls, memory: what gas is counted by.
const WORK: &str = r#"(module (memory (export "memory") 1 20) (table 3 funcref) (elem (i32.const 0) $fib $collatz $copy)
  (type $f (func (param i64) (result i64)))
  (func $fib (export "fib") (type $f)
    (if (result i64) (i64.lt_u (local.get 0) (i64.const 2)) (then (local.get 0))
      (else (i64.add (call $fib (i64.sub (local.get 0) (i64.const 1))) (call $fib (i64.sub (local.get 0) (i64.const 2)))))))
  (func $collatz (export "collatz") (type $f) (local $steps i64)
    (block $out (loop $again
      (br_if $out (i64.le_u (local.get 0) (i64.const 1)))
      (local.set $steps (i64.add (local.get $steps) (i64.const 1)))
      (local.set 0 (if (result i64) (i64.eqz (i64.and (local.get 0) (i64.const 1)))
        (then (i64.shr_u (local.get 0) (i64.const 1)))
        (else (i64.add (i64.mul (local.get 0) (i64.const 3)) (i64.const 1)))))
      (br $again)))
    (local.get $steps))
  (func $copy (export "copy") (type $f)
    (memory.fill (i32.const 0) (i32.const 7) (i32.wrap_i64 (local.get 0)))
    (memory.copy (i32.const 100) (i32.const 0) (i32.wrap_i64 (local.get 0)))
    (drop (memory.grow (i32.wrap_i64 (i64.rem_u (local.get 0) (i64.const 4)))))
    (i64.add (i64.load (i32.const 120)) (i64.extend_i32_u (memory.size))))
  (func (export "any") (type $f)
    (block $b2 (block $b1 (block $b0
      (br_table $b0 $b1 $b2 (i32.wrap_i64 (i64.rem_u (local.get 0) (i64.const 3)))))
      (return (i64.const 0)))
      (return_call $collatz (local.get 0)))
    (call_indirect (type $f) (i64.rem_u (local.get 0) (i64.const 20)) (i32.wrap_i64 (i64.rem_u (local.get 0) (i64.const 2))))))"#;

fn work() -> Calls {
    let names = ["fib", "collatz", "copy", "any"];
    let all = names.iter().flat_map(|name| (0..16_u64).map(|argument| ((*name).to_owned(), vec![argument])));
    all.collect()
}

/// On node: each call's answer, and its gas if the module counts any. An answer may be `uncaught` or `trapped`.
pub(crate) fn on_v8(name: &str, module: &[u8], calls: &Calls) -> Vec<(String, Option<String>)> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("engines");
    std::fs::create_dir_all(&folder).unwrap();
    let (wasm, list) = (folder.join(format!("{name}.wasm")), folder.join(format!("{name}.json")));
    std::fs::write(&wasm, module).unwrap();
    let texts: Vec<(&String, Vec<String>)> =
        calls.iter().map(|(name, args)| (name, args.iter().map(u64::to_string).collect())).collect();
    std::fs::write(&list, serde_json::to_vec(&texts).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential/engines.mjs");
    let output = Command::new("node").arg(script).arg(wasm).arg(list).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same on wasmi.
pub(crate) fn on_wasmi(module: &[u8], calls: &Calls) -> Vec<(String, Option<String>)> {
    const FULL: i64 = 1_000_000;
    let engine = Engine::default();
    let module = Module::new(&engine, module).unwrap();
    let (mut store, mut linker) = (Store::new(&engine, ()), Linker::new(&engine));
    let out = || -> Result<(), wasmi::Error> { Err(wasmi::Error::new("out of gas")) };
    linker.func_wrap(GAS_MODULE, GAS_NAME, out).unwrap();
    let grow = |mut caller: Caller<'_, ()>, pages: i32| -> i32 {
        let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return -1 };
        let before = memory.grow(&mut caller, pages.cast_unsigned().into()).ok();
        before.and_then(|pages| i32::try_from(pages).ok()).unwrap_or(-1)
    };
    linker.func_wrap(GAS_MODULE, GROW_NAME, grow).unwrap();
    let uncaught = || -> Result<(), wasmi::Error> { Err(wasmi::Error::new("uncaught")) };
    linker.func_wrap(GAS_MODULE, UNCAUGHT_NAME, uncaught).unwrap();
    let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
    let gas = instance.get_global(&store, GAS).unwrap();
    let mut answers = Vec::new();
    for (name, args) in calls {
        gas.set(&mut store, Val::I64(FULL)).unwrap();
        let args: Vec<Val> = args.iter().map(|arg| Val::I64(arg.cast_signed())).collect();
        let mut result = [Val::I64(0)];
        let ended = instance.get_func(&store, name).unwrap().call(&mut store, &args, &mut result);
        let (Val::I64(answer), Val::I64(left)) = (result[0].clone(), gas.get(&store)) else {
            panic!("{name}")
        };
        let answer = match ended {
            Ok(()) => answer.cast_unsigned().to_string(),
            Err(error) if error.as_trap_code().is_some() => "trapped".to_owned(),
            Err(error) if error.to_string() == "uncaught" => "uncaught".to_owned(),
            Err(error) => panic!("{name}: {error}"),
        };
        answers.push((answer, Some((FULL - left).to_string())));
    }
    answers
}

fn equal_on_both(name: &str, text: &str, calls: &Calls) -> (Vec<u8>, Vec<(String, Option<String>)>) {
    let original = wat::parse_str(text).unwrap();
    let rewritten = rewrite(&original).unwrap();
    let (v8, wasmi) = (on_v8(name, &rewritten, calls), on_wasmi(&rewritten, calls));
    for ((call, v8), wasmi) in calls.iter().zip(&v8).zip(&wasmi) {
        assert_eq!(v8, wasmi, "{call:x?}");
    }
    assert_eq!(v8.len(), calls.len());
    println!("{name}: {} calls, equal answers and gas", calls.len());
    (original, v8)
}

#[test]
fn gas_and_answers_are_equal_on_both_engines() {
    let calls = work();
    let (original, rewritten) = equal_on_both("work", WORK, &calls);
    let plain = on_v8("work-original", &original, &calls);
    for ((call, (plain, _)), (rewritten, _)) in calls.iter().zip(&plain).zip(&rewritten) {
        assert_eq!(plain, rewritten, "{call:x?}");
    }
}

#[test]
fn nan_is_equal_on_both_engines_and_that_of_x86() {
    for (name, (text, calls)) in [("floats", floats()), ("vectors", vectors())] {
        let (original, rewritten) = equal_on_both(name, &text, &calls);
        if cfg!(target_arch = "x86_64") {
            let plain = on_v8(&format!("{name}-original"), &original, &calls);
            for ((call, (plain, _)), (rewritten, _)) in calls.iter().zip(&plain).zip(&rewritten) {
                assert_eq!(plain, rewritten, "{call:x?}");
            }
        }
    }
}
