//! Scripts that mean harm: each ends with values or a stable code, within its limits, and the machine goes on as if it had
//! not been.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use weft_lua::{Limits, Profile, Vm};

const LIMITS: Limits = Limits { fuel: 10_000_000, memory: 16 << 20, depth: 20_000 };

/// A script, and the code it ends with; empty if it ends with values, or without fuel.
const SCRIPTS: &[(&str, &str)] = &[
    ("while true do end", "lua-out-of-fuel"),
    ("repeat until false", "lua-out-of-fuel"),
    ("for i = 1, 1 << 70 do end", "lua-out-of-fuel"),
    ("for i = 1.0, 1e300 do end", "lua-out-of-fuel"),
    ("local function f() return f() end f()", "lua-out-of-fuel"),
    ("local function f() f() end f()", "lua-too-deep"),
    ("local function f() return 1 + f() end pcall(f)", "lua-too-deep"),
    ("local function f() pcall(f) end f()", "lua-too-deep"),
    ("local function f() return pcall(f) end f()", "lua-too-deep"),
    ("local t = {} t.__index = t setmetatable(t, t) return t.x", "lua-out-of-fuel"),
    ("local t = {} t.__newindex = t setmetatable(t, t) t.x = 1", "lua-out-of-fuel"),
    ("local t = {} t.__call = t setmetatable(t, t) t()", "lua-out-of-fuel"),
    (
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
        "lua-too-deep",
    ),
    (
        "local t = setmetatable({}, {}) getmetatable(t).__tostring = tostring return tostring(t)",
        "lua-out-of-fuel",
    ),
    (
        "local t = setmetatable({}, {}) getmetatable(t).__add = function(a, b) return a + b end return t + t",
        "lua-too-deep",
    ),
    (
        "local t = setmetatable({}, {}) getmetatable(t).__lt = function(a, b) return a < b end return t < t",
        "lua-too-deep",
    ),
    (
        "local t = setmetatable({}, {}) getmetatable(t).__concat = function(a, b) return a .. b end return t .. 'x' .. t",
        "lua-too-deep",
    ),
    (
        "return pcall(table.unpack((function() local t = {} for i = 1, 100000 do t[i] = pcall end return t end)()))",
        "lua-too-deep",
    ),
    ("local function f(s) return s:gsub('.', f) end return f('x')", "lua-too-deep"),
    (
        "local function f(a, b) table.sort({3, 2, 1}, f) return a < b end table.sort({3, 2, 1}, f)",
        "lua-too-deep",
    ),
    ("local s = 'x' while true do s = s .. s end", "lua-out-of-memory"),
    ("return ('x'):rep(1 << 40)", "lua-out-of-memory"),
    ("return ('x'):rep(1 << 70)", "lua-out-of-memory"),
    ("local s = ('x'):rep(1 << 20) local t = {} for i = 1, 1000 do t[i] = s .. i end", "lua-out-of-memory"),
    ("local t = {} for i = 1, 1e9 do t[i] = i end", "lua-out-of-memory"),
    ("local t = {} for i = 1, 1e9 do t['k' .. i] = i end", "lua-out-of-memory"),
    ("local t = {} for i = 1, 1e9 do t = {t} end", "lua-out-of-memory"),
    ("local f = print for i = 1, 1e9 do local g = f f = function() return g, i end end", "lua-out-of-memory"),
    ("local t = {} while true do t[#t + 1] = load('return function() end')() end", "lua-out-of-memory"),
    ("local n = 3 while true do n = n * n end", "lua-out-of-fuel"),
    ("local t = {} for i = 1, 1e5 do t[i] = i end return select('#', table.unpack(t))", ""),
    (
        "local t = {} for i = 1, 1e6 do t[i] = i end return select('#', table.unpack(t, 1, 1e9))",
        "lua-out-of-memory",
    ),
    ("return #table.pack(table.unpack({}, 1, 1e5))", ""),
    ("local function f(...) return f(1, ...) end return f()", ""),
    ("return ('a'):rep(40):match(('a?'):rep(40) .. ('a'):rep(40))", ""),
    ("return ('a'):rep(3000):find(('.-'):rep(20) .. 'b')", "lua-out-of-fuel"),
    ("return ('('):rep(100000):find('%b()')", ""),
    ("return string.format('%1000000000d', 1)", "lua-out-of-memory"),
    ("return load(('('):rep(100000) .. '1' .. (')'):rep(100000))", "lua-unsupported"),
    ("return load('return ' .. ('{'):rep(100000))", "lua-unsupported"),
    ("return load('return ' .. ('not '):rep(100000) .. '1')", "lua-unsupported"),
    ("return load('return ' .. ('- '):rep(1000) .. '1')", "lua-unsupported"),
    ("return load(('do '):rep(10000) .. ('end '):rep(10000))", "lua-unsupported"),
    ("return load('return ' .. ('1 .. '):rep(100000) .. '1')", "lua-unsupported"),
    ("return load('return ' .. ('1 + '):rep(100000) .. '1')() // 100001", ""),
    ("return load('x = f' .. ('()'):rep(100000))", "lua-unsupported"),
    ("return load('x = a' .. ('.b'):rep(100000))", "lua-unsupported"),
    ("return load('return ' .. ('function() return '):rep(10000))", "lua-unsupported"),
    ("return load(('if x then '):rep(10000) .. ('end '):rep(10000))", "lua-unsupported"),
    (
        "local t = {} for i = 1, 2000 do t[i] = i end for k in pairs(t) do t[{}] = 1 t[tostring(k) .. 'x'] = 1 if #tostring(k) > 9 then break end end",
        "",
    ),
    (
        "local t = {} for i = 1, 20000 do t[-i * 65536] = i end for i = 1, 20000 do t[-i * 65536] = nil end return next(t)",
        "",
    ),
    (
        "local t = {} t[1e15] = 1 t[1 << 80] = 2 local n = 0 for k in pairs(t) do n = n + 1 end return n, #t",
        "",
    ),
    ("return table.concat({}, 'x', 1, 1e9)", "lua-error"),
    ("local t = setmetatable({}, {__len = function() return 1 << 60 end}) return #t, table.unpack(t)", ""),
    ("return tostring(setmetatable({}, {__tostring = function() error({}) end}))", "lua-error"),
    ("error(setmetatable({}, {__tostring = function(t) error(t) end}))", "lua-too-deep"),
];

#[test]
fn hostile_scripts_end_within_their_limits() {
    let mut differ = Vec::new();
    for (script, code) in SCRIPTS {
        let mut vm = Vm::new(Profile::Luerl, LIMITS);
        let before = vm.snapshot().unwrap();
        vm.begin();
        let outcome = vm.load(script.as_bytes(), "hostile").and_then(|chunk| vm.call(chunk, &[]));
        vm.roll_back();
        let ended = outcome.err().map_or("", |error| error.code());
        let expected = if code.is_empty() && ended == "lua-out-of-fuel" { ended } else { code };
        if ended != expected {
            differ.push(format!("{ended}, not {expected}: {script}"));
        }
        assert!(vm.memory() <= LIMITS.memory + (1 << 20), "{script}");
        assert!(vm.snapshot().unwrap() == before, "it goes on as before: {script}");
    }
    assert!(differ.is_empty(), "{differ:#?}");
}

#[test]
fn what_is_pending_survives_a_collection() {
    let mut vm = Vm::new(Profile::Luerl, LIMITS);
    let script = "
        local function garbage(n) for i = 1, n or 20000 do local t = {i, tostring(i)} end end
        local function many(n) local t = {} for i = 1, n do t[i] = 'v' .. i end garbage() return table.unpack(t) end
        local index = setmetatable({}, {__index = function(t, k) garbage() return function(self, ...) garbage() return select('#', ...), ... end end})
        local n, first = index:method(many(50))
        local sorted = {} for i = 1, 200 do sorted[i] = 's' .. (i * 7919 % 200) end
        table.sort(sorted, function(a, b) garbage(200) return a < b end)
        local text = ('x y z'):gsub('%a', function(c) garbage() return c .. c end)
        local joined = setmetatable({}, {__concat = function(a, b) garbage() return 'joined' .. #tostring(b) end}) .. 'a' .. 'b'
        return n, first, sorted[1], #sorted, text, joined, (many(3))";
    let values = vm.load(script.as_bytes(), "pending").and_then(|chunk| vm.call(chunk, &[])).unwrap();
    let text = vm.values_text(&values);
    assert_eq!(text, "[50.0,<<\"v1\">>,<<\"s0\">>,200,<<\"xx yy zz\">>,<<\"joined2\">>,<<\"v1\">>]");
}
