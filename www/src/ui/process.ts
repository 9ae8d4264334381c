/** The process: what it is, how far we are, and what can be done. */

import { html, nothing, type TemplateResult } from "lit";

import type { EnginePolicy } from "../../../web/js/client.js";
import { count, duration, slots as some } from "../format.js";
import type { Model } from "../model.js";
import { luaIcon, wasmIcon } from "./icons.js";
import { toCheck } from "./slot.js";

export function processCard(model: Model): TemplateResult {
  const { card, summary } = model;
  const further = summary?.further_modules ?? [];
  const name = card?.tags.find((tag) => tag.name === "Name")?.value;
  const title = model.demo ? (model.isLua() ? "Demo: a small token in Lua" : "Demo: a small token") : (name ?? "Process");
  return html`
    <section class="panel process" aria-labelledby="process-title">
      <div class="head">
        <div>
          <h1 id="process-title">${title}</h1>
          <p class="sub">${standing(model)}</p>
        </div>
        <div class="actions">${actions(model)}</div>
      </div>
      <dl class="facts">
        ${fact("Process", model.process)} ${fact(further.length ? "Module 1" : "Module", card?.module ?? summary?.module)}
        ${further.map((id, index) => fact(`Module ${index + 2}`, id))}
        ${fact("Scheduler", card?.scheduler ?? summary?.scheduler)} ${fact("Owner", card?.owner)}
        ${summary?.engine ? html`<div><dt>Runs on</dt><dd data-engine=${summary.engine}>${ENGINES[summary.engine]}</dd></div>` : nothing}
        ${summary?.gas == null ? nothing : html`<div><dt>Gas</dt><dd data-process-gas=${summary.gas}>${count(summary.gas)} in ${some((summary.replayed ?? -1) + 1)}</dd></div>`}
        ${model.process && !model.isLua() ? policy(model) : nothing}
      </dl>
      ${model.refusedModule && model.engine !== "reference" ? html`
        <p class="note" data-refused-module>
          This browser's own WebAssembly does not run this module (${model.refusedModule}), so wasmi alone does: slower by some thirty
          times, and the same on every machine. 64-bit memory, which most aos modules need, is missing in some browsers.
        </p>` : nothing}
      ${model.demo ? demos(model) : nothing}
      ${model.demo ? html`
        <p class="note">
          These items are signed by throw-away keys and travel with the page, so this works without any network. They take
          the same road as a history from the chain.
        </p>` : nothing}
    </section>`;
}

/** The demo's processes, side by side. */
function demos(model: Model): TemplateResult | typeof nothing {
  if (model.demos.length < 2) return nothing;
  return html`
    <nav class="demos" aria-label="The demo's processes">
      ${model.demos.map(({ process, slots, engine }, at) => {
        const lua = engine === "lua";
        return html`
          <a href=${at === 0 ? "#/" : "#/lua"} data-demo=${process} aria-current=${process === model.process ? "page" : "false"}>
            ${lua ? luaIcon : wasmIcon}
            <span><b>${lua ? "Written in Lua" : "Written in Rust"}</b>
              <small>${lua ? "runs on Weft's own lua@5.3a, which answers as Luerl does" : "runs as WebAssembly"} · ${some(slots)}</small></span>
          </a>`;
      })}
    </nav>`;
}

const ENGINES = { lua: "lua@5.3a, Luerl's Lua", wasm: "WebAssembly" };

const POLICIES: { [policy in EnginePolicy]: string } = {
  referee: "the browser’s, with wasmi as referee",
  reference: "wasmi only: slower, the same everywhere",
  fast: "the browser’s only: nobody looks again",
};

/** Which engines run it. */
function policy(model: Model): TemplateResult {
  const choose = (event: Event): void => void model.setEngine((event.target as HTMLSelectElement).value as EnginePolicy);
  return html`
    <div><dt><label for="engine">Engine, from the next sync on</label></dt>
      <dd><select id="engine" @change=${choose}>
        ${Object.entries(POLICIES).map(([policy, text]) =>
          html`<option value=${policy} ?selected=${policy === model.engine}>${text}</option>`)}
      </select></dd></div>`;
}

const fact = (name: string, id: string | null | undefined): TemplateResult => html`
  <div><dt>${name}</dt><dd class="mono" title=${id ?? ""}>${id || "—"}</dd></div>`;

function standing(model: Model): TemplateResult {
  const { summary, lastCancel } = model;
  if (model.cancelling) return html`<span class="pill work">Stopping…</span>`;
  if (model.waiting) return html`<span class="pill work" data-state="waiting">Waiting</span> Another tab works on this process.`;
  if (model.running) return html`<span class="pill work">${model.verified === 0 ? "Fetching" : "Proving and replaying"}</span>`;
  const slots = summary?.replayed ?? null;
  const proved = slots === null ? "" : `${some(slots + 1)} proved and replayed`;
  const stopped = lastCancel
    ? html`<span data-cancel-ms=${Math.round(lastCancel.ms)}>Stopped within ${Math.round(lastCancel.ms)} ms${
        lastCancel.restarted ? ", in the middle of a message" : ""}. ${proved}</span>` : nothing;
  if (lastCancel) return html`<span class="pill idle">Stopped</span> ${stopped}`;
  if (model.error) return html`<span class="pill bad">Refused</span> ${proved ? `${proved} before it` : ""}`;
  if (!summary || slots === null) return html`<span class="pill idle">Nothing stored yet</span>`;
  const { synced } = model;
  const how = model.origin === "synced" && synced
    ? html`in ${duration(synced.elapsed_ms)}: ${count(synced.verified_now)} proved, ${count(synced.replayed_now)} replayed now`
    : html`earlier, in this browser; nothing was fetched or replayed again`;
  return html`<span class="pill good" data-state="green">${proved}</span> ${how}`;
}

function actions(model: Model): TemplateResult {
  if (model.running) {
    return html`<button class="primary" id="cancel" ?disabled=${model.cancelling}
      @click=${() => model.cancel()}>Cancel</button>`;
  }
  const { process } = model;
  const stored = model.summary !== null && process !== null;
  const again = (): void => {
    if (process) void model.forget(process);
  };
  const newest = model.summary?.replayed ?? null;
  const compare = newest === null ? nothing
    : html`<button id="check-newest" @click=${() => void model.select(newest).then(toCheck)}>Check the newest answer</button>`;
  if (model.demo) {
    const run = model.error || model.lastCancel;
    return html`
      ${run ? html`<button class="primary" id="sync" @click=${() => model.runDemo()}>Go on</button>` : nothing} ${compare}
      ${stored ? html`<button id="forget" @click=${again}>Forget and run again</button>` : nothing}`;
  }
  return html`
    <button class="primary" id="sync" @click=${() => model.sync()}>Sync</button> ${compare}
    ${stored ? html`<button id="forget" @click=${again}>Forget</button>` : nothing}`;
}
