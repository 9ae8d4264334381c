// Errors: values of every type through error and pcall, errors that escape, calls of what cannot be called.

import { lines } from './_util.mjs';

const VALUES = ['nil', 'true', 'false', '0', '42', '-1.5', '1e100', '1 << 70', '""', '"text"', '"a\\0b"', '"\\200"', '{}', '{1, 2}', '{code = 1}', 'print', 'function() end', 'setmetatable({}, {__tostring = function() return "shown" end})', 'setmetatable({}, {__tostring = function() return 5 end})', 'setmetatable({}, {__tostring = function() error("again") end})'];
const BROKEN = ['nil', '5', '"s"', 'true', '{}', '1.5'];

function raised() {
  const out = [];
  for (const value of VALUES) {
    out.push(`error(${value})`, `return pcall(error, ${value})`, `return pcall(function() error(${value}) end)`, `error(${value}, 0)`, `return pcall(error, ${value}, 2)`, `local ok, e = pcall(error, ${value}) return type(e), e`, `assert(false, ${value})`, `return pcall(assert, false, ${value})`, `return pcall(function() local ok, e = pcall(error, ${value}) error(e) end)`);
  }
  for (const value of BROKEN) {
    out.push(`local x = ${value} return x()`, `local x = ${value} return pcall(function() x() end)`, `local x = ${value} return pcall(x)`, `local x = ${value} return x.y`, `local x = ${value} return x.y.z`, `local x = ${value} return pcall(function() return x.y.z end)`, `local x = ${value} x.y = 1 return "set"`, `local x = ${value} return pcall(function() x.y.z = 1 end)`, `local x = ${value} return x:m()`, `local x = ${value} return pcall(function() return x:m(1) end)`, `local x = ${value} return x[1]`, `local x = ${value} return pcall(function() x[{}] = 1 end)`, `local x = ${value} return #x`, `local x = ${value} for i = x, 2 do end return "loop"`, `local x = ${value} return pcall(function() for i = 1, x do end end)`, `local x = ${value} for k in x do end`, `local x = ${value} return pcall(function() for k in x do end end)`, `x = ${value} return pcall(function() return x.y.z end)`, `return pcall(pcall, ${value})`, `return pcall(select, ${value}, 1)`, `local t = {x = ${value}} return pcall(function() return t.x.y.z end)`, `local t = {x = ${value}} return pcall(function() return t.x() end)`, `local t = {x = ${value}} return pcall(function() return t:x() end)`);
  }
  return out;
}

const PROGRAMS = lines(String.raw`
  error()
  return pcall(error)
  error("a", "b", "c")
  return pcall(error, "msg", 1, 2, 3)
  return pcall()
  return pcall(nil)
  return pcall(function() end)
  return pcall(function() return 1, nil, 3 end)
  return pcall(function(...) return ... end, 1, 2)
  return pcall(pcall, error, "x")
  return pcall(pcall, pcall, error, "x")
  return pcall(pcall)
  return (pcall(error, "x"))
  return select("#", pcall(error))
  local ok, e = pcall(function() undefinedfn() end) return ok, e
  return undefinedfn()
  undefinedvar.x = 1
  return pcall(function() return a.b.c end)
  return pcall(function() local t = {} t.x.y = 1 end)
  return pcall(function() local t = {} return t.x.y.z end)
  return pcall(function() local s = "x" return s.y.z end)
  return pcall(function() return math.nothere(1) end)
  return pcall(function() return string.nothere("x") end)
  return pcall(function() return ("x"):nothere() end)
  return pcall(function() return {} + 1 end)
  return pcall(function() return {} .. "x" end)
  return pcall(function() return nil .. "x" end)
  return pcall(function() return "x" .. true end)
  return pcall(function() return print .. "x" end)
  return pcall(function() return "abc" + 1 end)
  return pcall(function() return "abc" | 1 end)
  return pcall(function() return 1.5 & 1 end)
  return pcall(function() return 1 < "x" end)
  return pcall(function() return {} < {} end)
  return pcall(function() return nil > 1 end)
  return pcall(function() return true <= false end)
  return pcall(function() return print < print end)
  return pcall(function() return #5 end)
  return pcall(function() return -{} end)
  return pcall(function() return ~"x" end)
  return pcall(function() return 1 // 0 end)
  return pcall(function() return 1 % 0 end)
  return pcall(function() return 1 / 0 end)
  return pcall(function() return 0 / 0 end)
  return pcall(function() return 2^1e10 end)
  return pcall(function() return 1 << -1 end)
  return pcall(string.rep)
  return pcall(string.rep, "x", {})
  return pcall(string.sub)
  return pcall(string.char, -1)
  return pcall(tonumber, {}, 10)
  return pcall(tonumber)
  return pcall(ipairs)
  return pcall(ipairs, nil)
  return pcall(setmetatable, 1, 2)
  return pcall(math.floor, "x")
  return pcall(math.floor, {})
  return pcall(math.floor, nil)
  return pcall(math.floor)
  return pcall(math.max)
  return pcall(math.random, 0)
  return pcall(math.acos, 5)
  return pcall(math.sqrt, -1)
  return pcall(table.concat, nil)
  return pcall(table.insert, 5, 1)
  return pcall(table.unpack, 5)
  return pcall(unpack, nil)
  return pcall(next, {}, "nokey")
  return pcall(next, nil)
  return pcall(rawset, {}, nil, 1)
  return pcall(rawget, 5, 1)
  return pcall(rawlen, 5)
  return pcall(require, "x.y")
  return pcall(load, 5)
  return pcall(load("error('in chunk')"))
  return pcall(load("return nosuch.field"))
  return pcall(string.format, "%d", {})
  return pcall(string.format, "%d", "1.5")
  return pcall(string.format, "%s")
  return pcall(string.gsub, "x", "(", "y")
  return pcall(string.find, "x", "[a")
  return pcall(string.find, "x", "%")
  return pcall(string.match, "x", "%k")
  return pcall(string.match, "x", "%f[a]")
  return pcall(string.gsub, "x", "x", "%5")
  return pcall(utf8.char, -1)
  return pcall(utf8.codepoint, "\255")
  return pcall(utf8.offset, "abc", 1)
  return pcall(os.time, {year = 2020})
  return pcall(os.date, 5, 5)
  return pcall(io.write, {})
  return pcall(bit32.band, "x")
  return pcall(bit32.extract, 1, 40)
  return pcall(debug.setmetatable)
  return pcall(assert)
  return pcall(assert, nil)
  return pcall(assert, false, "why")
  return pcall(assert, 1, 2, 3)
  local function f() error("deep") end local function g() f() end local function h() g() end return pcall(h)
  local ok, e = pcall(function() local ok, e = pcall(error, "inner") error("outer " .. e) end) return ok, e
  local x = 1 pcall(function() x = 2 error("e") end) return x
  local t = {} pcall(function() t.a = 1 t.b = 2 error("e") t.c = 3 end) return t
  y = 0 pcall(function() y = y + 1 error("e") end) pcall(function() y = y + 1 error("e") end) return y
  local r = {} for i = 1, 5 do local ok, e = pcall(function() if i % 2 == 0 then error("even " .. i) end return i end) r[i] = tostring(e) end return table.concat(r, ",")
  local function try(f, c) local ok, e = pcall(f) if not ok then return c(e) end return e end return try(function() error("x") end, function(e) return "caught " .. e end), try(function() return 5 end, print)
  local ok, e = pcall(error, {code = 5}) return ok, type(e)
  local e = setmetatable({msg = "m"}, {__tostring = function(self) return "E:" .. self.msg end}) return pcall(error, e)
  local e = setmetatable({msg = "m"}, {__tostring = function(self) return "E:" .. self.msg end}) error(e)
  local e = setmetatable({}, {__tostring = function() return "a", "b" end}) error(e)
  local e = setmetatable({}, {__tostring = function() end}) return pcall(error, e)
  local e = setmetatable({}, {__tostring = function() return {} end}) return pcall(error, e)
  for i = 1, 10 do if i == 3 then error("at " .. i) end end
  local function f(n) if n == 0 then error("bottom") end return f(n - 1) end return pcall(f, 100)
  local function f(n) if n == 0 then error("bottom") end return 1 + f(n - 1) end return pcall(f, 100)
  return pcall(function() return (function() error("nested") end)() end)
  return pcall(string.gsub, "abc", ".", function(c) error("cb " .. c) end)
  return pcall(table.sort, {3, 2, 1}, function(a, b) error("cmp") end)
  return pcall(function() for k, v in pairs(nil) do end end)
  return pcall(function() for i = 1, "x" do end end)
  return pcall(function() for i = {}, 1 do end end)
  return pcall(function() for i = 1, 2, 0 do return i end return "none" end)
  return pcall(function() for i = 1, 2, {} do end end)
  return xpcall(error, print)
  return type(xpcall), type(coroutine), type(debug.traceback), type(warn), type(setfenv), type(newproxy), type(string.pack), type(math.ult), type(table.move), type(utf8.codes)
  error(setmetatable({}, {__index = {}}))
  error(string)
  error(nil, 5)
  assert(nil)
  assert(false, {})
  assert(nil, 5)
  local t = nil; t.x = 5
  local t = 5; t.x = 5
  local s = "str" s.x = 5
  ("x")()
  ({})()
  (nil)()
  (print)(nil, nothere.x)
  nothere()
  nothere.x()
  nothere:x()
  string.nothere()
  local t = {} t.f()
  local t = {} t:f()
  local t = {a = {}} t.a.b.c()
  local t = {a = 1} t.a.b.c = 2
  local t = {a = 1} t.a:b()
  local f = 5 f()
  local f = "x" f{}
  return ({1, 2})()
  return (1)()
  return nil + 1
  return 1 + nil
  return {} + {}
  return "a" + 1
  return 1 + "a"
  return "a" .. nil
  return {} .. "x"
  return 1 < "1"
  return {} <= 1
  return nil >= nil
  return true < false
  return #nil
  return #print
  return -{}
  return -"x"
  return ~1.5
  return 1 & 1.5
  return "a" | 1
  return 1 << {}
  return 2 ^ {}
  return 2 ^ "x"
  return {} // 1
  return 5 % {}
  return math.floor({})
  return ("x"):rep({})
  return ("x"):rep(1, 2, 3)
  return tostring()
  return setmetatable({})
  local t = setmetatable({}, {__index = function() return nothere.x end}) return t.y
  local t = setmetatable({}, {__add = function() return nothere.x end}) return t + 1
  local t = setmetatable({}, {__newindex = function() return nothere.x end}) t.y = 1
  local t = setmetatable({}, {__call = function() return nothere.x end}) t()
  local t = setmetatable({}, {__index = function(t, k) return k.x.y end}) return t.abc
  for k, v in 5 do end
  for k, v in nil do end
  for k, v in {} do end
  for k, v in next do end
  for k, v in next, nil do end
  for k, v in next, {1} do return k, v end
  for i = nil, 5 do end
  for i = 1, nil do end
  for i = 1, 5, nil do end
  for i = "a", 5 do end
`);

export const programs = () => [...raised(), ...PROGRAMS];
