/** The worker: loads the node's wasm beside itself, and answers calls. All computing is here. */

import init, { WeftNode } from "../pkg/weft_web.js";
import { toPlain } from "./error.js";
import { SignatureThreads } from "./signatures.js";
import type { Calls, CallName, FromWorker, ToWorker } from "./protocol.js";
import { Turns } from "./turns.js";
import type { WeftEvent } from "./types.js";

const scope = self as unknown as {
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
  addEventListener(type: string, listener: (event: never) => void): void;
};

let node: WeftNode | undefined;
let turns: Turns | undefined;

const threads = new SignatureThreads(new URL("signature-worker.js", import.meta.url));

/** The wasm stands beside this file wherever it is served from. */
const loaded = init({ module_or_path: new URL("weft_web_bg.wasm", import.meta.url) });

type Handlers = {
  [N in CallName]: (emit: (event: WeftEvent) => void, ...args: Calls[N]["args"]) => unknown;
};

function opened(): WeftNode {
  if (!node) throw Object.assign(new Error("The node is not open yet."), { code: "request-invalid" });
  return node;
}

/** Work that writes, in its turn among the tabs of this database. */
function inTurn<T>(name: string, emit: (event: WeftEvent) => void, work: () => Promise<T>): Promise<T> {
  return turns ? turns.take(name, (ended) => emit({ kind: "waiting", ended }), work) : work();
}

const handlers: Handlers = {
  open: async (_emit, database, webCrypto) => {
    const check = (packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => threads.check(packed);
    turns = new Turns(database);
    node = await WeftNode.open(database, webCrypto ? check : async () => new Uint8Array());
    return null;
  },
  sync: (emit, process, sources, options) => inTurn(process, emit, () => opened().sync(process, sources, options, emit)),
  demo: (emit, archive, process, options) => inTurn("demo", emit, () => opened().demo(archive, process, options, emit)),
  demoProcesses: (_emit, archive) => WeftNode.demoProcesses(archive),
  verifyBundle: (_emit, bundle) => opened().verifyBundle(bundle),
  check: (emit, process, question) => inTurn(process, emit, () => opened().check(process, question, emit)),
  include: (emit, process, slot, sources, options) =>
    inTurn(process, emit, () => opened().include(process, slot, sources, options, emit)),
  cancel: () => {
    turns?.cancel();
    return opened().cancel();
  },
  processes: () => opened().processes(),
  process: (_emit, process) => opened().process(process),
  marks: (_emit, process, from, limit) => opened().marks(process, from, limit),
  results: (_emit, process, from, limit) => opened().results(process, from, limit),
  message: (_emit, process, slot) => opened().message(process, slot),
  dryRun: (_emit, process, message) => opened().dryRun(process, message),
  runLua: (_emit, process, call) => opened().runLua(process, call),
  runScript: (_emit, script, over) => opened().runScript(script, over),
  receipt: (_emit, process) => opened().receipt(process),
  frauds: (_emit, process) => opened().frauds(process),
  divergence: (_emit, process) => opened().divergence(process),
  health: () => opened().health(),
  slotReceipt: (_emit, process, slot) => opened().slotReceipt(process, slot),
  receiptFile: async (emit, process, options) => {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    await opened().receiptFile(process, options, emit, (piece: Uint8Array<ArrayBuffer>) => void pieces.push(piece));
    // The browser keeps a blob where it likes, and the page gets it without a copy.
    return new Blob(pieces, { type: "application/json" });
  },
  forget: (_emit, process) => opened().forget(process),
  setting: (_emit, name) => opened().setting(name),
  setSetting: (_emit, name, value) => opened().setSetting(name, value),
  fraudCard: (_emit, file) => WeftNode.fraudCard(file),
  tamperings: () => WeftNode.tamperings(),
  tamper: (_emit, archive, process, id) => WeftNode.tamper(archive, process, id),
};

async function answer({ id, call, args }: ToWorker): Promise<void> {
  try {
    await loaded;
    const handler = handlers[call] as (emit: (event: WeftEvent) => void, ...rest: unknown[]) => unknown;
    const value = await handler((event) => scope.postMessage({ kind: "event", id, event }), ...args);
    scope.postMessage({ kind: "answer", id, answer: value ?? null });
  } catch (thrown) {
    if (thrown instanceof WebAssembly.RuntimeError) fatal(thrown);
    else scope.postMessage({ kind: "refusal", id, error: toPlain(thrown) });
  }
}

/** After a panic or a trap of the node's own program its memory is not to be trusted: say so and answer nothing more. */
function fatal(thrown: unknown): void {
  scope.postMessage({ kind: "fatal", error: { ...toPlain(thrown), code: "crashed" } });
}

// `weft_web` reports its panics here, before the trap that follows.
(globalThis as { weftPanicked?: (message: string) => void }).weftPanicked = (message) => fatal(new Error(message));
scope.addEventListener("error", (event: ErrorEvent) => fatal(event.error ?? event.message));
scope.addEventListener("unhandledrejection", (event: PromiseRejectionEvent) => fatal(event.reason));
scope.addEventListener("message", (event: MessageEvent<ToWorker>) => void answer(event.data));
