/** A Lua function over a process's state, written on the page. */

import { html, nothing, type TemplateResult } from "lit";

import type { Json, LuaAnswer } from "../../../web/js/client.js";
import { count, duration, pretty } from "../format.js";
import type { Model } from "../model.js";

export function serverless(model: Model): TemplateResult | typeof nothing {
  const { ask, summary } = model;
  if (summary?.replayed == null || !model.isLua()) return nothing;
  return html`
    <section class="panel serverless" aria-labelledby="serverless-title">
      <div class="head">
        <div>
          <h2 id="serverless-title">A function over its state</h2>
          <p class="sub">
            What a HyperBEAM node computes at <code>/…/now/~lua@5.3a/${ask.name.trim() || "function"}</code>, computed here: your function gets the state after
            slot ${count(summary.replayed)} and a request, and what it returns is the answer. The process is not changed.
          </p>
        </div>
      </div>
      <form class="function" autocomplete="off" @submit=${(event: Event) => { event.preventDefault(); void ask.function(); }}>
        <div class="wrote">
          <label for="lua-script">Script</label>
          <textarea id="lua-script" class="mono" rows="22" spellcheck="false" autocapitalize="off" .value=${ask.script}
            @input=${(event: Event) => { ask.script = (event.target as HTMLTextAreaElement).value; }}></textarea>
        </div>
        <div class="gave">
          <div class="call">
            <label class="field"><span>Function</span>
              <input id="lua-function" required spellcheck="false" autocapitalize="off" .value=${ask.name}
                @input=${(event: Event) => { ask.name = (event.target as HTMLInputElement).value; model.changed(); }} /></label>
            <label class="field"><span>Request <small>JSON, optional</small></span>
              <input id="lua-params" spellcheck="false" autocapitalize="off" placeholder='{"least": 5}' .value=${ask.params}
                @input=${(event: Event) => { ask.params = (event.target as HTMLInputElement).value; }} /></label>
            ${ask.running === "function"
              ? html`<button type="button" id="lua-cancel" ?disabled=${ask.stopping} @click=${() => ask.stop()}>Cancel</button>`
              : html`<button class="primary" id="lua-run" ?disabled=${!ask.ready()}>Run</button>`}
          </div>
          <div class="answer-box" aria-live="polite">${outcome(model)}</div>
        </div>
      </form>
    </section>`;
}

function outcome(model: Model): TemplateResult {
  const { answer, error, running, took } = model.ask;
  if (running === "function") return html`<p class="empty">Running…</p>`;
  if (error?.code === "cancelled") return html`<p class="banner" data-code="cancelled">Cancelled. The state is as it was.</p>`;
  if (error) {
    return html`
      <div class="banner bad" role="alert" data-code=${error.code}><code>${error.code}</code> ${error.message}
        ${error.cause ? html`<br /><small>${String(error.cause)}</small>` : nothing}</div>
      ${printed(error.fields["output"])}`;
  }
  if (!answer) return html`<p class="empty">The answer will stand here.</p>`;
  return html`
    <div class="answered" data-answer=${JSON.stringify(answer.result)} data-status=${answer.status}>
      ${answer.status === "ok" ? nothing : html`<p class="banner bad">It answers with the status <code>${answer.status}</code>.</p>`}
      ${value(answer.result)}
      ${printed(answer.output)}
      ${foot(answer, took)}
    </div>`;
}

const printed = (output = ""): TemplateResult | typeof nothing =>
  output === "" ? nothing : html`<details open><summary>Printed</summary><pre>${output}</pre></details>`;

const foot = ({ gas, not_replayable: asked = [] }: LuaAnswer, took: number): TemplateResult => html`
  <p class="gas"><b>${count(gas)}</b> fuel · ${duration(took)}</p>
  ${asked.length > 0 ? html`<p class="hint" data-not-replayable>It asked for ${asked.join(", ")}: another time it may answer otherwise.</p>` : nothing}`;

/** A table where it can be one: a line for each key. */
function value(result: Json): TemplateResult {
  if (typeof result !== "object" || result === null) return html`<p class="single mono">${scalar(result)}</p>`;
  const entries = Object.entries(result);
  if (entries.length === 0) return html`<p class="empty">An empty table.</p>`;
  const flat = entries.length <= 200;
  return html`
    ${flat ? html`
      <table class="keys-of">
        <tbody>${entries.map(([key, one]) => html`<tr data-key=${key}><th scope="row">${key}</th><td>${typeof one === "object" && one !== null ? html`<pre>${pretty(one)}</pre>` : scalar(one)}</td></tr>`)}</tbody>
      </table>` : nothing}
    <details ?open=${!flat}><summary>As JSON</summary><pre>${pretty(result)}</pre></details>`;
}

/** Texts as they are; numbers grouped in threes, whether they are numbers or written out. */
const scalar = (one: Json): string =>
  typeof one === "string" && /^-?\d{4,}$/.test(one) ? count(BigInt(one))
    : typeof one === "number" && Number.isSafeInteger(one) ? count(one) : String(one);
