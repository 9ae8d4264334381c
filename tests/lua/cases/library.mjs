// Every library function with too few, wrong and odd arguments; what the tables of the library hold.

import { each, random } from './_util.mjs';

const NAMES = {
  '': 'assert error getmetatable ipairs load loadstring next pairs pcall print rawequal rawget rawlen rawset require select setmetatable tonumber tostring type unpack collectgarbage',
  bit32: 'arshift band bnot bor btest bxor extract lrotate lshift replace rrotate rshift',
  debug: 'getmetatable getuservalue setmetatable setuservalue',
  math: 'abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp ldexp log log10 max min modf pow rad sin sinh sqrt tan tanh tointeger type',
  string: 'byte char dump find format gmatch gsub len lower match rep reverse sub upper',
  table: 'concat insert pack remove sort unpack',
  utf8: 'char codepoint codes len offset',
};
export const FUNCTIONS = Object.entries(NAMES).flatMap(([lib, names]) => names.split(' ').map((name) => (lib ? `${lib}.${name}` : name)));

const LISTS = [
  '', 'nil', 'true', '5', '-1.5', '"abc"', '"7"', '{}', 'print',
  'nil, nil', '1, 2', '"a", "b"', '"abc", 2', '{}, 1', '{1, 2, 3}, 2', '{}, {}', '1, {}', 'print, 1', '"x", nil',
  '"abc", "b", 1', '1, 2, 3', '3, 1, 2, 4', '"abc", 1, -1', 'nil, nil, nil',
];
// These run code, print, look at files, or give things without a text of their own.
const SKIP = new Set(['print', 'utf8.codes', 'require']);

function wrong() {
  const out = [];
  for (const name of FUNCTIONS) {
    if (SKIP.has(name)) continue;
    for (const list of LISTS) out.push(`return ${name}(${list})`);
  }
  return out;
}

/** What pcall makes of the same errors: the texts. */
function texts() {
  const { pick } = random(21);
  const out = [];
  for (const name of FUNCTIONS) {
    if (SKIP.has(name) || name === 'pcall' || name === 'collectgarbage') continue;
    const chosen = new Set();
    while (chosen.size < 5) chosen.add(pick(LISTS));
    out.push(
      'local function s(f, ...) local ok, v = pcall(f, ...) if ok then return true end return v end return ' +
        [...chosen].map((list) => `s(${name}${list ? `, ${list}` : ''})`).join(', '),
    );
  }
  return out;
}

function tables() {
  const list = (name) =>
    `local r = {} for k, v in pairs(${name}) do r[#r+1] = tostring(k) .. "=" .. type(v) end return table.concat(r, " ")`;
  return [
    list('_G'), ...['string', 'table', 'math', 'os', 'io', 'utf8', 'bit32', 'debug', 'package', 'package.loaded', 'package.preload', 'package.searchers'].map(list),
    'return _G._G == _G, _G.string == string, package.loaded.string == string, package.loaded._G == _G',
    'return _VERSION, package.config, package.path, utf8.charpattern, math.pi, math.huge, math.maxinteger, math.mininteger',
    'return math.huge == 1/0', 'return -math.huge, math.huge + 1 == math.huge', 'return math.huge * 2',
    'return tostring(print), tostring(string.rep), tostring(table.insert), tostring(pcall)', 'return print, string.len, table.insert',
    'return next, ipairs, pairs, select', 'return string == getmetatable("").__index', 'return getmetatable("").__name, getmetatable("").x',
    'local r = {} for k, v in pairs(getmetatable("")) do r[#r+1] = tostring(k) .. type(v) end return table.concat(r, " ")',
    'return collectgarbage()', 'return collectgarbage("count")', 'return collectgarbage("collect")', 'return type(collectgarbage("step"))',
    'string.foo = function(s) return s .. "!" end return ("a"):foo()', 'string.upper = nil return ("a").upper', 'return ("abc").len, ("abc").x',
    'return ("abc")[1]', 'return #"abc" + ("abc"):len()', 'local s = "x" s.y = 1', 'return (5).x', 'return (5):x()', 'return (nil).x', 'return (true).x',
    'return io.write', 'return type(io.write)', 'return io.flush()', 'return io.read', 'return io.open', 'return io.write(nil)', 'return io.write({})',
    'return os.getenv(nil)', 'return os.getenv()', 'return os.getenv("")', 'return os.getenv({})', 'return os.remove()', 'return os.rename("a")', 'return os.execute(nil)',
    'return type(os.clock()), type(os.time()), type(os.date())', 'return os.difftime(5, 3), os.difftime(5.5, 3)', 'return os.difftime(1)', 'return os.difftime("5", 1)',
    'return os.time({})', 'return os.time({year = 2020})', 'return type(os.time(1))', 'return type(os.time(nil))', 'return os.date(1)', 'return os.date("%Y", "x")', 'return os.date("%Y", 0, 1)',
  ];
}

function dates() {
  const formats = [...'aAbBcdDeFHIjmMnpRsStTuUVwWxXyYzZ%'].map((c) => `%${c}`);
  const times = ['0', '86399', '86400', '951782400', '1582979696', '1700000000.5', '1.5', '-1', '4102444800', '253402300799'];
  const out = formats.flatMap((format) => [0, 3, 4].map((at) => `return os.date("${format}", ${times[at]})`));
  for (const time of times) out.push(`return os.date("%Y-%m-%d %H:%M:%S", ${time})`);
  return [...out, 'return os.date("!%c", 0)', 'return os.date("*t", 0)', 'return os.date("!*t", 3600)', 'return os.date("", 0)', 'return os.date("plain", 0)', 'return os.date("%", 0)', 'return os.date("%Q", 0)', 'return os.date("%Ey", 0)', 'return os.date("%%%%", 0)', 'return os.date("a%Yb%mc", 0)'];
}

function basic() {
  return [
    'return assert(1, 2, 3)', 'return assert(nil)', 'return assert(false, "m")', 'return assert(false, {1})', 'return assert(nil, nil)', 'return assert(false, 5)', 'return assert()', 'return pcall(assert)',
    'return pcall(assert, false, "why")', 'return pcall(assert, nil, 7)', 'return pcall(assert, nil, {})', 'return pcall(assert, nil, nil)', 'return pcall(assert, nil, true)', 'return pcall(assert, false, print)',
    'return select(1, "a", "b")', 'return select(-1, "a", "b")', 'return select(-2, "a", "b")', 'return select(-3, "a", "b")', 'return select(3, "a", "b")', 'return select(0, 1)', 'return select("2", 1, 2)', 'return select(1.5, 1)', 'return select("#")', 'return select("#", nil)', 'return select("#", nil, nil)', 'return select("x", 1)', 'return select(2.0, 1, 2)',
    'return type(nil), type(1), type("x"), type({}), type(print), type(true), type(function() end)', 'return type()', 'return type(nil, 1)',
    'return tostring(nil), tostring(true), tostring(12), tostring(-0.0), tostring("x")', 'return tostring()', 'return tostring(setmetatable({}, {__tostring = function() return 5 end}))', 'return tostring(setmetatable({}, {__tostring = function() end}))', 'return tostring(setmetatable({}, {__tostring = function() return "a", "b" end}))', 'return tostring(setmetatable({}, {__tostring = 5}))', 'return tostring(setmetatable({}, {__name = "N"}))',
    'return rawequal(1, 1.0), rawequal("a", "a"), rawequal({}, {}), rawequal(0.0, -0.0)', 'local t = {} return rawequal(t, t), rawequal(nil, nil)', 'return rawlen("abc"), rawlen({1, 2}), rawlen("")', 'return rawlen(5)', 'return rawget({a = 1}, "a"), rawget({1}, 1), rawget({1}, 1.0), rawget({}, nil)', 'return rawget("abc", 1)', 'local t = setmetatable({}, {__index = function() return 1 end}) return rawget(t, "x"), t.x', 'local t = setmetatable({}, {__newindex = function() end}) rawset(t, "x", 1) return t.x', 'return rawset({}, "a", 1).a', 'rawset({}, nil, 1)', 'local t = {1, 2, 3} rawset(t, 2, nil) return #t, t[3]', 'local t = {} rawset(t, 1.0, "x") return t[1]', 'local t = {} rawset(t, "a", nil) return next(t)',
    'return next({})', 'return next({1})', 'return next({a = 1})', 'return next({1}, 1)', 'return next({1, 2}, 1)', 'return next({a = 1, b = 2}, "a")', 'return next({a = 1}, "b")', 'return next({a = 1}, 5)', 'return next({1, 2, 3}, 10)', 'return next({1, 2}, 0)', 'return next({1, 2}, -1)', 'return next({1, 2}, 1.0)', 'return next({1, 2}, 1.5)', 'return next({}, {})', 'return next(nil)', 'return next("x")', 'return next({a = 1}, nil)', 'return next({1, nil, 3}, 1)',
    'local t = setmetatable({}, {__index = {a = 1}}) return next(t), #t', 'return ipairs({})', 'local f, t, k = pairs({}) return f, type(t), k', 'local f, t, k = ipairs({}) return f, type(t), k', 'return pairs(nil)', 'return ipairs(nil)', 'return pairs()', 'return ipairs()', 'return pairs(5)', 'return pairs("x")', 'return ipairs("abc")', 'for i, v in ipairs("abc") do return i, v end', 'for k in pairs(nil) do end', 'for k in pairs("x") do end', 'for i, v in ipairs({1, 2, nil, 4}) do if i > 2 then return i end end return "end"',
    'return getmetatable({}), getmetatable(5), getmetatable(nil), type(getmetatable("x"))', 'return getmetatable(setmetatable({}, {__metatable = "locked"}))', 'return setmetatable(setmetatable({}, {__metatable = 1}), {})', 'return pcall(setmetatable, setmetatable({}, {__metatable = false}), {})', 'return pcall(setmetatable, {}, 5)', 'return pcall(setmetatable, 5, {})', 'return pcall(setmetatable, {})', 'local t = setmetatable({}, {}) return getmetatable(setmetatable(t, nil))', 'return setmetatable({}, nil, 5) ~= nil', 'return getmetatable(setmetatable({}, {__metatable = false}))', 'return getmetatable(setmetatable({}, setmetatable({}, {__index = function() return 3 end})))',
    'return unpack({1, 2, 3})', 'return unpack({1, 2, 3}, 2)', 'return unpack({1, 2, 3}, 2, 3)', 'return unpack({}, 1, 3)', 'return unpack({1, nil, 3})', 'return unpack(nil)', 'return unpack("abc")', 'return unpack({1}, "1", "2")', 'return unpack({1, 2}, -1, 1)', 'return unpack({[0] = 0, 1}, 0)', 'return unpack({[-1] = 5, [0.0] = 6, 1}, -1, 2)', 'return unpack({1, 2}, 1.5)', 'return unpack({1, 2}, nil, 1)', 'return unpack({1, 2}, 3, 1)', 'return unpack({1, 2}, {})',
    'return load("return 1, 2")()', 'return load("x =")', 'return load("return ...")(1, 2, 3)', 'return load("x = 5")()', 'load("x = 5")() return x', 'local x = 1 return load("return x")()', 'return load("syntax error here")', 'return load("")', 'return load("")()', 'return load(nil)', 'return load({})', 'return load(function() return "return 1" end)', 'return load(5)', 'return load("return 1", "name")()', 'return load("return 1", "name", "t")()', 'return load("return x", "n", "t", {x = 7})()', 'return load("return 1", nil)', 'return loadstring("return 3")()', 'return loadstring("return 3", "n")', 'return loadstring("do")', 'return load("return \\"a")', 'return load("x = = 1")', 'return load("for")', 'return load("goto x")', 'return pcall(load, "goto x")', 'return pcall(load("error(5)"))', 'return pcall(load("local x = nil + 1"))', 'return load("\\n\\nx y")', 'return load("return 1 +")', 'return load("break")', 'return load("return 0x")', 'return load("return 1..2")', 'return load("a.b:c = 1")', 'return load("f() = 1")', 'return load("local function end")', 'return load("--[[ x")', 'return load("return @")', 'return load("return \'\\\\q\'")', 'return load("[=[")', 'return load("return ...")', 'return load("return function() return ... end")', 'return dofile', 'return type(dofile), type(loadfile), type(eprint)',
    'return require("string") == string', 'return require("nothere")', 'return pcall(require, "no.module")', 'return require()', 'return pcall(require, nil)', 'return pcall(require, {})', 'package.loaded.m = {v = 1} return require("m").v', 'package.preload.m = function(n, x) return {name = n, x = x} end local m = require("m") return m.name, m.x, require("m") == m', 'package.preload.m = function() end return require("m"), require("m")', 'package.preload.m = function() return false end return require("m"), package.loaded.m', 'package.preload.m = function() error("boom") end return pcall(require, "m")', 'package.loaded["a.b"] = 5 return require("a.b")', 'return package.searchpath("x", "./?.nolua")', 'return package.searchpath("a.b", "/nowhere/?.x;/nowhere/?/y")', 'return package.searchpath("x")', 'package.path = "/nowhere/?" return pcall(require, "zz")', 'package.searchers = {} return pcall(require, "zz")', 'package.searchers = {function(n) return function() return n .. "!" end end} return require("zz")', 'package.searchers = nil return pcall(require, "zz")', 'package = nil return pcall(require, "zz")', 'return package.searchers[1]("zz")', 'package.path = "/nowhere/?" return package.searchers[2]("zz")',
    'return debug.getmetatable({}), debug.getmetatable("x") == getmetatable("x")', 'debug.setmetatable(5, {__index = function(n, k) return k .. n end}) return (7).abc', 'debug.setmetatable(nil, {__index = function(n, k) return k end}) local x return x.foo', 'debug.setmetatable(print, {__index = {a = 1}}) return print.a', 'debug.setmetatable(true, {__add = function(a, b) return "added" end}) return true + 1, false + false', 'debug.setmetatable(5, {__call = function(n, a) return n + a end}) return (5)(6)', 'return debug.getuservalue(1), debug.setuservalue(1, 2)', 'local t = setmetatable({}, {__metatable = "x"}) return type(debug.getmetatable(t)), getmetatable(t)', 'debug.setmetatable("", {__index = {len = function() return "mine" end}}) return ("abc"):len()', 'debug.setmetatable("", nil) return pcall(function() return ("x"):upper() end)', 'debug.setmetatable(5, {__tostring = function() return "five" end}) return tostring(5), tostring(6), 5 .. ""', 'debug.setmetatable(1, {__len = function(n) return n * 2 end}) return #21',
  ];
}

/** Bits of bit32, alone and in one program. */
function bits() {
  const { pick } = random(22);
  const numbers = ['0', '1', '-1', '255', '0x80000000', '0xffffffff', '4294967296', '12345678', '-2147483648', '3.0', '"6"', '0x123456789'];
  const out = [];
  for (const name of ['band', 'bor', 'bxor', 'btest', 'bnot']) {
    for (let n = 0; n < 8; n++) out.push(`return bit32.${name}(${pick(numbers)}, ${pick(numbers)}, ${pick(numbers)})`);
    out.push(`return bit32.${name}(${pick(numbers)})`);
  }
  const amounts = ['0', '1', '4', '31', '32', '33', '-1', '-4', '-33', '2.0'];
  for (const name of ['lshift', 'rshift', 'arshift', 'lrotate', 'rrotate']) {
    for (const amount of amounts) out.push(each(numbers.map((n) => `bit32.${name}(${n}, ${amount})`)));
  }
  for (const list of ['0xff00, 8', '0xff00, 8, 4', '0xff, 0, 32', '0xff, 1, 32', '0xff, -1', '0xff, 0, 0', '0xff, 31, 1', '1.5, 1', '0xdeadbeef, 4, 16', '-1, 3, 5', '0xff, 32']) out.push(`return bit32.extract(${list})`);
  for (const list of ['0, 1, 8', '0, 255, 8, 4', '0xffffffff, 0, 4, 8', '0, 0, 0, 32', '0, 1, 1, 32', '0, 1, -1', '5, 3, 1, 0', '0xdeadbeef, 0x55, 12, 8', '1, 2']) out.push(`return bit32.replace(${list})`);
  return out;
}

export const programs = () => [...wrong(), ...texts(), ...tables(), ...dates(), ...basic(), ...bits()];
