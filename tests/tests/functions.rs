//! Modules that HyperBEAM runs as they are, by their functions: its own tests of them, and every function against V8.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::rc::Rc;

use serde::Deserialize;
use weft_wasm::engine::Value;
use weft_wasm::{Code, Format, Functions, Library, Limits, Program};

use crate::differential::{PURE, other_modules, reference};

/// A node's test device: it multiplies.
struct TestDevice;

impl Library for TestDevice {
    fn answer(&self, module: &str, name: &str, args: &[Value]) -> Option<Value> {
        match (module, name, args) {
            ("my_lib", "mul", [Value::I32(a), Value::I32(b)]) => Some(Value::I32(a.wrapping_mul(*b))),
            _ => None,
        }
    }
}

fn limits() -> Limits {
    Limits { memory_bytes: 512 << 20, gas: 1_000_000_000 }
}

fn program(bytes: &[u8]) -> Program {
    Program::compile(bytes, Format::Pure, &limits()).unwrap().with_library(Rc::new(TestDevice))
}

fn open(file: &str) -> Option<(Program, Functions)> {
    let program = program(&std::fs::read(other_modules(&format!("hyperbeam/{file}"))?).unwrap());
    let functions = Functions::new(&program, limits()).unwrap();
    Some((program, functions))
}

fn double(number: f64) -> Value {
    Value::F64(number.to_bits())
}

/// What `dev_wasm.erl`, `hb_beamr.erl` and `hb_beamr_io.erl` assert of these modules.
#[test]
fn the_tests_of_hyperbeam_hold() {
    for file in ["test.wasm", "test-64.wasm"] {
        let Some((_, mut module)) = open(file) else { return };
        assert_eq!(module.call("fac", &[double(5.0)]).unwrap().result, Some(double(120.0)), "{file}");
    }
    let Some((program, mut module)) = open("pow_calculator.wasm") else { return };
    let mut pow = |a, b| module.call("pow", &[Value::I32(a), Value::I32(b)]).unwrap().result;
    assert_eq!([pow(2, 5), pow(2, 2)], [Some(Value::I32(32)), Some(Value::I32(4))]);
    let snapshot = module.snapshot();
    let mut restored = Functions::restore(&program, limits(), &snapshot).unwrap();
    assert_eq!(restored.memory_sha256(), module.memory_sha256());
    assert_eq!(restored.call("pow", &[Value::I32(2), Value::I32(2)]).unwrap().result, Some(Value::I32(4)));

    let Some((_, mut module)) = open("test-print.wasm") else { return };
    assert_eq!(module.memory_bytes(), 65_536);
    assert_eq!(module.read(66, 13).unwrap(), b"Hello, World!");
    assert!(module.write(0, b"Hello, World!") && !module.write(1_000_000, b"Bad hello world!"));
    assert_eq!(module.read(1_000_000, 13), None);
    let Some((_, module)) = open("aos-2-pure-xs.wasm") else { return };
    // A node's runtime adds a page of its own for its heap.
    assert_eq!(module.memory_bytes(), 65_536 * (193 - 1));
    let Some((_, mut module)) = open("test-calling.wasm") else { return };
    let malloc = |module: &mut Functions, size| match module.signature("malloc").unwrap().params[..] {
        [ty] => module.call("malloc", &[Value::of(ty, size)]).unwrap().result.unwrap().bits(),
        _ => panic!("malloc takes one number"),
    };
    assert_ne!(malloc(&mut module, 100), 0);
    assert_eq!(malloc(&mut module, 128 << 20), 0, "its memory has a maximum");
    let at = malloc(&mut module, 14);
    assert!(module.write(at, b"Hello, World!\0"));
    assert_eq!(module.read(at, 13).unwrap(), b"Hello, World!");
}

/// The same for `handle` of aos, as `dev_wasi.erl` calls it.
#[test]
fn aos_adds_one_and_one() {
    let Some((_, mut module)) = open("aos-2-pure-xs.wasm") else { return };
    let texts = [
        r#"{"From":"FOOBAR","Block-Height":"1","Target":"AOS","Owner":"FOOBAR","Id":"1","Module":"W","Tags":[{"name":"Action","value":"Eval"}],"Data":"return 1 + 1"}"#,
        r#"{"Process":{"Id":"AOS","Owner":"FOOBAR","Tags":[{"name":"Name","value":"Thomas"}, {"name":"Authority","value":"FOOBAR"}]}}"#,
    ];
    let places = texts.map(|text| {
        let bytes = [text.as_bytes(), &[0]].concat();
        let at =
            module.call("malloc", &[Value::I64(bytes.len().try_into().unwrap())]).unwrap().result.unwrap();
        assert!(module.write(at.bits(), &bytes));
        at
    });
    let answer = module.call("handle", &places).unwrap().result.unwrap().bits();
    let answer: Vec<u8> = (answer..)
        .map_while(|at| module.read(at, 1).unwrap().first().copied().filter(|byte| *byte != 0))
        .collect();
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["response"]["Output"]["data"], "2", "{answer}");
}

/// One call on V8.
#[derive(Deserialize)]
struct Answer {
    name: String,
    args: Vec<(String, String)>,
    result: Option<(String, String)>,
    failed: Option<String>,
    memory_sha256: String,
}

fn value((ty, bits): &(String, String)) -> Value {
    let bits: u64 = bits.parse().unwrap();
    match ty.as_str() {
        "i32" => Value::of(weft_wasm::engine::Type::I32, bits),
        "i64" => Value::of(weft_wasm::engine::Type::I64, bits),
        "f32" => Value::of(weft_wasm::engine::Type::F32, bits),
        _ => Value::of(weft_wasm::engine::Type::F64, bits),
    }
}

/// Every function with some arguments, one after the other in one instance: the results, what fails, and the whole memory.
#[test]
fn every_function_gives_what_v8_gives() {
    for file in [
        "test.wasm",
        "test-64.wasm",
        "test-print.wasm",
        "test-calling.wasm",
        "pow_calculator.wasm",
        "test-ex.wasm",
    ] {
        let Some(path) = other_modules(&format!("hyperbeam/{file}")) else { return };
        let answers: Vec<Answer> =
            serde_json::from_str(&reference(&path, PURE, "keep", br#"{"calls":"all"}"#)).unwrap();
        let mut module = Functions::new(&program(&std::fs::read(&path).unwrap()), limits()).unwrap();
        let mut failed = 0;
        for Answer { name, args, result, failed: why, memory_sha256 } in &answers {
            let args: Vec<Value> = args.iter().map(value).collect();
            let ours = module.call(name, &args);
            match (&ours, why) {
                (Ok(called), None) => {
                    assert_eq!(called.result, result.as_ref().map(value), "{file} {name} {args:?}");
                }
                (Err(error), Some(_)) if error.code() == Code::Trap => failed += 1,
                _ => panic!("{file} {name} {args:?}: {ours:?} here, {why:?} on V8"),
            }
            // A module without a memory has one of no bytes here.
            assert_eq!(
                hex::encode(module.memory_sha256()),
                *memory_sha256,
                "{file} {name} {args:?}: the memory"
            );
        }
        println!("{file}: {} calls, {failed} of them fail", answers.len());
    }
}
