/** One slot: the message that came in, and what the process answered. */

import { html, nothing, type TemplateResult } from "lit";

import type { Json, MessageCard, SlotResult } from "../../../web/js/client.js";
import { bytes, clip, count, instant, plain, pretty } from "../format.js";
import type { Model } from "../model.js";

export function slotDetail(model: Model): TemplateResult | typeof nothing {
  const view = model.slot;
  if (!view) return nothing;
  const { result, message } = view;
  return html`
    <section class="panel slot" aria-labelledby="slot-title" data-shown-slot=${result ? result.slot : ""}>
      <div class="head">
        <div>
          <h2 id="slot-title">Slot ${count(view.slot)}</h2>
          <p class="sub">${result ? html`${instant(result.timestamp)} · block ${count(result.block_height)} · <span data-gas=${result.gas}>${count(result.gas)} gas</span>${ranOn(result)}` : nothing}</p>
        </div>
        ${result ? html`<div class="actions"><button id="check-slot" @click=${toCheck}>Check this answer</button></div>` : nothing}
      </div>
      ${view.slot === model.refused ? html`<p class="empty">This slot was refused; nothing of it reached the process.</p>` : nothing}
      <div class="in-out">
        <div><h3>In</h3>${message ? incoming(message) : html`<p class="empty">Not stored.</p>`}</div>
        <div><h3>Out</h3>${result ? outgoing(result) : html`<p class="empty">Not stored yet. Results appear after each commit.</p>`}</div>
      </div>
    </section>`;
}

const RAN_ON = {
  fast: ["the browser’s WebAssembly", "wasmi looks at every 250th message and at each that a commit rests on; not at this one."],
  reference: ["wasmi", "Weft's reference engine, the same on every machine."],
  both: ["the browser’s WebAssembly and wasmi", "Both ran it: the same result, the same gas, the same state."],
} as const;

/** Which engine made the result of a wasm process. */
function ranOn({ ran_on: on }: SlotResult): TemplateResult | typeof nothing {
  if (!on) return nothing;
  const [name, what] = RAN_ON[on];
  return html` · ran on <span data-ran-on=${on} title=${what}>${name}</span>`;
}

/** To the panel that compares with other nodes; what is selected is what it compares. */
export function toCheck(): void {
  document.getElementById("check")?.scrollIntoView({ block: "start" });
  document.getElementById("check-title")?.focus();
}

function incoming(message: MessageCard): TemplateResult {
  return html`
    <dl class="facts tight">
      <div><dt>Message</dt><dd class="mono" title=${message.message}>${message.message}</dd></div>
      <div><dt>From</dt><dd class="mono" title=${message.owner}>${message.owner}</dd></div>
      <div><dt>Assignment</dt><dd class="mono" title=${message.assignment}>${message.assignment}</dd></div>
    </dl>
    <ul class="tags">${message.tags.map(({ name, value }) => html`<li title="${name}: ${value}"><b>${name}</b> ${value}</li>`)}</ul>
    ${message.data_bytes > 0
      ? html`<details ?open=${message.data_bytes < 400}><summary>Data, ${bytes(message.data_bytes)}</summary><pre>${message.data}</pre></details>`
      : html`<p class="empty">No data.</p>`}`;
}

function outgoing(result: SlotResult): TemplateResult {
  const failed = result.failure || result.error !== null;
  return html`
    ${result.duplicate_of === null ? nothing
      : html`<p class="banner">A second copy of the message at slot ${count(result.duplicate_of)}; it was not evaluated again.</p>`}
    ${failed ? html`
      <div class="banner bad">
        <b>${result.failure ?? "error"}</b> ${typeof result.error === "string" ? plain(result.error) : result.error === null ? "" : pretty(result.error)}
        ${result.rolled_back ? html`<br />The state is that of before this message.` : nothing}
        ${result.stopped_at === undefined ? nothing : html`<br />Slot ${count(result.stopped_at)} stopped this process: on a HyperBEAM node no slot computes after it.`}
      </div>` : nothing}
    ${result.not_replayable && result.not_replayable.length > 0 ? html`
      <div class="banner once-note" data-not-replayable><b>Not replayable.</b> It asked for ${result.not_replayable.join(", ")}, which no history
        tells. For a script here clocks stand still and chance always falls the same way; another node may have got something else.</div>` : nothing}
    ${result.follows_not_replayable === undefined ? nothing : html`
      <div class="banner once-note" data-follows-not-replayable><b>Follows a slot that is not replayable.</b> It went on from the state of slot
        ${count(result.follows_not_replayable)}, whose result no history tells: on another node this one may be another too.</div>`}
    ${output(result.output)} ${list("Messages", result.messages)} ${list("Spawns", result.spawns)}
    ${list("Assignments", result.assignments)} ${whole(result.results)}`;
}

/** What an aos process prints, where that is text; the prompt around it says nothing about the message. */
function aosData(value: Json): string | undefined {
  const data = typeof value === "object" && value !== null && !Array.isArray(value) ? value["data"] : undefined;
  return typeof data === "string" ? data : undefined;
}

function output(value: Json): TemplateResult {
  const text = typeof value === "string" ? plain(value) : plain(aosData(value) ?? pretty(value));
  if (text === "" || text === "null") return html`<p class="empty">No output.</p>`;
  return html`<details open><summary>Output</summary><pre>${text}</pre></details>`;
}

/** Of a Lua process: the message it set as its results. */
function whole(results: Json | undefined): TemplateResult | typeof nothing {
  return results === undefined ? nothing : html`<details><summary>All of <code>results</code></summary><pre>${pretty(results)}</pre></details>`;
}

function list(name: string, values: Json[]): TemplateResult | typeof nothing {
  if (values.length === 0) return nothing;
  return html`
    <details open><summary>${name} <b>${count(values.length)}</b></summary>
      <ol class="outbox">${values.map((value) => html`<li>${outMessage(value)}</li>`)}</ol>
    </details>`;
}

function outMessage(value: Json): TemplateResult {
  const message = (typeof value === "object" && value !== null && !Array.isArray(value) ? value : {}) as { [k: string]: Json };
  const tags = Array.isArray(message["Tags"]) ? (message["Tags"] as { name?: string; value?: string }[]) : [];
  const action = tags.find(({ name }) => name === "Action")?.value;
  const target = typeof message["Target"] === "string" ? message["Target"] : "";
  return html`
    <details>
      <summary>${action ? html`<b>${action}</b> ` : nothing}${target ? html`to <span class="mono" title=${target}>${clip(target)}</span>` : "message"}</summary>
      <pre>${pretty(value)}</pre>
    </details>`;
}
