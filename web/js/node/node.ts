/** What a page can do with a node, wherever it runs. */

import { WeftError } from "../error.js";
import type { NodeWorker } from "./link.js";
import type { Tag } from "../types.js";

/** A data item that nobody signed yet. */
export interface UnsignedItem {
  /** The process it is for; none for a process or a module. */
  target?: string | undefined;
  /** 32 bytes as text. */
  anchor?: string | undefined;
  tags: Tag[];
  data: string | Uint8Array<ArrayBuffer>;
}

/** A signed data item: what a signer of aoconnect gives. */
export interface SignedItem {
  id: string;
  raw: Uint8Array<ArrayBuffer>;
}

/** A node: gateway, scheduler, messenger and compute unit at one URL. */
export interface AoNode {
  /** Whether it runs in a tab of this origin, or on the server that serves the page. */
  readonly place: "page" | "server";
  /** As the browser's `fetch`, of a path of the node. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Who signs its assignments. */
  address(): Promise<string>;
  /** The address of this page's key. */
  signer(): Promise<string>;
  /** Signs an item with this page's key. */
  sign(item: UnsignedItem): Promise<SignedItem>;
  /** Puts a module, signed with this page's key, on its gateway. */
  publishModule(bytes: Uint8Array<ArrayBuffer>, format: string): Promise<string>;
}

/** Signs with the page's key, which WebCrypto keeps, in a worker. */
export class Signing {
  readonly #node: AoNode;
  readonly #start: () => NodeWorker;
  #worker: NodeWorker | null = null;

  constructor(node: AoNode, start: () => NodeWorker) {
    this.#node = node;
    this.#start = start;
  }

  sign({ data, ...item }: UnsignedItem): Promise<SignedItem> {
    const worker = (this.#worker ??= this.#start());
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    return worker.call<SignedItem>({ call: "sign", database: worker.database, item, data: bytes });
  }

  address(): Promise<string> {
    const worker = (this.#worker ??= this.#start());
    return worker.call<string>({ call: "signer", database: worker.database });
  }

  async publishModule(data: Uint8Array<ArrayBuffer>, format: string): Promise<string> {
    const worker = (this.#worker ??= this.#start());
    const tags = await worker.call<Tag[]>({ call: "module-tags", format });
    const { id, raw } = await this.sign({ tags, data });
    const headers = { "content-type": "application/octet-stream" };
    const answer = await this.#node.fetch("/gateway/v1/tx", { method: "POST", headers, body: raw });
    if (answer.ok) return id;
    const { error } = (await answer.json().catch(() => ({}))) as { error?: string };
    throw new WeftError("request-invalid", "The node does not take the module.", error);
  }

  close(): void {
    this.#worker?.close(new WeftError("cancelled", "The node was closed."));
  }
}
