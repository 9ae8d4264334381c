/**
 * A node at a URL inside of the page: `fetch` of a path below the app's folder is answered by the node in one of the tabs.
 *
 * ```ts
 * const node = await PageNode.open();
 * const answer = await node.fetch("/~meta@1.0/info/address");
 * ```
 *
 * All tabs of an origin see one node: the tab that opened first has it, others ask that one, and when it closes another takes over
 * with the same store and key. With a service worker any `fetch` of the page, an `<img>` or a link to a path is answered too;
 * {@link PageNode.fetch} gives the same answers without one.
 */

import { fromPlain, WeftError } from "../error.js";
import { absent, answerOthers, askNode, readRequest, toResponse, type NodeRequest, type NodeResponse } from "./channel.js";
import type { FromNodeWorker, ToNodeWorker } from "./protocol.js";

/** How to open a node at a URL. */
export interface PageNodeOptions {
  /** The name its databases begin with. Default `"weft"`. */
  database?: string;
  /** Where the built `node-worker.js` is; `weft_web_bg.wasm` must stand beside it. Default: beside this module. */
  worker?: URL;
  /**
   * Where the built `service-worker.js` is, or `null` for none. Its folder is the one whose paths the node answers. Default: beside
   * this module. A browser that has no service workers for this page goes on without.
   */
  serviceWorker?: URL | null;
}

type Call = ToNodeWorker extends infer M ? (M extends ToNodeWorker ? Omit<M, "id"> : never) : never;

/** The node's worker, in the tab that has it. */
class NodeWorker {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #next = 1;
  readonly address: Promise<string>;

  constructor(url: URL, database: string) {
    this.#worker = new Worker(url, { type: "module", name: "weft-node" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromNodeWorker>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.close(new WeftError("crashed", "The node's worker could not be started.", event.message || undefined));
    };
    this.address = this.call<string>({ call: "open", database });
    this.address.catch(() => undefined);
  }

  call<T>(call: Call): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...call });
    });
  }

  #receive(message: FromNodeWorker): void {
    if (message.kind === "fatal") {
      this.close(fromPlain(message.error));
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === "answer") waiting?.resolve(message.value as never);
    else waiting?.reject(fromPlain(message.error));
  }

  close(error: WeftError): void {
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** A node at a URL. */
export class PageNode {
  readonly #database: string;
  readonly #worker: URL;
  readonly #leaving = new AbortController();
  /** The worker, while this tab has the node. */
  #mine: NodeWorker | null = null;
  #stopAnswering: (() => void) | null = null;
  #release: (() => void) | null = null;
  /** Whether a service worker answers this page's own requests. */
  serviceWorker: "none" | "waiting" | "active" = "none";

  private constructor(options: PageNodeOptions) {
    this.#database = options.database ?? "weft";
    this.#worker = options.worker ?? new URL("node-worker.js", import.meta.url);
  }

  /**
   * Takes the node, or finds the tab that has it.
   *
   * Errors: `store-failed` where the browser keeps no data or no key for this site; `crashed` where the wasm does not load.
   */
  static async open(options: PageNodeOptions = {}): Promise<PageNode> {
    const node = new PageNode(options);
    await node.#take();
    await node.#register(options.serviceWorker === undefined ? new URL("service-worker.js", import.meta.url) : options.serviceWorker);
    return node;
  }

  /** Whether this tab has the node. */
  get leads(): boolean {
    return this.#mine !== null;
  }

  /**
   * As the browser's `fetch`, of a path of the node such as `/PID~process@1.0/now/balances`. Every status is an answer. Where the tab
   * that had the node is gone and no other has it, the answer is 503 with the code `node-absent`.
   */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const { pathname, search } = new URL(path, "http://node");
    const request = new Request(new URL("http://node/"), { ...init, ...(init.body instanceof ReadableStream ? { duplex: "half" } : {}) } as RequestInit);
    const response = await this.#ask(await readRequest(request, `${pathname}${search}`));
    return response ? toResponse(response) : absent();
  }

  /** The node's address. */
  async address(): Promise<string> {
    if (this.#mine) return this.#mine.address;
    const answer = await this.fetch("/cu");
    return ((await answer.json()) as { address: string }).address;
  }

  /** Puts a module on the node's gateway; its id. Only the tab that has the node can. Error: `request-invalid` for another. */
  async publishModule(bytes: Uint8Array<ArrayBuffer>, format: string): Promise<string> {
    if (!this.#mine) throw new WeftError("request-invalid", "Another tab has the node: publish the module there.");
    return this.#mine.call<string>({ call: "publish", bytes, format });
  }

  /** Leaves the node to another tab. */
  async close(): Promise<void> {
    this.#leaving.abort();
    this.#stopAnswering?.();
    await this.#mine?.call({ call: "save" }).catch(() => undefined);
    this.#mine?.close(new WeftError("cancelled", "The node was closed."));
    this.#mine = null;
    this.#release?.();
  }

  async #ask(request: NodeRequest): Promise<NodeResponse | null> {
    const mine = this.#mine;
    if (!mine) return askNode(this.#database, request);
    await mine.address;
    return mine.call<NodeResponse>({ call: "answer", request });
  }

  /** The lock of the origin is the node: who holds it has it, until the tab closes. */
  async #take(): Promise<void> {
    if (navigator.locks === undefined) return this.#lead();
    const lock = `weft ${this.#database} node`;
    const held = new Promise<void>((release) => { this.#release = release; });
    const led = await new Promise<boolean>((known, failed) => {
      void navigator.locks.request(lock, { ifAvailable: true }, async (free) => {
        if (free === null) return known(false);
        try {
          await this.#lead();
        } catch (error) {
          return failed(error as Error);
        }
        known(true);
        await held;
      });
    });
    if (led) return;
    navigator.locks.request(lock, { signal: this.#leaving.signal }, async () => {
      await this.#lead();
      await held;
    }).catch(() => undefined);
  }

  async #lead(): Promise<void> {
    const mine = new NodeWorker(this.#worker, this.#database);
    this.#mine = mine;
    await mine.address;
    this.#stopAnswering = answerOthers(this.#database, (request) =>
      mine.call<NodeResponse>({ call: "answer", request }).catch((error: unknown) => refusal(error)));
  }

  async #register(url: URL | null): Promise<void> {
    if (url === null || !("serviceWorker" in navigator) || !globalThis.isSecureContext) return;
    const script = new URL(url);
    script.searchParams.set("database", this.#database);
    try {
      await navigator.serviceWorker.register(script, { type: "module", scope: new URL("./", url).pathname });
      await navigator.serviceWorker.ready;
      this.serviceWorker = navigator.serviceWorker.controller ? "active" : "waiting";
    } catch {
      // A browser may forbid it to this page; `fetch` of this class answers the same.
      this.serviceWorker = "none";
    }
  }
}

/** What failed in the worker, as an answer to another tab. */
function refusal(error: unknown): NodeResponse {
  const { code, message } = error instanceof WeftError ? error : new WeftError("crashed", String(error));
  const body = new TextEncoder().encode(JSON.stringify({ code, message }));
  return { status: 500, headers: [["content-type", "application/json"]], body };
}
