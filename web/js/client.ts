/**
 * Weft for a page: a light AO node that proves and replays in a worker.
 *
 * ```ts
 * const weft = await Weft.open();
 * const summary = await weft.sync(processId, { schedulers: ["https://su.example"], gateways: ["https://gw.example"] });
 * const [result] = await weft.results(processId, { from: summary.head ?? 0, limit: 1 });
 * weft.close();
 * ```
 *
 * Every method that answers with a promise rejects with a {@link WeftError}: a stable `code`, a sentence as `message`,
 * the values it speaks of as `fields`, and a `cause` where there is one. Codes, fields and what to do about them are in
 * docs/errors.md.
 *
 * Nothing that was stored is ever lost by a cancel, a crash or a reload: a commit to the store is one transaction, and
 * a sync goes on from the last one.
 */

import { fromPlain, WeftError } from "./error.js";
import type { CallName, Calls, FromWorker } from "./protocol.js";
import type {
  Cancelled, CheckQuestion, Comparison, DemoCard, FraudCard, FraudProof, Id, IncludedItem, ItemVerdict, Json, LocalAnswer,
  LocalScript, LuaAnswer, LuaCall, MessageCard, ProcessCard, Receipt, ReceiptFileOptions, SlotMark, SlotResult, SourceHealth, Sources, Summary, SyncOptions,
  TamperOutcome, Tampering, WeftEvent,
} from "./types.js";

export { type ErrorFields, WeftError } from "./error.js";
export type { AoNode, SignedItem, UnsignedItem } from "./node/node.js";
export { PageNode, type PageNodeOptions } from "./node/page-node.js";
export { ServedNode } from "./node/served-node.js";
export type * from "./types.js";

/** How to open a node. */
export interface OpenOptions {
  /** The name of the IndexedDB database of this origin. Default `"weft"`. */
  database?: string;
  /** Where the built `worker.js` is; `weft_web_bg.wasm` must stand beside it. Default: beside this module. */
  worker?: URL;
  /**
   * Whether RSA signatures may be checked by the browser's WebCrypto, which is several times faster than Rust and gives
   * the same verdicts. Default true; where it is missing, Rust does it.
   */
  webCrypto?: boolean;
}

/** Listens to a sync. Called on the page's thread, in order. */
export type Listener = (event: WeftEvent) => void;

interface Waiting {
  call: CallName;
  resolve: (answer: never) => void;
  reject: (error: WeftError) => void;
  listener?: Listener;
}

/** How long the worker may take to answer a cancel before it is replaced, milliseconds. */
const PATIENCE_MS = 120;

/** Calls that may run long, which {@link Weft.cancel} stops. */
const LONG: ReadonlySet<CallName> = new Set(["sync", "demo", "check", "include", "dryRun", "runLua", "runScript"]);

/** A node: one worker and one database. */
export class Weft {
  readonly #database: string;
  readonly #url: URL;
  readonly #webCrypto: boolean;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #ready: Promise<null> | undefined;
  #nextId = 1;

  private constructor(options: OpenOptions) {
    this.#database = options.database ?? "weft";
    this.#url = options.worker ?? new URL("worker.js", import.meta.url);
    this.#webCrypto = options.webCrypto ?? true;
  }

  /**
   * Starts the worker, loads the wasm and opens the database.
   *
   * Errors: `store-failed` where the browser keeps no data for this site; `crashed` where the wasm does not load.
   */
  static async open(options: OpenOptions = {}): Promise<Weft> {
    const weft = new Weft(options);
    await weft.#start();
    return weft;
  }

  /**
   * Fetches, proves and replays a process, from where the store is. Answers when the end of the history, or
   * `options.to`, is in the store. One sync at a time: another call while one runs is refused with `request-invalid`.
   * Where another tab syncs the same process, this one waits for it and goes on from there; an event `waiting` says so.
   *
   * Errors: any code of the sections "things that do not prove", "modules", "sources" and "the node" of docs/errors.md;
   * `cancelled` after {@link cancel}. What had been proved before an error stays in the store.
   */
  sync(process: Id, sources: Sources, options: SyncOptions = {}, listener?: Listener): Promise<Summary> {
    return this.#call("sync", [process, sources, options], { listener });
  }

  /**
   * As {@link sync}, over a demo archive and without any network: of the process named, or the archive's first. The bytes are copied.
   *
   * Errors: `bundle-malformed` for bytes that are no archive; `not-found` for a process it does not have.
   */
  demo(
    archive: Uint8Array, { process = null, ...options }: { process?: Id | null } & SyncOptions = {}, listener?: Listener,
  ): Promise<Summary> {
    const bytes = archive.slice();
    return this.#call("demo", [bytes, process, options], { listener, transfer: [bytes.buffer] });
  }

  /** The processes of a demo archive, in its order. Error: `bundle-malformed`. */
  demoProcesses(archive: Uint8Array): Promise<DemoCard[]> {
    const bytes = archive.slice();
    return this.#call("demoProcesses", [bytes], { transfer: [bytes.buffer] });
  }

  /**
   * "Check this answer": asks other nodes for the answer to a slot and compares it with the one computed here. What is
   * not in the store is synced first, from `question.sources`. Events of kind `comparing` and `compared` tell how far
   * it is; {@link cancel} stops it. A node that fails is `silent` in the answer and no error. docs/compare.md says what
   * counts as equal.
   *
   * Errors: `no-source` without nodes, `source-invalid` for an address that is none; `not-found` for a slot or a message
   * that the history does not have; those of {@link sync}.
   */
  check(process: Id, question: CheckQuestion, listener?: Listener): Promise<Comparison> {
    return this.#call("check", [process, question], { listener });
  }

  /**
   * Proves that the message and the assignment of a stored slot are in blocks of Arweave: item in bundle, bundle in
   * transaction, transaction in block, headers linked to one that the gateways agree on. The proofs are kept, and are in
   * the receipts of the slot and of the history from then on. Without sources (`null`) the demo's own are asked. One at a
   * time, like {@link sync}; {@link cancel} stops it.
   *
   * Errors: `not-found` for a slot that is not stored and an item that no gateway has in a block; `block-not-agreed`; the
   * codes of what does not prove (docs/errors.md).
   */
  include(
    process: Id, slot: number, sources: Sources | null, options: SyncOptions = {}, listener?: Listener,
  ): Promise<IncludedItem[]> {
    return this.#call("include", [process, slot, sources, options], { listener });
  }

  /**
   * Stops what runs long, within 200 milliseconds: a sync, a comparison, a dry run, a Lua function or script. The worker looks for it between
   * messages and between the slices of a long one. If it has not stopped after 120 ms, because it was compiling a module, going
   * back to an earlier state or deep in a script, it is ended and a new one takes its place. What was stopped rejects with
   * `cancelled`; what was committed stays.
   */
  async cancel(): Promise<Cancelled> {
    const asked = performance.now();
    const syncing = [...this.#waiting.values()].filter(({ call }) => LONG.has(call));
    if (syncing.length === 0) return { ms: 0, restarted: false };
    const stopped = Promise.all(syncing.map(settled));
    this.#call("cancel", []).catch(() => undefined);
    const restarted = !(await within(stopped, PATIENCE_MS));
    if (restarted) this.#stop(new WeftError("cancelled", "Stopped; the node's worker was replaced."));
    const ms = performance.now() - asked;
    if (restarted) await this.#start();
    return { ms, restarted };
  }

  /**
   * Proves every data item of an ANS-104 bundle by itself, in order: its id, and its owner's signature. An item that is
   * refused is a verdict, not an error. The bytes are copied. Bundles inside are not opened.
   *
   * Errors: `bundle-malformed`, `too-large`.
   */
  verifyBundle(bundle: Uint8Array): Promise<ItemVerdict[]> {
    const bytes = bundle.slice();
    return this.#call("verifyBundle", [bytes], { transfer: [bytes.buffer] });
  }

  /** Every process in the store. */
  processes(): Promise<Summary[]> {
    return this.#call("processes", []);
  }

  /** The process item itself, as proved; `null` if it is not in the store. */
  process(process: Id): Promise<ProcessCard | null> {
    return this.#call("process", [process]);
  }

  /** Stored results from a slot on, in order; at most `limit` (default 100, at most 1000). */
  results(process: Id, { from = 0, limit = 100 } = {}): Promise<SlotResult[]> {
    return this.#call("results", [process, from, limit]);
  }

  /** Stored results in a few words each; at most `limit` (default and most 100 000). */
  marks(process: Id, { from = 0, limit = 100_000 } = {}): Promise<SlotMark[]> {
    return this.#call("marks", [process, from, limit]);
  }

  /** The message at a slot, as proved; `null` if it is not in the store. */
  message(process: Id, slot: number): Promise<MessageCard | null> {
    return this.#call("message", [process, slot]);
  }

  /**
   * Evaluates a message on a copy of the state after the last replayed slot. Nothing is signed, sent or kept: the next call
   * sees the same state. `message` has the fields of a dry run on the network: `{ Tags: [{ name, value }], Data, Owner, … }`;
   * `Owner` is taken for its signer. An aos process evaluates code with the tag `Action: Eval`, the code as `Data` and its own
   * owner as `Owner`. {@link cancel} stops it.
   *
   * An error of the process is in the answer (`error`, `failure`). Errors: `not-found` for a process that is not replayed here;
   * `cancelled`.
   */
  dryRun(process: Id, message: Json): Promise<SlotResult> {
    return this.#call("dryRun", [process, message]);
  }

  /**
   * Runs a Lua function over the state of a Lua process after its last replayed slot, as HyperBEAM's `~lua@5.3a` paths do. It
   * works on a copy: nothing is kept. Fuel and memory are bounded; {@link cancel} stops it.
   *
   * ```ts
   * const script = `function richest(state, request) … return { holder = holder, balance = balance } end`;
   * const { result, gas } = await weft.runLua(process, { script, function: "richest", params: { least: 5 } });
   * ```
   *
   * Errors: `lua-syntax` for a script that is none; `lua-error` for an error it raised and did not catch; `lua-crash` where Luerl itself
   * would break; `lua-out-of-fuel`, `lua-out-of-memory`, `lua-too-deep`, `lua-unsupported`, all with what the script printed before, if
   * anything, as `error.fields.output`; `request-invalid` for a process that is not Lua; `not-found` for one that is not replayed here; `cancelled`.
   */
  runLua(process: Id, call: LuaCall): Promise<LuaAnswer> {
    return this.#call("runLua", [process, call]);
  }

  /**
   * Runs a Lua script of your own in the worker: standard Lua 5.3, or with `profile: "luerl"` the Lua of AO processes. It sees its
   * arguments alone: no files, no network, no other script's variables. Fuel and memory are bounded; {@link cancel} stops it.
   *
   * ```ts
   * const { values } = await weft.runScript({ script: "local list = ... table.sort(list) return list", args: [[3, 1, 2]] });
   * ```
   *
   * Errors: `lua-syntax`, `lua-error`, `lua-crash` (Luerl alone), `lua-out-of-fuel`, `lua-out-of-memory`, `lua-too-deep`,
   * `lua-unsupported`, with what the script printed before as `error.fields.output`; `request-invalid` for arguments of another shape, and an `over` that is not Lua; `not-found` for an `over` that
   * is not replayed here; `cancelled`.
   */
  runScript({ over, ...script }: LocalScript): Promise<LocalAnswer> {
    return this.#call("runScript", [script, over]);
  }

  /** What was proved of a process and its history, and what is only trusted. Error: `not-found`. */
  receipt(process: Id): Promise<Receipt> {
    return this.#call("receipt", [process]);
  }

  /** The proofs that the scheduler of a process signed two assignments for one slot. Each is a file by itself. */
  frauds(process: Id): Promise<FraudProof[]> {
    return this.#call("frauds", [process]);
  }

  /**
   * What both WebAssembly engines made of the message at which a sync of this process stopped with `engines-differ`, with the
   * state before it and both after it: a file to report. `null` if none did.
   */
  divergence(process: Id): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#call("divergence", [process]);
  }

  /** How the sources of this session are doing, by address. The event `health` tells it as it changes. */
  health(): Promise<SourceHealth[]> {
    return this.#call("health", []);
  }

  /** What was proved of one slot. Error: `not-found`. */
  slotReceipt(process: Id, slot: number): Promise<Receipt> {
    return this.#call("slotReceipt", [process, slot]);
  }

  /**
   * A receipt with all the evidence under it, as a file that anybody can check with `weft verify` and no network: of the
   * history, or of one slot. docs/receipts.md has the format, {@link ReceiptFile} its shape. The listener hears of progress
   * (phase `receipt`, in slots).
   *
   * Errors: `not-found`; `store-corrupt` where what is stored does not prove.
   */
  receiptFile(process: Id, options: ReceiptFileOptions = {}, listener?: Listener): Promise<Blob> {
    return this.#call("receiptFile", [process, options], { listener });
  }

  /** Deletes what the store holds of a process. */
  async forget(process: Id): Promise<void> {
    await this.#call("forget", [process]);
  }

  /** A value kept for the app; `null` if there is none. */
  setting(name: string): Promise<Json> {
    return this.#call("setting", [name]);
  }

  /** Keeps a value for the app; `null` deletes it. */
  async setSetting(name: string, value: Json): Promise<void> {
    await this.#call("setSetting", [name, value]);
  }

  /**
   * Proves a fraud proof, the JSON of `event.proof` or of a file, and shows its two assignments.
   *
   * Errors: `json-invalid`, `request-invalid` for another kind of file; those of items and signatures;
   * `fraud-unfounded` if the two do not contradict each other.
   */
  fraudCard(proof: FraudProof): Promise<FraudCard> {
    return this.#call("fraudCard", [JSON.stringify(proof)]);
  }

  /** The ways of changing the demo that {@link tamper} knows. */
  tamperings(): Promise<Tampering[]> {
    return this.#call("tamperings", []);
  }

  /**
   * Proves and replays the honest history of a demo's process (without `process` the first one) into a store of its own, in
   * memory, then lets that node meet the changed archive. Nothing of it touches the database.
   */
  tamper(archive: Uint8Array, id: string, { process = null }: { process?: Id | null } = {}): Promise<TamperOutcome> {
    const bytes = archive.slice();
    return this.#call("tamper", [bytes, process, id], { transfer: [bytes.buffer] });
  }

  /** Ends the worker. Calls still waiting reject with `cancelled`; the next call starts a new worker. */
  close(): void {
    this.#stop(new WeftError("cancelled", "The node was closed."));
  }

  #start(): Promise<null> {
    const worker = new Worker(this.#url, { type: "module", name: "weft" });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    // The script itself did not load or parse.
    worker.onerror = (event) => {
      event.preventDefault();
      this.#stop(new WeftError("crashed", "The node's worker could not be started.", event.message || undefined));
    };
    this.#ready = this.#send(worker, "open", [this.#database, this.#webCrypto], {});
    // Whoever calls next sees the failure; nobody may be waiting for it now.
    this.#ready.catch(() => undefined);
    return this.#ready;
  }

  async #call<N extends CallName>(
    call: N, args: Calls[N]["args"], extra: { listener?: Listener | undefined; transfer?: Transferable[] } = {},
  ): Promise<Calls[N]["answer"]> {
    if (!this.#worker) void this.#start();
    const worker = this.#worker;
    await this.#ready;
    if (!worker || worker !== this.#worker) throw new WeftError("cancelled", "The node was stopped meanwhile.");
    return this.#send(worker, call, args, extra);
  }

  #send<N extends CallName>(
    worker: Worker, call: N, args: Calls[N]["args"],
    { listener, transfer = [] }: { listener?: Listener | undefined; transfer?: Transferable[] },
  ): Promise<Calls[N]["answer"]> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { call, resolve, reject };
      if (listener) waiting.listener = listener;
      this.#waiting.set(id, waiting);
      worker.postMessage({ id, call, args }, transfer);
    });
  }

  #receive(message: FromWorker): void {
    if (message.kind === "fatal") {
      const { code, message: sentence, cause, fields } = message.error;
      this.#stop(new WeftError(code, `The node stopped by a fault of its own: ${sentence}`, cause, fields));
      return;
    }
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.kind === "event") {
      waiting.listener?.(message.event);
      return;
    }
    this.#waiting.delete(message.id);
    if (message.kind === "answer") waiting.resolve(message.answer as never);
    else waiting.reject(fromPlain(message.error));
  }

  /** Ends the worker, and with it every call that waits. */
  #stop(error: WeftError): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const ended = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of ended) reject(error);
  }
}

/** Resolves once a call has been answered or refused. */
function settled(waiting: Waiting): Promise<void> {
  return new Promise((done) => {
    const { resolve, reject } = waiting;
    waiting.resolve = (answer) => { resolve(answer); done(); };
    waiting.reject = (error) => { reject(error); done(); };
  });
}

/** Whether a promise settles in time. */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => { timer = setTimeout(() => resolve(false), ms); });
  const intime = promise.then(() => true as const);
  try {
    return await Promise.race([intime, late]);
  } finally {
    clearTimeout(timer);
  }
}
