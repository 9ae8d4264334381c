//! Scripts that mean harm through the library: each ends with an error that has a code, in bounded time and memory, and after
//! it everything is as it was before the call.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use weft_lua::{Limits, Profile, Value, Vm};

/// What a call may use here.
const LIMITS: Limits = Limits { fuel: 3_000_000, memory: 32 << 20, depth: 20_000 };

/// A state that each script changes before it does its harm.
const STATE: &str = "kept = {1, x = {}} count = 0";
const CHANGE: &str = "count = count + 1 kept[1] = 'other' kept.x = nil kept.y = {} setmetatable(kept, {}) fresh = {} \
    string.sub = nil ";
const CHECK: &str =
    "return count, kept[1], type(kept.x), kept.y, getmetatable(kept), fresh, type(string.sub)";

const FUEL: &str = "lua-out-of-fuel";
const MEMORY: &str = "lua-out-of-memory";
const DEEP: &str = "lua-too-deep";
const BOUND: &str = "lua-unsupported";
const ERROR: &str = "lua-error";

fn machine() -> Vm {
    let mut vm = Vm::new(Profile::Luerl, LIMITS);
    run(&mut vm, STATE).unwrap();
    vm
}

/// A program's results, or the code of its error.
fn run(vm: &mut Vm, program: &str) -> Result<Vec<Value>, &'static str> {
    vm.set_fuel(LIMITS.fuel);
    let function = vm.load(program.as_bytes(), "hostile").map_err(|error| error.code())?;
    vm.call(function, &[]).map_err(|error| error.code())
}

/// Runs the scripts one after the other on one machine.
fn each(scripts: &[(&str, &[&str])]) {
    let mut vm = machine();
    for (script, codes) in scripts {
        vm.begin();
        let outcome = run(&mut vm, &format!("{CHANGE} {script}")).map(|values| vm.values_text(&values));
        let Err(code) = outcome else { panic!("{script} ended") };
        assert!(codes.contains(&code), "{script}: {code}");
        vm.roll_back();
        let values = run(&mut vm, CHECK)
            .map_err(|code| format!("after {script}: {code}, {} bytes", vm.memory()))
            .unwrap();
        assert_eq!(vm.values_text(&values), "[0,1,<<\"table\">>,nil,nil,nil,<<\"function\">>]", "{script}");
        vm.collect(&[]);
        assert!(vm.memory() < 4 << 20, "{script}: {} bytes are left", vm.memory());
    }
}

#[test]
fn endless_scripts_run_out_of_fuel() {
    each(&[
        ("while true do end", &[FUEL]),
        ("for i = 1, math.huge do end", &[FUEL]),
        ("repeat until false", &[FUEL]),
        ("local function f() return f() end f()", &[FUEL, DEEP]),
        ("local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x", &[FUEL]),
        ("local t = setmetatable({}, {}) getmetatable(t).__newindex = t t.x = 1", &[FUEL]),
        (
            "local a, b = {}, {} setmetatable(a, {__index = b}) setmetatable(b, {__index = a}) return a.x",
            &[FUEL],
        ),
        ("local t = setmetatable({}, {}) getmetatable(t).__call = t t()", &[FUEL, MEMORY]),
        ("table.sort({3, 2, 1}, function() while true do end end)", &[FUEL]),
        ("local t = {} t[1 << 40] = 1 table.sort(t)", &[FUEL, MEMORY]),
        ("while true do pcall(error, 'x') end", &[FUEL]),
        ("while true do pcall(string.rep, 'x', -1) end", &[FUEL]),
    ]);
}

#[test]
fn patterns_without_end_run_out_of_fuel() {
    each(&[
        ("return string.find(string.rep('a', 5000), string.rep('a*', 40) .. 'b')", &[FUEL]),
        ("return string.match(string.rep('a', 100000), '.-.-.-.-b')", &[FUEL]),
        ("return string.gsub(string.rep('(', 50000), '%b()', '')", &[FUEL]),
        ("return string.find(string.rep('x', 100000), string.rep('x?', 30000) .. 'y')", &[FUEL]),
        ("return string.find('x', string.rep('(', 1000000))", &[ERROR, BOUND]),
        ("return string.find('x', string.rep('()', 100000))", &[BOUND]),
    ]);
}

#[test]
fn bombs_run_out_of_memory() {
    each(&[
        ("return string.rep('x', 1e9)", &[MEMORY, FUEL]),
        ("return string.rep('x', 1 << 62)", &[MEMORY, FUEL]),
        ("return string.rep('', 1e15, 'x')", &[MEMORY, FUEL]),
        ("return ('x'):rep(1e6):rep(1e6)", &[MEMORY, FUEL]),
        ("local s = 'x' while true do s = s .. s end", &[MEMORY, FUEL]),
        ("local t = {} while true do t[#t + 1] = {} end", &[MEMORY, FUEL]),
        ("local t = {} for i = 1, 1e9 do t[i] = i end", &[MEMORY, FUEL]),
        ("local t = {} for i = 1, 1e9 do t['k' .. i] = i end", &[MEMORY, FUEL]),
        ("return string.gsub(string.rep('x', 100000), 'x', string.rep('y', 100000))", &[MEMORY, FUEL]),
        (
            "local t = {} for i = 1, 1000 do t[i] = 'x' end return table.concat(t, string.rep('y', 1000000))",
            &[MEMORY, FUEL],
        ),
        ("return string.format('%99999999999d', 1)", &[MEMORY, FUEL]),
        ("return string.format('%.99999999999f', 1)", &[MEMORY, FUEL]),
        ("return string.format(string.rep('%1000000d', 100), table.unpack({}, 1, 100))", &[MEMORY, ERROR]),
        ("return table.unpack({}, 1, 1e8)", &[MEMORY, FUEL]),
        ("return table.unpack({}, -(1 << 62), 1 << 62)", &[MEMORY, FUEL]),
        ("return string.byte(string.rep('x', 3000000), 1, -1)", &[MEMORY, FUEL]),
        ("while true do print(string.rep('x', 100000)) end", &[MEMORY, FUEL]),
        ("local f = {} while true do f[#f + 1] = load('return ' .. #f) end", &[MEMORY, FUEL]),
    ]);
}

#[test]
fn deep_calls_and_nests_are_bounded() {
    each(&[
        ("local function f() return 1 + f() end return f()", &[DEEP, MEMORY]),
        ("local function f() pcall(f) end f()", &[DEEP]),
        ("local function f(s) return (s:gsub('.', f)) end f('x')", &[DEEP]),
        ("local function f() table.sort({2, 1}, f) end f()", &[DEEP]),
        (
            "local t t = setmetatable({}, {__tostring = function() return tostring(t) .. 'x' end}) return tostring(t)",
            &[DEEP],
        ),
        (
            "local t t = setmetatable({}, {__index = function(_, k) return t[k] .. 'x' end}) return t.x",
            &[DEEP],
        ),
        (
            "local t t = setmetatable({}, {__eq = function(a, b) return a == b end}) return t == setmetatable({}, getmetatable(t))",
            &[DEEP, FUEL],
        ),
        (
            "local t t = setmetatable({}, {__concat = function(a, b) return a .. b end}) return t .. t",
            &[DEEP, FUEL],
        ),
        (
            "local t t = setmetatable({}, {__lt = function(a, b) return a < b end}) table.sort({t, t})",
            &[DEEP, FUEL],
        ),
        ("local t t = setmetatable({}, {__tostring = function() print(t) end}) print(t)", &[DEEP]),
        (
            "local x = load('return ' .. string.rep('(', 200000) .. '1' .. string.rep(')', 200000)) return x()",
            &[BOUND, DEEP, MEMORY],
        ),
        (
            "local x = load('return ' .. string.rep('{', 200000) .. string.rep('}', 200000)) return x()",
            &[BOUND, DEEP, MEMORY],
        ),
        (
            "local x = load(string.rep('do ', 200000) .. string.rep('end ', 200000)) return x()",
            &[BOUND, DEEP, MEMORY],
        ),
        (
            "local x = load('return ' .. string.rep('- ', 100001) .. '1') return x()",
            &[BOUND, DEEP, ERROR, MEMORY],
        ),
        (
            "local x = load('return ' .. string.rep('function() return ', 100000)) return x()",
            &[BOUND, DEEP, ERROR, MEMORY],
        ),
    ]);
}

#[test]
fn long_integers_are_paid_for_and_bounded() {
    each(&[
        ("return 1 << (1 << 30)", &[BOUND]),
        ("local n = 3 for i = 1, 40 do n = n * n end", &[BOUND, FUEL]),
        ("return tostring(1 << 1000000)", &[FUEL]),
        ("local n = 1 << 1000000 while true do local m = n * 3 end", &[FUEL, MEMORY]),
        ("local n = 1 << 500000 while true do local m = n % 12345678901234567890 end", &[FUEL]),
        ("local n, t = 1 << 1000000, {} while true do t[#t + 1] = n + #t end", &[MEMORY, FUEL]),
    ]);
}

#[test]
fn a_million_arguments_go_through() {
    let mut vm = machine();
    for (script, expected) in [
        ("return select('#', table.unpack({}, 1, 1000000))", "[1.0e6]"),
        ("return (select(-1, table.unpack({[100000] = 7}, 1, 100000)))", "\"\\a\""),
        ("local t = {} for i = 1, 100000 do t[i] = 65 end return #string.char(table.unpack(t))", "[100000]"),
        (
            "local function f(...) return select('#', ...) end return f(table.unpack({}, 1, 200000))",
            "[2.0e5]",
        ),
        ("return math.max(table.unpack({1, 5, 3})), #table.pack(table.unpack({}, 1, 100000))", "[5,0]"),
    ] {
        let values = run(&mut vm, script).map_err(|code| format!("{script}: {code}")).unwrap();
        let text = vm.values_text(&values);
        assert!(text == expected || text == "[7]" && expected.contains("\\a"), "{script}: {text}");
    }
}
