/** A token's balances, as bars. */

import { html, nothing, type TemplateResult } from "lit";

import { clip, count } from "../format.js";
import type { Model } from "../model.js";

const MOST = 12;

export function balances(model: Model): TemplateResult {
  const { balances: all } = model;
  const replayed = model.summary?.replayed ?? null;
  return html`
    <section class="panel balances" aria-labelledby="balances-title">
      <div class="head">
        <h2 id="balances-title">Balances</h2>
        <p class="sub">${all && replayed !== null ? `After slot ${count(replayed)}, asked of the replayed state.` : "Asked of the replayed state."}</p>
      </div>
      ${all ? bars(model) : ask(model)}
    </section>`;
}

function ask(model: Model): TemplateResult {
  if (model.summary?.replayed == null) return html`<p class="empty">There is no replayed state yet.</p>`;
  if (model.demo) return html`<p class="empty">This process does not answer for balances.</p>`;
  return html`
    <p class="empty">If this process is a token, it answers a <code>Balances</code> message. Asking changes nothing.</p>
    <button @click=${() => model.askBalances()}>Ask</button>`;
}

function bars(model: Model): TemplateResult {
  const all = model.balances ?? [];
  const largest = all[0]?.amount ?? 0n;
  const total = all.reduce((sum, { amount }) => sum + amount, 0n);
  // Widths need three digits; the amounts themselves stay exact.
  const share = (amount: bigint): number => (largest === 0n ? 0 : Number((amount * 1000n) / largest) / 10);
  return html`
    <ul class="bars">
      ${all.slice(0, MOST).map(({ holder, amount }) => html`
        <li data-holder=${holder} data-amount=${amount.toString()}>
          <span class="holder mono" title=${holder}>${clip(holder)}</span>
          <span class="amount">${count(amount)}</span>
          <span class="bar"><i style="width:${share(amount)}%"></i></span>
        </li>`)}
    </ul>
    <p class="sub total">${all.length > MOST ? `${count(all.length - MOST)} more holders. ` : nothing}Together ${count(total)}.</p>`;
}
