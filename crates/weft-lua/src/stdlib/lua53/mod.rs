//! The standard library of Lua 5.3, with PUC's messages.
//!
//! Not there: files and programs of the machine it runs on (`io` writes, `os` tells the time), `string.dump` and binary chunks,
//! and all of `debug` that looks into other functions' variables.

mod args;
mod basic;
mod coroutine;
mod debug;
mod format;
mod load;
mod math;
mod os;
mod pack;
mod package;
mod replace;
mod sort;
mod string;
mod table;
pub(crate) mod utf8;

use super::{Answer, Entry, fill};
use crate::error::LuaError;
use crate::value::Value;
use crate::vm::Vm;

/// What is written in Lua: closures that hold a value. Its functions count as natives in messages.
const PRELUDE: &[u8] = include_bytes!("prelude.lua");

/// Installs the library.
pub(super) fn install(vm: &mut Vm) {
    let globals = vm.globals();
    let version = vm.string("Lua 5.3");
    vm.set_field(globals, "_VERSION", version);
    vm.set_field(globals, "_G", Value::Table(globals));
    fill(vm, globals, "_G", basic::FUNCTIONS);
    fill(vm, globals, "_G", load::FUNCTIONS);
    let loaded = package::install(vm, globals);
    vm.set_field(loaded, "_G", Value::Table(globals));
    let libraries: [(&str, &[Entry]); 8] = [
        ("coroutine", coroutine::FUNCTIONS),
        ("debug", debug::FUNCTIONS),
        ("io", os::IO),
        ("math", math::FUNCTIONS),
        ("os", os::FUNCTIONS),
        ("string", string::FUNCTIONS),
        ("table", table::FUNCTIONS),
        ("utf8", utf8::FUNCTIONS),
    ];
    for (name, functions) in libraries {
        let table = vm.table();
        fill(vm, table, name, functions);
        match name {
            "math" => math::constants(vm, table),
            "utf8" => utf8::constants(vm, table),
            "io" => os::output(vm, table),
            "string" => {
                let meta = vm.table();
                vm.set_field(meta, "__index", Value::Table(table));
                vm.set_string_metatable(Some(meta));
            }
            _ => {}
        }
        vm.set_field(globals, name, Value::Table(table));
        vm.set_field(loaded, name, Value::Table(table));
    }
    // It is ours and its limits are not reached: it cannot fail, and if it did, two functions were missing.
    let _made = prelude(vm);
}

/// Runs the prelude with the natives its closures call.
fn prelude(vm: &mut Vm) -> Result<(), LuaError> {
    let fuel = vm.fuel();
    vm.set_fuel(u64::MAX / 2);
    let step = vm.native("string", "gmatch", string::gmatch_step);
    let check = vm.native("string", "gmatch ", string::gmatch_check);
    let wrapped = vm.native("coroutine", "wrap", coroutine::wrapped);
    let outcome =
        vm.load(PRELUDE, crate::vm::OWN_CHUNK).and_then(|chunk| vm.call(chunk, &[step, check, wrapped]));
    vm.set_fuel(fuel);
    outcome.map(|_| ())
}
