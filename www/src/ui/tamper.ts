/** The tamper panel: lies told to the node, and what it says to them. */

import { html, nothing, type TemplateResult } from "lit";

import { clip, clipIds, count } from "../format.js";
import type { Model } from "../model.js";
import type { TamperRow } from "../shown.js";
import { provedIcon, refusedIcon } from "./icons.js";

export function tamper(model: Model): TemplateResult | typeof nothing {
  if (model.tampers.length === 0) return nothing;
  const done = model.tampers.filter(({ state }) => state === "done");
  const refused = done.filter(stands);
  const busy = model.tampers.some(({ state }) => state === "running");
  return html`
    <section class="panel tamper" aria-labelledby="tamper-title">
      <div class="head">
        <div>
          <h2 id="tamper-title">Try to fool it</h2>
          <p class="sub">
            Each of these changes the demo's history as a dishonest source could. A fresh node proves the honest history
            first and then meets the changed one.
          </p>
        </div>
        <div class="actions">
          ${done.length > 0 ? html`<span class="tally" data-refused=${refused.length}>${refused.length} of ${model.tampers.length} refused</span>` : nothing}
          <button class="primary" id="tamper-all" ?disabled=${busy || model.running} @click=${() => model.tamperAll()}>Try all</button>
        </div>
      </div>
      <ul class="lies">${model.tampers.map((row) => lie(model, row, busy))}</ul>
    </section>`;
}

/** Refused as it must be, and nothing of the state moved. */
function stands({ tampering, outcome }: TamperRow): boolean {
  return outcome !== undefined && outcome.code === outcome.expected && outcome.subject === tampering.subject && same(outcome);
}

function same({ before, after }: NonNullable<TamperRow["outcome"]>): boolean {
  return before.memory_sha256 === after.memory_sha256 && before.assignment === after.assignment && before.head === after.head;
}

function lie(model: Model, row: TamperRow, busy: boolean): TemplateResult {
  const { tampering, state } = row;
  return html`
    <li class="lie ${state}" data-tamper=${tampering.id}>
      <div class="told">
        <h3>${tampering.sentence}</h3>
        <p class="mono">${tampering.id}</p>
      </div>
      <div class="said" aria-live="polite">${verdict(row)}</div>
      <button ?disabled=${busy || model.running} @click=${() => model.tamper(tampering.id)}>
        ${state === "running" ? "Trying…" : state === "done" ? "Again" : "Try"}</button>
    </li>`;
}

/** What was refused and where: the same code may be about a message, an assignment or the module. */
function refused({ subject, slot }: NonNullable<TamperRow["outcome"]>): string {
  const what = subject === null ? "Refused" : `The ${subject} is refused`;
  return slot === null ? what : `${what} at slot ${count(slot)}`;
}

function verdict(row: TamperRow): TemplateResult | typeof nothing {
  const { outcome, error } = row;
  if (error) return html`<p class="bad"><code>${error.code}</code> ${error.message}</p>`;
  if (!outcome) return nothing;
  if (!outcome.code) return html`<p class="bad"><b>Not refused.</b> This is a fault of Weft.</p>`;
  const { before, after } = outcome;
  return html`
    <p class="refusal" data-code=${outcome.code} data-expected=${outcome.expected} data-subject=${outcome.subject ?? ""}>
      ${refusedIcon} ${refused(outcome)} <code>${outcome.code}</code>
    </p>
    <p class="sentence" title=${outcome.sentence}>${clipIds(outcome.sentence)}</p>
    <p class="stands ${same(outcome) ? "good" : "bad"}" data-before=${before.memory_sha256 ?? ""} data-after=${after.memory_sha256 ?? ""}>
      ${same(outcome) ? provedIcon : refusedIcon}
      ${same(outcome) ? "The state before it stands" : "The state moved: a fault of Weft"}
      ${before.memory_sha256 === null ? html`<span class="mono">nothing before it, nothing after it</span>` : html`
        <span class="mono hashes" title="${before.memory_sha256} before, ${after.memory_sha256 ?? "nothing"} after">
          ${clip(before.memory_sha256)} ${same(outcome) ? "=" : "≠"} ${clip(after.memory_sha256 ?? "nothing")}</span>`}
    </p>`;
}
