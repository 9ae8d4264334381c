// Programs from a grammar, with a fixed seed: statements over a few variables, every step bounded.

import { random } from './_util.mjs';

const COUNT = 620;

function maker(seed) {
  const { pick, below, chance } = random(seed);
  let names = ['a', 'b', 'c'];
  let functions = [];
  let depth = 0;

  const number = () => pick(['0', '1', '2', '3', '7', '10', '-1', '-5', '0.5', '1.5', '-2.5', '1e3', '100', '255', '0x1f', '4294967296', '9007199254740993']);
  const string = () => pick(['""', '"a"', '"b"', '"abc"', '"10"', '"3.5"', '"x y"', '"0x8"', '"Z"']);
  const atom = () => pick([number, number, string, () => 'nil', () => 'true', () => 'false', () => pick(names), () => pick(names), () => pick(names), () => `t.${pick(['x', 'y', 'z'])}`, () => `t[${below(5)}]`])();

  const numeric = (n) => (n <= 0 ? pick([number, () => pick(['n', 'm'])])() : `(${numeric(n - 1)} ${pick(['+', '-', '*', '+', '-', '*', '/', '//', '%'])} ${numeric(n - 1 - below(2))})`);
  const call = (n) =>
    pick([
      () => `tostring(${expression(n)})`, () => `tonumber(${expression(n)})`, () => `type(${expression(n)})`, () => `#tostring(${expression(n)})`, () => `math.floor(${numeric(n)})`, () => `math.max(${numeric(n)}, ${numeric(n)})`,
      () => `string.sub(tostring(${expression(n)}), ${1 + below(3)}, ${below(5)})`, () => `string.format("${pick(['%s', '%5s', '%-4s|', '%q'])}", ${expression(n)})`, () => `string.format("${pick(['%d', '%x', '%05d', '%i'])}", ${numeric(0)} // 1)`, () => `string.format("${pick(['%.2f', '%g', '%e', '%8.3f'])}", ${numeric(n)})`,
      () => `string.rep(${string()}, ${below(4)})`, () => `select(${1 + below(2)}, ${expression(n)}, ${expression(n)})`, () => `select("#", ${expression(n)})`, () => `rawequal(${expression(n)}, ${expression(n)})`, () => `(${string()}):upper()`, () => `table.concat({${numeric(0)}, ${string()}, ${numeric(0)}}, ",")`,
      () => `(pcall(function() return ${expression(n)} end))`, () => `select(2, pcall(function() return ${expression(n)} end))`, () => (functions.length ? `${pick(functions)}(${expression(n)}, ${expression(n)})` : numeric(1)), () => `(function(...) return select("#", ...) end)(${expression(n)})`, () => `string.gsub(tostring(${expression(n)}), "${pick(['%d', '%a', '.', '[ab]', '%w+'])}", "${pick(['', 'x', '<%0>'])}")`, () => `bit32.band(${numeric(0)} // 1, 255)`,
    ])();
  const expression = (n) => {
    if (n <= 0) return atom();
    return pick([
      atom, () => numeric(n), () => numeric(n - 1), () => call(n - 1), () => call(n - 1), () => `(${expression(n - 1)} ${pick(['..', '..', '==', '~=', 'and', 'or', 'and', 'or', '<', '<=', '>', '+', '-', '*', '&', '|', '~', '<<'])} ${expression(n - 1)})`,
      () => `${pick(['not ', '- ', '#', 'not '])}${atom()}`, () => `{${Array.from({ length: below(4) }, () => pick([() => expression(n - 1), () => `${pick(['x', 'y'])} = ${expression(n - 1)}`, () => `[${below(4)}] = ${expression(0)}`])()).join(', ')}}`,
    ])();
  };

  const block = (count) => {
    const outer = [names, functions];
    [names, functions] = [[...names], [...functions]];
    depth += 1;
    const out = Array.from({ length: count }, statement).join(' ');
    depth -= 1;
    [names, functions] = outer;
    return out;
  };

  function statement() {
    const simple = [
      () => `${pick(names)} = ${expression(2)}`, () => `${pick(names)} = ${expression(2)}`, () => `t.${pick(['x', 'y', 'z'])} = ${expression(2)}`, () => `t[${pick(['#t + 1', '1', '2', '3', '"k"', '1.5', 'true'])}] = ${expression(2)}`,
      () => `${pick(names)}, ${pick(names)} = ${expression(1)}, ${expression(1)}`, () => `n = ${numeric(2)}`, () => `r[#r+1] = tostring(${expression(2)})`, () => `local ok, e = pcall(function() ${pick(names)} = ${expression(2)} end) r[#r+1] = tostring(e)`,
      () => { const name = pick(['p', 'q', 'a', 'b']); const text = `local ${name} = ${expression(2)}`; names.push(name); return text; },
      () => { const name = pick(['f', 'g', 'h']); const text = `local function ${name}(a, b) ${chance(0.5) ? `r[#r+1] = "${name}" .. #r ` : ''}return ${expression(1)} end`; functions.push(name); return text; },
      () => `table.insert(r, tostring(${atom()}))`, () => `t = setmetatable({}, {__index = function(s, k) return ${pick(['k', 'tostring(k)', '5', 'nil'])} end})`,
    ];
    const nested = [
      () => `if ${expression(1)} then ${block(1 + below(3))}${chance(0.5) ? ` else ${block(1 + below(2))}` : ''} end`,
      () => `for i = ${pick(['1, 3', '3, 1, -1', '1, 2, 0.5', '0, 4, 2'])} do r[#r+1] = i ${block(1 + below(2))}${chance(0.2) ? ` if ${expression(1)} then break end` : ''} end`,
      () => `for k, v in pairs({${expression(1)}, x = ${expression(1)}, ${expression(0)}}) do r[#r+1] = tostring(k) .. tostring(v):sub(1, 8) ${block(1)} end`,
      () => `do local w = 0 while w < ${1 + below(3)} do w = w + 1 ${block(1 + below(2))} end end`, () => `do ${block(1 + below(3))} end`, () => `do local w = 0 repeat w = w + 1 ${block(1)} until w > 1 or ${expression(1)} end`,
    ];
    return pick(depth < 3 && chance(0.35) ? nested : simple)();
  }

  // Most statements stand in functions whose errors are caught, so that a program goes on; some programs let them escape.
  const escaping = chance(0.12);
  const part = () => (escaping ? statement() : `try(function() ${block(1 + below(2))} end)`);
  const body = Array.from({ length: 2 + below(3) }, part).join(' ');
  const start = 'local function try(f) local ok, e = pcall(f) if not ok then r[#r+1] = e end end ';
  const shown = pick(['', '', ', t', `, ${expression(1)}`]);
  return `local a, b, c, n, m, t, r = 1, "b", 2.5, 3, 4, {x = 1, 10, 20}, {} ${escaping ? '' : start}${body} return a, b, c, n, table.concat(r, " ")${shown}`;
}

/** Numbers may not grow without bound: what Luerl itself takes long for is left out by the runner. */
export const programs = () => Array.from({ length: COUNT }, (_, at) => maker(1000 + at));
