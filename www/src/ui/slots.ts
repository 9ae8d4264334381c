/** The history as a cloth: one cell a slot, coloured by what became of it. */

import { html, nothing, type TemplateResult } from "lit";

import type { SlotMark } from "../../../web/js/client.js";
import { count, slots as some } from "../format.js";
import type { Model } from "../model.js";

/** Cells on one page. */
const PAGE = 600;

type State = SlotMark["state"] | "proved" | "refused";

const WORDS: { [state in State]: string } = {
  proved: "proved, not replayed yet",
  ok: "proved and replayed",
  error: "replayed; the process answered with an error",
  failed: "replayed; the message met a limit or trapped",
  duplicate: "a second copy, not evaluated again",
  refused: "refused",
};

/** Of a slot that asked for what no history tells. */
const ONCE = "not replayable: it asked the clock or chance";
const AFTER_ONCE = "follows a slot that is not replayable";

export function slots(model: Model): TemplateResult {
  const length = Math.max(model.verified, model.marks.length, (model.refused ?? -1) + 1);
  const pages = Math.max(1, Math.ceil(length / PAGE));
  const shown = model.slot ? Math.floor(model.slot.slot / PAGE) : pages - 1;
  const page = Math.min(pages - 1, shown);
  const first = page * PAGE;
  const last = Math.min(length, first + PAGE);
  const cells = Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index);
  const tally = tallies(model, length);
  const once = model.marks.filter((mark) => mark?.not_replayable).length;
  return html`
    <section class="panel history" aria-labelledby="history-title">
      <div class="head">
        <h2 id="history-title">History</h2>
        <p class="sub">${length === 0 ? "No slots yet." : `${some(length)}. Choose one to see what it did.`}</p>
      </div>
      <div class="cloth ${length <= 150 ? "large" : ""}" role="listbox" aria-label="Slots" aria-orientation="horizontal"
        @keydown=${(event: KeyboardEvent) => walk(event, model, length)}>
        ${cells.map((slot) => cell(model, slot, first))}
      </div>
      ${pages > 1 ? pager(model, page, pages, length) : nothing}
      <ul class="legend">
        ${(Object.keys(WORDS) as State[]).filter((state) => tally[state] > 0).map((state) => html`
          <li><span class="cell ${state}" aria-hidden="true"></span>${WORDS[state]} <b data-tally=${state}>${count(tally[state])}</b></li>`)}
        ${once > 0 ? html`<li><span class="cell ok once" aria-hidden="true"></span>${ONCE} <b data-tally="once">${count(once)}</b></li>` : nothing}
      </ul>
    </section>`;
}

function stateOf(model: Model, slot: number): State {
  if (slot === model.refused) return "refused";
  return model.marks[slot]?.state ?? "proved";
}

function cell(model: Model, slot: number, first: number): TemplateResult {
  const state = stateOf(model, slot);
  const selected = model.slot?.slot === slot;
  const reachable = selected || (slot === first && (!model.slot || model.slot.slot < first));
  const once = model.marks[slot]?.not_replayable ?? false;
  const after = model.marks[slot]?.follows_not_replayable ?? false;
  const words = `Slot ${slot}: ${WORDS[state]}${once ? `; ${ONCE}` : ""}${after ? `; ${AFTER_ONCE}` : ""}`;
  return html`<button class="cell ${state} ${once ? "once" : ""}" role="option" data-slot=${slot} aria-selected=${selected ? "true" : "false"}
    tabindex=${reachable ? 0 : -1} aria-label=${words} title=${words}
    @click=${() => model.select(slot)}></button>`;
}

function tallies(model: Model, length: number): { [state in State]: number } {
  const tally = { proved: 0, ok: 0, error: 0, failed: 0, duplicate: 0, refused: 0 };
  for (let slot = 0; slot < length; slot += 1) tally[stateOf(model, slot)] += 1;
  return tally;
}

function pager(model: Model, page: number, pages: number, length: number): TemplateResult {
  const to = (next: number): void => void model.select(Math.min(length - 1, Math.max(0, next * PAGE)));
  return html`
    <div class="pager">
      <button ?disabled=${page === 0} @click=${() => to(page - 1)}>Earlier</button>
      <span>slots ${count(page * PAGE)} to ${count(Math.min(length, (page + 1) * PAGE) - 1)}</span>
      <button ?disabled=${page === pages - 1} @click=${() => to(page + 1)}>Later</button>
    </div>`;
}

/** Arrow keys, Home and End walk along the history. */
function walk(event: KeyboardEvent, model: Model, length: number): void {
  const step: { [key: string]: (at: number) => number } = {
    ArrowRight: (at) => at + 1, ArrowLeft: (at) => at - 1, Home: () => 0, End: () => length - 1,
    ArrowDown: (at) => at + perRow(event), ArrowUp: (at) => at - perRow(event),
  };
  const move = step[event.key];
  if (!move) return;
  event.preventDefault();
  const from = Number((event.target as HTMLElement).dataset["slot"] ?? model.slot?.slot ?? 0);
  const next = Math.min(length - 1, Math.max(0, move(from)));
  void model.select(next);
  const cloth = event.currentTarget as HTMLElement;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    cloth.querySelector<HTMLElement>(`[data-slot="${next}"]`)?.focus();
  }));
}

function perRow(event: KeyboardEvent): number {
  const cloth = event.currentTarget as HTMLElement;
  return Math.max(1, getComputedStyle(cloth).gridTemplateColumns.split(" ").length);
}
