// Tables: order of iteration, next while the table changes, length, the table library, what tables come back as.

import { lines, random } from './_util.mjs';

// No large positive integers: Luerl's pairs visits every index below them.
const KEYS = ['1', '2', '3', '5', '10', '0', '-1', '1.5', '2.0', '-2.5', 'true', 'false', '"a"', '"b"', '"Z"', '"1"', '""', '"ab"', '"\\200"', '-(1 << 70)', '-1e100', '100', '"10"', '"é"', '-0.0', '0.0', '7.0', '64', '0.5'];

/** Tables with mixed keys, filled in some order, walked and emptied. */
function orders() {
  const { pick, below, chance } = random(51);
  const out = [];
  for (let n = 0; n < 150; n++) {
    const body = [];
    const count = 3 + below(9);
    for (let k = 0; k < count; k++) body.push(`t[${pick(KEYS)}] = ${chance(0.15) ? 'nil' : k}`);
    if (chance(0.5)) body.push(`t[${pick(KEYS)}] = nil`);
    if (chance(0.3)) body.push(`t[#t+1] = "last"`);
    out.push(`local t = {} ${body.join(' ')} local r = {} for k, v in pairs(t) do r[#r+1] = tostring(k) .. "=" .. tostring(v) end return #t, table.concat(r, " ")`);
  }
  for (let n = 0; n < 40; n++) {
    const fields = Array.from({ length: 2 + below(6) }, () => (chance(0.4) ? `${below(9)}` : `[${pick(KEYS)}] = ${below(9)}`));
    out.push(`return {${fields.join(', ')}}`);
    if (n % 2) out.push(`local t = {${fields.join(', ')}} return #t, next(t)`);
  }
  return out;
}

const PROGRAMS = lines(String.raw`
  return {}
  return {1, 2, 3}
  return {a = 1}
  return {[1] = 1, [2] = 2, [4] = 4}
  return {1, {2, {3}}}, {x = {y = {}}}
  return {{}, {}}
  return {nil, nil, 3}
  return {f = print}
  return {function() end}
  local t = {} t.t = t return t
  local t = {} t[1] = {t} return t
  local t = {} return {t, t}
  return {[{}] = 1}
  return {[print] = 1}
  return {[1.0] = "a", [2.5] = "b", ["3"] = "c"}
  return {n = 1, [1] = 2, n = 3}
  return {1, [1] = 2}
  return {[1] = 2, 1}
  return {1, 2, [2] = "x", [3] = "y"}
  return {(function() return 1, 2, 3 end)()}
  return {(function() return 1, 2, 3 end)(), 10}
  return {((function() return 1, 2, 3 end)())}
  return {(function() end)()}
  return {(function() end)(), 1}
  local function f(...) return {...} end return f(1, nil, 3)
  local function f(...) return {..., "x"} end return f(1, 2)
  local function f(...) return {n = select("#", ...), ...} end return f(1, nil, nil)
  return {[nil] = 1}
  local t = {[nil] = 1} return 5
  local t = {} t[nil] = 1
  return pcall(function() local t = {} t[nil] = 1 end)
  local t = {} return t[nil]
  local t = {} t[1.0] = "a" t[2] = "b" return t[1], t[2.0], #t
  local t = {} t[2^53] = 1 return t[9007199254740992], t[2^53 + 1]
  local t = {} t["1"] = "s" t[1] = "n" return t["1"], t[1]
  local t = {} t[true] = 1 t[false] = 2 return t[true], t[false]
  local t = {} t[0] = "z" t[0.0] = "f" t[-0.0] = "m" local n = 0 for k in pairs(t) do n = n + 1 end return n, t[0], t[0.0]
  local t = {} t[-1] = 1 t[-1.0] = 2 local n = 0 for k in pairs(t) do n = n + 1 end return n, t[-1], t[-1.0]
  local t = {} t[1.5] = 1 t[3/2] = 2 return t[1.5]
  local t = {} t[1 << 70] = "big" return t[1 << 70], t[2^70], t[1180591620717411303424]
  local t = {} t[100000] = 1 local n = 0 for k in pairs(t) do n = n + 1 end return n, #t
  local t = {} t[1e10] = 1 return t[1e10], t[10000000000], #t
  local t = {} t[1 << 40] = "x" return t[1 << 40], #t
  local t = {1, 2, 3} t[2] = nil return #t, t[3]
  local t = {1, 2, 3} t[3] = nil return #t
  local t = {1, 2, 3} t[1] = nil return #t
  local t = {1, 2, 3} t[1] = nil t[2] = nil return #t
  local t = {1, 2, 3, 4} t[1] = nil return #t
  return #{nil}, #{nil, 2}, #{nil, nil, 3}, #{1, nil, 3}, #{1, nil}, #{n = 1}, #{[2] = 1}, #{[1] = 1, [3] = 3}
  return #{1, 2, nil, 4, nil, 6}, #{nil, 2, 3, nil, 5}
  local t = {} t[3] = 3 t[2] = 2 return #t
  local t = {} t[2] = 2 t[3] = 3 t[1] = 1 return #t
  local t = {5, 6, 7} for k, v in pairs(t) do t[k] = nil end return next(t), #t
  local t = {a = 1, b = 2, c = 3} for k in pairs(t) do t[k] = nil end return next(t)
  local t = {a = 1, b = 2, c = 3} local r = "" for k in pairs(t) do r = r .. k t.b = nil end return r
  local t = {a = 1, c = 3} local r = "" for k in pairs(t) do r = r .. k t.b = 2 end return r
  local t = {a = 1} local r = "" for k in pairs(t) do r = r .. k if #r < 5 then t[k .. "x"] = 1 end end return r
  local t = {1, 2} local n = 0 for k in pairs(t) do n = n + 1 if n < 10 then t[#t + 1] = n end end return n, #t
  local t = {1, 2, 3} local r = {} for i, v in ipairs(t) do if i == 1 then t[2] = nil end r[#r+1] = i end return #r
  local t = {1, 2, 3} local n = 0 for i, v in ipairs(t) do t[i + 1] = nil n = n + 1 end return n
  local t = {b = 1} t.a = 2 t.c = 3 return next(t), next(t, "a"), next(t, "b"), next(t, "c")
  local t = {a = 1, b = 2} t.a = nil return next(t), next(t, "a")
  local t = {1, 2, a = 3} return next(t), next(t, 2), next(t, "a")
  local t = {[true] = 1, [false] = 2, x = 3, [1.5] = 4} local r = {} local k, v = next(t) while k ~= nil do r[#r+1] = tostring(k) k, v = next(t, k) end return table.concat(r, " ")
  local t = {[false] = 1, a = 2} local r = {} for k in pairs(t) do r[#r+1] = tostring(k) end return table.concat(r, " ")
  local a, b = {}, {} local t = {[a] = 1, [b] = 2, z = 3, [true] = 4} local r = {} for k, v in pairs(t) do r[#r+1] = type(k) .. v end return table.concat(r, " ")
  local f, g = function() end, function() end local t = {[f] = 1, [g] = 2, [print] = 3, x = 4, [{}] = 5} local r = {} for k, v in pairs(t) do r[#r+1] = type(k) .. v end return table.concat(r, " ")
  local t = {} for i = 10, 1, -1 do t[i] = i end local r = {} for k in pairs(t) do r[#r+1] = k end return table.concat(r, " ")
  local t = {} for i = 1, 20 do t["k" .. i] = i end local r = {} for k in pairs(t) do r[#r+1] = k end return table.concat(r, " ")
  local t = {} for i = -3, 3 do t[i] = i end local r = {} for k in pairs(t) do r[#r+1] = k end return table.concat(r, " ")
  local t = {} for i = -3, 3 do t[i / 2] = i end local r = {} for k in pairs(t) do r[#r+1] = k end return table.concat(r, " ")
  local t = {x = 1} local k = next(t) t[k] = nil return next(t, k)
  return table.concat({}), table.concat({1}), table.concat({1, 2}, ", "), table.concat({1.5, "x", 2.0}, ""), table.concat({"a", "b"}, 1)
  return table.concat({1, 2, 3}, "-", 2), table.concat({1, 2, 3}, "-", 2, 3), table.concat({1, 2, 3}, "-", 3, 2), table.concat({1, 2, 3}, nil, 1, 2)
  return table.concat({1, nil, 3})
  return table.concat({1, {}, 3})
  return table.concat({1, true})
  return table.concat({1, 2}, ",", 1, 3)
  return table.concat({1, 2}, ",", 0)
  return table.concat({[0] = "z", "a"}, ",", 0)
  return table.concat({[-1] = "m", [0] = "z", "a"}, ",", -1, 1)
  return table.concat({1, 2}, ",", 1.5)
  return table.concat({1, 2}, {}, 1)
  return table.concat({1, 2}, ",", "1", "2")
  return table.concat({1, 2}, ",", nil, 1)
  return pcall(table.concat, {1, {}})
  return pcall(table.concat, {1, 2}, ",", 1, 5)
  return table.concat(setmetatable({}, {__index = function(t, i) return i end}), ",", 1, 3)
  return table.concat(setmetatable({}, {__len = function() return 2 end}))
  local t = {1, 2} table.insert(t, 3) return t
  local t = {1, 2} table.insert(t, 1, 0) return t
  local t = {1, 2} table.insert(t, 3, 3) return t
  local t = {1, 2} table.insert(t, 4, 3) return t
  local t = {1, 2} table.insert(t, 0, 3) return t
  local t = {1, 2} table.insert(t, "2", 3) return t
  local t = {1, 2} table.insert(t, 2.0, 3) return t
  local t = {1, 2} table.insert(t, 1.5, 3) return t
  local t = {1, nil, 3} table.insert(t, 9) return t
  local t = {1, nil, 3} table.insert(t, 1, 0) return t
  local t = {1} table.insert(t, nil) return #t, t
  local t = {} table.insert(t, 1, nil) return #t
  local t = {1, 2, 3} table.insert(t, 2, nil) return t
  return table.insert({}, 1), table.insert({}, 1, 2)
  local t = {} return select("#", table.insert(t, 1))
  return table.insert({1}, 1, 2, 3)
  return table.insert({1})
  return table.insert(nil, 1)
  return pcall(table.insert, {1}, 5, 2)
  local t = setmetatable({}, {__newindex = function() error("no") end}) table.insert(t, 1) return t[1]
  local t = {1, 2, 3} return table.remove(t), #t
  local t = {1, 2, 3} return table.remove(t, 1), t
  local t = {1, 2, 3} return table.remove(t, 2), t
  local t = {1, 2, 3} return table.remove(t, 3), t
  local t = {1, 2, 3} return table.remove(t, 4), t
  local t = {1, 2, 3} return table.remove(t, 5)
  local t = {1, 2, 3} return table.remove(t, 0)
  local t = {1, 2, 3} return table.remove(t, -1)
  local t = {1, 2, 3} return table.remove(t, "1"), t
  local t = {1, 2, 3} return table.remove(t, 1.5)
  local t = {1, 2, 3} return table.remove(t, nil)
  local t = {} return table.remove(t), table.remove(t, 0), table.remove(t, 1)
  local t = {} return table.remove(t, 2)
  local t = {[0] = "z"} return table.remove(t), t[0]
  local t = {[0.0] = "z"} return table.remove(t), t[0.0]
  local t = {[0] = "z"} return table.remove(t, 0), t[0]
  local t = {1, nil, 3} return table.remove(t), t
  local t = {1, nil, 3} return table.remove(t, 1), t
  local t = {n = 1} return table.remove(t)
  return pcall(table.remove, {1, 2}, 7)
  return select("#", table.remove({}))
  return table.pack(), table.pack(1, nil, 3), table.pack(nil)
  return table.pack(1, 2).n, #table.pack(1, 2), table.pack().n
  return table.unpack({1, 2, 3}), (table.unpack({1, 2}))
  return table.unpack({1, 2, nil, 4})
  return table.unpack({1, 2, nil, 4}, 1, 4)
  return table.unpack({}, 1, 2)
  return table.unpack({1, 2, 3}, -1, 1)
  return table.unpack({1, 2, 3}, 2.0)
  return table.unpack({1, 2, 3}, "2", "3")
  return table.unpack({1, 2, 3}, 1.5)
  return table.unpack({1, 2, 3}, {}, 1)
  return table.unpack("abc")
  return select("#", table.unpack({}, 1, 100))
  return table.unpack(setmetatable({}, {__index = function(t, i) return i end}), 1, 3)
  local t = {3, 1, 2} table.sort(t) return t
  local t = {3, 1, 2} table.sort(t, function(a, b) return a > b end) return t
  local t = {"b", "a", "C", "B", "10", "9"} table.sort(t) return t
  local t = {3, 1.5, 2, -1, 2.0} table.sort(t) return t
  local t = {1, "a"} table.sort(t) return t
  return pcall(table.sort, {1, "a"})
  return pcall(table.sort, {{}, {}})
  local t = {true, false} table.sort(t)
  local t = {} table.sort(t) return t
  local t = {1} table.sort(t) return t
  local t = {3, nil, 1} table.sort(t) return t
  local t = {2, 1, x = 5} table.sort(t) return t
  local t = {2, 1, [0] = 9} table.sort(t) return t
  local t = {5, 2, 8, 1, 9, 3} table.sort(t, function(a, b) return true end) return t
  local t = {5, 2, 8, 1, 9, 3} table.sort(t, function(a, b) return false end) return t
  local t = {5, 2, 8, 1, 9, 3} table.sort(t, function(a, b) return nil end) return t
  local t = {5, 2, 8, 1, 9, 3} table.sort(t, function(a, b) return 0 end) return t
  local t = {5, 2, 8, 1, 9, 3} table.sort(t, function(a, b) end) return t
  local t = {5, 2, 8} table.sort(t, function(a, b) error("cmp") end)
  local t = {5, 2, 8} return pcall(table.sort, t, function(a, b) error("cmp") end)
  local t = {5, 2, 8} table.sort(t, nil) return t
  local t = {5, 2, 8} table.sort(t, 5) return t
  local t = {5, 2, 8, 1} table.sort(t, function(a, b) return a <= b end) return t
  local t = {{n = 2}, {n = 1}, {n = 3}} table.sort(t, function(a, b) return a.n < b.n end) return t
  local t = {{k = 1, v = "a"}, {k = 0, v = "b"}, {k = 1, v = "c"}, {k = 0, v = "d"}} table.sort(t, function(a, b) return a.k < b.k end) local r = "" for _, e in ipairs(t) do r = r .. e.v end return r
  local m = {__lt = function(a, b) return a.n < b.n end} local t = {} for i, n in ipairs({3, 1, 2}) do t[i] = setmetatable({n = n}, m) end table.sort(t) return t[1].n, t[2].n, t[3].n
  local t = {} for i = 1, 50 do t[i] = (i * 37) % 101 end table.sort(t) return table.concat(t, " ")
  local t = {} for i = 1, 50 do t[i] = (i * 37) % 11 end local n = 0 table.sort(t, function(a, b) n = n + 1 return a < b end) return n, table.concat(t, " ")
  local t = {} for i = 1, 30 do t[i] = i end local n = 0 table.sort(t, function(a, b) n = n + 1 return a > b end) return n, table.concat(t, " ")
  local t = {} for i = 1, 30 do t[i] = (i * i) % 17 .. "" end table.sort(t, function(a, b) return tonumber(a) < tonumber(b) end) return table.concat(t, " ")
  local t = {3, 1, 2} table.sort(t, function(a, b) t[1] = "changed" return a < b end) return t
  return table.sort({2, 1})
  return select("#", table.sort({2, 1}))
  return table.sort(nil)
  return table.move, table.foreach, table.getn, table.maxn
  local t = {10, 20, 30} local s = 0 for i = 1, #t do s = s + t[i] end return s
  local t = {} for i = 1, 100 do t[i] = i end for i = 1, 50 do table.remove(t, 1) end return #t, t[1], t[50]
  local t = {} for i = 1, 20 do table.insert(t, 1, i) end return table.concat(t, ",")
  local t = {{1, 2}, {3, 4}} return t[1][2], t[2][1], #t[1]
  local t = {f = {g = function(x) return x + 1 end}} return t.f.g(1), t["f"]["g"](2)
  local t = {} t.a = {} t.a.b = {} t.a.b.c = 5 return t
  local t = {x = 1} t.x = nil return t, next(t)
  local t = {} t.x, t.y, t[1] = 1, 2, 3 return t
  local t = {1, 2} t[1], t[2] = t[2], t[1] return t
  local i, t = 1, {} i, t[i] = i + 1, 20 return i, t
  local t = {["end"] = 1, ["a b"] = 2} return t["end"], t["a b"]
  local t = {;} return 1
  return {1; 2, 3;}
  return {1, 2,}
  return {,}
  return tostring({}), tostring({}), tostring({{}})
  local a = {} local b = {} return tostring(a), tostring(b), tostring(a) == tostring(a)
  local t = {} for i = 1, 5 do t[i] = {} end return tostring(t[5])
  return tostring(function() end), tostring(function() end)
  local function f() end local function g() local function h() end return h end return tostring(f), tostring(g), tostring(g())
  return load("return tostring(function() end)")()
  return tostring(setmetatable({}, {})), tostring({}) < tostring({{}})
  return tostring(string), tostring(_G), tostring(package), tostring(package.loaded), tostring(math), tostring(table), tostring(io), tostring(os), tostring(utf8), tostring(bit32), tostring(debug), tostring(getmetatable(""))
`);

export const programs = () => [...orders(), ...PROGRAMS];
