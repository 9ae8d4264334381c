//! What every WebAssembly engine keeps: a module's answers, its gas, its memory, its failures and their codes are those of
//! wasmi.

use std::rc::Rc;

use weft_wasm::engine::{Engine, Wasmi};
use weft_wasm::{
    Code, Engines, Format, Limits, Machine, OnError, Policy, Program, RanOn, Runner, Setup, Turned,
};

/// A guest that does what the letter in `{"a":"…"}` says, and counts: in a global and in its memory.
const GUEST: &str = r#"(module
  (memory (export "memory") 2 200)
  (type $f (func (result i32)))
  (table 3 funcref) (elem (i32.const 0) $none)
  (global $heap (mut i32) (i32.const 4096))
  (global $count (mut i64) (i64.const 0))
  (global $half (mut f64) (f64.const 0.5))
  (global $small (mut f32) (f32.const -0.25))
  (data (i32.const 1024) "{\"ok\":true,\"response\":{\"Output\":\"00\"}}\00")
  (data (i32.const 1152) "{\"ok\":true,\"response\":{\"Error\":\"no\",\"Output\":\"said\"}}\00")
  (func $none)
  (func (export "malloc") (param $size i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -16)))))
  (func (export "free") (param i32) (global.set $heap (i32.const 4096)))
  (func $sum (param i32) (result i32) (local $s i32)
    (loop $again
      (local.set $s (i32.add (local.get $s) (i32.mul (local.get 0) (i32.const 7))))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $s))
  (func $is (param $what i32) (param $letter i32) (result i32) (i32.eq (local.get $what) (local.get $letter)))
  (func (export "handle") (param $message i32) (param $env i32) (result i32) (local $what i32)
    (local.set $what (i32.load8_u offset=6 (local.get $message)))
    (global.set $count (i64.add (global.get $count) (i64.const 1)))
    (global.set $half (f64.add (global.get $half) (f64.div (f64.const 1) (f64.convert_i64_s (global.get $count)))))
    (global.set $small (f32.demote_f64 (global.get $half)))
    (i64.store (i32.const 512) (i64.add (i64.load (i32.const 512)) (i64.const 3)))
    (f64.store (i32.const 520) (f64.sqrt (f64.const -1)))
    (f64.store (i32.const 528) (global.get $half))
    (f32.store (i32.const 536) (global.get $small))
    (i32.store8 (i32.const 1057) (i32.add (i32.const 48) (i32.rem_u (i32.load (i32.const 512)) (i32.const 10))))
    (i32.store8 (i32.const 1058) (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (global.get $count) (i64.const 10)))))
    (if (call $is (local.get $what) (i32.const 0x73)) (then (i32.store (i32.const 540) (call $sum (i32.const 5000))))) ;; s
    (if (call $is (local.get $what) (i32.const 0x65)) (then (return (i32.const 1152))))                                ;; e
    (if (call $is (local.get $what) (i32.const 0x74)) (then (unreachable)))                                            ;; t
    (if (call $is (local.get $what) (i32.const 0x6f)) (then (return (i32.const -16))))                                 ;; o
    (if (call $is (local.get $what) (i32.const 0x6c)) (then (loop $again (br $again))))                                ;; l
    (if (call $is (local.get $what) (i32.const 0x64)) (then                                                            ;; d
      (i32.store (i32.const 544) (i32.div_u (i32.const 1) (i32.load (i32.const 60000))))))
    (if (call $is (local.get $what) (i32.const 0x63)) (then (drop (call_indirect (type $f) (i32.const 0)))))           ;; c
    (if (call $is (local.get $what) (i32.const 0x6d)) (then (i32.store (i32.const -4) (i32.const 1))))                 ;; m
    (if (call $is (local.get $what) (i32.const 0x76)) (then                                                            ;; v
      (i32.store (i32.const 548) (i32.trunc_f64_s (f64.const 1e300)))))
    (if (call $is (local.get $what) (i32.const 0x67)) (then                                                            ;; g
      (if (i32.eq (memory.grow (i32.const 20)) (i32.const -1)) (then (unreachable)))
      (memory.fill (i32.const 140000) (i32.const 7) (i32.const 70000))
      (memory.copy (i32.const 150000) (i32.const 500) (i32.const 100))))
    (i32.const 1024)))"#;

/// What the messages are told, one letter each; failures in between.
const LETTERS: &str = "aasaegatasoaldacamavagagagsas";

/// What one message showed.
type Shown = (String, u64, Option<Code>, bool, u64, String);

fn limits() -> Limits {
    Limits { memory_bytes: 45 * 65_536, gas: 3_000_000 }
}

/// Runs the messages; in the middle the process goes on from its snapshot, in another machine.
fn history(engine: &dyn Engine) -> Result<Vec<Shown>, String> {
    let text = |error: weft_wasm::Error| format!("{}: {error:?}", engine.name());
    let wasm = wat::parse_str(GUEST).map_err(|error| error.to_string())?;
    let program = Program::compile_on(engine, &wasm, Format::Plain, &limits()).map_err(text)?;
    if program.engine() != engine.name() {
        return Err(format!("the program runs on {}", program.engine()));
    }
    let mut machine = Machine::new(&program, limits(), OnError::RollBack).map_err(text)?;
    let mut shown = Vec::new();
    for (at, letter) in LETTERS.chars().enumerate() {
        if at == LETTERS.len() / 2 {
            let snapshot = machine.snapshot().map_err(text)?;
            machine = Machine::restore(&program, limits(), OnError::RollBack, &snapshot).map_err(text)?;
        }
        let outcome = machine.step(&format!("{{\"a\":\"{letter}\"}}"), "{}").map_err(text)?;
        let said = format!("{letter} {} {:?}", outcome.output, outcome.error);
        let memory: String = machine.memory_sha256().iter().map(|byte| format!("{byte:02x}")).collect();
        shown.push((said, outcome.gas, outcome.failure, outcome.rolled_back, machine.memory_bytes(), memory));
    }
    Ok(shown)
}

/// Every message shows on this engine what it shows on wasmi. Returns how many were compared.
pub fn holds(engine: &dyn Engine) -> usize {
    let (found, expected) = (history(engine), history(&Wasmi));
    let (Ok(found), Ok(expected)) = (&found, &expected) else {
        assert_eq!(found, expected, "both run");
        return 0;
    };
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "{}", engine.name());
    }
    assert_eq!(found.len(), expected.len(), "all messages");
    for code in [Code::Trap, Code::GasLimit, Code::MemoryLimit, Code::ResultMalformed] {
        assert!(
            expected.iter().any(|(_, _, failure, ..)| *failure == Some(code)),
            "none fails with {code:?}"
        );
    }
    found.len()
}

/// Counts to a hundred thousand, and answers.
const LONG: &str = r#"(module
  (memory (export "memory") 1 2)
  (data (i32.const 1024) "{\"ok\":true,\"response\":{\"Output\":\"done\"}}\00")
  (func (export "malloc") (param i32) (result i32) (i32.const 4096))
  (func (export "handle") (param i32 i32) (result i32)
    (loop $again
      (i32.store (i32.const 516) (i32.add (i32.load (i32.const 516)) (i32.const 1)))
      (br_if $again (i32.lt_u (i32.load (i32.const 516)) (i32.const 100000))))
    (i32.const 1024)))"#;

/// Of two engines that cannot stop a call on its way, one without end to its patience and one with little, the second leaves a message of many slices
/// to wasmi; what it gives is the same, and so is the state.
#[expect(clippy::unwrap_used, reason = "a contract fails by panicking")]
pub fn leaves_to_wasmi(engines: [Rc<dyn Engine>; 2]) {
    let wasm = wat::parse_str(LONG).unwrap();
    let ran = engines.map(|fast| {
        let engines = Engines { fast: Some(fast), policy: Policy::Fast };
        let setup = Setup::compile(&wasm, Format::Plain, &Limits::default(), &engines).unwrap();
        let mut runner = Runner::new(&setup, Limits::default(), OnError::RollBack).unwrap();
        let mut turn = runner.begin("{}".to_owned(), "{}".to_owned()).unwrap();
        let (outcome, on) = loop {
            match turn.go_on(10_000).unwrap() {
                Turned::Ended(outcome, on) => break (outcome, on),
                Turned::More(rest) => turn = rest,
            }
        };
        (outcome, on, runner.snapshot().unwrap().memory_root())
    });
    let [whole, left] = ran;
    assert_eq!((whole.1, left.1), (RanOn::Fast, RanOn::Reference));
    assert_eq!((whole.0, whole.2), (left.0, left.2));
}
