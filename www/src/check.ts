/** "Check this answer": which nodes are asked, how far it is, and what came of it. The views read it. */

import { WeftError } from "../../web/js/client.js";
import type { CheckQuestion, Comparison, Json, NodeCheck, WeftEvent } from "../../web/js/client.js";
import type { Model } from "./model.js";

/** A node of the user's list. */
export interface Node {
  kind: "" | "legacy" | "hyperbeam";
  url: string;
}

/** What is known of one node while it is asked, and after. */
export interface Row {
  node: string;
  /** Earlier answers gone through. */
  progress: { done: number; total: number } | null;
  check: NodeCheck | null;
}

/** Where the list is kept in the node's settings: one for all processes. */
const SETTING = "nodes";

export class Check {
  /** The nodes, as edited; kept. */
  nodes: Node[] = [];
  /** Also compares every earlier answer. */
  all = false;
  running = false;
  /** The slot that was asked for last, and what came of it. */
  slot: number | null = null;
  /** Whether every earlier answer was asked for too. */
  everything = false;
  rows: Row[] = [];
  comparison: Comparison | null = null;
  error: WeftError | null = null;

  readonly #model: Model;

  constructor(model: Model) {
    this.#model = model;
  }

  /** Reads the kept list. */
  async open(): Promise<void> {
    const kept = await this.#model.weft?.setting(SETTING).catch(() => null);
    this.nodes = Array.isArray(kept) ? kept.filter((entry) => typeof entry === "string").map(read) : [];
    this.#model.changed();
  }

  /** Forgets what was compared; the list stays. */
  reset(): void {
    Object.assign(this, { slot: null, rows: [], comparison: null, error: null });
  }

  /** The slot that would be checked: the selected one, or the newest that was replayed. */
  target(): number | null {
    const { slot, summary } = this.#model;
    const newest = summary?.replayed ?? null;
    if (newest === null) return null;
    return slot && slot.slot <= newest ? slot.slot : newest;
  }

  setNodes(nodes: Node[]): void {
    this.nodes = nodes;
    const entries: Json = named(nodes);
    void this.#model.weft?.setSetting(SETTING, entries).catch(() => undefined);
    this.#model.changed();
  }

  /** The compute unit of the network beside this page. */
  addLocal(): void {
    const url = new URL("cu/", document.baseURI).href.replace(/\/$/, "");
    if (!this.nodes.some((node) => node.url === url)) this.setNodes([...this.nodes, { kind: "legacy", url }]);
  }

  async run(): Promise<void> {
    const model = this.#model;
    const { weft, process } = model;
    const slot = this.target();
    if (!weft || !process || slot === null || this.running || model.running) return;
    const nodes = named(this.nodes);
    this.reset();
    Object.assign(this, { running: true, slot, everything: this.all, rows: nodes.map((node) => ({ node: address(node), progress: null, check: null })) });
    model.changed();
    try {
      const question: CheckQuestion = { slot, nodes, all: this.everything, options: { engine: model.engine } };
      const comparison = await weft.check(process, question, (event) => this.#hear(event));
      if (model.process === process) this.comparison = comparison;
      model.announcement = summary(comparison);
    } catch (thrown) {
      if (model.process === process) this.error = thrown instanceof WeftError ? thrown : new WeftError("crashed", String(thrown));
    }
    this.running = false;
    model.changed();
  }

  async stop(): Promise<void> {
    if (this.running) await this.#model.weft?.cancel().catch(() => undefined);
  }

  #hear(event: WeftEvent): void {
    if (event.kind === "comparing") {
      const row = this.rows.find(({ node, check }) => node === event.node && check === null);
      if (row) row.progress = { done: event.done, total: event.total };
    } else if (event.kind === "compared") {
      const row = this.rows.find(({ node, check }) => node === event.node && check === null);
      if (row) row.check = event;
    }
    this.#model.changed();
  }
}

/** What is said when it is done. */
function summary({ nodes, slot }: Comparison): string {
  const count = (kind: string): number => nodes.filter(({ verdict }) => verdict.kind === kind).length;
  return `Slot ${slot} compared: ${count("match")} of ${nodes.length} nodes give the same answer, `
    + `${count("mismatch")} another, ${count("silent")} none.`;
}

const KIND = /^(legacy|hyperbeam):/;

function read(entry: string): Node {
  const kind = KIND.exec(entry)?.[1] as Node["kind"] | undefined;
  return { kind: kind ?? "", url: entry.replace(KIND, "") };
}

/** As the node takes them: without empty lines, with their kinds. */
const named = (nodes: Node[]): string[] =>
  nodes.filter(({ url }) => url.trim() !== "").map(({ kind, url }) => `${kind === "" ? "" : `${kind}:`}${url.trim()}`);

/** As the node names them in what it tells. */
const address = (node: string): string => node.replace(KIND, "").replace(/\/+$/, "");
