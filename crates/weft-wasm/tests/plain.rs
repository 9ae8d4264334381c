//! Guests of the plain ABI: state, roll back, limits, and guests that mean harm.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use weft_wasm::{Code, Format, Limits, Machine, OnError, Outcome, Program, Snapshot};

/// A guest that does what the letter in `{"a":"…"}` says. It counts messages twice: at address 512, and in a global.
const GUEST: &str = r#"(module
  (memory (export "memory") 2 100)
  (global $heap (mut i32) (i32.const 4096))
  (global $count (mut i32) (i32.const 0))
  (data (i32.const 1024) "{\"ok\":true,\"response\":{\"Output\":\"00\"}}\00")
  (data (i32.const 1152) "{\"ok\":true,\"response\":{\"Error\":\"no\",\"Output\":\"said\",\"Messages\":[{\"Target\":\"t\"}]}}\00")
  (data (i32.const 1280) "{\"ok\":true,\"response\":{\"Output\":\"not enough memory for buffer allocation\"}}\00")
  (data (i32.const 1408) "{\"ok\":false,\"response\":\"thrown\"}\00")
  (func (export "malloc") (param $size i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -16)))))
  (func (export "free") (param i32) (global.set $heap (i32.const 4096)))
  (func $deep (result i32) (i32.add (call $deep) (i32.const 1)))
  (func (export "handle") (param $message i32) (param $env i32) (result i32)
    (local $what i32)
    (local.set $what (i32.load8_u offset=6 (local.get $message)))
    (i32.store8 (i32.const 512) (i32.add (i32.load8_u (i32.const 512)) (i32.const 1)))
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (i32.store8 (i32.const 1057) (i32.add (i32.const 48) (i32.load8_u (i32.const 512))))
    (i32.store8 (i32.const 1058) (i32.add (i32.const 48) (global.get $count)))
    (if (i32.eq (local.get $what) (i32.const 0x65)) (then (return (i32.const 1152)))) ;; e
    (if (i32.eq (local.get $what) (i32.const 0x62)) (then (return (i32.const 1280)))) ;; b
    (if (i32.eq (local.get $what) (i32.const 0x77)) (then (return (i32.const 1408)))) ;; w
    (if (i32.eq (local.get $what) (i32.const 0x74)) (then (unreachable)))             ;; t
    (if (i32.eq (local.get $what) (i32.const 0x6f)) (then (return (i32.const -16))))  ;; o
    (if (i32.eq (local.get $what) (i32.const 0x72)) (then (return (call $deep))))     ;; r
    (if (i32.eq (local.get $what) (i32.const 0x6c)) (then (loop $again (br $again)))) ;; l
    (if (i32.eq (local.get $what) (i32.const 0x67)) (then                             ;; g
      (if (i32.eq (memory.grow (i32.const 50)) (i32.const -1)) (then (unreachable)))))
    (if (i32.eq (local.get $what) (i32.const 0x6e)) (then                             ;; n
      (loop $again (drop (memory.grow (i32.const 0))) (br $again))))
    (if (i32.eq (local.get $what) (i32.const 0x6d)) (then                             ;; m
      (loop $again (drop (memory.grow (i32.const 90))) (br $again))))
    (if (i32.eq (local.get $what) (i32.const 0x75)) (then                             ;; u
      (memory.fill (i32.const 65536) (i32.const 32) (i32.const 65536))
      (return (i32.const 65536))))
    (i32.const 1024)))"#;

fn limits() -> Limits {
    Limits { memory_bytes: 4 << 20, gas: 10_000_000 }
}

fn machine(on_error: OnError) -> Machine {
    let wasm = wat::parse_str(GUEST).unwrap();
    let program = Program::compile(&wasm, Format::Plain, &limits()).unwrap();
    Machine::new(&program, limits(), on_error).unwrap()
}

fn step(machine: &mut Machine, letter: char) -> Outcome {
    machine.step(&format!("{{\"a\":\"{letter}\"}}"), "{}").unwrap()
}

/// The two counters that a guest shows: memory, global.
fn counts(machine: &mut Machine) -> String {
    step(machine, 'a').output.as_str().unwrap().to_owned()
}

#[test]
fn a_failed_message_is_rolled_back_into_a_new_instance() {
    for letter in ['e', 't', 'o', 'r', 'l', 'u', 'w'] {
        let mut machine = machine(OnError::RollBack);
        assert_eq!((counts(&mut machine), counts(&mut machine)), ("11".to_owned(), "22".to_owned()));
        let before = machine.memory_sha256();
        let outcome = step(&mut machine, letter);
        assert!(outcome.rolled_back && outcome.error.is_some(), "{letter}: {outcome:?}");
        assert_eq!(machine.memory_sha256(), before, "{letter}");
        // The memory went on from two messages, the global of the new instance from none.
        assert_eq!(
            (counts(&mut machine), counts(&mut machine)),
            ("31".to_owned(), "42".to_owned()),
            "{letter}"
        );
    }
}

#[test]
fn what_a_failed_message_said_is_passed_on() {
    let outcome = step(&mut machine(OnError::RollBack), 'e');
    assert_eq!((outcome.error, outcome.output), (Some(json!("no")), json!("said")));
    assert_eq!(outcome.messages, vec![json!({"Target": "t"})]);
    assert_eq!(outcome.failure, None);
    let outcome = step(&mut machine(OnError::RollBack), 'w');
    assert_eq!((outcome.error, outcome.output), (Some(json!("thrown")), json!(null)));
}

#[test]
fn failures_have_codes() {
    let mut machine = machine(OnError::RollBack);
    for (letter, code) in [
        ('t', Code::Trap),
        ('r', Code::Trap),
        ('l', Code::GasLimit),
        ('o', Code::ResultMalformed),
        ('u', Code::ResultMalformed),
    ] {
        let outcome = step(&mut machine, letter);
        assert_eq!(outcome.failure, Some(code), "{letter}: {outcome:?}");
        assert!(outcome.error.unwrap().as_str().unwrap().starts_with("the "), "{letter}");
    }
    assert_eq!(step(&mut machine, 'l').gas, limits().gas);
}

#[test]
fn memory_is_limited_by_the_node_and_by_the_module() {
    let mut machine = machine(OnError::RollBack);
    let (grown, usual) = (step(&mut machine, 'g'), step(&mut machine, 'a').gas);
    assert_eq!(grown.failure, None);
    // 1,024 for each of fifty pages.
    assert!((51_200..51_300).contains(&(grown.gas - usual)), "{} {usual}", grown.gas);
    assert_eq!(machine.memory_bytes(), 52 * 65_536);
    // 102 pages: more than the module allows itself, and more than the node.
    let outcome = step(&mut machine, 'g');
    assert_eq!(outcome.failure, Some(Code::Trap));
    let tight = Limits { memory_bytes: 40 * 65_536, ..limits() };
    let wasm = wat::parse_str(GUEST).unwrap();
    let program = Program::compile(&wasm, Format::Plain, &tight).unwrap();
    let mut machine = Machine::new(&program, tight, OnError::RollBack).unwrap();
    let outcome = step(&mut machine, 'g');
    assert_eq!((outcome.failure, outcome.rolled_back), (Some(Code::MemoryLimit), true));
    let tighter = Limits { memory_bytes: 65_536, ..limits() };
    let refused = Program::compile(&wasm, Format::Plain, &tighter).map(|_| ()).unwrap_err();
    assert_eq!(refused.code(), Code::MemoryLimit);
}

/// wasmi's own instruction for it leaves a frame on the host's stack each time in an optimised build.
#[test]
fn growing_for_ever_runs_out_of_gas() {
    for letter in ['n', 'm'] {
        let outcome = step(&mut machine(OnError::RollBack), letter);
        assert_eq!((outcome.failure, outcome.gas), (Some(Code::GasLimit), limits().gas), "{letter}");
    }
}

#[test]
fn keep_leaves_the_memory_as_it_is() {
    let mut machine = machine(OnError::Keep);
    assert_eq!(counts(&mut machine), "11");
    let outcome = step(&mut machine, 't');
    assert!(!outcome.rolled_back && outcome.failure == Some(Code::Trap));
    assert_eq!(counts(&mut machine), "33");
}

#[test]
fn an_allocation_error_in_the_output_takes_the_memory_back_but_not_the_instance() {
    let mut machine = machine(OnError::RollBack);
    assert_eq!(counts(&mut machine), "11");
    let outcome = step(&mut machine, 'b');
    assert!(outcome.rolled_back && outcome.error.is_none());
    assert_eq!(counts(&mut machine), "23");
}

#[test]
fn a_dry_run_changes_nothing() {
    for on_error in [OnError::RollBack, OnError::Keep] {
        let mut machine = machine(on_error);
        for letter in ['a', 'e', 't', 'l', 'g', 'b'] {
            let (hash, size) = (machine.memory_sha256(), machine.memory_bytes());
            let tried = machine.dry_run(&format!("{{\"a\":\"{letter}\"}}"), "{}").unwrap();
            assert_eq!((machine.memory_sha256(), machine.memory_bytes()), (hash, size), "{letter}");
            let stepped = step(&mut machine, letter);
            let same = Outcome { rolled_back: stepped.rolled_back, ..tried };
            assert_eq!(same, stepped, "{letter}");
        }
    }
}

#[test]
fn a_process_resumed_from_a_snapshot_is_the_same_process() {
    let letters = "aaeagatabaalaoaa";
    let wasm = wat::parse_str(GUEST).unwrap();
    let program = Program::compile(&wasm, Format::Plain, &limits()).unwrap();
    for on_error in [OnError::RollBack, OnError::Keep] {
        let mut straight = Machine::new(&program, limits(), on_error).unwrap();
        let mut resumed = Machine::new(&program, limits(), on_error).unwrap();
        for letter in letters.chars() {
            let snapshot = Snapshot::from_bytes(&resumed.snapshot().unwrap().to_bytes()).unwrap();
            resumed = Machine::restore(&program, limits(), on_error, &snapshot).unwrap();
            assert_eq!(step(&mut straight, letter), step(&mut resumed, letter), "{letter}");
            let hash = straight.memory_sha256();
            assert_eq!(hash, resumed.memory_sha256(), "{letter}");
            let (one, two) = (straight.snapshot().unwrap(), resumed.snapshot().unwrap());
            assert_eq!(one.memory_sha256(), hash);
            assert_eq!(one.to_bytes(), two.to_bytes());
        }
    }
}

#[test]
fn a_snapshot_that_was_touched_is_refused() {
    let mut machine = machine(OnError::RollBack);
    step(&mut machine, 'a');
    let snapshot = machine.snapshot().unwrap();
    let bytes = snapshot.to_bytes();
    assert_eq!(Snapshot::from_bytes(&bytes).unwrap(), snapshot);
    for len in (0..bytes.len()).step_by(97) {
        let code = Snapshot::from_bytes(bytes.get(..len).unwrap()).unwrap_err().code();
        assert_eq!(code, Code::SnapshotInvalid);
    }
    for at in (0..bytes.len()).step_by(89) {
        let mut altered = bytes.clone();
        altered[at] ^= 0x10;
        assert_eq!(Snapshot::from_bytes(&altered).unwrap_err().code(), Code::SnapshotInvalid, "{at}");
    }
    let other = wat::parse_str(GUEST.replace("\\\"no\\\"", "\\\"NO\\\"")).unwrap();
    let other = Program::compile(&other, Format::Plain, &limits()).unwrap();
    let refused = Machine::restore(&other, limits(), OnError::RollBack, &snapshot).unwrap_err();
    assert_eq!(refused.code(), Code::SnapshotInvalid);
}

#[test]
fn many_messages_with_failures_are_replayed_from_time_to_time() {
    let mut machine = machine(OnError::RollBack);
    for round in 0..40_u32 {
        for _ in 0..round % 5 {
            step(&mut machine, 'a');
        }
        let before = machine.memory_sha256();
        assert!(step(&mut machine, 't').rolled_back);
        assert_eq!(machine.memory_sha256(), before, "{round}");
    }
}

const HEAD: &str = r#"(memory (export "memory") 1) (table 1 funcref) (data $d "x")
  (func (export "malloc") (param i32) (result i32) (i32.const 8))"#;

fn refusal(body: &str, format: Format) -> Code {
    let wasm = wat::parse_str(format!("(module {body})")).unwrap();
    Program::compile(&wasm, format, &limits()).map(|_| ()).unwrap_err().code()
}

#[test]
fn modules_that_break_the_abi_are_refused() {
    let handle = r#"(func (export "handle") (param i32 i32) (result i32) (i32.const 0))"#;
    for body in [
        String::new(),
        HEAD.to_owned(),
        handle.to_owned(),
        format!("(import \"env\" \"f\" (func)) {HEAD} {handle}"),
        format!("{HEAD} (func (export \"handle\") (param i32) (result i32) (i32.const 0))"),
        format!("{HEAD} (func (export \"handle\") (param i64 i64) (result i64) (i64.const 0))"),
        format!("{HEAD} {handle} (func (table.set (i32.const 0) (ref.null func)))"),
        format!("{HEAD} {handle} (func (data.drop $d))"),
        format!("{HEAD} {handle} (global (mut funcref) (ref.null func))"),
        format!("{HEAD} {handle} (memory 1)"),
        format!("(memory (export \"memory\") i64 1) {handle}"),
    ] {
        assert_eq!(refusal(&body, Format::Plain), Code::ModuleInvalid, "{body}");
    }
    assert_eq!(refusal(&format!("{HEAD} {handle} (table 2000000 funcref)"), Format::Plain), Code::TooLarge);
    for import in [
        "(import \"env\" \"emscripten_asm_const_int\" (func))",
        "(import \"metering\" \"usegas\" (func (param i32)))",
    ] {
        assert_eq!(refusal(&format!("{import} {HEAD} {handle}"), Format::Emscripten4), Code::ModuleInvalid);
    }
}

#[test]
fn a_module_that_does_not_start_is_refused() {
    let handle = r#"(func (export "handle") (param i32 i32) (result i32) (i32.const 0))"#;
    for (body, code) in [
        ("(func $s (unreachable)) (start $s)", Code::Trap),
        ("(func $s (loop $l (br $l))) (start $s)", Code::GasLimit),
        ("(func (export \"_initialize\") (unreachable))", Code::Trap),
        ("(data (i32.const 65535) \"xx\")", Code::Trap),
    ] {
        let wasm = wat::parse_str(format!("(module {HEAD} {handle} {body})")).unwrap();
        let program = Program::compile(&wasm, Format::Plain, &limits()).unwrap();
        let refused = Machine::new(&program, limits(), OnError::RollBack).map(|_| ()).unwrap_err();
        assert_eq!(refused.code(), code, "{body}: {refused:?}");
    }
}

#[test]
fn bytes_that_are_no_module_never_panic() {
    let wasm = wat::parse_str(GUEST).unwrap();
    for len in 0..wasm.len() {
        for format in Format::ALL {
            let _any = Program::compile(wasm.get(..len).unwrap(), format, &limits());
        }
        let _guessed = Format::guess(wasm.get(..len).unwrap());
    }
    let mut seed = 1_u32;
    for _ in 0..3_000 {
        let mut altered = wasm.clone();
        for _ in 0..3 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = usize::try_from(seed >> 8).unwrap() % altered.len();
            altered[at] = u8::try_from(seed >> 24).unwrap();
        }
        let small = Limits { memory_bytes: 4 << 20, gas: 200_000 };
        let Ok(program) = Program::compile(&altered, Format::Plain, &small) else { continue };
        let Ok(mut machine) = Machine::new(&program, small, OnError::RollBack) else { continue };
        for letter in ['a', 'g', 't', 'a'] {
            let _any = machine.step(&format!("{{\"a\":\"{letter}\"}}"), "{}");
        }
    }
}

#[test]
fn formats_are_recognised() {
    assert_eq!(Format::guess(&wat::parse_str(GUEST).unwrap()).unwrap(), Format::Plain);
    assert_eq!(Format::parse("wasm32-unknown-emscripten4").unwrap(), Format::Emscripten4);
    for text in ["", "wasm32-unknown-emscripten", "wasm64-unknown-emscripten"] {
        assert_eq!(Format::parse(text).unwrap_err().code(), Code::ModuleFormatUnsupported);
    }
}
