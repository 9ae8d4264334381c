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

import { WeftError } from "../error.js";
import { absent, answerOthers, askNode, readRequest, toResponse, type NodeRequest, type NodeResponse } from "./channel.js";
import { NodeWorker } from "./link.js";
import { Signing, type AoNode, type SignedItem, type UnsignedItem } from "./node.js";

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
  /**
   * Devices in JavaScript: where the module of each is, by its name, such as `{ "greeter@1.0": "greeter.js" }` (`devices.ts`). Those of
   * the tab that has the node count. `device-worker.js` must stand beside `node-worker.js`.
   */
  devices?: { [name: string]: URL | string };
}

/** A node at a URL. */
export class PageNode implements AoNode {
  readonly place = "page";
  readonly #database: string;
  readonly #signing: Signing;
  readonly #worker: URL;
  readonly #devices: { [name: string]: string };
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
    this.#devices = Object.fromEntries(Object.entries(options.devices ?? {}).map(([name, script]) => [name, new URL(script, document.baseURI).href]));
    this.#signing = new Signing(this, () => this.#mine ?? new NodeWorker(this.#worker, this.#database));
  }

  /**
   * Takes the node, or finds the tab that has it.
   *
   * Errors: `store-failed` where the browser keeps no data or no key for this site; `crashed` where the wasm does not load;
   * `device-failed` and `device-silent` where a device does not.
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

  /** The address of the node's key. */
  signer(): Promise<string> {
    return this.#signing.address();
  }

  /** Signs an item with the node's key, in this tab. Errors: `store-failed`, `request-invalid`. */
  sign(item: UnsignedItem): Promise<SignedItem> {
    return this.#signing.sign(item);
  }

  /** Signs a module, puts it on the node's gateway, and gives its id. `format` is a `Module-Format`, or `application/lua`. */
  publishModule(bytes: Uint8Array<ArrayBuffer>, format: string): Promise<string> {
    return this.#signing.publishModule(bytes, format);
  }

  /** Leaves the node to another tab. */
  async close(): Promise<void> {
    this.#leaving.abort();
    this.#signing.close();
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
    mine.open(this.#devices);
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
