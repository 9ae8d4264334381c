// What bench/wasm.mjs does in the page: engines take turns, so that everybody meets the same machine.

const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

// ao-loader 0.0.49 passes numbers where memories with 64-bit addresses take BigInts now.
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (pages) {
  try {
    return grow.call(this, pages);
  } catch {
    return Number(grow.call(this, BigInt(pages)));
  }
};

async function hex(text) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());

/** Medians in milliseconds of a workload's messages, by kind, and a hash over the outputs. */
async function messages({ messages, small = messages.length }, begun, step) {
  const [times, outputs] = [{ start: [performance.now() - begun] }, []];
  let count = 0;
  for (const { kind, message } of messages) {
    if (kind === "small" && (count += 1) > small) continue;
    const before = performance.now();
    const output = await step(message);
    if (kind) (times[kind] ??= []).push(performance.now() - before);
    outputs.push(JSON.stringify(output));
  }
  const line = Object.fromEntries(Object.entries(times).map(([kind, list]) => [`${kind}_ms`, median(list)]));
  return { ...line, messages: outputs.length, outputs: await hex(outputs.join("\n")) };
}

const parts = {
  /** npm @permaweb/ao-loader; `mode`: in-place or copying. */
  async loader({ format, workload, mode }) {
    const module = await bytes("module.wasm");
    const silent = { log: console.log, error: console.error, warn: console.warn };
    console.log = console.error = console.warn = () => {};
    const begun = performance.now();
    const inPlace = mode === "in-place";
    const handle = await window.aoLoader(module, { format, UNSAFE_MEMORY: inPlace, computeLimit: 9e15 });
    let memory = null;
    const answer = await messages(workload, begun, async (message) => {
      const answer = await handle(inPlace ? null : memory, message, workload.env);
      if (answer.Error) throw new Error(JSON.stringify(answer.Error));
      memory = answer.Memory;
      return answer.Output;
    });
    Object.assign(console, silent);
    return answer;
  },

  /** Weft's runtime on an engine. */
  async weft({ format, workload, engine }) {
    const { Bench } = await runtime();
    const module = await bytes("module.wasm");
    const begun = performance.now();
    const bench = new Bench(module, format, JSON.stringify(workload.env), engine);
    const answer = await messages(workload, begun, (message) => JSON.parse(bench.step(JSON.stringify(message))));
    if (engine === "native") Object.assign(answer, many(bench, workload.messages.filter(({ kind }) => kind === "small")));
    answer.again_ms = again(Bench, module, format, workload.env, engine);
    if (engine === "native") Object.assign(answer, memory(bench, workload.messages.filter(({ kind }) => kind === "small")));
    bench.free();
    return answer;
  },
};

/** How many messages a long history has here. */
const MANY = 10_000;

/** Small messages for long: medians of the first and of the last thousand, and what memory there was after each of them. */
function many(bench, small) {
  const times = [];
  const mebibytes = () => [bench.memory_bytes(), bench.runtime_bytes()].map((bytes) => bytes / 2 ** 20);
  let early;
  for (let number = 0; number < MANY; number++) {
    const { message } = small[number % small.length];
    const slot = 100_000 + number;
    const text = JSON.stringify({ ...message, Id: `MANYbench-message-of-weft-${String(slot).padStart(17, "0")}`, Nonce: slot, Timestamp: message.Timestamp + slot * 1000 });
    const before = performance.now();
    bench.step(text);
    times.push(performance.now() - before);
    if (number === 999) early = mebibytes();
  }
  const late = mebibytes();
  return {
    first_ms: median(times.slice(0, 1000)), last_ms: median(times.slice(-1000)),
    early_process_mib: early[0], late_process_mib: late[0], early_runtime_mib: early[1], late_runtime_mib: late[1],
  };
}

/** Median in milliseconds of a start with what a node keeps of the module. */
function again(Bench, module, format, env, engine) {
  const [kept, times] = [Bench.kept(module, format), []];
  for (let round = 0; round < 5; round++) {
    const begun = performance.now();
    const bench = Bench.again(module, kept, format, JSON.stringify(env), engine);
    times.push(performance.now() - begun);
    bench.free();
  }
  return median(times);
}

/** Medians in milliseconds of what the memory costs: the way back, a checkpoint after a message, and starting from one. */
function memory(bench, small) {
  const times = { step: [], dry: [], checkpoint: [], restore: [], pages: [] };
  const timed = (list, work) => {
    const before = performance.now();
    const value = work();
    list.push(performance.now() - before);
    return value;
  };
  bench.checkpoint();
  for (const { message } of small.slice(0, 60)) {
    const text = JSON.stringify(message);
    timed(times.dry, () => bench.dry_run(text));
    timed(times.step, () => bench.step(text));
    times.pages.push(timed(times.checkpoint, () => bench.checkpoint()));
  }
  for (let round = 0; round < 10; round++) timed(times.restore, () => bench.restore());
  return {
    undo_ms: median(times.dry) - median(times.step), checkpoint_ms: median(times.checkpoint), restore_ms: median(times.restore),
    pages_of_a_message: median(times.pages),
  };
}

let loaded;
async function runtime() {
  if (!loaded) {
    loaded = await import("./bench.js");
    await loaded.default();
  }
  return loaded;
}

window.bench = (what, given) => parts[what](given);
