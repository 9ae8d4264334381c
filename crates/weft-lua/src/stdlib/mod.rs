//! Luerl's standard library.
//!
//! Each function takes its arguments, answers and fails as Luerl's of the same name, down to the terms of its errors. Errors
//! made with [`Call::badarg`] and its like are Lua's, which `pcall` catches; [`Call::crash`] is Erlang failing underneath
//! Luerl, which nothing catches.

mod args;
mod basic;
mod bit32;
mod date;
mod debug;
mod io;
mod load;
pub(crate) mod lua53;
mod math;
mod os;
mod package;
mod replace;
mod sort;
mod string;
mod table;
mod utf8;

use crate::error::LuaError;
use crate::value::{TableId, Value};
use crate::vm::{Call, Limits, Profile, Returns, Vm};

/// What a function of the library gives.
type Answer = Result<Returns, LuaError>;
/// A function of the library.
type Function = fn(&mut Call<'_>) -> Answer;
/// A function's name in Lua, its name in Luerl, and itself.
type Entry = (&'static str, &'static str, Function);

impl Vm {
    /// A machine with the library.
    #[must_use]
    pub fn new(profile: Profile, limits: Limits) -> Self {
        let mut vm = Self::bare(profile, limits);
        match profile {
            Profile::Luerl => install(&mut vm),
            Profile::Lua53 => lua53::install(&mut vm),
        }
        vm
    }
}

/// Installs the library. Tables are made in Luerl's order, since scripts can see their numbers.
fn install(vm: &mut Vm) {
    let globals = vm.globals();
    let version = vm.string("Lua 5.3");
    vm.set_field(globals, "_VERSION", version);
    fill(vm, globals, "luerl_lib_basic", basic::FUNCTIONS);
    fill(vm, globals, "luerl_lib_basic", load::FUNCTIONS);
    basic::install_steppers(vm, globals);
    let loaded = package::install(vm, globals);
    let libraries: [(&str, &str, &[Entry]); 8] = [
        ("bit32", "luerl_lib_bit32", bit32::FUNCTIONS),
        ("io", "luerl_lib_io", io::FUNCTIONS),
        ("math", "luerl_lib_math", math::FUNCTIONS),
        ("os", "luerl_lib_os", os::FUNCTIONS),
        ("string", "luerl_lib_string", string::FUNCTIONS),
        ("utf8", "luerl_lib_utf8", utf8::FUNCTIONS),
        ("table", "luerl_lib_table", table::FUNCTIONS),
        ("debug", "luerl_lib_debug", debug::FUNCTIONS),
    ];
    for (name, module, functions) in libraries {
        let table = vm.table();
        fill(vm, table, module, functions);
        match name {
            "math" => math::constants(vm, table),
            "utf8" => utf8::constants(vm, table),
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
    vm.set_field(globals, "_G", Value::Table(globals));
    vm.set_field(loaded, "_G", Value::Table(globals));
}

fn fill(vm: &mut Vm, table: TableId, module: &str, functions: &[Entry]) {
    for (name, own, body) in functions {
        let function = vm.native(module, own, *body);
        vm.set_field(table, name, function);
    }
}
