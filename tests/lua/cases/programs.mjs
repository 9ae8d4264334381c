// Statements, closures, loops, varargs, scoping; small programs as people write them.

import { blocks, lines } from './_util.mjs';

const SMALL = lines(String.raw`
  local a, b, c = 1, 2 return a, b, c
  local a, b = 1, 2, 3 return a, b
  local a, b = (function() return 1, 2, 3 end)() return a, b
  local a, b, c = 0, (function() return 1, 2, 3 end)() return a, b, c
  local a, b, c = (function() return 1, 2, 3 end)(), 10 return a, b, c
  local a, b = ((function() return 1, 2 end)()) return a, b
  local a, b = (function() end)() return a, b
  local a a = 1 local b = a a = 2 return a, b
  a, b = 1, 2 a, b = b, a return a, b
  local t = {} t.x, t.y = 1 return t.x, t.y
  local i = 1 local t = {} i, t[i] = 2, "x" return i, t[1], t[2]
  local t = {1, 2, 3} local i = 1 t[i], i = 10, 2 return t[1], i
  local function f() return 1, 2 end local t = {f(), f()} return #t
  local function f(...) return select("#", ...) end return f(), f(nil), f(nil, nil), f(1, nil)
  local function f(...) local a, b = ... return a, b end return f(1)
  local function f(a, ...) return a, ... end return f(1, 2, 3)
  local function f(a, ...) return ..., a end return f(1, 2, 3)
  local function f(...) return (...) end return f(1, 2)
  local function f(...) local t = {...} return #t, t[#t] end return f(1, 2, nil, 4)
  local function f(...) for i, v in ipairs({...}) do if v == 2 then return i end end end return f(5, 2, 7)
  return (function(...) return ... end)(1, 2, 3)
  return ...
  return select("#", ...)
  local function f(a, b) return b, a end return f(1)
  local function f(a) return a end return f(1, 2, 3)
  local function f() end return f()
  local function f() return end return f(), 1
  local function f() return nil end return f()
  local function f() return end return (f())
  local function f() return end return #{f()}, #{f(), f()}
  for i = 1, 3 do end return i
  local r = {} for i = 1, 3 do r[#r+1] = i end return r
  local r = {} for i = 3, 1, -1 do r[#r+1] = i end return r
  local r = {} for i = 1, 0 do r[#r+1] = i end return r
  local r = {} for i = 1, 2, 0.5 do r[#r+1] = i end return r
  local r = {} for i = 1.0, 3 do r[#r+1] = i end return r
  local r = {} for i = 1, 3.5 do r[#r+1] = i end return r
  local r = {} for i = 0.1, 0.5, 0.1 do r[#r+1] = i end return r
  local r = {} for i = "1", "3" do r[#r+1] = i end return r
  local r = {} for i = 1, "3", "1" do r[#r+1] = i end return r
  local r = {} for i = 3, 1 do r[#r+1] = i end return r
  local n = 0 for i = 1, 10, 0 do n = n + 1 end return n
  local n = 0 for i = 10, 1, 0 do n = n + 1 end return n
  local n = 0 for i = 1, 1 do n = n + 1 end return n
  local n = 0 for i = 1, math.huge do n = n + 1 if n == 5 then break end end return n
  local r = {} for i = math.maxinteger - 1, math.maxinteger do r[#r+1] = i end return r
  local r = {} for i = math.maxinteger, math.maxinteger + 2 do r[#r+1] = i end return r
  local r = {} for i = math.mininteger, math.mininteger - 2, -1 do r[#r+1] = i end return r
  local r = {} for i = 1 << 70, (1 << 70) + 2 do r[#r+1] = i end return r
  local r = {} for i = 1e15, 1e15 + 2 do r[#r+1] = i end return r
  local r = {} for i = 2^53, 2^53 + 4, 2 do r[#r+1] = i end return r
  local r = {} for i = -3, 3, 2 do r[#r+1] = i end return r
  local r = {} for i = 3, -3, -2.5 do r[#r+1] = i end return r
  local r = {} for i = 1, 3 do local j = i i = 10 r[#r+1] = i + j end return r
  local fs = {} for i = 1, 3 do fs[i] = function() return i end end return fs[1](), fs[2](), fs[3]()
  local fs = {} for i = 1, 3 do fs[i] = function() i = i + 1 return i end end return fs[1](), fs[1](), fs[2]()
  local fs = {} for k, v in pairs({a = 1, b = 2}) do fs[k] = function() return v end end return fs.a(), fs.b()
  local fs = {} local i = 1 while i <= 3 do local j = i fs[i] = function() j = j + 1 return j end i = i + 1 end return fs[1](), fs[1](), fs[3]()
  local fs = {} local i = 0 repeat local j = i fs[#fs+1] = function() return j end i = i + 1 until j >= 2 return #fs, fs[1](), fs[3]()
  local function counter() local n = 0 return function() n = n + 1 return n end end local a, b = counter(), counter() return a(), a(), b()
  local function pair() local n = 0 return function() n = n + 1 end, function() return n end end local inc, get = pair() inc() inc() return get()
  local x = 1 local function f() return x end x = 2 return f()
  local x = 1 local function f() x = x + 1 end f() f() return x
  local x = 1 do local x = 2 x = 3 end return x
  local x = 1 if true then local x = 2 end return x
  local x = 1 local x = x + 1 return x
  local f f = function(n) if n == 0 then return 1 end return n * f(n - 1) end return f(20), f(25)
  local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end return fib(18)
  local function even(n) if n == 0 then return true end return odd(n - 1) end function odd(n) if n == 0 then return false end return even(n - 1) end return even(10), odd(7)
  local f = function(n) if n == 0 then return 1 end return f(n - 1) end return pcall(f, 1)
  local function loop(n) if n == 0 then return "done" end return loop(n - 1) end return loop(20000)
  local i = 0 while true do i = i + 1 if i > 5 then break end end return i
  local i = 0 repeat i = i + 1 until i >= 5 return i
  local i = 0 repeat local done = i > 3 i = i + 1 until done return i
  local n = 0 for i = 1, 3 do for j = 1, 3 do if j == 2 then break end n = n + 1 end end return n
  local n = 0 for i = 1, 10 do if i % 2 == 0 then n = n + i end end return n
  while false do end repeat until true for i = 1, 0 do end return "ok"
  for i = 1, 3 do for k, v in pairs({1, 2}) do if v == 2 then return i, k, v end end end
  local function f() for i = 1, 3 do while true do return i end end end return f()
  local function iter(t, i) i = i + 1 if t[i] then return i, t[i] end end local s = 0 for i, v in iter, {1, 2, 3}, 0 do s = s + v end return s
  local function range(n) local i = 0 return function() i = i + 1 if i <= n then return i end end end local r = {} for i in range(4) do r[#r+1] = i end return r
  for a, b, c in function() return 1, 2 end do return a, b, c end
  local n = 0 for a in function() n = n + 1 if n < 4 then return n, n end return false end do end return n
  local f = function(s, c) if c < 3 then return c + 1, s end end local r = {} for i, s in f, "s", 0 do r[#r+1] = s .. i end return r
  for k in next, {x = 1} do return k end
  local t = setmetatable({}, {__call = function(self, s, c) c = (c or 0) + 1 if c < 4 then return c end end}) local n = 0 for i in t do n = n + i end return n
  return 1 and 2, nil and 1, false or 2, nil or false, 1 or error("x"), false and error("x")
  local x = nil local y = x and x.z or "def" return y
  local a = {} a.b = a.b or 5 a.b = a.b or 6 return a.b
  return not nil, not 0, not "", not false
  return 1 == 1.0, "1" == 1, 0 == false, nil == false, "" == nil
  local t = {f = function(self, n) return self.k * n end, k = 3} return t:f(4), t.f(t, 5), t["f"]({k = 1}, 6)
  local t = {} function t.f(x) return x end function t:g(x) return self == t, x end return t.f(1), t:g(2)
  local t = {a = {b = {c = {}}}} function t.a.b.c.d(x) return x end function t.a.b:e() return self == t.a.b end return t.a.b.c.d(1), t.a.b:e()
  local s = "" for w in pairs({x = 1, y = 2}) do s = s .. w end return s
  local s = 0 for _, v in ipairs({1, 2, 3}) do s = s + v end return s
  x = 5 local x = 6 return x, _G.x
  x = 5 return _G.x, _G["x"], rawget(_G, "x")
  _G.y = 7 return y
  function g() return 1 end return g(), _G.g == g
  local g = 1 function g() return 2 end return g()
  local print = nil return print
  do local a = 1 function geta() return a end end return geta()
  local a <const> = 1
  local r = {} for i = 1, 3 do r[i] = function(...) return i, ... end end return r[2](7)
  return (function(n) local r = {} for i = 1, n do r[i] = i * i end return table.unpack(r) end)(5)
  return load("local a = ... return a + 1")(5)
  return #load("return {1, 2, 3}")()
  local f = load("x = (x or 0) + 1 return x") return f(), f(), x
  local env = 5 return load("return env")()
  local s = {} for i = 1, 300 do s[i] = "local v" .. i .. " = " .. i end s[#s+1] = "return v1 + v300" return load(table.concat(s, " "))()
  local s = "return 0" for i = 1, 300 do s = s .. " + " .. i end return load(s)()
  local s = string.rep("(", 100) .. "7" .. string.rep(")", 100) return load("return " .. s)()
  local s = "return " .. string.rep("{", 50) .. string.rep("}", 50) return type(load(s)())
  local s = {} for i = 1, 300 do s[i] = tostring(i) end return select("#", load("return " .. table.concat(s, ","))())
  local s = {} for i = 1, 200 do s[i] = "a" .. i end return load("local function f(" .. table.concat(s, ",") .. ") return a200 end return f(" .. string.rep("1,", 199) .. "9)")()
  local t = {} for i = 1, 300 do t["k" .. i] = i end local n = 0 for k, v in pairs(t) do n = n + v end return n
  local function f(n) return n > 0 and n + f(n - 1) or 0 end return f(1000)
  return ("abc"):upper():lower():rep(2):sub(2, 4)
  return #"abc" + 1, -2 ^ 2, 2 ^ 3 ^ 2, 1 .. 2 == "12"
`);

const LARGER = blocks(String.raw`
local Account = {}
Account.__index = Account
function Account.new(balance) return setmetatable({balance = balance}, Account) end
function Account:deposit(v) self.balance = self.balance + v end
function Account:withdraw(v)
  if v > self.balance then error("insufficient funds") end
  self.balance = self.balance - v
end
local a = Account.new(100)
a:deposit(50)
local ok, e = pcall(a.withdraw, a, 500)
a:withdraw(30)
return a.balance, ok, e

local function map(t, f) local r = {} for i, v in ipairs(t) do r[i] = f(v) end return r end
local function filter(t, f) local r = {} for _, v in ipairs(t) do if f(v) then r[#r + 1] = v end end return r end
local function fold(t, f, a) for _, v in ipairs(t) do a = f(a, v) end return a end
local n = {} for i = 1, 20 do n[i] = i end
return fold(map(filter(n, function(v) return v % 3 == 0 end), function(v) return v * v end), function(a, b) return a + b end, 0)

local sieve, primes = {}, {}
for i = 2, 100 do
  if not sieve[i] then
    primes[#primes + 1] = i
    for j = i * i, 100, i do sieve[j] = true end
  end
end
return #primes, table.concat(primes, " ")

local function quicksort(t, lo, hi)
  lo, hi = lo or 1, hi or #t
  if lo < hi then
    local p, i = t[hi], lo - 1
    for j = lo, hi - 1 do
      if t[j] <= p then i = i + 1 t[i], t[j] = t[j], t[i] end
    end
    t[i + 1], t[hi] = t[hi], t[i + 1]
    quicksort(t, lo, i)
    quicksort(t, i + 2, hi)
  end
  return t
end
return table.concat(quicksort({5, 2, 9, 1, 5, 6, -3, 0}), ",")

local function json(v)
  local k = type(v)
  if k == "table" then
    local r = {}
    if #v > 0 then
      for i, e in ipairs(v) do r[i] = json(e) end
      return "[" .. table.concat(r, ",") .. "]"
    end
    for key, e in pairs(v) do r[#r + 1] = '"' .. key .. '":' .. json(e) end
    return "{" .. table.concat(r, ",") .. "}"
  elseif k == "string" then return '"' .. v:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"'
  end
  return tostring(v)
end
return json({name = "x\n\"y\"", list = {1, 2.5, true, "z"}, nested = {a = {b = {}}}, n = 1e20, big = 1 << 65})

local function parse(s)
  local pos = 1
  local function expr() end
  local function number()
    local a, b = s:find("^%s*%-?%d+%.?%d*", pos)
    local v = tonumber(s:sub(a, b))
    pos = b + 1
    return v
  end
  local function peek() return s:match("^%s*([%+%-%*/%(%)])", pos) end
  local function take() pos = select(2, s:find("^%s*[%+%-%*/%(%)]", pos)) + 1 end
  local function atom()
    if peek() == "(" then take() local v = expr() take() return v end
    return number()
  end
  local function term()
    local v = atom()
    while peek() == "*" or peek() == "/" do
      local op = peek() take()
      if op == "*" then v = v * atom() else v = v / atom() end
    end
    return v
  end
  expr = function()
    local v = term()
    while peek() == "+" or peek() == "-" do
      local op = peek() take()
      if op == "+" then v = v + term() else v = v - term() end
    end
    return v
  end
  return expr()
end
return parse("1 + 2 * (3 - 4.5) / 2"), parse("2*3*4")

local Queue = {}
Queue.__index = Queue
function Queue.new() return setmetatable({first = 0, last = -1}, Queue) end
function Queue:push(v) self.last = self.last + 1 self[self.last] = v end
function Queue:pop()
  if self.first > self.last then return nil end
  local v = self[self.first]
  self[self.first] = nil
  self.first = self.first + 1
  return v
end
local q = Queue.new()
for i = 1, 5 do q:push(i * i) end
return q:pop(), q:pop(), q.first, q.last, q:pop() + q:pop(), q:pop(), q:pop()

local memo = setmetatable({}, {__index = function(t, n)
  local v = n < 2 and n or t[n - 1] + t[n - 2]
  t[n] = v
  return v
end})
return memo[60], memo[100], #memo

local handlers = {}
local function add(name, match, fn) handlers[#handlers + 1] = {name = name, match = match, fn = fn} end
local function dispatch(msg)
  for _, h in ipairs(handlers) do
    if h.match(msg) then
      local ok, out = pcall(h.fn, msg)
      return h.name, ok, out
    end
  end
  return "none"
end
add("info", function(m) return m.Action == "Info" end, function() return "token" end)
add("bad", function(m) return m.Action == "Bad" end, function() error("handler failed") end)
local a, b, c = dispatch({Action = "Info"})
local d, e, f = dispatch({Action = "Bad"})
return a, b, c, d, e, f, dispatch({Action = "?"})

local balances = {}
local function transfer(from, to, n)
  assert(type(n) == "number" and n > 0, "bad quantity")
  local have = balances[from] or 0
  if have < n then return false, "insufficient" end
  balances[from] = have - n
  balances[to] = (balances[to] or 0) + n
  return true
end
balances.a = 1000
local log = {}
for i = 1, 10 do
  local ok, why = transfer(i % 3 == 0 and "b" or "a", i % 2 == 0 and "b" or "c", i * 40)
  log[#log + 1] = tostring(ok) .. (why or "")
end
return balances, table.concat(log, " ")

local s = "The quick brown fox jumps over the lazy dog"
local count = {}
s:lower():gsub("%a", function(c) count[c] = (count[c] or 0) + 1 end)
local keys = {}
for k in pairs(count) do keys[#keys + 1] = k end
table.sort(keys, function(a, b) if count[a] == count[b] then return a < b end return count[a] > count[b] end)
return table.concat(keys), count.o, s:len()

local function split(s, sep)
  local out = {}
  for piece in (function()
    local at = 1
    return function()
      if not at then return nil end
      local a, b = s:find(sep, at, true)
      local p
      if a then p = s:sub(at, a - 1) at = b + 1 else p = s:sub(at) at = nil end
      return p
    end
  end)() do out[#out + 1] = piece end
  return out
end
return split("a,b,,c", ","), split("", ","), split("x--y--z", "--")

local function deepcopy(o, seen)
  seen = seen or {}
  if type(o) ~= "table" then return o end
  if seen[o] then return seen[o] end
  local c = {}
  seen[o] = c
  for k, v in pairs(o) do c[deepcopy(k, seen)] = deepcopy(v, seen) end
  return setmetatable(c, getmetatable(o))
end
local a = {1, {2, 3}, k = {x = {}}}
local b = deepcopy(a)
b[2][1] = 99
return a[2][1], b[2][1], b.k ~= a.k, b

local function gcd(a, b) while b ~= 0 do a, b = b, a % b end return a end
local function pow(b, e, m) local r = 1 while e > 0 do if e % 2 == 1 then r = r * b % m end b = b * b % m e = e // 2 end return r end
return gcd(1071, 462), gcd(2^40, 6), pow(3, 200, 1000000007), pow(2, 1000, 10^9 + 7)

local Stack = setmetatable({}, {__call = function(cls) return setmetatable({n = 0}, cls) end})
Stack.__index = Stack
Stack.__len = function(s) return s.n end
Stack.__concat = function(a, b) local s = Stack() for i = 1, #a do s:push(a[i]) end for i = 1, #b do s:push(b[i]) end return s end
Stack.__tostring = function(s) local r = {} for i = 1, #s do r[i] = tostring(s[i]) end return "<" .. table.concat(r, "|") .. ">" end
Stack.__eq = function(a, b) return tostring(a) == tostring(b) end
function Stack:push(...) for _, v in ipairs({...}) do self.n = self.n + 1 self[self.n] = v end return self end
function Stack:pop() local v = self[self.n] self[self.n] = nil self.n = self.n - 1 return v end
local s = Stack():push(1, 2, 3)
return #s, tostring(s .. s), s:pop(), s == Stack():push(1, 2), s ~= Stack():push(1, 2), tostring(s)

local r = {}
for n = 1, 15 do
  r[n] = n % 15 == 0 and "fizzbuzz" or n % 5 == 0 and "buzz" or n % 3 == 0 and "fizz" or n
end
return table.concat(r, " ")

local function tostr(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = tostring(k) end
  return "{" .. table.concat(keys, ",") .. "}"
end
local t = {10, 20, x = 1, [2.5] = 2, [true] = 3, [-4] = 4, [100] = 5}
t[2] = nil
t.x = nil
t.y = 1
t[3] = 30
return tostr(t), #t, next(t)

local function permute(a, n, out)
  if n == 0 then out[#out + 1] = table.concat(a) else
    for i = 1, n do
      a[n], a[i] = a[i], a[n]
      permute(a, n - 1, out)
      a[n], a[i] = a[i], a[n]
    end
  end
  return out
end
return table.concat(permute({"a", "b", "c"}, 3, {}), " ")

local b64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local function enc(s)
  local out = {}
  for i = 1, #s, 3 do
    local a, b, c = s:byte(i, i + 2)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    for j = 3, 0, -1 do
      local d = n // 64 ^ j % 64
      out[#out + 1] = b64:sub(d + 1, d + 1)
    end
    if not c then out[#out] = "=" end
    if not b then out[#out - 1] = "=" end
  end
  return table.concat(out)
end
return enc("hello"), enc("hi"), enc("abc"), enc("")
`);

// Luerl loses which outer variables a block uses when the block has a local of the same name; a function that stands between
// the variable and the block then fails when it gets there.
const SCOPES = lines(String.raw`
  local a = 5 local function f() do b = a local a = 1 end end f() return b
  local a = 5 local function f() do local a = a return a end end return f()
  local a = 5 local function f() do a = 1 local a = 2 end end f() return a
  local a = 5 local function f() if true then local a = a return a end end return f()
  local a = 5 local function f() if a then local a = a return a end end return f()
  local a = 5 local function f() if true then return a else local a = 1 end end return f()
  local a = 5 local function f() for i = 1, 1 do local a = a return a end end return f()
  local a = 5 local function f() for a = a, a do return a end end return f()
  local a = {5} local function f() for _, a in ipairs(a) do return a end end return f()
  local a = {5} local function f() for _, a in ipairs(a) do local b = a local a = 2 return b end end return f()
  local a = 5 local function f() while true do local a = a return a end end return f()
  local a = 5 local function f() repeat local b = a local a = 1 until true end f() return a
  local a = 5 local function f() local a = a return a end return f()
  local a = 5 local function f() b = a local a = 6 return a, b end return f()
  local a = 5 local function f() do do b = a end local a = 1 end end f() return b
  local a = 5 local function f() do do local a = a b = a end end end f() return b
  local a = 5 local function f() do local a = 1 end return a end return f()
  local a = 5 local function f() do local a = a end return a end return f()
  local a = 5 local function g() return a end local function f() do local a = a return a end end return f(), g()
  local a = 5 local function f() do local a = a return a end end local function g() return a end return f(), g()
  local a = 5 local function f() do local a = a return a end end return pcall(f)
  local a = 5 local function f(x) if x then local a = a return a end return "no" end return f(false)
  local a = 5 do local f = function() return a end local a = 1 b = f() end return b
  local a = 5 do local a = a b = a end return b
  local a = 5 do local a = 1 local f = function() return a end b = f() end return a, b
  local a = 5 if true then local f = function() return a end local a = 6 return f(), a end
  local a = 5 for i = 1, 2 do local f = function() a = a + i end f() local a = 0 end return a
  local a = 5 for i = 1, 2 do local f = function() a = a + i end f() end return a
  local a = 5 local f = function() local g = function() do local a = a return a end end return g() end return f()
  local a = 5 local f = function() local g = function() return a end do local a = a end return g() end return f()
  local function f(a) local g = function() do local a = a return a end end return g() end return f(7)
  local function f(a) do local a = a return a end end return f(7)
  local function a() return 1 end local function f() do local a = a() return a end end return f()
  local a = 5 local t = {f = function() do local a = a return a end end} return t.f()
  local a = 5 local function f() do t = {a = a} local a = 1 end end f() return t
  local a = 5 local function f() do x = ("q"):rep(a) local a = 1 end end f() return x
  local rep = 3 local function f() do local rep = 1 x = ("q"):rep(2) end return rep end return f(), x
  local upper = 3 local function f() do local y = ("q"):upper() end return upper end return f()
  local a, b = 1, 2 local function f() do local a, b = b, a return a, b end end return f()
  local a, b = 1, 2 local function f() do local a = b return a end end return f()
  a = 5 local function f() do local a = a return a end end return f()
  local a = 1 local a = 2 local function f() return a end return f()
  local a = 1 local f = function() return a end local a = 2 local g = function() return a end return f(), g()
  local a = 1 local f = function() a = a + 1 return a end local a = 10 return f(), a
  local f = function() return 1 end local f = function() return f() + 1 end return f()
  local function f(a, ...) local a = a or 5 return a end return f()
  local x = 1 local function f() local function g() x = x + 1 end g() do local x = x y = x end end f() return x, y
`);

export const programs = () => [...SMALL, ...LARGER, ...SCOPES];
