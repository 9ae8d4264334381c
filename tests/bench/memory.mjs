// How much memory a page's workers take, through the browser's debugging protocol: their heaps, the buffers behind their
// arrays, and the memories of their wasm.

/** Remembers the memories that wasm gets in a worker; imported there before anything else. */
export const HOOK = `
globalThis.wasmMemories = [];
for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...given) => {
    const made = await original.apply(WebAssembly, given);
    wasmMemories.push((made.instance ?? made).exports.memory);
    return made;
  };
}`;
const WASM_BYTES = "(globalThis.wasmMemories ?? []).reduce((sum, memory) => sum + memory.buffer.byteLength, 0)";
const EVERY_MS = 10;

/** Watches the workers that a page starts from now on, and those that they start. */
export class WorkerMemory {
  #protocol;
  /** Sessions, each as the way to it through those it was started from. */
  #workers = [];
  #waiting = new Map();
  #calls = 0;

  static async watch(page) {
    const memory = new WorkerMemory();
    memory.#protocol = await page.context().newCDPSession(page);
    memory.#protocol.on("Target.attachedToTarget", ({ sessionId }) => memory.#started([sessionId]));
    memory.#protocol.on("Target.receivedMessageFromTarget", ({ sessionId, message }) => memory.#heard([sessionId], message));
    await memory.#protocol.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return memory;
  }

  /** What they grew by while some work was done, at most. */
  async growth(work) {
    for (const way of this.#workers) await this.#call(way, "HeapProfiler.collectGarbage");
    const before = await this.#bytes();
    let [peak, running] = [before, true];
    const done = work().finally(() => { running = false; });
    while (running) {
      peak = Math.max(peak, await this.#bytes());
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    return { answer: await done, grew: Math.max(peak, await this.#bytes()) - before };
  }

  async #bytes() {
    const each = this.#workers.map(async (way) => {
      const heap = await this.#call(way, "Runtime.getHeapUsage");
      const wasm = await this.#call(way, "Runtime.evaluate", { expression: WASM_BYTES });
      return heap.usedSize + heap.backingStorageSize + wasm.result.value;
    });
    return (await Promise.all(each)).reduce((sum, bytes) => sum + bytes, 0);
  }

  #started(way) {
    this.#workers.push(way);
    void this.#call(way, "Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  }

  #heard(way, text) {
    const { id, method, params, result } = JSON.parse(text);
    if (id) this.#waiting.get(id)?.(result);
    else if (method === "Target.attachedToTarget") this.#started([...way, params.sessionId]);
    else if (method === "Target.receivedMessageFromTarget") this.#heard([...way, params.sessionId], params.message);
  }

  #call(way, method, params = {}) {
    const id = ++this.#calls;
    // From the innermost outward: each worker is asked to tell its own.
    const letter = [...way].reverse().reduce(
      (inner, sessionId) => ({ id: ++this.#calls, method: "Target.sendMessageToTarget", params: { sessionId, message: JSON.stringify(inner) } }),
      { id, method, params },
    );
    return new Promise((resolve) => {
      this.#waiting.set(id, (result) => { this.#waiting.delete(id); resolve(result); });
      void this.#protocol.send(letter.method, letter.params);
    });
  }
}
