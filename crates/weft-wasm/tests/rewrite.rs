//! The rewrite: modules keep their meaning, gas counts what ran, NaN is that of x86, what is no module is refused.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    unreachable_pub,
    reason = "the property is shared with the fuzzer"
)]

#[allow(dead_code, reason = "the property is shared with the fuzzer and with another test")]
#[path = "../../../fuzz/src/properties/rewrite.rs"]
mod property;

use wasmi::{Caller, Engine, Extern, Instance, Linker, Module, Store, Val};
use weft_wasm::Code;
use weft_wasm::rewrite::{GAS, GAS_MODULE, GAS_NAME, GROW_NAME, rewrite};

/// Bytes without a pattern, the same on every machine.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(len).collect()
}

#[test]
fn random_modules_keep_their_meaning() {
    // The originals grow memories and tables, which costs wasmi a frame of the host's stack each time.
    let compare = || (0..60).map(|seed| property::rewrite_module(&noise(seed, 3_000))).sum();
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(compare).unwrap();
    let compared: usize = thread.join().unwrap();
    println!("{compared} calls of random modules");
    assert!(compared > 60, "{compared}");
}

/// A rewritten module on wasmi, with this much gas.
struct Guest {
    store: Store<()>,
    instance: Instance,
}

impl Guest {
    fn new(text: &str, gas: i64) -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, rewrite(&wat::parse_str(text).unwrap()).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        let out = || -> Result<(), wasmi::Error> { Err(wasmi::Error::new("out of gas")) };
        linker.func_wrap(GAS_MODULE, GAS_NAME, out).unwrap();
        let grow = |mut caller: Caller<'_, ()>, pages: i32| -> i32 {
            let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return -1 };
            memory.grow(&mut caller, pages.cast_unsigned().into()).map_or(-1, |before| before as i32)
        };
        linker.func_wrap(GAS_MODULE, GROW_NAME, grow).unwrap();
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        instance.get_global(&store, GAS).unwrap().set(&mut store, Val::I64(gas)).unwrap();
        Self { store, instance }
    }

    fn call(&mut self, name: &str, args: &[Val]) -> Result<Val, wasmi::Error> {
        let func = self.instance.get_func(&self.store, name).unwrap();
        let mut results = [Val::I32(0)];
        let count = func.ty(&self.store).results().len();
        func.call(&mut self.store, args, &mut results[..count])?;
        Ok(results[0].clone())
    }

    fn gas(&self) -> i64 {
        match self.instance.get_global(&self.store, GAS).unwrap().get(&self.store) {
            Val::I64(gas) => gas,
            other => panic!("{other:?}"),
        }
    }
}

/// What gas is counted of by hand.
const COUNTED: &str = r#"(module (memory (export "memory") 1 3) (table 3 funcref) (elem (i32.const 0) $sum $none $small)
      (func $none)
      (func (export "none") (loop) (call $none))
      (func (export "constant") (result i32) (loop) (i32.const 1))
      (func $sum (export "sum") (param i32) (result i32) (local $s i32)
        (loop $again
          (local.set $s (i32.add (local.get $s) (local.get 0)))
          (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get $s))
      (func (export "choose") (param i32) (result i32)
        (loop) (if (result i32) (local.get 0) (then (i32.load (i32.const 0))) (else (i32.eqz (i32.clz (local.get 0))))))
      (func (export "early") (param i32) (result i32)
        (loop) (block $out (br_if $out (i32.eqz (local.get 0))) (return (i32.const 7)))
        (i32.ctz (local.get 0)))
      (func (export "large") (param i32)
        (loop) (if (local.get 0) (then LOADS) (else (drop (i32.eqz (local.get 0))))) (drop (i32.ctz (local.get 0))))
      (func (export "around") (param i32)
        (block $out (loop $again
          (br_if $out (i32.eqz (local.get 0)))
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (br_if $again (local.get 0))
          (drop (i32.clz (local.get 0)))))
        (drop (i32.ctz (local.get 0))))
      (func (export "table") (param i32)
        (loop) (block $b (block $a (br_table $a $b (local.get 0))) (drop (i32.eqz (i32.clz (local.get 0))))) (drop (i32.ctz (local.get 0))))
      (func (export "indirect") (param i32) (result i32)
        (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))
      (func (export "indirect small") (param i32) (result i32)
        (call_indirect (param i32) (result i32) (local.get 0) (i32.const 2)))
      (func $small (export "small") (param i32) (result i32)
        (if (result i32) (local.get 0) (then (i32.load (i32.const 0))) (else (i32.eqz (local.get 0)))))
      (func $middle (param i32) (result i32) (i32.popcnt (call $small (local.get 0))))
      (func (export "caller") (param i32) (result i32) (loop) (call $middle (local.get 0)))
      (func (export "calls") (param i32)
        (drop (call $sum (local.get 0))) (drop (call $sum (local.get 0))) (drop (call $sum (local.get 0))))
      (func (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;

/// Counted by hand: a call, a comparison, a branch, an addition, a load cost one each; structure, locals, constants nothing.
/// Small blocks are paid for ahead, whether they are come to or not; large ones where they begin. Small functions are paid for by
/// who calls them: `(loop)` keeps one from being small, and costs one.
#[test]
fn gas_is_what_the_documents_say() {
    let text = COUNTED.replace("LOADS", &"(drop (i32.load (i32.const 0)))".repeat(17));
    let many = 1_000_000;
    for (name, argument, cost) in [
        ("none", None, 2),
        ("constant", None, 1),
        // Each time around: the loop, two numbers, the branch.
        ("sum", Some(1), 4),
        ("sum", Some(10), 40),
        // The choice, and both arms.
        ("choose", Some(1), 5),
        ("choose", Some(0), 5),
        // eqz and the branch; the return and ctz, which one is come to.
        ("early", Some(1), 5),
        ("early", Some(0), 5),
        // The choice, the small arm and what follows; the large arm.
        ("large", Some(0), 4),
        ("large", Some(1), 21),
        // What follows; each time around: the loop, eqz, the branch, the subtraction, the other branch; at its end clz.
        ("around", Some(1), 1 + 5 + 1),
        ("around", Some(3), 1 + 15 + 1),
        ("around", Some(0), 1 + 5),
        // The choice, and what is chosen: none of it is paid for ahead.
        ("table", Some(0), 1 + 1 + 2 + 1),
        ("table", Some(1), 1 + 1 + 1),
        ("indirect", Some(2), 8 + 8),
        // Whom it meets is not known: nothing more.
        ("indirect small", Some(2), 8),
        // Nobody in the module calls it.
        ("small", Some(0), 0),
        // The loop, the call; popcnt, the call; the choice and both arms.
        ("caller", Some(1), 1 + 1 + 2 + 3),
        // Counted in the global alone.
        ("calls", Some(1), 3 * (1 + 4)),
        ("fill", Some(6_400), 101),
        // The host charges for the pages.
        ("grow", Some(1), 1),
        // The module allows itself three pages.
        ("grow", Some(9), 1),
    ] {
        let mut guest = Guest::new(&text, many);
        let args: Vec<Val> = argument.into_iter().map(Val::I32).collect();
        guest.call(name, &args).unwrap();
        assert_eq!(many - guest.gas(), cost, "{name} {argument:?}");
    }
}

#[test]
fn what_runs_for_ever_runs_out_of_gas() {
    let text = r#"(module (memory 1) (table 1 funcref) (elem (i32.const 0) $tail)
      (func (export "loop") (loop $l (br $l)))
      (func $deep (export "deep") (call $deep) (nop))
      (func $tail (export "tail") (return_call $tail))
      (func (export "indirect") (return_call_indirect (i32.const 0)))
      (func (export "copy") (loop $l (memory.copy (i32.const 0) (i32.const 0) (i32.const 65536)) (br $l))))"#;
    for name in ["loop", "deep", "tail", "indirect", "copy"] {
        let mut guest = Guest::new(text, 500);
        let error = guest.call(name, &[]).unwrap_err();
        assert!(error.to_string().contains("out of gas"), "{name}: {error}");
        assert!(guest.gas() < 0, "{name}");
    }
}

/// Operands, and what x86 gives for them (`tests/tests/differential.rs` asks V8 for all operations).
#[test]
fn nan_is_that_of_x86() {
    let (minus, plus, other) = (0xFFF8_0000_0000_0000_u64, 0x7FF8_0000_0000_0000, 0x7FF8_0000_0000_0123);
    let (signalling, one, infinity) = (0xFFF0_0000_0000_0009, 1_f64.to_bits(), f64::INFINITY.to_bits());
    let text = |op: &str, params: usize| {
        let args: String = (0..params).map(|at| format!("(f64.reinterpret_i64 (local.get {at}))")).collect();
        let params = "(param i64) ".repeat(params);
        format!("(module (func (export \"f\") {params} (result i64) (i64.reinterpret_f64 ({op} {args}))))")
    };
    for (op, operands, expected) in [
        ("f64.div", vec![0, 0], minus),
        ("f64.sub", vec![infinity, infinity], minus),
        ("f64.mul", vec![0, infinity], minus),
        ("f64.add", vec![plus, one], plus),
        ("f64.add", vec![one, plus], plus),
        ("f64.add", vec![plus, other], plus),
        ("f64.add", vec![other, plus], other),
        ("f64.mul", vec![signalling, one], 0xFFF8_0000_0000_0009),
        ("f64.div", vec![one, signalling], 0xFFF8_0000_0000_0009),
        ("f64.sqrt", vec![(-1_f64).to_bits()], minus),
        ("f64.sqrt", vec![other], other),
        ("f64.floor", vec![signalling], 0xFFF8_0000_0000_0009),
        ("f64.min", vec![plus, one], minus),
        ("f64.max", vec![one, other], minus),
        ("f64.neg", vec![minus], plus),
        ("f64.add", vec![one, one], 2_f64.to_bits()),
    ] {
        let mut guest = Guest::new(&text(op, operands.len()), 1_000);
        let args: Vec<Val> = operands.iter().map(|bits| Val::I64(*bits as i64)).collect();
        let Val::I64(found) = guest.call("f", &args).unwrap() else { panic!("{op}") };
        assert_eq!(found as u64, expected, "{op} {operands:x?}: {found:x}");
    }
    let narrow = |op: &str, from: &str, to: &str| {
        let (source, target) = (&from[1..], &to[1..]);
        format!(
            "(module (func (export \"f\") (param i{source}) (result i{target})
              (i{target}.reinterpret_f{target} ({op} (f{source}.reinterpret_i{source} (local.get 0))))))"
        )
    };
    let mut guest = Guest::new(&narrow("f64.promote_f32", "f32", "f64"), 1_000);
    for (bits, expected) in
        [(0x7FC0_0000_u32, plus), (0xFFC0_0001, 0xFFF8_0000_2000_0000), (0x7F80_0001, 0x7FF8_0000_2000_0000)]
    {
        let Val::I64(found) = guest.call("f", &[Val::I32(bits as i32)]).unwrap() else { panic!() };
        assert_eq!(found as u64, expected, "{bits:x}: {found:x}");
    }
    let mut guest = Guest::new(&narrow("f32.demote_f64", "f64", "f32"), 1_000);
    for (bits, expected) in
        [(minus, 0xFFC0_0000_u32), (other, 0x7FC0_0000), (0xFFF0_0000_2000_0000, 0xFFC0_0001)]
    {
        let Val::I32(found) = guest.call("f", &[Val::I64(bits as i64)]).unwrap() else { panic!() };
        assert_eq!(found as u32, expected, "{bits:x}: {found:x}");
    }
}

#[test]
fn what_is_no_module_is_refused() {
    let text = r#"(module (import "env" "f" (func)) (memory 1) (global (mut i64) (i64.const 0))
      (func (export "g") (param f64) (result f64) (call 0) (f64.sqrt (local.get 0))))"#;
    let wasm = wat::parse_str(text).unwrap();
    assert!(rewrite(&wasm).is_ok());
    for len in 0..wasm.len() {
        if let Err(error) = rewrite(&wasm[..len]) {
            assert_eq!(error.code(), Code::ModuleInvalid, "{len}");
        }
        for bit in 0..8 {
            let mut flipped = wasm.clone();
            flipped[len] ^= 1 << bit;
            if let Err(error) = rewrite(&flipped) {
                assert_eq!(error.code(), Code::ModuleInvalid, "{len}");
            }
        }
    }
    for text in [
        "(module (import \"weft\" \"gas\" (func)))",
        "(module (import \"env\" \"m\" (memory 1)))",
        "(module (import \"env\" \"g\" (global i32)))",
        "(module (global (export \"weft:gas\") (mut i64) (i64.const 0)))",
        "(module (global (export \"weft:global:0\") i64 (i64.const 0)))",
        "(module (func (export \"weft:start\")))",
    ] {
        let error = rewrite(&wat::parse_str(text).unwrap()).unwrap_err();
        assert_eq!(error.code(), Code::ModuleInvalid, "{text}");
    }
}
