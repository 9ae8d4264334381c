/** The workbench: spawn processes on a node of one's own, write to them, and watch what they write to each other. */

import { html, nothing, type TemplateResult } from "lit";

import { clip, count } from "../../format.js";
import { canWatch, pick } from "../../workbench/watch.js";
import type { Workbench } from "../../workbench/workbench.js";
import { graph } from "./graph.js";
import { steps } from "./steps.js";

export function workbench(bench: Workbench): TemplateResult {
  if (bench.state === "failed") return html`<section class="panel"><h1>Workbench</h1>${failure(bench)}</section>`;
  if (bench.state !== "open") {
    return html`
      <section class="panel" aria-busy="true"><h1>Workbench</h1>
        <p class="empty">Opening the node. The first time it makes itself a key of 4,096 bits, which takes some seconds.</p></section>`;
  }
  return html`
    ${standing(bench)}
    <div class="pair bench">${spawn(bench)} ${processes(bench)}</div>
    ${bench.selected ? steps(bench) : nothing}`;
}

function standing(bench: Workbench): TemplateResult {
  const here = bench.place === "page";
  return html`
    <section class="panel" aria-labelledby="bench-title" data-place=${bench.place}>
      <div class="head">
        <div>
          <h1 id="bench-title">Workbench</h1>
          <p class="sub">
            ${here
              ? html`A whole AO network in this browser: gateway, scheduler, messenger and compute unit, with no server. Every <code>fetch</code> of this
                site below <code>su</code>, <code>mu</code>, <code>cu</code> and <code>gateway</code> is answered by it${bench.elsewhere ? ", from the tab that opened it first" : ""}.`
              : html`The network that serves this page: gateway, scheduler, messenger and compute unit at <code>${location.origin}</code>.`}
            Processes and messages here are signed, assigned and computed as on AO, and are nobody's but yours.
          </p>
        </div>
        ${bench.hasWallet ? html`
          <label class="field signer"><span>Sign with</span>
            <select id="bench-signer" @change=${(event: Event) => void bench.useWallet((event.target as HTMLSelectElement).value === "wallet")}>
              <option value="page" ?selected=${bench.signer === "page"}>this page's key</option>
              <option value="wallet" ?selected=${bench.signer === "wallet"}>your wallet</option>
            </select></label>` : nothing}
      </div>
      <dl class="facts"><div><dt>Scheduler</dt><dd class="mono" id="bench-address" title=${bench.address}>${bench.address}</dd></div></dl>
      ${failure(bench)}
      <p class="busy" aria-live="polite">${bench.busy ? html`${bench.busy}…` : nothing}</p>
    </section>`;
}

function failure({ error }: Workbench): TemplateResult | typeof nothing {
  if (!error) return nothing;
  return html`<div class="banner bad" role="alert" data-code=${error.code}><code>${error.code}</code> ${error.message}
    ${error.cause ? html`<br /><small>${String(error.cause)}</small>` : nothing}</div>`;
}

function spawn(bench: Workbench): TemplateResult {
  const open = async (): Promise<void> => {
    const file = await pick();
    if (file) await bench.load(file);
  };
  const take = async (event: Event): Promise<void> => {
    const file = (event.target as HTMLInputElement).files?.[0];
    if (!file) return;
    bench.code = await file.text();
    bench.name = file.name.replace(/\.lua$/, "");
    bench.changed();
  };
  return html`
    <section class="panel" aria-labelledby="spawn-title">
      <div class="head">
        <h2 id="spawn-title">A process in Lua</h2>
        <div class="actions">
          ${canWatch()
            ? html`<button type="button" id="bench-open" @click=${open}>Open a file…</button>`
            : html`<label class="file">Open a file…<input type="file" id="bench-file" accept=".lua,text/x-lua" @change=${take} /></label>`}
        </div>
      </div>
      <form autocomplete="off" @submit=${(event: Event) => { event.preventDefault(); void bench.spawn(); }}>
        <label class="unseen" for="bench-code">Code</label>
        <textarea id="bench-code" class="mono" rows="18" spellcheck="false" autocapitalize="off" .value=${bench.code}
          @input=${(event: Event) => { bench.code = (event.target as HTMLTextAreaElement).value; }}></textarea>
        ${bench.file ? html`
          <p class="hint" data-watching>Watching <b>${bench.file.name}</b>. When it is saved,
            <select aria-label="When it is saved" id="bench-on-save" @change=${(event: Event) => { bench.onSave = (event.target as HTMLSelectElement).value as "spawn" | "eval"; }}>
              <option value="spawn" ?selected=${bench.onSave === "spawn"}>spawn it anew and send its messages again</option>
              <option value="eval" ?selected=${bench.onSave === "eval"}>send it to the process as Eval</option>
            </select></p>` : nothing}
        <div class="send">
          <label class="field"><span>Name</span><input id="bench-name" .value=${bench.name}
            @input=${(event: Event) => { bench.name = (event.target as HTMLInputElement).value; }} /></label>
          <button class="primary" id="bench-spawn" ?disabled=${bench.busy !== ""}>Spawn</button>
        </div>
      </form>
    </section>`;
}

function processes(bench: Workbench): TemplateResult {
  const takeIn = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    // So that the same file can be chosen again.
    input.value = "";
    if (file) void bench.takeIn(file);
  };
  return html`
    <section class="panel" aria-labelledby="bench-processes">
      <div class="head">
        <h2 id="bench-processes">Who writes to whom</h2>
        <div class="actions">
          <label class="file" title="What “Save its history” wrote, here or on another node. Every signature in it is checked first.">Bring in a history…<input
            type="file" id="bench-take-in" accept=".ans104,application/octet-stream" ?disabled=${bench.busy !== ""} @change=${takeIn} /></label>
        </div>
      </div>
      ${bench.processes.length === 0
        ? html`<p class="empty">No processes yet. Spawn one; its messages will be drawn here.</p>`
        : html`
          ${graph(bench)}
          <ul class="own-list">
            ${bench.processes.map(({ id, name }) => html`
              <li><button data-process=${id} aria-pressed=${bench.selected === id} title=${id} @click=${() => bench.select(id)}>
                <b>${name || "Process"}</b> <span class="mono">${clip(id)}</span>
                <small>${messages(bench.histories.get(id)?.length ?? 1)}</small></button></li>`)}
          </ul>`}
    </section>`;
}

/** The first slot is the process itself. */
const messages = (slots: number): string => `${count(slots - 1)} ${slots === 2 ? "message" : "messages"}`;
