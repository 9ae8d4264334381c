/** Tabs of one origin share a database: only one of them at a time works on a process, and the others wait their turn. */

import { WeftError } from "./error.js";

/**
 * Turns of this worker among those of the same database, by Web Locks. Where a browser has none (an insecure context), work
 * begins at once, and what another tab writes meanwhile ends it with `store-failed`: see `sync/commit.rs`.
 */
export class Turns {
  readonly #database: string;
  #working = false;
  #waiting: AbortController | null = null;

  constructor(database: string) {
    this.#database = database;
  }

  /** Does the work when no other tab does any of that name; `waits` is told if one does, and its end. */
  async take<T>(name: string, waits: (ended: boolean) => void, work: () => Promise<T>): Promise<T> {
    // A second call within this worker is the node's to refuse.
    if (this.#working || navigator.locks === undefined) return work();
    this.#working = true;
    try {
      const lock = `weft ${this.#database} ${name}`;
      const atOnce = await navigator.locks.request(lock, { ifAvailable: true }, async (free) => free && { value: await work() });
      if (atOnce) return atOnce.value;
      waits(false);
      this.#waiting = new AbortController();
      return await navigator.locks.request(lock, { signal: this.#waiting.signal }, () => {
        this.#waiting = null;
        waits(true);
        return work();
      });
    } finally {
      this.#working = false;
      this.#waiting = null;
    }
  }

  /** Whoever waits gives up its turn. */
  cancel(): void {
    this.#waiting?.abort(new WeftError("cancelled", "Stopped while another tab worked on this process."));
  }
}
