/**
 * Signatures checked by WebCrypto, over as many threads as the machine has cores. The node asks for many at a time;
 * what is not found to hold here, the node checks itself.
 */

import { check, ranges } from "./rsa.js";

/** The most threads, however many cores there are: each costs memory. */
const MOST_THREADS = 8;
/** Claims a thread takes at a time: enough to hide the way there and back, few enough to share. */
const BATCH = 64;

type Bytes = Uint8Array<ArrayBuffer>;

/** A part of the claims, waiting for a thread or with one. */
interface Batch {
  packed: Bytes;
  done: (verdicts: Bytes) => void;
}

/** The threads. They are started with the first work. */
export class SignatureThreads {
  readonly #url: URL;
  #threads: Thread[] | undefined;
  #waiting: Batch[] = [];

  /** `url` is the built `signature-worker.js`. */
  constructor(url: URL) {
    this.#url = url;
  }

  /**
   * One byte for each packed claim, 1 if it holds. Without WebCrypto (a page that is not secure) all are 0. The packed
   * bytes are only lent: they are copied, each batch once, before this first waits.
   */
  async check(packed: Bytes): Promise<Bytes> {
    const places = ranges(packed);
    const verdicts = new Uint8Array(places.length);
    if (!globalThis.crypto?.subtle) return verdicts;
    const parts: Promise<void>[] = [];
    for (let at = 0; at < places.length; at += BATCH) {
      const start = places[at]?.[0] ?? 0;
      const end = places[Math.min(at + BATCH, places.length) - 1]?.[1] ?? packed.length;
      parts.push(this.#give(packed.slice(start, end)).then((found) => verdicts.set(found, at)));
    }
    await Promise.all(parts);
    return verdicts;
  }

  #give(packed: Bytes): Promise<Bytes> {
    this.#threads ??= this.#start();
    return new Promise((done) => {
      this.#waiting.push({ packed, done });
      this.#next();
    });
  }

  #next(): void {
    for (const thread of this.#threads ?? []) {
      if (this.#waiting.length === 0) return;
      if (!thread.busy) void thread.run(this.#waiting.shift()!).then(() => this.#next());
    }
  }

  #start(): Thread[] {
    const count = Math.max(1, Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1));
    return Array.from({ length: count }, () => new Thread(this.#url));
  }
}

/** One thread, or this one where a worker cannot start another. */
class Thread {
  busy = false;
  #worker: Worker | null;
  #ended: (verdicts: Bytes) => void = () => undefined;

  constructor(url: URL) {
    this.#worker = start(url);
    this.#worker?.addEventListener("message", ({ data }: MessageEvent<Bytes>) => this.#ended(data));
    // A thread that did not start, or broke, has found nothing to hold; its next work is done in this one.
    this.#worker?.addEventListener("error", (event) => {
      event.preventDefault();
      this.#worker = null;
      this.#ended(new Uint8Array());
    });
  }

  /** Checks a batch; resolves when the thread is free again. */
  async run({ packed, done }: Batch): Promise<void> {
    this.busy = true;
    done(await this.#check(packed));
    this.busy = false;
  }

  #check(packed: Bytes): Promise<Bytes> {
    const worker = this.#worker;
    if (!worker) return check(packed);
    return new Promise((ended) => {
      this.#ended = ended;
      worker.postMessage(packed, [packed.buffer]);
    });
  }
}

function start(url: URL): Worker | null {
  try {
    return typeof Worker === "undefined" ? null : new Worker(url, { type: "module" });
  } catch {
    return null;
  }
}
