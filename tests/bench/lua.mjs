// One engine's times for the programs of `cargo xtask bench lua`, as one line of JSON.
//
//   node tests/bench/lua.mjs wasmoon|fengari|BINDINGS WORKLOAD
//
// BINDINGS is what `wasm-bindgen --target nodejs` made of web/examples/bench_lua.rs. Every round has a machine of its own;
// making it is not measured, reading the program is.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";

const require = createRequire(import.meta.url);
const [engine, workload] = process.argv.slice(2);
const { rounds, programs } = JSON.parse(readFileSync(workload, "utf8"));

async function wasmoon() {
  const { LuaFactory } = require("wasmoon");
  const factory = new LuaFactory();
  return async () => {
    const lua = await factory.createEngine();
    const run = (text) => String(lua.doStringSync(text));
    return { run, step: run, close: () => lua.global.close() };
  };
}

async function fengari() {
  const { lua, lauxlib, lualib, to_luastring, to_jsstring } = require("fengari");
  return async () => {
    const state = lauxlib.luaL_newstate();
    lualib.luaL_openlibs(state);
    const run = (text) => {
      lua.lua_settop(state, 0);
      const failed = lauxlib.luaL_dostring(state, to_luastring(text));
      const said = lua.lua_gettop(state) ? to_jsstring(lauxlib.luaL_tolstring(state, 1)) : "";
      if (failed) throw new Error(said);
      return said;
    };
    return { run, step: run, close: () => {} };
  };
}

async function weft() {
  const { Lua } = require(engine);
  return async () => {
    const lua = new Lua();
    return { run: (text) => lua.run(text), step: (text) => lua.step(text), close: () => lua.free() };
  };
}

// Runs a program, then its steps; some of them fail, as they are meant to.
function once({ run, step }, { text, steps }) {
  let said = run(text);
  for (let number = 1; number <= steps; number++) {
    try {
      said = step(`return step(${number})`);
    } catch (error) {
      said = `error: ${error}`;
    }
  }
  return said;
}

const make = await ({ wasmoon, fengari }[engine] ?? weft)();
const line = {};
for (const program of programs) {
  const times = [];
  let result;
  try {
    for (let round = 0; round < rounds; round++) {
      const machine = await make();
      const begun = performance.now();
      result = once(machine, program);
      times.push(performance.now() - begun);
      machine.close();
    }
  } catch (error) {
    line[program.name] = { cannot: String(error).split("\n")[0] };
    continue;
  }
  times.sort((a, b) => a - b);
  line[program.name] = { ms: times[times.length >> 1], result };
}
process.stdout.write(`${JSON.stringify(line)}\n`);
