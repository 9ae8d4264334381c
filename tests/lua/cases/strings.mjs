// The string library and utf8: patterns, replacement, format, slices, and bytes above 127.

import { chunks, each, lines, quote, random } from './_util.mjs';

const SUBJECTS = ['', 'a', 'abc', 'hello world', 'key = value', '  trim me  ', 'a,b,,c', '((x)(y))', '2024-01-31', 'f(a[1], b)', 'aaa', 'x\0y', 'H\u00e9\u00ff', 'a.b-c%d', '"quoted"', 'tab\tnew\nline', '0x1F and 42', '[[x]]'];
const PATTERNS = lines(String.raw`
  .
  a
  abc
  ^a
  a$
  ^$
  ^abc$
  b*
  b+
  b-
  b?
  .*
  .+
  .-
  ^.-$
  (a)(b)(c)
  (.)(.)
  ()
  ()a()
  (a*)(.-)
  %w+
  %a+
  %d+
  %s+
  %p+
  %l+
  %u+
  %x+
  %c+
  %g+
  %z
  %W+
  %A
  %D+
  %S+
  %P
  %L
  %U
  %X+
  %C+
  %G
  [abc]+
  [^abc]+
  [a-c]
  [^a-c]*
  [%w_]+
  [%d%-]+
  [^%s]+
  []]
  [^]]
  [a-]
  [-a]
  [%]]
  [a%-z]
  [%a-z]
  %b()
  %b[]
  %bxy
  %baa
  %(%a
  %%
  %.
  (%w+) = (%w+)
  ^%s*(.-)%s*$
  (%d+)-(%d+)-(%d+)
  %w*%s*%w*
  ((a)(b))
  (.)%1
  (a)(b)%2%1
  %1
  a^b
  a$b
  ^^a
  $
  (
  )
  (()
  a)
  [
  [a
  [^
  [%
  %
  a%
  %b
  %ba
  %f[%w]%w+
  %q
  %k
  *
  +a
  ?
  a**
  a+?
  (a)*
  (a)?b
  %b()*
  .-b
  a-b
  [[]
  x*$
  o.-o
  l+
  (l)(l)
  %s$
`);

function matching() {
  const { pick } = random(31);
  const out = [];
  for (const pattern of PATTERNS) {
    const subjects = new Set();
    while (subjects.size < 5) subjects.add(pick(SUBJECTS));
    const [a, b, c, d, e] = [...subjects].map(quote);
    const p = quote(pattern);
    out.push(`return string.find(${a}, ${p})`, `return string.match(${b}, ${p})`, `return string.gsub(${c}, ${p}, "<%0>")`);
    out.push(each([`string.find(${d}, ${p})`, `string.match(${e}, ${p})`, `(string.gsub(${a}, ${p}, "-"))`, `string.match(${c}, ${p}, 2)`, `string.find(${b}, ${p}, 1, true)`]));
  }
  return out;
}

const REPLACING = lines(String.raw`
  return string.gsub("hello world", "o", "0", 1)
  return string.gsub("hello world", "o", "0", 0)
  return string.gsub("hello", "l", "L", -1)
  return string.gsub("hello", "", "-")
  return string.gsub("", "", "x")
  return string.gsub("abc", ".", "%0%0")
  return string.gsub("abc", "(a)(b)", "%2%1")
  return string.gsub("abc", "a", "%1")
  return string.gsub("abc", "(a)", "%2")
  return string.gsub("abc", "a", "%%")
  return string.gsub("abc", "a", "%")
  return string.gsub("abc", "a", "%x")
  return string.gsub("abc", "()", "%1")
  return string.gsub("abc", "b()", "%1")
  return string.gsub("abc", "%w", {a = "1", b = true, c = false})
  return string.gsub("abc", "%w", {a = 1, b = 2.5})
  return string.gsub("abc", "(%w)(%w)", {a = "x"})
  return string.gsub("abc", "%w", {a = {}})
  return string.gsub("abc", "%w", function(c) return c:upper() end)
  return string.gsub("abc", "(%w)(%w)", function(a, b) return b .. a end)
  return string.gsub("abc", "%w", function() end)
  return string.gsub("abc", "%w", function() return nil end)
  return string.gsub("abc", "%w", function() return false end)
  return string.gsub("abc", "%w", function() return 5, 6 end)
  return string.gsub("abc", "%w", function() return {} end)
  return string.gsub("abc", "%w", function() error("stop") end)
  return pcall(string.gsub, "abc", "%w", function() error("stop") end)
  return string.gsub("abc", "%w", setmetatable({}, {__index = function(t, k) return k .. k end}))
  return string.gsub("abc", "%w", nil)
  return string.gsub("abc", "%w", true)
  return string.gsub("abc", "%w", 7)
  return string.gsub("abc", "%w", "x", 2.0)
  return string.gsub("abc", "%w", "x", 1.5)
  return string.gsub("abc", "%w", "x", "2")
  return string.gsub("abc", "%w", "x", nil)
  return string.gsub(123, 2, "x")
  return string.gsub("abc", "^%w", "x")
  return string.gsub("aaa", "^a", "b")
  return string.gsub("aaa", "a$", "b")
  return string.gsub("a.b.c", "%.", "")
  return string.gsub("a b c", "%s", "%%20")
  return string.gsub("one two", "(%w+) (%w+)", "%2 %1")
  return string.gsub("x = 1", "%s*=%s*", "=")
  return string.gsub("abc", "b*", "-")
  return string.gsub("abc", "b?", "-")
  return string.gsub("hello", "(l)(l)", function(...) return select("#", ...) end)
  return string.gsub("a1b2", "%d", function(d) return d + 1 end)
  return string.gsub("a1b2", "%d", function(d) return d * 2.0 end)
  return ("x"):gsub("x", "%0%0%0")
  return (("a,b"):gsub(",", ";"))
  local n = 0 string.gsub("aXbX", "X", function() n = n + 1 end) return n
  local t = {} string.gsub("a,b,c", "[^,]+", function(w) t[#t+1] = w end) return table.concat(t, "|")
  local t = {} string.gsub("k1=v1;k2=v2", "(%w+)=(%w+)", function(k, v) t[k] = v end) return t.k1, t.k2
  return string.find("abc", "b", 3)
  return string.find("abc", "b", -1)
  return string.find("abc", "b", -2)
  return string.find("abc", "b", -10)
  return string.find("abc", "", 4)
  return string.find("abc", "", 5)
  return string.find("abc", "", 10)
  return string.find("", "")
  return string.find("", "", 2)
  return string.find("abc", "b", 0)
  return string.find("abc", "b", nil)
  return string.find("abc", "b", 1, nil)
  return string.find("abc", "b", 1, false)
  return string.find("a+b", "+", 1, true)
  return string.find("a+b", "", 1, true)
  return string.find("a+b", "", 4, true)
  return string.find("a+b", "x", 1, 1)
  return string.find("abc", "(b)(c)")
  return string.find("abc", "()b()")
  return string.find("abc", "(b)", 2)
  return string.find("xabc", "(b)", 2)
  return string.find("abcabc", "b()", 3)
  return string.find("abc", "b", 1.5)
  return string.find("abc", "b", "2")
  return string.find(12345, 34)
  return string.find("abc", "^b", 2)
  return string.match("abc", "^b", 2)
  return string.match("abc", "b", 3)
  return string.match("abc", "", 4)
  return string.match("abc", "()", 3)
  return string.match("abc", "()", 4)
  return string.match("abc", ".", -1)
  return string.match("abc", "(.)(.)", -2)
  return string.match("abcabc", "(b)c", 3)
  return string.match("2024-01-31", "(%d+)-(%d+)-(%d+)")
  return string.match("  x  ", "^%s*(.-)%s*$")
  return string.match("key=val", "^(%w+)=(%w*)$")
  return string.match("hello", "l", 1, 2)
  return string.match("abc", "b", nil)
  return string.match(1234, "%d%d")
  return ("abc"):find("c"), ("abc"):match("b")
  return string.gmatch("abc", "%w")
  for w in string.gmatch("a b", "%w") do return w end
  for w in ("a b"):gmatch("%w") do return w end
  return pcall(string.gmatch, "a", "b")
  return string.rep("a", 101)
  return #string.rep("ab", 250, ", ")
  return string.rep("ab", 3), string.rep("ab", 0), string.rep("ab", -1), string.rep("", 5), string.rep("x", 1, "y")
  return string.rep("ab", 2.0), string.rep("ab", "2"), string.rep(12, 2), string.rep("a", 3, 0)
  return string.rep("ab", 1.5)
  return string.rep("a", nil)
  return string.rep("a", 2, nil)
  return string.rep("a", 2, "b", "c")
  return string.reverse("abc"), string.reverse(""), string.reverse(123), string.reverse("\1\200")
  return string.upper("abcXYZ1\195\164\228"), string.lower("ABCxyz1\195\132\196"), string.upper(1.5e300), string.lower(5)
  return string.upper("\223\224\247\255"), string.lower("\192\215\222\223")
  return string.len("abc"), string.len(""), string.len("a\0b"), string.len(12345), string.len(1.5), string.len("\u{e9}")
  return string.len("abc", 1), #"a\0b", ("x"):len()
  return string.byte("abc"), string.byte("abc", 2), string.byte("abc", -1), string.byte("abc", 10)
  return string.byte("abc", 1, -1)
  return string.byte("abc", 2, 10)
  return string.byte("abc", 0), string.byte("abc", 0, 2)
  return string.byte("abc", -10, 2)
  return string.byte("abc", 3, 2)
  return string.byte("", 1)
  return string.byte("abc", 4)
  return string.byte("\0\255", 1, 2)
  return string.byte("abc", "2"), string.byte("abc", 2.0), string.byte(65)
  return string.byte("abc", 1.5)
  return string.byte("abc", nil, 2)
  return string.byte("abc", 1, nil)
  return string.char(72, 105), string.char(), string.char(0, 255), string.char("65", 66.0)
  return string.char(256)
  return string.char(-1)
  return string.char(65.5)
  return string.char("x")
  return string.char(nil)
  return pcall(string.char, 300)
  return string.sub("hello", 2), string.sub("hello", 2, 3), string.sub("hello", -3), string.sub("hello", -3, -2), string.sub("hello", 0)
  return string.sub("hello", 10), string.sub("hello", 3, 2), string.sub("hello", -10, 2), string.sub("hello", 2, 100), string.sub("hello", -100, 100)
  return string.sub("hello", 0, 0), string.sub("", 1, 1), string.sub("hello", 5, 5), string.sub("hello", 6), string.sub("hello", 1, -6)
  return string.sub("hello", "2", "3"), string.sub("hello", 2.0), string.sub(12345, 2, 3)
  return string.sub("hello", 2.5)
  return string.sub("hello", nil)
  return string.sub("hello", 1, nil)
  return string.sub("hello")
  return ("hello"):sub(2, -2), ("%d"):format(3), ("x"):rep(2):upper()
  return string.dump(print)
  return "a" .. "b" == "ab", #("a" .. 1 .. 2.0), 1 .. "", 1.5 .. "|", -0.0 .. "", 2^63 .. "", 1e100 .. ""
  return "\65\066\x41\z
     B", '\'', "\"", "a\
b", "\a\b\f\n\r\t\v\\"
  return "\u{48}"
  return "\400"
  return "\xZZ"
  return "\q"
  return [[a
b]], [==[x]]y]==], [[
first newline dropped]]
  return "é", "日本", #"日本", "\xe6\x97\xa5"
  return ("日本"):byte(1, -1)
  return ("é"):upper(), ("É"):lower()
  return utf8.char(72, 228, 8364, 128512), utf8.char(), utf8.char("65")
  return utf8.char(-1)
  return utf8.char(0x110000)
  return utf8.char(0xd800)
  return utf8.char(1.5)
  return utf8.len("\xe6\x97\xa5x"), utf8.len(""), utf8.len("abc", 2), utf8.len("abc", 2, 2), utf8.len("abc", 3, 2)
  return utf8.len("\xff"), utf8.len("ab\xff", 1), utf8.len("\xe6\x97")
  return utf8.len("abc", 4)
  return utf8.len("abc", 0)
  return utf8.len("abc", -1), utf8.len("abc", -3), utf8.len("abc", 1, -2)
  return utf8.len("abc", -4)
  return utf8.len("abc", 1, 4)
  return utf8.len("", 1)
  return utf8.codepoint("\xe6\x97\xa5x"), utf8.codepoint("abc", 2)
  return utf8.codepoint("abc", 1, 3)
  return utf8.codepoint("abc", 1, -1)
  return utf8.codepoint("abc", 3, 2)
  return utf8.codepoint("\xff")
  return utf8.codepoint("abc", 4)
  return utf8.codepoint("\xe6\x97\xa5", 2)
  return utf8.offset("abc", 1)
  local t = {} for p, c in utf8.codes("a\xc3\xa9b") do t[#t+1] = p .. ":" .. c end return table.concat(t, " ")
  for p, c in utf8.codes("\xff") do return p, c end
  for p, c in utf8.codes("") do return p end return "none"
  return pcall(function() for p, c in utf8.codes("a\xff") do end end)
  return ("x"):bad()
  return ("x").bad()
  return pcall(function() return ("x"):bad() end)
  return string.format("%s", setmetatable({}, {__tostring = function() return "T" end}))
  return string.format("%s %s %s", nil, true, 1.0)
  return string.format("%5s|%-5s|%.2s|%5.1s|%-5.3s|%05s", "a", "b", "cde", "fgh", "ijkl", "m")
  return string.format("%s")
  return string.format("%s", "a", "b")
  return string.format("%d", "10"), string.format("%d", "0x10"), string.format("%d", -0.0)
  return string.format("%d", "x")
  return string.format("%d", 1.5)
  return string.format("%d", nil)
  return string.format("%d", 2^63), string.format("%d", 1 << 100), string.format("%d", -(1 << 70))
  return string.format("%5d|%-5d|%05d|%+d|% d|%+05d|%-+5d|%.3d|%6.3d|%-6.3d|%06.3d", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
  return string.format("%5d|%-5d|%05d|%+d|% d|%+05d|%-+5d|%.3d|%6.3d", -1, -2, -3, -4, -5, -6, -7, -8, -9)
  return string.format("%i %u %u", 5, 6, -1), string.format("%c%c", 72, 328), string.format("%5c|%-5c", 65, 66)
  return string.format("%x %X %#x %o %x %08x %.4x", 255, 255, 255, 8, -1, 48879, 10)
  return string.format("%x", 2^70), string.format("%x", "17"), string.format("%X", 1 << 65)
  return string.format("%x", 1.5)
  return string.format("%e %E %.0e %.10e %10.2e %-12.1e| %+e", 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5)
  return string.format("%e", 0), string.format("%e", 1e100), string.format("%e", 1e-100), string.format("%.3e", 123456)
  return string.format("%f %.0f %.1f %.10f %10.2f %-10.2f| %+f %010.2f", 1.5, 1.5, 2.25, 1/3, 3.14159, 3.14159, 1.5, -1.5)
  return string.format("%f", 1e15), string.format("%.2f", 1e20), string.format("%f", -0.0), string.format("%.1f", 0.05), string.format("%.0f", 0.5), string.format("%.0f", 2.5)
  return string.format("%f", 1e300)
  return string.format("%.20f", 0.1), string.format("%.3f", 2.0005), string.format("%.2f", 1.005), string.format("%5.1f", 2.25), string.format("%.1f", 0.25)
  return string.format("%g", 1), string.format("%g", 0.1), string.format("%g", 100000), string.format("%g", 1e6), string.format("%g", 1e-5), string.format("%g", 123456789)
  return string.format("%.14g", 1), string.format("%.14g", 3.14159265358979), string.format("%.14g", 1e15), string.format("%.3g", 1234.5), string.format("%.17g", 0.1)
  return string.format("%g", 0), string.format("%G", 1e-10), string.format("%10g|%-10g|%+g", 1.5, 1.5, 1.5), string.format("%.0g", 5)
  return string.format("%.1g", 5)
  return string.format("%.2g", 12345.678), string.format("%.2g", 0.00012345)
  return string.format("%a", 1.0)
  return string.format("%q", "a\nb\"c\\d\0e\1f9"), string.format("%q", "x\r\t\127\200"), string.format("%q", ""), string.format("%q", 5), string.format("%q", 1.5)
  return string.format("%q", "\0" .. "1"), string.format("%q", "\1a\31"), string.format("%q", "(')!#"), string.format("%q", "plain")
  return string.format("%q", nil), string.format("%q", true)
  return string.format("%%"), string.format("100%%"), string.format("%5%")
  return string.format("%")
  return string.format("%y", 1)
  return string.format("")
  return string.format(5), string.format(1.5)
  return string.format(nil)
  return string.format({})
  return string.format("\\n\\x"), string.format("a\\b")
  return string.format("%s", string.rep("x", 200)):len(), #string.format("%99d", 7), #string.format("%.99f", 1/3)
  return string.format("%-10s|", "abc"), string.format("%10s|", "abc"), string.format("%-010s|", "abc"), string.format("% s|", "abc"), string.format("%+s|", "abc")
  return string.format("%s %d", "a")
  return pcall(string.format, "%d", "x")
  return pcall(string.format, "%s %d", "a")
  return string.format("%5.2s|", "\195\164\195\164"), string.format("%s", "\255")
  return string.format("%.0s|%.s|", "abc", "def")
  return string.format("%ld", 5)
  return string.format("%2$s", 1, 2)
  return string.format("%*d", 5, 1)
  return string.format("%s", {}) == nil, string.format("%s", print)
  return tostring(1e15), tostring(123456.789e3), tostring(-1.5e-7), tostring(2^24), tostring(1e21), tostring(123e-7)
`);

/** Number formats in bulk: one program per conversion. */
function formats() {
  const { pick, below } = random(32);
  const conversions = ['d', 'i', 'u', 'x', 'X', 'o', 'e', 'E', 'f', 'F', 'g', 'G', 'c', 's', 'q'];
  const flags = ['', '', '-', '0', '+', ' ', '#', '-+', '0+', '+ '];
  const values = ['0', '1', '-1', '42', '-42', '1e10', '0.5', '-0.5', '1.25', '-2.75', '123456.789', '1e-7', '1e21', '"12"', '2^53', '99.995', '9.5', '0.1', '1/3', '-1e15', '65', '7'];
  const out = [];
  for (const conversion of conversions) {
    const found = [];
    for (let n = 0; n < 45; n++) {
      const width = below(3) ? '' : String(below(15));
      const precision = below(2) ? '' : `.${below(12)}`;
      found.push(`string.format("%${pick(flags)}${width}${precision}${conversion}", ${pick(values)})`);
    }
    for (const part of chunks(found, 9)) out.push(each(part));
  }
  return out;
}

/** Programs of the list may go over several lines: a line that begins no statement belongs to the one before. */
const joined = (list) => list.reduce((out, line) => {
  if (/^(return|local|for|string|debug)\b/.test(line) || !out.length) out.push(line);
  else out[out.length - 1] += `\n${line}`;
  return out;
}, []);

export const programs = () => [...matching(), ...joined(REPLACING), ...formats()];
