// Metatables: every event, with functions, tables and other things as handlers.

import { lines } from './_util.mjs';

const BINARY = { add: '+', sub: '-', mul: '*', div: '/', mod: '%', pow: '^', idiv: '//', band: '&', bor: '|', bxor: '~', shl: '<<', shr: '>>', concat: '..', lt: '<', le: '<=', eq: '==' };
const OTHERS = ['1', '"x"', '"5"', '1.5', 'nil', 'true', 'o', 'p', '{}'];

function events() {
  const out = [];
  const head = (name, handler) =>
    `local m = {__${name} = ${handler}} local o, p = setmetatable({}, m), setmetatable({}, {__${name} = function() return "p" end}) local function k(v) return type(v) end `;
  for (const [name, op] of Object.entries(BINARY)) {
    const sides = [...OTHERS.map((x) => `t(function() return o ${op} ${x} end)`), ...OTHERS.slice(0, 6).map((x) => `t(function() return ${x} ${op} o end)`)];
    const t = 'local function t(f) local ok, v = pcall(f) return v end ';
    out.push(`${head(name, 'function(a, b) return k(a) .. k(b) end')}${t}return ${sides.join(', ')}`);
    for (const handler of ['function(a, b) return nil end', 'function(a, b) return 1, 2 end', 'function(a, b) error("in") end', '5', '{}', 'setmetatable({}, {__call = function(self, a, b) return "called" end})', 'false', '"s"', 'function(...) return select("#", ...) end']) {
      out.push(`local o = setmetatable({}, {__${name} = ${handler}}) return o ${op} o`);
      if (op !== '==') out.push(`local o = setmetatable({}, {__${name} = ${handler}}) return pcall(function() return 1 ${op} o end)`);
    }
    const flipped = { '<': '>', '<=': '>=', '==': '~=' }[op];
    if (flipped) out.push(`${head(name, 'function(a, b) return rawequal(a, o) end')}${t}return ${OTHERS.map((x) => `t(function() return o ${flipped} ${x} end)`).join(', ')}`);
  }
  for (const [name, op] of Object.entries({ unm: '-', bnot: '~', len: '#' })) {
    for (const handler of ['function(a) return "u" end', 'function(a, b) return type(a) .. type(b) end', 'function(...) return select("#", ...) end', 'function() end', 'function() return 1, 2 end', '5', '{}', 'false', 'function() error({}) end']) {
      out.push(`local o = setmetatable({1, 2}, {__${name} = ${handler}}) return ${op}o`);
    }
  }
  return out;
}

const PROGRAMS = lines(String.raw`
  local o = setmetatable({}, {__index = {a = 1}}) return o.a, o.b, rawget(o, "a")
  local o = setmetatable({}, {__index = function(t, k) return k, 2 end}) return o.x, o[1], o[nil]
  local o = setmetatable({x = 1}, {__index = function(t, k) return "d" end}) o.x = nil return o.x
  local o = setmetatable({false}, {__index = function() return "d" end}) return o[1], o[2]
  local a = setmetatable({}, {__index = {deep = 1}}) local b = setmetatable({}, {__index = a}) local c = setmetatable({}, {__index = b}) return c.deep, c.none
  local o = setmetatable({}, {__index = "abc"}) return o.len, o.x
  local o = setmetatable({}, {__index = 5}) return o.x
  local o = setmetatable({}, {__index = true}) return pcall(function() return o.x end)
  local o = setmetatable({}, {__index = false}) return o.x
  local o = setmetatable({}, {__index = print}) return type(o)
  local o = setmetatable({}, {__index = rawget}) return o.x
  local o = setmetatable({}, {__index = function(t, k) error("no " .. k) end}) return o.field
  local o = setmetatable({}, {__index = function(t, k) error("no " .. k) end}) return pcall(function() return o.field end)
  local o = setmetatable({}, {__index = function(t, k) local v = k .. "!" rawset(t, k, v) return v end}) return o.a, rawget(o, "a")
  local n = 0 local o = setmetatable({}, {__index = function(t, k) n = n + 1 end}) local x = o.a, o.b return n
  local o = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end}) o.a = 5 return o.a
  local s = {} local o = setmetatable({}, {__newindex = s}) o.a = 5 return rawget(o, "a"), s.a
  local o = setmetatable({a = 1}, {__newindex = function() error("ro") end}) o.a = 2 return o.a
  local o = setmetatable({}, {__newindex = function() error("ro") end}) o.a = 2
  local o = setmetatable({}, {__newindex = function(t, k, v) error("ro " .. k) end}) return pcall(function() o.a = 2 end)
  local o = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, tostring(v)) end}) o[1] = 1 o[2.0] = 2 o.x = nil return o
  local o = setmetatable({}, {__newindex = 5}) o.x = 1
  local o = setmetatable({}, {__newindex = "s"}) o.x = 1
  local o = setmetatable({}, {__newindex = function() end}) o[nil] = 1 return "done"
  local a = {} local b = setmetatable({}, {__newindex = a}) local c = setmetatable({}, {__newindex = b}) c.x = 1 return a.x, b.x, c.x
  local o = setmetatable({1}, {__newindex = function() return "never" end}) o[1] = nil o[1] = 2 return o[1]
  local o = setmetatable({}, {__call = function(self, a, b) return type(self), a, b end}) return o(1, 2)
  local o = setmetatable({}, {__call = function(...) return select("#", ...) end}) return o(), o(nil), o(1, 2, 3)
  local o = setmetatable({}, {__call = 5}) return o()
  local o = setmetatable({}, {__call = setmetatable({}, {__call = function(...) return select("#", ...), ... end})}) return (o(7))
  local o = setmetatable({}, {__call = print}) return type(o)
  local o = setmetatable({}, {}) return o()
  return pcall(function() local o = {} return o() end)
  local o = setmetatable({}, {__call = function(self, x) return x end}) return pcall(o, 5)
  local o = setmetatable({}, {__call = function(self, x) return x end}) return o"str", o{1}[1], select(2, pcall(o))
  local o = setmetatable({f = function(self, x) return self.v + x end, v = 10}, {}) return o:f(5)
  local o = setmetatable({}, {__tostring = function() return "TS" end}) return tostring(o), pcall(string.format, "%s", o)
  local o = setmetatable({}, {__tostring = function(...) return select("#", ...) end}) return tostring(o)
  local o = setmetatable({}, {__tostring = function() return nil end}) return tostring(o)
  local o = setmetatable({}, {__tostring = function() return {} end}) return type(tostring(o))
  local o = setmetatable({}, {__tostring = function() error("ts") end}) return pcall(tostring, o)
  local o = setmetatable({}, {__tostring = "x"}) return tostring(o)
  local o = setmetatable({}, {__tostring = function() return "TS" end}) return o .. "x"
  local o = setmetatable({}, {__name = "My"}) return tostring(o):sub(1, 6)
  local o = setmetatable({}, {__len = function() return 7 end}) return #o, rawlen(o)
  local o = setmetatable({1, 2}, {__len = function() return "x" end}) return #o
  local o = setmetatable({1, 2}, {__len = function() return 1.5 end}) return #o, table.unpack(o)
  local o = setmetatable({}, {__eq = function() return true end}) return o == {}, o == 1, o ~= {}
  local m = {__eq = function() return 1 end} local a, b = setmetatable({}, m), setmetatable({}, m) return a == b, a ~= b, rawequal(a, b)
  local m = {__eq = function() return nil end} local a, b = setmetatable({}, m), setmetatable({}, m) return a == b, a ~= b, a == a
  local a, b = setmetatable({}, {__eq = function() return true end}), setmetatable({}, {__eq = function() return true end}) return a == b
  local f = function() return true end local a, b = setmetatable({}, {__eq = f}), setmetatable({}, {__eq = f}) return a == b
  local m = {__lt = function(a, b) return a.v < b.v end} local a, b = setmetatable({v = 1}, m), setmetatable({v = 2}, m) return a < b, a > b, a <= b, a >= b
  local m = {__le = function(a, b) return a.v <= b.v end} local a, b = setmetatable({v = 1}, m), setmetatable({v = 2}, m) return a <= b, a >= b
  local m = {__le = function(a, b) return a.v <= b.v end} local a, b = setmetatable({v = 1}, m), setmetatable({v = 2}, m) return a < b
  local m = {__lt = function(a, b) return "str" end} local a = setmetatable({}, m) return a < a, a > a, a <= a, a >= 1
  local m = {__lt = function(a, b) return nil end} local a = setmetatable({}, m) return a < a, a <= a
  local m = {__lt = function(a, b) return end} local a = setmetatable({}, m) return a < a
  local m = {__concat = function(a, b) return "C" end} local a = setmetatable({}, m) return a .. a, a .. 1, 1 .. a, "x" .. a .. "y", a .. nil
  local m = {__concat = function(a, b) return tostring(a == nil) .. type(b) end} local a = setmetatable({}, m) return nil .. a, a .. {}, true .. a
  local o = setmetatable({}, {__metatable = "locked"}) return getmetatable(o)
  local o = setmetatable({}, {__metatable = "locked"}) return pcall(setmetatable, o, {})
  local o = setmetatable({}, {__pairs = function(t) return function(_, k) if not k then return 1, "a" end end, t, nil end}) for k, v in pairs(o) do return k, v end
  local o = setmetatable({}, {__pairs = function(t) return 1, 2, 3, 4 end}) return pairs(o)
  local o = setmetatable({}, {__pairs = function(t) end}) return pairs(o)
  local o = setmetatable({}, {__pairs = 5}) return pairs(o)
  local o = setmetatable({}, {__ipairs = function(t) return "i" end}) return ipairs(o)
  local o = setmetatable({}, {__index = function(t, i) if i < 4 then return i * 10 end end}) local r = {} for i, v in ipairs(o) do r[#r+1] = v end return r
  local o = setmetatable({1, 2}, {__index = function(t, i) return "more" end}) local n = 0 for i, v in ipairs(o) do n = n + 1 end return n
  local o = setmetatable({}, {__gc = function() end, __mode = "k", __close = 1}) return type(o)
  local o = setmetatable({}, {__div = function() return "d" end}) return o / 2, 2 / o, pcall(function() return o // 2 end)
  local o = setmetatable({}, {__add = function(a, b) return 1 end}) return pcall(function() return o - 1 end)
  local o = setmetatable({}, {__unm = function(a) return "neg" end}) return -o
  local V = {} V.__index = V V.__add = function(a, b) return setmetatable({x = a.x + b.x}, V) end function V.new(x) return setmetatable({x = x}, V) end function V:get() return self.x end return (V.new(1) + V.new(2)):get()
  local A = {} A.__index = A function A.new() return setmetatable({}, A) end function A:hi() return "A" end local B = setmetatable({}, {__index = A}) B.__index = B function B.new() return setmetatable({}, B) end function B:bye() return "B" .. self:hi() end return B.new():bye()
  local P = setmetatable({}, {__call = function(cls, ...) return setmetatable({...}, cls) end}) P.__index = P P.__len = function() return "len" end local p = P(1, 2) return #p, p[2]
  local mt = {} local o = setmetatable({}, mt) mt.__index = function() return "late" end return o.x
  local mt = {__index = function() return 1 end} local o = setmetatable({}, mt) mt.__index = nil return o.x
  setmetatable(_G, {__index = function(t, k) return "global " .. k end}) return undefined_name
  setmetatable(_G, {__newindex = function(t, k, v) rawset(t, k, v .. "!") end}) g = "v" return g
  setmetatable(_G, {__newindex = function(t, k) error("no global " .. k) end}) h = 1
  setmetatable(_G, {__index = function(t, k) error("undefined " .. k) end}) return pcall(function() return foo end)
  local log = {} local p = setmetatable({}, {__index = function(t, k) log[#log+1] = "get " .. k end, __newindex = function(t, k, v) log[#log+1] = "set " .. k end}) local x = p.a p.b = 1 return table.concat(log, ",")
  local o = setmetatable({}, {__index = function(t, k) return function(self, ...) return k, ... end end}) return o:anything(1, 2)
  local depth = 0 local o o = setmetatable({}, {__index = function(t, k) depth = depth + 1 if depth < 50 then return o[k .. "x"] end return k end}) return #o.a
  getmetatable("").__add = function(a, b) return a .. "+" .. b end return "a" + "b", "1" + "2"
  getmetatable("").__index = function(s, i) return i end return ("abc").x, ("abc")[2]
  getmetatable("").__call = function(s, x) return s .. x end return ("abc")("d")
  getmetatable("").__unm = function(s) return "neg" end return -"abc", -"5"
  getmetatable("").__len = function(s) return 99 end return #"abc"
  getmetatable("").__lt = function(a, b) return "lt" end return "a" < 1, 1 < "a", "a" < "b"
  getmetatable("").__eq = function() return true end return "a" == "b", "a" == 1
  getmetatable("").__concat = function() return "cc" end return "a" .. {}, {} .. "a", "a" .. "b"
  getmetatable("").__newindex = function(s, k, v) _G.seen = k end local s = "x" s.foo = 1 return seen
`);

export const programs = () => [...events(), ...PROGRAMS];
