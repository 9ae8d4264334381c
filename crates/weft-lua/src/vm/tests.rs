use super::*;
use crate::error::Term;

fn vm() -> Vm {
    let mut vm = Vm::bare(Profile::Luerl, Limits { fuel: 50_000_000, ..Limits::default() });
    let globals = vm.globals();
    let pcall = vm.native("luerl_lib_basic", "pcall", |call| match call.arg(0) {
        Some(function) => Ok(Returns::Protected(function, call.args_from(1))),
        None => Err(call.crash("function_clause")),
    });
    vm.set_field(globals, "pcall", pcall);
    let error = vm.native("luerl_lib_basic", "error_call", |call| {
        Err(LuaError::lua(Term::tuple([Term::atom("error_call"), Term::values(&call.args())])))
    });
    vm.set_field(globals, "error", error);
    let next = vm.native("luerl_lib_basic", "next", |call| match call.arg(0) {
        Some(Value::Table(table)) => Ok(match call.next(table, call.arg_or_nil(1)) {
            Some((key, value)) => Returns::Two(key, value),
            None => Returns::One(Value::Nil),
        }),
        _ => Err(call.badarg("next")),
    });
    vm.set_field(globals, "next", next);
    let pairs = vm.native("luerl_lib_basic", "pairs", move |call| {
        Ok(Returns::Many(vec![next, call.arg_or_nil(0), Value::Nil]))
    });
    vm.set_field(globals, "pairs", pairs);
    let setmetatable = vm.native("luerl_lib_basic", "setmetatable", |call| {
        if let (Some(Value::Table(table)), Value::Table(meta)) = (call.arg(0), call.arg_or_nil(1)) {
            call.set_metatable(table, Some(meta));
        }
        Ok(Returns::One(call.arg_or_nil(0)))
    });
    vm.set_field(globals, "setmetatable", setmetatable);
    let apply = vm.native("test", "apply", |call| {
        let values = call.call(call.arg_or_nil(0), &call.args_from(1))?;
        Ok(Returns::Many(values))
    });
    vm.set_field(globals, "apply", apply);
    let collect = vm.native("test", "collect", |call| {
        call.vm.collect(&[]);
        Ok(Returns::None)
    });
    vm.set_field(globals, "collect", collect);
    vm
}

/// What a program gives, as Erlang prints it.
fn run(source: &str) -> String {
    let mut vm = vm();
    let outcome = vm.load(source.as_bytes(), "test").and_then(|chunk| vm.call(chunk, &[]));
    match outcome {
        Ok(values) => vm.values_text(&values),
        Err(error) => format!("{} {}", error.code(), vm.term_text(error.term())),
    }
}

/// Programs and what Luerl 1.3.0 answered, or our own limits.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "local function fib(n) if n < 2 then return n end return fib(n-1) + fib(n-2) end return fib(20)",
        "[6765]",
    ),
    ("local x = 0 for i = 1, 100 do x = x + i end return x", "[5050]"),
    ("return 1 .. 2, 'a' .. 1.5 .. 'b'", "[<<\"12\">>,<<\"a1.5b\">>]"),
    ("return 9223372036854775807 + 1, 1 << 64", "[9223372036854775808,18446744073709551616]"),
    (
        "local t = {10, 20, x = 1, [1.5] = 2, [true] = 3} local s = '' for k, v in pairs(t) do s = s .. v .. ' ' end return s",
        "[<<\"10 20 2 3 1 \">>]",
    ),
    ("return pcall(error, 'x')", "[false,<<\"x\">>]"),
    ("return pcall(function() local x; return x.y end)", "[false,<<\"invalid index in nil: 'y'\">>]"),
    ("return pcall(function() return 1 + {} end)", "[false,<<\"bad arithmetic '+' on 1,table\">>]"),
    ("return 1 < '2'", "lua-error {badarg,'<',[1,<<\"2\">>]}"),
    ("return true and (function() return 1, 2, 300 end)()", "[1,2,300]"),
    (
        "local x = 1 do local f = function() return x end local x = 2 return f() end",
        "lua-crash function_clause",
    ),
    ("for k in (function() end)() do end", "lua-error {undefined_function,[]}"),
    ("local t = {} t[3] = 1 t[1] = 1 t[2] = 1 t.x = 1 return #t, #{1, 2, nil, 4}, #{nil, nil, 3}", "[3,2,0]"),
    ("local a = {} local i = 1 i, a[i] = i + 1, 20 return i, a[1], a[2]", "[2,20,nil]"),
    (
        "local t = setmetatable({}, {__index = function(t, k) return k .. '!' end}) return t.foo, t[1]",
        "[<<\"foo!\">>,<<\"1!\">>]",
    ),
    (
        "local f = {} for i = 1, 3 do f[i] = function() i = i + 1 return i end end return f[1](), f[1](), f[2]()",
        "[2,3,3]",
    ),
    ("local function v(...) local a, b = ... return b, ... end return v(100, 200, 300)", "[200,100,200,300]"),
    (
        "local t = {1} local s = 0 while true do s = s + 1 if s > 5 then break end end repeat local z = s s = s + 1 until z > 10 return s * 100",
        "[1200]",
    ),
    ("local function f() return function() end end return f() == f()", "[true]"),
    ("return apply(function(a, b) return b, a end, 1, 200)", "[200,1]"),
    ("return pcall(pcall, error, 7)", "[true,false,<<\"7\">>]"),
    ("break", "lua-error {illegal_op,break}"),
    ("goto x", "lua-crash function_clause"),
    ("x = = 2", "lua-syntax [{1,luerl_parse,[\"syntax error before: \",\"'='\"]}]"),
    (
        "local t = {} for i = 1, 1000 do t[i] = {i} end collect() local s = 0 for i, x in pairs(t) do s = s + x[1] end return s",
        "[500500]",
    ),
    ("local s = 0 for i = 10, 1, -3 do s = s * 100 + i end return s", "[10070401]"),
    ("while true do end", "lua-out-of-fuel \"The script ran out of fuel.\""),
    ("local function f() return 1 + f() end return f()", "lua-too-deep \"The script calls too deep.\""),
    (
        "local t = setmetatable({}, {}) getmeta = 1 local m = {} m.__index = m setmetatable(m, m) return m.x",
        "lua-out-of-fuel \"The script ran out of fuel.\"",
    ),
    ("local t = {} for i = 1, 1e9 do t[i] = {} end", "lua-out-of-memory \"The script ran out of memory.\""),
    ("x = 1 local function f() x = x + 1 return x end return (f() + f() * x) * 100", "[1100]"),
];

#[test]
fn programs_give_what_luerl_gives() {
    for (source, expected) in PROGRAMS {
        assert_eq!(run(source), *expected, "{source}");
    }
}

#[test]
fn a_failed_call_is_undone() -> Result<(), LuaError> {
    let mut vm = vm();
    let chunk = vm.load(b"t = {1, 2, a = 1} n = 0 return function() n = n + 1 t[3] = 3 t.a = nil t.b = 2 t[1] = {} error('no') end", "test")?;
    let function = vm.call(chunk, &[])?;
    let globals = vm.globals();
    vm.set_field(globals, "f", function[0]);
    vm.begin();
    assert!(vm.call(function[0], &[]).is_err());
    vm.roll_back();
    let chunk = vm.load(
        b"local s = n .. ':' for k, v in pairs(t) do s = s .. k .. '=' .. v .. ' ' end return s, #t",
        "test",
    )?;
    let values = vm.call(chunk, &[])?;
    assert_eq!(vm.values_text(&values), "[<<\"0:1=1 2=2 a=1 \">>,2]");
    Ok(())
}
