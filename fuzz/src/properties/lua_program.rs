//! Lua programs and snapshots.

use weft_lua::{Limits, LuaError, Profile, Value, Vm};

const LIMITS: Limits = Limits { fuel: 100_000, memory: 16 << 20, depth: 500 };

/// A program: it ends with values or with an error of a stable code, always the same; what it did can be undone, to the byte;
/// and what it left is written and read back alike.
pub fn lua_program(bytes: &[u8]) {
    let mut vm = Vm::new(Profile::Luerl, LIMITS);
    let before = vm.snapshot().expect("between calls");
    vm.begin();
    let first = answer(&mut vm, bytes);
    vm.roll_back();
    vm.set_fuel(LIMITS.fuel);
    assert!(vm.snapshot().expect("between calls") == before, "undone to the byte");
    let again = answer(&mut vm, bytes);
    assert_eq!(first, again, "the same again");
    let after = vm.snapshot().expect("between calls");
    let mut other = Vm::new(Profile::Luerl, Limits { memory: 64 << 20, ..LIMITS });
    if other.restore(&after).is_ok() {
        assert!(other.snapshot().expect("between calls") == after, "written as it was read");
    }
}

/// A program of standard Lua 5.3: it ends with values or with an error of a stable code, in two machines alike.
pub fn lua53_program(bytes: &[u8]) {
    let run = || answer(&mut Vm::new(Profile::Lua53, LIMITS), bytes);
    assert_eq!(run(), run(), "the same again");
}

fn answer(vm: &mut Vm, program: &[u8]) -> String {
    let outcome: Result<Vec<Value>, LuaError> =
        vm.load(program, "fuzz").and_then(|chunk| vm.call(chunk, &[]));
    match outcome {
        Ok(values) => vm.values_text(&values),
        Err(error) => {
            let code = error.code();
            assert!(code.starts_with("lua-"), "{code}");
            format!("{code} {}", String::from_utf8_lossy(&vm.error_text(&error)))
        }
    }
}

/// What follows a snapshot's header, under a header that is right: it is taken or refused, and what is taken is written so
/// that it reads alike.
pub fn lua_snapshot(bytes: &[u8]) {
    let mut vm = Vm::new(Profile::Luerl, LIMITS);
    if vm.restore(&Vm::snapshot_of_body(Profile::Luerl, bytes)).is_err() {
        return;
    }
    let Ok(written) = vm.snapshot() else { return };
    let mut other = Vm::new(Profile::Luerl, Limits { memory: 64 << 20, ..LIMITS });
    other.restore(&written).expect("what was written is taken");
    assert!(other.snapshot().expect("between calls") == written);
}
