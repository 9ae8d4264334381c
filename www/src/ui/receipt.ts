/** The receipts: what was proved, with its evidence, what sources agree on, and what is only trusted. */

import { html, nothing, type TemplateResult } from "lit";

import type { Check, CheckStatus, Receipt } from "../../../web/js/client.js";
import { clip, clipIds, count } from "../format.js";
import type { Model } from "../model.js";
import { offer } from "../offer.js";
import { agreedIcon, provedIcon, trustedIcon } from "./icons.js";

export function receipts(model: Model): TemplateResult | typeof nothing {
  const { receipt, slot } = model;
  if (!receipt) return nothing;
  return html`
    <section class="panel receipt" aria-labelledby="receipt-title">
      <div class="head">
        <div>
          <h2 id="receipt-title">Receipt</h2>
          <p class="sub">What this node checked itself, with what it takes to check it again; and what it could not check.</p>
        </div>
        <div class="actions">
          ${download(model, null, "Download receipt")}
          ${slot?.receipt ? html`
            <button id="prove-inclusion" ?disabled=${model.including !== null || model.running} @click=${() => model.include()}
              title="Asks the gateways for the road from this slot's message and assignment to a block">${model.including === slot.slot
                ? "Proving inclusion" : `Prove inclusion of slot ${count(slot.slot)}`}</button>` : nothing}
          ${slot?.receipt ? download(model, slot.slot, `Download slot ${count(slot.slot)}`) : nothing}
        </div>
      </div>
      ${one(model, "The history", receipt)}
      ${slot?.receipt ? one(model, `Slot ${count(slot.slot)}`, slot.receipt) : html`<p class="empty">Choose a slot to see its own receipt.</p>`}
    </section>`;
}

function one(model: Model, title: string, receipt: Receipt): TemplateResult {
  const proved = receipt.checks.filter((check) => check.status.kind === "proved");
  const agreed = receipt.checks.filter((check) => check.status.kind === "agreed");
  const trusted = receipt.checks.filter((check) => check.status.kind === "trusted");
  return html`
    <article class="one-receipt" data-receipt=${title}>
      <h3>${title}</h3>
      ${shares(proved.length, agreed.length, trusted.length)}
      <div class="columns">
        <div>
          <h4 class="proved">${provedIcon} Proved here <b data-proved>${count(proved.length)}</b></h4>
          <ul class="checks">${proved.map((check) => line(model, check))}</ul>
        </div>
        <div>
          ${agreed.length === 0 ? nothing : html`
            <h4 class="agreed">${agreedIcon} Agreed by sources <b data-agreed>${count(agreed.length)}</b></h4>
            <ul class="checks">${agreed.map((check) => line(model, check))}</ul>`}
          <h4 class="trusted">${trustedIcon} Only trusted <b data-trusted>${count(trusted.length)}</b></h4>
          <ul class="checks">${trusted.map((check) => line(model, check))}</ul>
          ${trusted.length === 0 ? html`<p class="empty">Nothing.</p>` : nothing}
        </div>
      </div>
    </article>`;
}

/** How much of it rests on what: one part of the bar for each kind of check. */
function shares(proved: number, agreed: number, trusted: number): TemplateResult {
  const parts = [["proved", proved, "proved here"], ["agreed", agreed, "agreed by sources"], ["trusted", trusted, "only trusted"]] as const;
  const shown = parts.filter(([, size]) => size > 0);
  return html`
    <div class="standing">
      <div class="shares" role="img" aria-label=${`Kinds of check: ${shown.map(([, size, what]) => `${size} ${what}`).join(", ")}`}>
        ${shown.map(([kind, size]) => html`<i class=${kind} style="flex-grow:${size}"></i>`)}
      </div>
      <ul class="legend" aria-hidden="true">${shown.map(([kind, size, what]) => html`<li><i class=${kind}></i><b>${count(size)}</b> ${what}</li>`)}</ul>
    </div>`;
}

function line(model: Model, check: Check): TemplateResult {
  const evidence = Object.entries(check.evidence);
  const by = support(check.status);
  return html`
    <li class=${check.status.kind} data-claim=${check.claim}>
      <details>
        <summary>
          <span class="claim">${check.claim}</span> <span class="about">${about(model, check)}</span>
          ${by === null ? nothing : html`<span class="by" title=${by.who}>${by.text}</span>`}
          <span class="sentence">${check.sentence}</span>
        </summary>
        <dl class="evidence">
          ${check.subject ? html`<div><dt>about</dt><dd class="mono">${check.subject}</dd></div>` : nothing}
          ${evidence.map(([name, value]) => html`<div><dt>${name}</dt><dd class="mono">${value}</dd></div>`)}
          ${check.status.kind === "agreed" ? sides(check.status) : nothing}
        </dl>
      </details>
    </li>`;
}

/** Who stands behind a check that is not proved. */
function support(status: CheckStatus): { text: string; who: string } | null {
  switch (status.kind) {
    case "proved": return null;
    case "agreed": return { text: `agreed by ${status.k} of ${status.n}`, who: status.by.join(", ") };
    case "trusted": return { text: `trusted: ${clipIds(status.by)}`, who: status.by };
  }
}

/** Who says it, and who says otherwise. */
function sides(status: { by: string[]; against: string[] }): TemplateResult {
  return html`
    ${status.by.map((source) => html`<div><dt>agrees</dt><dd class="mono">${source}</dd></div>`)}
    ${status.against.map((source) => html`<div data-against><dt>says otherwise</dt><dd class="mono">${source}</dd></div>`)}`;
}

/** What a check is about, in words where the page knows it. */
function about(model: Model, check: Check): string {
  const times = check.evidence["count"];
  if (times) return `${count(Number(times))} times`;
  const further = model.summary?.further_modules?.indexOf(check.subject) ?? -1;
  if (further >= 0) return `module ${further + 2}`;
  switch (check.subject) {
    case model.process: return "the process";
    case model.summary?.module: return "the module";
    case model.slot?.message?.message: return "the message";
    case model.slot?.message?.assignment: return "the assignment";
    default: return clip(check.subject);
  }
}

/** A file with all that a reader needs to check again, without a network. */
function download(model: Model, slot: number | null, text: string): TemplateResult {
  const { writing } = model;
  const own = writing !== null && writing.slot === slot;
  const progress = own && writing.total > 1 ? `Writing ${count(writing.done)} of ${count(writing.total)}` : "Writing";
  return html`
    <button id=${slot === null ? "export" : "export-slot"} ?disabled=${writing !== null} @click=${() => save(model, slot)}
      title="Check it with: weft verify FILE">${own ? progress : text}</button>`;
}

async function save(model: Model, slot: number | null): Promise<void> {
  const process = model.process ?? "process";
  const file = await model.receiptFile(slot);
  if (file) offer(file, `weft-receipt-${process.slice(0, 8)}${slot === null ? "" : `-${slot}`}.json`);
}
