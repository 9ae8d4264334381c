// Numbers: their text, tonumber, literals, the math library.

import { chunks, each, lines, quote, random } from './_util.mjs';

const LITERALS = lines(`
  0 1 007 123456789012345678901234567890 9223372036854775807 9223372036854775808 0x10 0XfF 0xffffffffffffffff 0x123456789abcdef0123456789
  1.5 1. .5 1e3 1E3 1e+3 1e-3 1.5e10 .5e1 1.e1 1e0 0e0 0.0 1e308 1e309 1e-323 1e-400 1e999 123456789.123456789 0.1e1 00.5
  0x.8 0x1.8 0x1p4 0x1P-1 0x.8p1 0xA.8p0 0x1p1023 0x1p1024 0x1p-1074 0x1p-1080 0x1.fffffffffffffp1023 0x0.0000001p0 0x 0x. 0xp1 0x1p 0x1pa 0xg
  1e 1e+ 1.5e 1..2 1...2 1.2.3 1a 1_000 0b1 0o7 1e1e1 1.5.e1 5e5e 12abc 0x1.8.1 1e5.5 3. .e1 . .. 1ee1
`).flatMap((line) => line.split(' '));

const TEXTS = [
  '', ' ', '0', '10', ' 10', '10 ', '\t10\n', '1 0', '-5', '+5', '- 5', '--5', '+-5', '1.5', '-1.5', '.5', '5.', '1e5', '1E-5', '1e', '0x10', '0X1F', '-0x10', '0x', '0x1p4', '0x.8', '0x1.8p1',
  'abc', '10abc', '1e400', '1e-400', '123456789012345678901234567890', '9007199254740993', 'inf', 'nan', 'true', '1_000', '1,5', '0b1', '1\0', '\u00a010', '10;', '"10"', '--10', '10 --c', '[[1]]', '1 2', 'nil', '+ 5', '5e+', '١',
];

const FLOATS = [
  '0.1', '1.0', '100.0', '123456.0', '1234567.0', '12345678901.0', '1e10', '1e14', '1e15', '1e16', '1e17', '1e20', '1e21', '1e22', '1e23', '123456789012345680.0', '1.5e300', '5e-324', '2.2250738585072014e-308',
  '1.7976931348623157e308', '0.001', '0.0001', '0.00001', '1e-5', '1.5e-5', '0.000123', '9007199254740991.0', '9007199254740992.0', '9007199254740993.0', '4503599627370496.5', '0.3', '2/3', '1/3', '1e100', '-1e-7', '3.0e-5', '12.0', '1e2', '1e3', '1e4', '1e5',
  '100000.5', '1e6', '1.1e6', '1e7', '1e8', '1e9', '1e11', '1e12', '1e13', '2^31', '2^32', '2^52', '2^53', '2^54', '2^60', '2^62', '2^63', '2^64', '2^100', '0.1+0.2', '1e15/3', '1e16/3', '123e18', '5e-5', '4.35', '2.675', '1e-10', '123456789.125', '-0.0', '0.0',
];

function text() {
  const { next, below } = random(41);
  const out = chunks(FLOATS, 8).map((part) => `return ${part.map((f) => `tostring(${f})`).join(', ')}`);
  out.push(...chunks(FLOATS, 10).map((part) => `return ${part.join(', ')}`));
  const any = [];
  for (let n = 0; n < 240; n++) {
    const digits = String(Math.floor(next() * 10 ** (1 + below(15))));
    any.push(`${digits[0]}.${digits.slice(1) || '0'}e${below(60) - 30}`);
  }
  out.push(...chunks(any, 8).map((part) => `return ${part.map((f) => `tostring(${f})`).join(', ')}`));
  const bits = [];
  for (let n = 0; n < 120; n++) bits.push(`0x1.${Array.from({ length: 13 }, () => below(16).toString(16)).join('')}p${below(2000) - 1000}`);
  out.push(...chunks(bits, 8).map((part) => `return ${part.join(', ')}`));
  return out;
}

function parsing() {
  const out = LITERALS.map((literal) => `return ${literal}`);
  out.push(...TEXTS.map((one) => `return tonumber(${quote(one)})`));
  out.push(...chunks(TEXTS, 9).map((part) => each(part.map((one) => `${quote(one)} + 0`))));
  for (const base of ['2', '8', '10', '16', '36', '1', '37', '0', '-2', '2.0', '"16"', '16.5', 'nil']) {
    out.push(each(['"10"', '"ff"', '"zZ"', '"7"', '"-11"', '"+1"', '" 10 "', '"1 0"', '""', '"1.0"', '"0x10"', '10', '15.0', '"8"'].map((one) => `tonumber(${one}, ${base})`)));
  }
  for (const one of ['10', '1.5', 'true', '{}', 'print', 'nil', '"5", nil', '"z", 36', '"99999999999999999999", 10', '"1e1", 16', '5, 10', '2.5, 10']) out.push(`return tonumber(${one})`);
  return out;
}

function maths() {
  const numbers = ['0', '1', '-1', '2', '0.5', '-0.5', '3.7', '-3.7', '2.5', '-2.5', '1e10', '1e300', '-1e300', '9007199254740993', '1 << 70', '-(1 << 70)', '"4"', '"0x10"', '0.0', '-0.0', '1.0', '100'];
  const out = [];
  for (const name of ['abs', 'ceil', 'floor', 'sqrt', 'tointeger', 'type', 'modf', 'deg', 'rad', 'frexp', 'log10']) {
    out.push(each(numbers.map((n) => `math.${name}(${n})`)));
  }
  for (const name of ['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'exp', 'log', 'sinh', 'cosh', 'tanh']) {
    for (const n of ['0', '1', '-1', '0.5', '2', '1000', '"0"']) out.push(`return math.${name}(${n})`);
  }
  for (const pair of ['1, 2', '7, 3', '-7, 3', '7, -3', '-7, -3', '5.5, 2', '-5.5, 2', '5, 2.5', '1, 0', '1.5, 0.0', '1e300, 3', '1 << 70, 7', '"7", "2"', '9007199254740993, 10', '0, 5', '-0.0, 1', '1, 2, 3', '2.0, 2', '3, 3.0', '3.0, 3']) {
    for (const name of ['fmod', 'max', 'min', 'pow', 'atan', 'atan2', 'log', 'ldexp']) out.push(`return math.${name}(${pair})`);
  }
  out.push(...lines(`
    return math.max(1, 2.5, -1), math.min(1, 2.5, -1), math.max("10", 9), math.min("10", 9), math.max(1)
    return math.max()
    return math.max("x")
    return math.max(1, nil)
    return math.log(8, 2), math.log(100, 10), math.log(100, 10.0), math.log(27, 3), math.log(2, 2.0), math.log(1)
    return math.log(0)
    return math.log(-1)
    return math.log(8, 0)
    return math.log(8, 1)
    return math.sqrt(-1)
    return math.acos(2)
    return math.exp(1000)
    return math.fmod(1, 0)
    return math.pow(2, 1024)
    return math.ldexp(0.5, 4), math.ldexp(1.5, -2)
    return math.ldexp(1, 4)
    return math.ldexp(0.5, 4.0)
    return math.frexp(8), math.frexp(0.3), math.frexp(-5.5)
    return math.frexp(0)
    return math.modf(3.7), math.modf(-3.7), math.modf(5), math.modf("5.5")
    return math.floor(1e300), math.ceil(-1e300) == -math.floor(1e300)
    return math.floor("3.7"), math.ceil("3.2")
    return math.tointeger("8"), math.tointeger(2^53), math.tointeger("x"), math.tointeger(3.5), math.tointeger(1e300) ~= nil
    return math.tointeger({})
    return math.tointeger()
    return math.type(1), math.type(1.0), math.type("1"), math.type(nil), math.type(1 << 70), math.type(2^70)
    return math.type()
    return math.abs(-9223372036854775808), math.abs(-0.0), math.abs("-3")
    return math.ult, math.cbrt, math.mod
    math.randomseed(42) return math.random(1, 10), math.random(1, 10), math.random(1, 10), math.random(100), math.random(100)
    math.randomseed(42) return math.random(), math.random()
    math.randomseed(42) math.randomseed(42) return math.random(1 << 40)
    math.randomseed(0) return math.random(1, 1000000), math.random(1, 1000000)
    math.randomseed(1.5) return math.random(1, 1000000), math.random()
    math.randomseed(-7) return math.random(1000), math.random(1000), math.random(1000)
    math.randomseed("12") return math.random(1000), math.random(-5, 5), math.random(0, 1)
    math.randomseed(1 << 60) return math.random(1 << 70), math.random(1 << 57), math.random(1 << 58), math.random(1 << 64)
    math.randomseed(7, 8) return math.random(1000)
    math.randomseed(123456789) local t = {} for i = 1, 30 do t[i] = math.random(6) end return table.concat(t)
    math.randomseed(5) local s = 0 for i = 1, 200 do s = s + math.random(1000) end return s, math.random()
    return math.randomseed(5)
    return math.randomseed()
    return math.randomseed("x")
    return math.random(0)
    return math.random(-1)
    return math.random(2, 1)
    return math.random(1.5)
    return math.random("x")
    return math.random(1, 2, 3)
    return math.random(1, 1), math.random(1), math.random(5, 5.0), math.random("3", "3")
    return 3 | 0.0, 3.0 | 0, "3" | 0, 2^31 | 0, "0x10" | 0
    return 7 // 2, -7 // 2, 7 // -2, 7.0 // 2, -7 // 2.0, 7 % 3, -7 % 3, 7 % -3, -7 % -3, 7.5 % 2, -7.5 % 2
    return 1e15, 10^15, 1e14, 123456789012, 1e100, 2^63, -2^63, 1/3, 100 // 1e-3
    return 9007199254740992 + 1, 9007199254740992.0 + 1, 2^53 + 1, (1 << 53) + 1
    return 5 // 1, 5.0 // 1, 5 / 1, 6 / 3, 2 ^ 2, 10 // 3 * 3 + 10 % 3
    return 1e308 + 1e308 == math.huge
    for i = 1, 3 do local x = i / 2 if x == 1 then return x, i end end
    return tostring(3) == "3", tostring(3.0) == "3.0", 3 .. "" == "3", 3.0 .. "" == "3.0", #tostring(1/3)
    local a = 0 for i = 1, 10 do a = a + 0.1 end return a, a == 1, string.format("%.1f", a)
    local s = 0 for i = 1, 100 do s = s + i * 1.5 end return s, s // 1, s % 7
  `));
  return out;
}

export const programs = () => [...text(), ...parsing(), ...maths()];
