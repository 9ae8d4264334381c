/** The page's end of the node's worker. */

import { fromPlain, WeftError } from "../error.js";
import type { FromNodeWorker, ToNodeWorker } from "./protocol.js";

type Call = ToNodeWorker extends infer M ? (M extends ToNodeWorker ? Omit<M, "id"> : never) : never;

/** A worker that signs; and answers as the node, once it is open. */
export class NodeWorker {
  readonly #worker: Worker;
  readonly #database: string;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #next = 1;
  /** The node's address, of a worker that is open. */
  address: Promise<string>;

  constructor(url: URL, database: string) {
    this.#database = database;
    this.#worker = new Worker(url, { type: "module", name: "weft-node" });
    this.#worker.onmessage = ({ data }: MessageEvent<FromNodeWorker>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.close(new WeftError("crashed", "The node's worker could not be started.", event.message || undefined));
    };
    this.address = Promise.reject(new WeftError("request-invalid", "The node is not open."));
    this.address.catch(() => undefined);
  }

  /** Opens the node, with devices in JavaScript: the URL of each module by its name. No other worker of the origin may have it open. */
  open(devices: { [name: string]: string } = {}): void {
    this.address = this.call<string>({ call: "open", database: this.#database, devices });
    this.address.catch(() => undefined);
  }

  get database(): string {
    return this.#database;
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
