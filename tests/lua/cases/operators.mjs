// Every operator over all pairs of types; literals, which a compiler may fold; errors that escape.

import { each, random } from './_util.mjs';

const VALUES = [
  'nil', 'true', 'false', '0', '1', '-7', '3', '9007199254740993', 'math.maxinteger', 'math.mininteger',
  '18446744073709551616', '-1180591620717411303424', '0.5', '-0.0', '3.0', '-2.5', '1e15', '1e308', '5e-324',
  '"10"', '"0x10"', '" 5 "', '"1e1"', '"-3"', '"abc"', '""', '"a\\0b"', '{}', '{1}', 'print',
];
const BINARY = ['+', '-', '*', '/', '//', '%', '^', '&', '|', '~', '==', '~=', '<', '<=', '>', '>=', '..', 'and', 'or'];
const UNARY = ['-', 'not ', '#', '~'];

// All pairs of kinds for each operator would be two megabytes: each left side meets every fifth right side, in turns.
function pairsOf(op, at) {
  return VALUES.map((left, row) => {
    const rights = VALUES.filter((_, column) => (row + column + at) % 5 === 0).map((right) => `t(a, ${right})`);
    return (
      `local function t(a, b) local ok, v = pcall(function() return a ${op} b end) return v end ` +
      `local a = ${left} return ${rights.join(', ')}`
    );
  });
}

function shifts() {
  const left = ['0', '1', '-1', '255', 'math.maxinteger', '18446744073709551616', '2.0', '2.5', '"8"', '"x"', '{}', 'nil'];
  const right = ['0', '1', '3', '63', '64', '65', '100', '-1', '-3', '-64', '-100', '1.0', '1.5', '"2"', '"y"', '{}', 'nil'];
  const out = [];
  for (const op of ['<<', '>>']) {
    for (const a of left) out.push(each(right.map((b) => `(${a}) ${op} (${b})`)));
  }
  return out;
}

function literals() {
  const { pick } = random(11);
  const numbers = ['0', '1', '2', '-1', '-7', '7', '10', '3.5', '-3.5', '0.0', '1e300', '9223372036854775807', '0x10', '"4"', '1e15', '.5', '3.'];
  const out = new Set();
  while (out.size < 150) out.add(`return ${pick(numbers)} ${pick(BINARY)} ${pick(numbers)}`);
  while (out.size < 230) {
    out.add(`return ${pick(numbers)} ${pick(BINARY)} ${pick(UNARY)}${pick(numbers)} ${pick(BINARY)} ${pick(numbers)}`);
  }
  return [...out];
}

/** Errors that no pcall catches show the terms themselves. */
function escaping() {
  const { pick } = random(12);
  const out = new Set();
  while (out.size < 150) out.add(`local a, b = ${pick(VALUES)}, ${pick(VALUES)} return a ${pick(BINARY.slice(0, -2))} b`);
  for (const op of UNARY) for (const value of VALUES) out.add(`local a = ${value} return ${op}a`);
  return [...out];
}

function precedence() {
  return [
    'return 2 + 3 * 4 ^ 2 / 2, 2 ^ 3 ^ 2, -2 ^ 2, not 1 == 2, not (1 == 2)',
    'return 1 .. 2 .. 3, "a" .. 1 + 2, 2 * 3 .. 4',
    'return 1 < 2 == true, "a" < "b" == not false',
    'return 1 | 2 ~ 3 & 4, 1 << 2 + 1, 5 & 3 == 1',
    'return 7 - 3 - 2, 8 / 4 / 2, 2 ^ -1, - - 2, not not nil, ~ ~ 5, #"abc" + 1, -#"abc"',
    'return 1 or error("no"), nil and error("no"), false or nil, nil or false, false and nil, 0 and "" or 1',
    'return (function() return 1, 2, 3 end)(), ((function() return 1, 2, 3 end)())',
    'return 5 // 0.3, -5 // 0.3, 5 % 0.3, -5 % 0.3, 5 % -0.3, -5 % -0.3, 5.3 % 2, -5.3 % 2',
    'return 2^53 == 2^53 + 1, 9007199254740993 == 9007199254740992.0, 9007199254740993 < 9007199254740992.0',
    'return math.maxinteger + 1 == 2^63, math.maxinteger < 2^63, math.maxinteger + 0.0 == 2^63, -2^63 == math.mininteger',
    'return 18446744073709551616 == 2^64, 18446744073709551617 == 2^64, 18446744073709551617 > 2^64, 2^64 < 18446744073709551617',
    'return 1e308 + 1e308', 'return 1e308 * 10', 'return -1e308 - 1e308', 'return 1e-320 * 1e-10', 'return 2 ^ 1024', 'return 2 ^ -1075',
    'return 10 ^ 308, 10 ^ -308, (-8) ^ (1/3)', 'return (-8) ^ 2, (-8) ^ 3, 0 ^ 0, 0 ^ 1', 'return 0 ^ -1', 'return (-1) ^ 0.5',
    'return 123456789012345678901234567890 * 987654321098765432109876543210',
    'return 123456789012345678901234567890 // 987654321, 123456789012345678901234567890 % 987654321',
    'return -123456789012345678901234567890 // 987654321, -123456789012345678901234567890 % 987654321',
    'return 123456789012345678901234567890 / 987654321, 123456789012345678901234567890 / 1e20, 10^25 // 1',
    'return 123456789012345678901234567890 & 0xffffffffffffffff, 123456789012345678901234567890 | 1, ~123456789012345678901234567890',
    'return -1 & 0xff, -1 ~ 0xff, -256 | 1, -1180591620717411303424 & -3, -1180591620717411303424 ~ 18446744073709551616',
    'return 1 << 200, (1 << 200) >> 190, -(1 << 200) >> 199, -1 >> 1000, 1 >> 1000, 3 >> -70',
    'return 1 << 1e2, "3" << "2", 1.0 << 3', 'return 2^70 | 0, 1e300 | 0', 'return 1.5 | 0', 'return "1.5" | 0', 'return "abc" | 0',
    'local x = 1 for i = 1, 200 do x = x * 7 end return x, x // 7^3, -x, x % 1000000007',
    'local x = 1 for i = 1, 30 do x = x * i end return x, x / 1e20, x + 0.0',
    'return (2^1023) * 2 - 1', 'local x = 1 << 1100 return x + 0.0', 'local x = 1 << 1100 return x > 1e308, x == x + 1, x < 1.5',
    'return 0.1 + 0.2, 0.1 * 3, 1 / 3, 2 / 3, 100 * 1.1, 1 - 0.9, 1e16 + 1, 1e15 + 0.3',
    'return 7 // 2.0, 7.5 // 2, -7 // 2.0, 7 // -2.0, 7 % 2.5, 1e15 // 1, 1e300 // 1e-5', 'return 1e300 // 1e-10',
    'return 3 == 3.0, 3 == "3", "3" == "3", {} == {}, print == print, nil == false, 0 == -0, 0.0 == -0.0',
    'return "a" < "B", "Z" < "a", "" < "a", "a\\0" < "a\\1", "abc" < "abcd", "10" < "9", "\\200" > "z"',
    'return -0.0, 0.0, 0.0 * -1, -0.0 + 0, 0 * -1.0, 1 / -1e308',
    'return -"2", -"0x10", -" 7 ", - "-3"', 'return -"abc"', 'return -{}', 'return -nil', 'return #nil', 'return #5', 'return ~1.5', 'return ~"7", ~2.0',
  ];
}

export const programs = () => [...BINARY.flatMap(pairsOf), ...shifts(), ...literals(), ...escaping(), ...precedence()];
