// Three programs on three engines in wasm32 and on npm's wasmoon, in one process, medians of seven.
// RUSTFLAGS='--cfg getrandom_backend="custom"' cargo build --release --target wasm32-unknown-unknown
// npm install --no-save wasmoon && node run.mjs
import fs from "node:fs";
import { LuaFactory } from "wasmoon";

const here = (path) => new URL(path, import.meta.url);
const bytes = fs.readFileSync(here("target/wasm32-unknown-unknown/release/lua_piccolo.wasm"));
const { instance } = await WebAssembly.instantiate(bytes, {});
const factory = new LuaFactory();

async function median(run) {
  const times = [];
  for (let i = 0; i < 7; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[3];
}

const ratios = [1, 1, 1];
const programs = ["fib", "inserts", "ledger"];
for (const [index, name] of programs.entries()) {
  const source = fs.readFileSync(here(`../lua/${name}.lua`), "utf8");
  const puc = await median(async () => {
    const lua = await factory.createEngine();
    lua.doStringSync(source);
    lua.global.close();
  });
  const row = [`${name}: wasmoon ${puc.toFixed(1)} ms`];
  for (const [engine, label] of ["piccolo", "piccolo lowered", "ours"].entries()) {
    const time = await median(() => instance.exports.run(engine, index));
    ratios[engine] *= time / puc;
    row.push(`${label} ${time.toFixed(1)} ms (${(time / puc).toFixed(2)})`);
  }
  console.log(row.join(", "));
}
const means = ratios.map((ratio) => Math.cbrt(ratio).toFixed(2));
console.log(`geometric means of wasmoon's time: piccolo ${means[0]}, piccolo lowered ${means[1]}, ours ${means[2]}`);
