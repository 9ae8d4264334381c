// What Luerl's scanner and parser take and refuse, and where they say the fault is.

import { lines } from './_util.mjs';

const REFUSED = lines(String.raw`
  x
  x =
  = 1
  x = = 1
  x y
  1
  "abc"
  return return
  return 1 return 2
  return 1; x = 2
  local
  local 1
  local x = 
  local x y
  local x.y = 1
  local function
  local function f
  local function f(
  local function f.g() end
  function
  function f
  function f(
  function f()
  function f(a,) end
  function f(1) end
  function f(..., a) end
  function (a) end
  function f:g:h() end
  function f[1]() end
  if
  if x
  if x then
  if x then else
  if x then elseif end
  if x then else else end
  if x end
  while
  while x
  while x do
  while x end
  repeat
  repeat until
  repeat x
  for
  for i
  for i = 1
  for i = 1 do end
  for i = 1, 2, 3, 4 do end
  for i = 1, do end
  for i in
  for i in x
  for 1 in x do end
  for i, j = 1, 2 do end
  for i.x = 1, 2 do end
  do
  do end end
  end
  until
  else
  then
  break
  do break end
  function f() break end
  goto
  goto x
  goto 1
  ::x
  ::x::
  ::x:: goto x
  do goto x ::x:: end
  a, b
  a, b = 
  a, = 1
  , a = 1
  f() = 1
  f().x = 1 y
  (a) = 1
  (f)
  (f()) 
  a.b
  a.b:c
  a:b
  a.1 = 1
  a. = 1
  a[ = 1
  a[] = 1
  a[1 = 1
  f(
  f(1
  f(1,)
  f(,)
  f(1 2)
  f{
  f"
  f'
  f[[
  x = {
  x = {1
  x = {1,,2}
  x = {[1] 2}
  x = {[1 = 2}
  x = {a.b = 1}
  x = {1 2}
  x = 1 +
  x = + 1
  x = 1 + + 1
  x = * 1
  x = not
  x = #
  x = (1
  x = 1)
  x = ()
  x = a b
  x = 1 = 2
  x += 1
  x++
  x--
  x != 1
  x ~= 1
  x ! 1
  x = !y
  x = a ? b : c
  x = a && b
  x = a || b
  x = 1 ;; y = 2
  ;
  ;;
  x = @
  x = $
  x = \x
  x = a <> b
  x = ` + '`a`' + String.raw`
  x = "abc
  x = 'abc
  x = "abc'
  x = "a\z
  x = "\
  x = "\8"
  x = "\300"
  x = "\xG1"
  x = "\x1"
  x = "\u{110000}"
  x = "\u{41"
  x = [[abc
  x = [=[abc]]
  x = [==[abc]=]
  x = [=abc
  x = [= [abc]=]
  x = [====[abc]====]
  x = [===[abc]===]
  --[[
  --[[ abc
  --[==[ abc ]==]
  --[==[ abc ]==] x = 1
  --[=[ abc
  --[ abc
  --
  --[
  x = 0x
  x = 1e
  x = 1.2.3
  x = 3x
  x = 08
  x = ...
  function f() return ... end
  function f(...) return function() return ... end end
  local x <const> = 1
  local x <close> = nil
  nil = 1
  true = 1
  x = nil.y
  x = 1.y
  x = "a".b
  x = "a":b()
  x = {}.y
  x = {}:y()
  x = ("a"):b
  x = function() end()
  x = function() end.y
  x = (function() end)()
  and = 1
  local end = 1
  x.end = 1
  x = {end = 1}
  x = {["end"] = 1}
  return x.and
  goto = 1
  x:goto()
  if x then goto y end
  a.b["c"].d:e "f".g = 1
  a.b["c"].d:e "f".g(1)
  f() g()
  f
  (g)()
  return f (g)
  return
  return;
  return ;;
  return 1, 
  return 1,, 2
  return (1, 2)
  return not
  return a..
  return a...b
  return ..a
  return 1..2
  return 1 ..2
  return 1.. 2
  return a.b.c.d
  return a:b():c()
  return a and
  return a or or b
  return {...}
  return #a, -a, ~a, not a
  return - - -1, not not not 1
  return a == b == c
  return a < b < c
  return 2^-3^2
  return -2^2
  return 1 << 2 << 3
  return 1 .. 2 .. 3
  return a // b, a ~ b
  return function
  return function()
  return function() end
  return function(a, b, ...) end
  return function(...) end
  return function(a, ..., b) end
  return function(a b) end
  é = 1
  x = é
  x = "é"
  -- é
  x = 1 -- trailing
  x = 1 --[[ inner ]] y = 2
  x = --[[ inner ]] 1
  #!shebang
  # x
  x = 1 # 2
  x = {} y = {}
  while true do break end
  while true do break; end
  while true do break x = 1 end
  while true do break break end
  repeat local x = 1 until x == 1
  for i = 1, 2 do break end
  for k, v in pairs({}) do break end
  if x then break end
  return 1 end
  function f() return 1 x = 2 end
  function f() return end
  function f() return; end
  if x then return end y = 1
  do return end y = 1
  do return 1 end
  x = function() return end y = 2
`);

const MULTI = [
  'x = 1\ny = = 2', 'x = 1\n\n\ny z', 'local a\nlocal b =\n\nlocal c', 'return "a\nb"', "return 'a\nb'", 'return [[a\nb]], 1 +', 'x = 1 -- c\n)', '--[[ a\nb ]] )', '\n\n\n', ' \t ', '', '-- only a comment', '--[[ only\na comment ]]',
  'x = {\n1,\n2\n3}', 'f(\n1,\n2\n', 'if x\nthen\ny = 1\nels\nend', 'for i = 1, 2\ndo\nx\nend', 'function f()\n  return 1 +\nend', 'local x = "a\\\nb" )', 'a.b\n.c\n= = 1', '\r\nx = 1\r\ny z', 'x = 1\ry = 2 )', 'x\f=\v1 )', 'goto x\n::x::', '\n\ngoto y', 'while true do\n\ngoto z\nend', 'local function f()\n\n::a::\nend',
  'x = 1\nbreak', 'return 1\nreturn 2', 'return\n1', 'return f\n(1)', 'local t = f\n{1}\nreturn t', 'x = 0xg\ny', 'x = 1\n@', 'x = "\\q"\ny z', 'y = 1\nx = "unfinished\nz = 2', 'y = 1\nx = [[unfinished\nz = 2',
  'local x = 1 local x = 2 return x', 'local x = x return x', 'local a, a = 1, 2 return a', 'local function f(a, a) return a end return f(1, 2)', 'for i, i in pairs({5}) do return i end', 'local x <const> = 1\nreturn x', 'return 1;;', 'return;x = 1',
  '\ufeffreturn 1', 'return "\u00e9\u4e2d\ud83d\ude00"', 'return #"\u00e9", "\u00e9" == "\\195\\131\\194\\169"', 'return 1 --[==[ x\n]==] + 1', 'return 1 --[[ x ]] + 1', 'return 1 --[[ x ]] + --[[ y ]] 2 -- z', 'return 5 --[=[ a ]] b ]=] + 1', '--[==[\nreturn 1\n--]==]\nreturn 2', '--[[\nreturn 1\n--]]\nreturn 2', '---[[\nreturn 1\n--]]\nreturn 2', '--[[ a ] b ]] return 3', '--[[]]return 4', '--[[a]]]return 5', 'return [[]]', 'return [[]]]', 'return [[a]]]', 'return [[\n]], [[\n\n]], [[\r\nx]]', 'return [=[a]]b]=], [==[a]=]b]==], [===[a]==]b]===]', 'return [====[a]====]', 'return [[a\\nb\\0]]', 'return "a\\z   \n  b"', 'return "\\\n"', "return 'it''s'", 'return "a" "b"', 'return f"a"', 'return ("x"):rep(3)', 'return #"abc" .. "d"',
  'a = 1; b = 2; return a + b', 'a = 1 b = 2 return a + b', 'local a <close> = 1', 'return 0x7fffffffffffffff + 1', 'return 9223372036854775808 - 1', 'return 1e2, 1E2, .5, 5., 0x.8p1', 'return 3 .. 4', 'return 3..4', 'return a.b', 'return ({}).x', 'return ({1})[1]', 'return (("a"))', 'return ((f))', 'local f = function() return 1, 2 end return (f()), f()', 'return {[1]=1,2}', 'return -- nothing', 'do local x = 1 end return x', 'do do do return 7 end end end', 'if nil then return 1 elseif false then return 2 else return 3 end', 'return not nil == true', 'x = 5 do local x = 6 end return x', 'local _ENV = {} return 1', 'return _ENV', 'return type(_ENV), _ENV == nil', 'local t = {} function t.a.b() end', 'local t = {a = {}} function t.a.b() return 1 end function t.a:c() return self == t.a end return t.a.b(), t.a:c()', 'function f(...) local a, b = ... return b, a end return f(1, 2, 3)', 'local a <const> = 5 return a',
];

export const programs = () => [...REFUSED, ...MULTI];
