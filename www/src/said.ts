/** What the sources of a sync say and how they do: heads, agreement, fraud, health, holes. The views read it. */

import type { FraudCard, FraudProof, HeadSeen, SourceHealth, Tally, WeftEvent } from "../../web/js/client.js";
import type { Model } from "./model.js";

/** A fraud that was found, its file, and what the file proves once it was checked. */
export interface Fraud {
  slot: number;
  url: string | null;
  proof: FraudProof;
  card: FraudCard | null;
}

/** One source, with what is known of it. */
export interface Source {
  url: string;
  head: HeadSeen | null;
  health: SourceHealth | null;
  /** Where it was found, if the user did not name it. */
  located: boolean;
}

export class Said {
  /** By claim: what sources were asked about, and what they said last. */
  quorums = new Map<string, Tally>();
  frauds: Fraud[] = [];
  holes: { slots: [number, number][]; more: boolean } | null = null;
  rebuilt: { from: number; to: number } | null = null;

  readonly #sources = new Map<string, Source>();
  readonly #model: Model;

  constructor(model: Model) {
    this.#model = model;
  }

  /** Before a sync. Fraud that was proved stays proved. */
  begin(): void {
    this.quorums = new Map();
    this.holes = null;
    this.rebuilt = null;
    this.#sources.clear();
  }

  /** Proofs that the store has of the shown process. */
  async stored(process: string): Promise<void> {
    const proofs = (await this.#model.weft?.frauds(process).catch(() => [])) ?? [];
    if (this.#model.process !== process) return;
    for (const proof of proofs) await this.#prove(proof.slot, null, proof);
  }

  reset(): void {
    this.begin();
    this.frauds = [];
  }

  /** In the user's order, then those that were found. */
  sources(): Source[] {
    const { schedulers, gateways } = this.#model.sources;
    const order = [...schedulers, ...gateways];
    const place = ({ url }: Source): number => (order.includes(url) ? order.indexOf(url) : order.length);
    return [...this.#sources.values()].sort((a, b) => place(a) - place(b));
  }

  /** What they disagree about. */
  disagreements(): [claim: string, tally: Tally][] {
    return [...this.quorums].filter(([, { against }]) => against.length > 0);
  }

  hear(event: WeftEvent): void {
    switch (event.kind) {
      case "health":
        for (const health of event.sources) this.#of(health.url).health = health;
        break;
      case "head":
        this.#of(event.url).head = event;
        break;
      case "located":
        this.#of(event.url).located = true;
        break;
      case "quorum":
        this.quorums.set(event.claim, event.tally);
        break;
      case "fraud":
        void this.#prove(event.slot, event.url, event.proof);
        break;
      case "holes":
        this.holes = { slots: event.slots, more: event.more };
        break;
      case "rebuild":
        this.rebuilt = { from: event.from, to: event.to };
        break;
      default:
    }
  }

  /** The proof is checked again, from its file, before it is shown as one. */
  async #prove(slot: number, url: string | null, proof: FraudProof): Promise<void> {
    if (this.frauds.some((known) => known.slot === slot)) return;
    const fraud: Fraud = { slot, url, proof, card: null };
    this.frauds = [...this.frauds, fraud].sort((a, b) => a.slot - b.slot);
    fraud.card = (await this.#model.weft?.fraudCard(proof).catch(() => null)) ?? null;
    this.#model.changed();
  }

  #of(url: string): Source {
    const known = this.#sources.get(url);
    if (known) return known;
    const source: Source = { url, head: null, health: null, located: false };
    this.#sources.set(url, source);
    return source;
  }
}
