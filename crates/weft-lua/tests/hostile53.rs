//! Scripts in profile `lua53` that try to pass their limits: each ends with an error that has a code, or catches what PUC's Lua
//! lets it catch.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use weft_lua::{Limits, Profile, Vm};

fn end(program: &str) -> String {
    let limits = Limits { fuel: 20_000_000, memory: 32 << 20, depth: 10_000 };
    let mut vm = Vm::new(Profile::Lua53, limits);
    match vm.load(program.as_bytes(), "=hostile").and_then(|chunk| vm.call(chunk, &[])) {
        Ok(_) => "ok".to_owned(),
        Err(error) => error.code().to_owned(),
    }
}

#[test]
fn scripts_of_lua_5_3_end_within_their_limits() {
    let spent = "lua-out-of-fuel";
    for (program, code) in [
        ("while true do end", spent),
        ("::a:: goto a", spent),
        ("while true do pcall(error) end", spent),
        (
            "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
            spent,
        ),
        ("coroutine.wrap(function() while true do end end)()", spent),
        ("('a'):rep(100000):find(('a-'):rep(30) .. 'b')", spent),
        ("for i = 1, math.huge do end", spent),
        (
            "table.sort(setmetatable({}, {__len = function() return 1e6 // 1 | 0 end, __index = function() return 1 end}), function() while true do end end)",
            spent,
        ),
        ("local s = 'x' while true do s = s .. s end", "lua-out-of-memory"),
        ("local t = {} for i = 1, 1e9 do t[i] = {} end", "lua-out-of-memory"),
        ("local t = {} while true do t[#t + 1] = coroutine.create(print) end", "lua-out-of-memory"),
        ("return ('x'):rep(1 << 27)", "lua-out-of-memory"),
        ("return string.pack('c' .. (1 << 27), '')", "lua-out-of-memory"),
        ("local function f() return 1 + f() end f()", "lua-too-deep"),
        ("local function f() return 1 + f() end assert(not pcall(f))", "ok"),
        ("local function f() return coroutine.wrap(f)() end f()", "lua-error"),
        ("return ('x'):gsub('x', function() return ('x'):rep(1 << 40) end)", "lua-error"),
        ("return table.unpack({}, 1, 1e8)", "lua-error"),
        ("xpcall(error, function(m) error(m) end)", "ok"),
        // Each value is the next key: a collector that looks again at all keys for each would not end here.
        (
            "local t, first = setmetatable({}, {__mode = 'k'}), {} local k = first for i = 1, 20000 do local n = {} t[k] = n k = n end
            local function count() local n = 0 for _ in pairs(t) do n = n + 1 end return n end
            k = nil collectgarbage() assert(count() == 20000) first = nil collectgarbage() assert(count() == 0)",
            "ok",
        ),
        ("local t = setmetatable({}, {__mode = 'k'}) for i = 1, 1e6 do t[{}] = {i} end", "ok"),
    ] {
        assert_eq!(end(program), code, "{program}");
    }
    let nested = format!("return {}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert_eq!(end(&nested), "lua-syntax");
}
