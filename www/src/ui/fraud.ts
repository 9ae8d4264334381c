/** A fraud proof: two assignments that one scheduler signed for one slot, side by side. */

import { html, nothing, type TemplateResult } from "lit";

import type { FraudCard, FraudProof, FraudSide } from "../../../web/js/client.js";
import { clip, count, instant, pretty } from "../format.js";
import type { Model } from "../model.js";
import { offer } from "../offer.js";
import type { Fraud } from "../said.js";
import { forkIcon } from "./icons.js";

export function frauds(model: Model): TemplateResult[] {
  return model.said.frauds.map((fraud) => one(model, fraud));
}

function one(model: Model, { slot, url, proof, card }: Fraud): TemplateResult {
  return html`
    <section class="panel fraud" role="alert" aria-labelledby="fraud-${slot}" data-fraud=${slot} data-proved=${card ? "yes" : "no"}>
      <div class="head">
        <div>
          <h2 id="fraud-${slot}">${forkIcon} The scheduler signed two histories</h2>
          <p class="sub">
            ${card ? html`Two assignments for slot ${count(slot)}, both with its signature: ${card.sentence} Anyone can check this
              file, without Weft's word and without a network: <code>weft verify</code>.` : "Being proved…"}
          </p>
        </div>
        <div class="actions">
          <button class="primary" data-save-fraud=${slot} @click=${() => save(slot, model.process, proof)}>Download the proof</button>
        </div>
      </div>
      ${card ? sides(card, url) : nothing}
    </section>`;
}

const ROWS: { name: string; of: (side: FraudSide) => string; id: boolean }[] = [
  { name: "Message", of: ({ message }) => message, id: true },
  { name: "Assignment", of: ({ assignment }) => assignment, id: true },
  { name: "Time", of: ({ timestamp }) => instant(timestamp), id: false },
  { name: "Block height", of: ({ block_height: height }) => count(height), id: false },
  { name: "Hash chain", of: ({ hash_chain: chain }) => chain, id: true },
];

function sides(card: FraudCard, url: string | null): TemplateResult {
  return html`
    <table class="sides fork">
      <caption class="unseen">Two assignments for slot ${card.slot}</caption>
      <thead><tr><th scope="col">Slot ${count(card.slot)}</th><th scope="col">One history</th><th scope="col">The other</th></tr></thead>
      <tbody>${ROWS.map(({ name, of, id }) => {
        const [first, second] = [of(card.first), of(card.second)];
        const cell = (text: string): TemplateResult => html`<span class=${id ? "mono" : ""} title=${text}>${text}</span>`;
        return html`<tr class=${first === second ? "same" : "other"} data-row=${name}>
          <th scope="row">${name}</th><td>${cell(first)}</td><td>${cell(second)}</td></tr>`;
      })}</tbody>
    </table>
    <p class="note">Signed by <span class="mono" title=${card.scheduler}>${clip(card.scheduler)}</span>, ${card.named
      ? html`<b data-named>which the process names as its scheduler</b>` : "which the file does not show to be the process's scheduler"}${url
      ? html`; the other history was shown by <span class="mono">${url}</span>` : nothing}.</p>`;
}

/** The file that `weft verify` checks. */
function save(slot: number, process: string | null, proof: FraudProof): void {
  const file = new Blob([`${pretty(proof)}\n`], { type: "application/json" });
  offer(file, `weft-fraud-proof-${clip(process ?? "process").replace("…", "-")}-${slot}.json`);
}
