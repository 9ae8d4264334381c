/** A node that the page's own server runs: `weft serve`. */

import { NodeWorker } from "./link.js";
import { Signing, type AoNode, type SignedItem, type UnsignedItem } from "./node.js";

/** A node at a URL, with the page's key to sign for it. */
export class ServedNode implements AoNode {
  readonly place = "server";
  readonly #folder: URL;
  readonly #address: string;
  readonly #signing: Signing;

  private constructor(folder: URL, address: string, database: string) {
    this.#folder = folder;
    this.#address = address;
    this.#signing = new Signing(this, () => new NodeWorker(new URL("node-worker.js", import.meta.url), database));
  }

  /** The node below this folder, if there is one. */
  static async at(folder: URL, database = "weft"): Promise<ServedNode | null> {
    try {
      const answer = await fetch(new URL("cu/", folder));
      const address: unknown = answer.ok ? ((await answer.json()) as { address?: unknown }).address : null;
      return typeof address === "string" ? new ServedNode(folder, address, database) : null;
    } catch {
      // A page alone, without a network or below a gateway that answers with a page of its own.
      return null;
    }
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(new URL(path.replace(/^\/+/, ""), this.#folder), init);
  }

  async address(): Promise<string> {
    return this.#address;
  }

  signer(): Promise<string> {
    return this.#signing.address();
  }

  sign(item: UnsignedItem): Promise<SignedItem> {
    return this.#signing.sign(item);
  }

  publishModule(bytes: Uint8Array<ArrayBuffer>, format: string): Promise<string> {
    return this.#signing.publishModule(bytes, format);
  }
}
