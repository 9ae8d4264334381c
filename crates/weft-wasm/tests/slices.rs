//! A message cut into slices gives what it gives in one piece: outcome, gas and memory.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use weft_wasm::{Code, Format, Limits, Machine, OnError, Outcome, Program, Progress};

/// Guests whose `handle` is called through every way a call can stand in.
const JUMPS: &str = r#"(module
  (import "env" "invoke_ii" (func $invoke_ii (param i32 i32) (result i32)))
  (import "env" "invoke_v" (func $invoke_v (param i32)))
  (import "env" "_emscripten_throw_longjmp" (func $jump))
  (import "env" "__asyncjs__weavedrive_open" (func $wait (param i32 i32) (result i32)))
  (import "env" "_emscripten_memcpy_js" (func $memcpy (param i32 i32 i32)))
  (memory (export "memory") 4 64)
  (global $sp (mut i32) (i32.const 3000000))
  (data (i32.const 1024) "{\"ok\":true,\"response\":{\"Output\":\"00000000\"}}\00")
  (func (export "malloc") (param i32) (result i32) (i32.const 131072))
  (func (export "free") (param i32))
  (func (export "setThrew") (param i32 i32) (i32.store (i32.const 512) (i32.add (i32.load (i32.const 512)) (local.get 0))))
  (func (export "emscripten_stack_init"))
  (func (export "emscripten_stack_get_end") (result i32) (i32.const 2048))
  (func (export "emscripten_stack_get_free") (result i32) (i32.const 2900000))
  (func (export "emscripten_stack_get_current") (result i32) (global.get $sp))
  (func (export "_emscripten_stack_restore") (param i32) (global.set $sp (local.get 0)))
  (func (export "_emscripten_stack_alloc") (param i32) (result i32) (i32.const 16384))
  (global $waiting (mut i32) (i32.const 0))
  (func (export "asyncify_start_unwind") (param i32) (global.set $waiting (i32.const 1)))
  (func (export "asyncify_stop_unwind") (call $work (i32.const 30)) (global.set $waiting (i32.const 0)))
  (func (export "asyncify_start_rewind") (param i32))
  (func (export "asyncify_stop_rewind"))
  (func $work (param $times i32)
    (loop $again
      (i32.store (i32.const 516) (i32.add (i32.mul (i32.load (i32.const 516)) (i32.const 31)) (local.get $times)))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))
  ;; Works, goes one deeper through the host, works again; at the bottom it jumps, and grows the memory.
  (func $down (export "dynCall_ii") (param $what i32) (param $depth i32) (result i32)
    (call $work (i32.const 40))
    (if (i32.eqz (local.get $depth))
      (then
        (drop (memory.grow (i32.const 1)))
        (memory.fill (i32.const 262144) (i32.const 7) (i32.const 60000))
        (call $memcpy (i32.const 270000) (i32.const 262144) (i32.const 8000))
        (call $invoke_v (i32.const 0))
        (return (i32.const 5))))
    (i32.add
      (call $invoke_ii (i32.const 0) (i32.sub (local.get $depth) (i32.const 1)))
      (i32.load (i32.const 512))))
  (func (export "dynCall_v") (param i32) (call $work (i32.const 40)) (call $jump))
  ;; An import in the place of a return.
  (func (export "dynCall_iii") (param i32 i32 i32) (result i32)
    (call $work (i32.const 40))
    (return_call $invoke_ii (i32.const 0) (i32.const 3)))
  (func (export "handle") (param i32 i32) (result i32)
    (if (i32.eqz (global.get $waiting)) (then
      (if (call $wait (i32.const 0) (i32.const 0)) (then (unreachable)))))
    (if (global.get $waiting) (then (return (i32.const 0))))
    (call $work (i32.const 40))
    (i32.store (i32.const 520) (call $down (i32.const 0) (i32.const 6)))
    (i32.store8 (i32.const 1057) (i32.add (i32.const 48) (i32.rem_u (i32.load (i32.const 516)) (i32.const 10))))
    (i32.store8 (i32.const 1058) (i32.add (i32.const 48) (i32.rem_u (i32.load (i32.const 520)) (i32.const 10))))
    (BODY)
    (i32.const 1024)))"#;

const LIMITS: Limits = Limits { memory_bytes: 4 << 20, gas: 1_000_000 };

fn program(body: &str) -> Program {
    let wasm = wat::parse_str(JUMPS.replace("(BODY)", body)).unwrap();
    Program::compile(&wasm, Format::Emscripten4, &LIMITS).unwrap()
}

/// The outcomes of two messages, the memory after each, and the number of slices.
fn sliced(program: &Program, limits: Limits, gas: u64) -> (Vec<(Outcome, [u8; 32])>, usize) {
    let mut machine = Machine::new(program, limits, OnError::RollBack).unwrap();
    let mut slices = 0;
    let mut after = Vec::new();
    for _ in 0..2 {
        let mut step = machine.begin("{}".to_owned(), "{}".to_owned()).unwrap();
        let outcome = loop {
            slices += 1;
            match step.go_on(gas).unwrap() {
                Progress::Ended(outcome) => break outcome,
                Progress::More(rest) => step = rest,
            }
        };
        after.push((outcome, machine.memory_sha256()));
    }
    (after, slices)
}

fn whole(program: &Program, limits: Limits) -> Vec<(Outcome, [u8; 32])> {
    let mut machine = Machine::new(program, limits, OnError::RollBack).unwrap();
    (0..2).map(|_| (machine.step("{}", "{}").unwrap(), machine.memory_sha256())).collect()
}

#[test]
fn outcome_gas_and_memory_do_not_depend_on_the_cuts() {
    let bodies = [
        "nop",
        "unreachable",
        "(call $jump)",
        "(drop (call $down (i32.const 0) (i32.const 300)))",
        "(drop (call $invoke_ii (i32.const 0) (i32.const 2)))",
        "(global.set $sp (i32.const 0)) (call $invoke_v (i32.const 0))",
    ];
    for body in bodies {
        let program = program(body);
        let expected = whole(&program, LIMITS);
        for gas in [1, 7, 100, 1_000, 12_345, u64::MAX] {
            let (found, slices) = sliced(&program, LIMITS, gas);
            assert_eq!(found, expected, "{body}, in slices of {gas}");
            assert!(gas > 100 || slices > 10, "{body}: {slices} slices of {gas}");
        }
    }
    let fine = whole(&program("nop"), LIMITS);
    assert_eq!(fine[0].0.failure, None, "{:?}", fine[0].0);
}

#[test]
fn an_import_called_in_place_of_a_return_stops_too() {
    let text = JUMPS
        .replace("\"invoke_ii\" (func $invoke_ii (param i32 i32)", "\"invoke_iii\" (func $three (param i32 i32 i32)")
        .replace("(import \"env\" \"invoke_v\"", "(import \"env\" \"invoke_ii\" (func $invoke_ii (param i32 i32) (result i32)))\n(import \"env\" \"invoke_v\"")
        .replace("(BODY)", "(drop (call $three (i32.const 0) (i32.const 0) (i32.const 0)))");
    let program = Program::compile(&wat::parse_str(text).unwrap(), Format::Emscripten4, &LIMITS).unwrap();
    let expected = whole(&program, LIMITS);
    assert_eq!(expected[0].0.failure, None, "{:?}", expected[0].0);
    for gas in [1, 50, 1_000] {
        assert_eq!(sliced(&program, LIMITS, gas).0, expected, "in slices of {gas}");
    }
}

#[test]
fn the_limit_is_met_at_the_same_place() {
    let program = program("nop");
    let needed = whole(&program, LIMITS)[1].0.gas;
    for limit in [needed / 3, needed / 2, needed - 40, needed - 1, needed] {
        let limits = Limits { gas: limit, ..LIMITS };
        let expected = whole(&program, limits);
        let wanted = if limit < needed { Some(Code::GasLimit) } else { None };
        assert_eq!(expected[1].0.failure, wanted, "{limit} of {needed}");
        for gas in [1, 333, 10_000] {
            assert_eq!(sliced(&program, limits, gas).0, expected, "a limit of {limit} in slices of {gas}");
        }
    }
}

#[test]
fn a_message_dropped_on_its_way_never_happened() {
    let program = program("nop");
    let expected = whole(&program, LIMITS);
    for dry in [false, true] {
        let mut machine = Machine::new(&program, LIMITS, OnError::RollBack).unwrap();
        for (slices, (outcome, memory)) in expected.iter().enumerate() {
            let begun = match dry {
                true => machine.begin_dry_run("{}".to_owned(), "{}".to_owned()),
                false => machine.begin("{}".to_owned(), "{}".to_owned()),
            };
            let mut step = begun.unwrap();
            for _ in 0..=slices * 5 {
                match step.go_on(100).unwrap() {
                    Progress::More(rest) => step = rest,
                    Progress::Ended(outcome) => panic!("{outcome:?} after {slices} slices"),
                }
            }
            drop(step);
            assert_eq!(machine.step("{}", "{}").unwrap(), *outcome);
            assert_eq!(machine.memory_sha256(), *memory);
        }
    }
}

#[test]
fn without_roll_back_only_a_dry_run_can_be_dropped() {
    let program = program("nop");
    let mut machine = Machine::new(&program, LIMITS, OnError::Keep).unwrap();
    let first = machine.step("{}", "{}").unwrap();
    let memory = machine.memory_sha256();
    let step = machine.begin_dry_run("{}".to_owned(), "{}".to_owned()).unwrap();
    drop(step.go_on(100).unwrap());
    assert!(machine.snapshot().is_ok() && first.failure.is_none());
    assert_eq!(machine.memory_sha256(), memory);
    let step = machine.begin("{}".to_owned(), "{}".to_owned()).unwrap();
    drop(step.go_on(100).unwrap());
    assert_eq!(machine.step("{}", "{}").unwrap_err().code(), Code::MemoryLimit);
}
