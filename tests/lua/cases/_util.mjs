// What the cases share.

/** A Lua string literal, ASCII only, whatever the characters (each one byte). */
export const quote = (text) =>
  `"${[...text].map((c) => {
    const code = c.charCodeAt(0);
    if (c === '"' || c === '\\') return `\\${c}`;
    if (code >= 32 && code < 127) return c;
    return `\\${String(code).padStart(3, '0')}`;
  }).join('')}"`;

/** `return name(arguments)` for each list of arguments. */
export const calls = (name, lists) => lists.map((args) => `return ${name}(${args})`);

/** The same through pcall. */
export const pcalls = (name, lists) => lists.map((args) => `return pcall(${name}${args ? `, ${args}` : ''})`);

/** One program that returns many values, each through pcall so that one error does not hide the others. */
export const each = (expressions) =>
  `local function t(f) local ok, v = pcall(f) if ok then return v end return "! " .. v end return ` +
  expressions.map((e) => `t(function() return ${e} end)`).join(', ');

export const chunks = (list, size) => {
  const out = [];
  for (let at = 0; at < list.length; at += size) out.push(list.slice(at, at + size));
  return out;
};

/** Non-empty trimmed lines of a text. */
export const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);

/** Blocks of a text separated by empty lines. */
export const blocks = (text) => text.split(/\n[ \t]*\n/).map((block) => block.trim()).filter(Boolean);

/** Deterministic random numbers (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  const pick = (list) => list[below(list.length)];
  return { next, below, pick, chance: (p) => next() < p };
}
