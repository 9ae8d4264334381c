/** The form: which process, from which sources, and whom the user trusts beside the process's own scheduler. */

import { html, nothing, type TemplateResult } from "lit";

import type { Sources } from "../../../web/js/client.js";
import type { Model } from "../model.js";
import { downIcon, removeIcon, upIcon } from "./icons.js";

type Kind = keyof Sources;

const KINDS: { kind: Kind; title: string; one: string; example: string; what: string }[] = [
  { kind: "schedulers", title: "Schedulers", one: "scheduler", example: "https://su.example", what: "have the order of messages" },
  { kind: "gateways", title: "Gateways", one: "gateway", example: "https://gateway.example", what: "have the process, its module and items" },
];

export function form(model: Model): TemplateResult {
  const fresh = model.route.page === "new";
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const id = new FormData(event.target as HTMLFormElement).get("process");
    const process = (fresh ? String(id ?? "") : (model.process ?? "")).trim();
    model.setSources(cleaned(model.sources));
    if (process) model.submit(process);
  };
  return html`
    <section class="panel form" aria-labelledby="form-title">
      <div class="head">
        <div>
          <h2 id="form-title">${fresh ? "Another process" : "Sources of this process"}</h2>
          <p class="sub">
            Weft knows no sources of its own and asks only these, in this order. What they answer is proved, so the choice
            decides whether a history is found, not whether it is true.
          </p>
        </div>
        ${model.localNetwork ? html`<div class="actions"><button type="button" id="local" @click=${() => model.setSources(model.localSources())}>
          Use the local network</button></div>` : nothing}
      </div>
      <form @submit=${submit} autocomplete="off">
        ${fresh ? html`
          <label class="field"><span>Process</span>
            <input name="process" class="mono" required spellcheck="false" autocapitalize="off" placeholder="43 characters"
              .value=${model.route.process} /></label>` : nothing}
        <div class="columns">${KINDS.map((kind) => urls(model, kind))}</div>
        ${fresh ? nothing : signers(model)}
        <div class="actions"><button class="primary" ?disabled=${model.running}>Sync</button></div>
      </form>
    </section>`;
}

function urls(model: Model, { kind, title, one, example, what }: (typeof KINDS)[number]): TemplateResult {
  const list = model.sources[kind];
  // From the list as it is when something is done to it: a frame may lie between what is shown and that.
  const change = (how: (now: string[]) => string[]) => (): void =>
    model.setSources({ ...model.sources, [kind]: how(model.sources[kind]) });
  const swap = (at: number, other: number) =>
    change((now) => now.map((url, place) => (place === at ? now[other] : place === other ? now[at] : url) ?? ""));
  return html`
    <fieldset data-kind=${kind}>
      <legend>${title} <small>${what}</small></legend>
      <ol class="urls">
        ${list.map((url, at) => html`
          <li>
            <input type="url" class="mono" aria-label="${one} ${at + 1}" placeholder=${example} spellcheck="false" .value=${url}
              @input=${(event: Event) => change((now) => now.map((was, place) => (place === at ? (event.target as HTMLInputElement).value : was)))()} />
            <button type="button" class="icon-button" aria-label="Ask ${one} ${at + 1} earlier" ?disabled=${at === 0} @click=${swap(at, at - 1)}>${upIcon}</button>
            <button type="button" class="icon-button" aria-label="Ask ${one} ${at + 1} later" ?disabled=${at === list.length - 1} @click=${swap(at, at + 1)}>${downIcon}</button>
            <button type="button" class="icon-button" aria-label="Remove ${one} ${at + 1}" @click=${change((now) => now.toSpliced(at, 1))}>${removeIcon}</button>
          </li>`)}
      </ol>
      ${list.length === 0 ? html`<p class="empty">None.</p>` : nothing}
      <button type="button" data-add=${kind} @click=${change((now) => [...now, ""])}>Add a ${one}</button>
    </fieldset>`;
}

function signers(model: Model): TemplateResult {
  return html`
    <fieldset>
      <legend>Accepted signers <small>trusted by you</small></legend>
      <p class="sub">
        Assignments must be signed by the address the process names as its scheduler. Where the network uses another one, the
        sync stops with <code>scheduler-mismatch</code>, and you can accept that signer there.
      </p>
      ${model.accepted.length === 0 ? html`<p class="empty">None.</p>` : html`
        <ul class="urls">${model.accepted.map((address) => html`
          <li><code class="wrap">${address}</code>
            <button type="button" class="icon-button" aria-label="No longer accept ${address}" @click=${() => model.unaccept(address)}>${removeIcon}</button></li>`)}
        </ul>`}
    </fieldset>`;
}

const cleaned = ({ schedulers, gateways }: Sources): Sources => ({ schedulers: trimmed(schedulers), gateways: trimmed(gateways) });

const trimmed = (urls: string[]): string[] =>
  urls.map((url) => url.trim().replace(/\/+$/, "")).filter((url) => url !== "");
