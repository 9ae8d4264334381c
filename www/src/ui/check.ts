/** "Check this answer": the nodes to ask, a line for each with its verdict, and what differs side by side. */

import { html, nothing, type TemplateResult } from "lit";

import type { Difference, Json, NodeCheck } from "../../../web/js/client.js";
import type { Node, Row } from "../check.js";
import { count, pretty, slots as some } from "../format.js";
import type { Model } from "../model.js";
import { provedIcon, refusedIcon, removeIcon, silentIcon } from "./icons.js";

const KINDS: { kind: Node["kind"]; name: string }[] = [
  { kind: "", name: "find out" }, { kind: "legacy", name: "compute unit" }, { kind: "hyperbeam", name: "HyperBEAM" },
];

export function check(model: Model): TemplateResult | typeof nothing {
  const { check: state } = model;
  const target = state.target();
  if (target === null) return nothing;
  const ready = state.nodes.some(({ url }) => url.trim() !== "");
  return html`
    <section class="panel check" id="check" aria-labelledby="check-title">
      <div class="head">
        <div>
          <h2 id="check-title" tabindex="-1">Check this answer</h2>
          <p class="sub">
            What do other nodes answer to the same message? Each is asked, and its answer is compared with the one replayed
            here. A difference is shown with the first slot at which it appears.
          </p>
        </div>
        ${model.localNetwork ? html`<div class="actions"><button id="local-cu" @click=${() => state.addLocal()}>Add the local compute unit</button></div>` : nothing}
      </div>
      <form class="asked" autocomplete="off" @submit=${(event: Event) => { event.preventDefault(); void state.run(); }}>
        ${nodes(model)}
        <label class="tick"><input type="checkbox" id="check-all" .checked=${state.all}
          @change=${(event: Event) => { state.all = (event.target as HTMLInputElement).checked; model.changed(); }} />
          Compare every earlier answer too, even where this one matches</label>
        <div class="actions">
          <button class="primary" id="compare" ?disabled=${!ready || state.running || model.running}>Compare slot ${count(target)}</button>
          ${state.running ? html`<button type="button" id="check-cancel" @click=${() => state.stop()}>Cancel</button>` : nothing}
        </div>
      </form>
      ${state.error ? html`<p class="banner ${state.error.code === "cancelled" ? "" : "bad"}" role="alert" data-check-code=${state.error.code}><b>${state.error.code}</b> ${state.error.message}</p>` : nothing}
      ${state.rows.length > 0 && !(state.error && state.rows.every((row) => !row.check)) ? outcome(model) : nothing}
    </section>`;
}

function nodes(model: Model): TemplateResult {
  const { check: state } = model;
  const set = (at: number, change: Partial<Node>): void =>
    state.setNodes(state.nodes.map((node, index) => (index === at ? { ...node, ...change } : node)));
  return html`
    <fieldset>
      <legend>Nodes <small>compute units and HyperBEAM nodes; kept in this browser</small></legend>
      <ol class="urls">
        ${state.nodes.map((node, at) => html`
          <li>
            <select aria-label="Kind of node ${at + 1}" @change=${(event: Event) => set(at, { kind: (event.target as HTMLSelectElement).value as Node["kind"] })}>
              ${KINDS.map(({ kind, name }) => html`<option value=${kind} ?selected=${node.kind === kind}>${name}</option>`)}
            </select>
            <input type="url" class="mono" aria-label="Node ${at + 1}" placeholder="https://cu.example" spellcheck="false" .value=${node.url}
              @input=${(event: Event) => set(at, { url: (event.target as HTMLInputElement).value })} />
            <button type="button" class="icon-button" aria-label="Remove node ${at + 1}" @click=${() => state.setNodes(state.nodes.toSpliced(at, 1))}>${removeIcon}</button>
          </li>`)}
      </ol>
      ${state.nodes.length === 0 ? html`<p class="empty">None. Weft knows no nodes of its own.</p>` : nothing}
      <button type="button" id="add-node" @click=${() => state.setNodes([...state.nodes, { kind: "", url: "" }])}>Add a node</button>
    </fieldset>`;
}

function outcome(model: Model): TemplateResult {
  const { rows, slot, everything } = model.check;
  const what = everything ? "answers" : "answer";
  const of = (kind: string): number => rows.filter(({ check: one }) => one?.verdict.kind === kind).length;
  const [matches, others, silent] = [of("match"), of("mismatch"), of("silent")];
  const waiting = rows.length - matches - others - silent;
  return html`
    <div class="outcome" data-compared=${slot ?? ""} data-waiting=${waiting}>
      <h3>${everything ? "Up to slot" : "Slot"} ${count(slot ?? 0)}: ${matches === rows.length ? `every node gives the same ${what}` : `${count(matches)} of ${count(rows.length)} give the same ${what}`}</h3>
      <div class="shares" role="img" aria-label="${matches} the same, ${others} another, ${silent} none${waiting > 0 ? `, ${waiting} still asked` : ""}">
        ${share("good", matches)} ${share("bad", others)} ${share("none", silent)} ${share("open", waiting)}
      </div>
      <ul class="verdicts">${rows.map((row) => line(model, row))}</ul>
    </div>`;
}

const share = (kind: string, size: number): TemplateResult | typeof nothing =>
  size > 0 ? html`<i class=${kind} style="flex-grow:${size}"></i>` : nothing;

function line(model: Model, { node, progress, check: one }: Row): TemplateResult {
  const kind = one?.verdict.kind ?? "open";
  return html`
    <li class="verdict ${kind}" data-node=${node} data-verdict=${kind}>
      <span class="mark">${one === null ? nothing : one.verdict.kind === "match" ? provedIcon : one.verdict.kind === "mismatch" ? refusedIcon : silentIcon}</span>
      <div class="who"><b class="mono">${node}</b> <small>${kindOf(one)}</small></div>
      <div class="what">${one === null ? open(progress) : words(model, one)}</div>
      ${one?.verdict.kind === "mismatch" ? differing(model, one) : nothing}
    </li>`;
}

const kindOf = (one: NodeCheck | null): string =>
  one?.node_kind === "legacy" ? "compute unit" : one?.node_kind === "hyperbeam" ? "HyperBEAM" : "";

const open = (progress: Row["progress"]): TemplateResult =>
  progress === null ? html`Asking…` : html`Comparing earlier answers: ${count(progress.done)} of ${count(progress.total)}`;

function words(model: Model, { verdict, searched }: NodeCheck): TemplateResult {
  const before = searched && searched.compared > 0
    ? `${some(searched.compared)} compared from the first on${searched.unanswered > 0 ? `, ${count(searched.unanswered)} not answered` : ""}${searched.complete ? "" : "; not all could be"}.`
    : "";
  switch (verdict.kind) {
    case "match": return html`<b>Same answer.</b> ${before}`;
    case "silent": return html`<b>No answer.</b> <code>${verdict.code}</code> ${verdict.sentence}`;
    case "mismatch": return html`
      <b>Another answer, first at <button type="button" class="link" data-first=${verdict.first.slot}
        @click=${() => model.select(verdict.first.slot)}>slot ${count(verdict.first.slot)}</button>.</b> ${before}`;
  }
}

/** Where on the history the node left ours, then what differs: at the first slot, and at the one asked for. */
function differing(model: Model, { verdict }: NodeCheck): TemplateResult | typeof nothing {
  if (verdict.kind !== "mismatch") return nothing;
  const asked = model.check.slot ?? verdict.first.slot;
  const part = asked === 0 ? 0 : (verdict.first.slot / (asked + 1)) * 100;
  const again = asked !== verdict.first.slot;
  return html`
    <div class="differing">
      <div class="parting" role="img" aria-label="The same up to slot ${verdict.first.slot}, of ${asked}">
        <i style="width:${part.toFixed(1)}%"></i>
        <span style="flex-grow:${verdict.first.slot}">${part < 20 ? nothing : "slot 0"}</span>
        <span style="flex-grow:${asked + 1 - verdict.first.slot}">${verdict.first.slot === 0 ? nothing : html`slot ${count(verdict.first.slot)}`}</span>
        ${part > 75 ? nothing : html`<span class="to">slot ${count(asked)}</span>`}
      </div>
      ${table(`First difference, at slot ${count(verdict.first.slot)}`, verdict.first.differences, true)}
      ${!again ? nothing : verdict.differences.length === 0
        ? html`<p class="empty">At slot ${count(asked)} it gives the same answer again.</p>`
        : table(`At slot ${count(asked)}, which was asked for`, verdict.differences, false)}
    </div>`;
}

function table(title: string, differences: Difference[], first: boolean): TemplateResult {
  return html`
    <details ?open=${first}>
      <summary>${title} <b>${count(differences.length)}</b></summary>
      <table class="sides">
        <thead><tr><th scope="col">Where</th><th scope="col">Replayed here</th><th scope="col">This node</th></tr></thead>
        <tbody>${differences.map(row)}</tbody>
      </table>
    </details>`;
}

function row({ path, ours, theirs }: Difference): TemplateResult {
  const [here, there] = parts(text(ours), text(theirs));
  return html`<tr data-path=${path}>
    <th scope="row">${path}</th>
    <td data-side="here">${side(ours, here)}</td>
    <td data-side="there">${side(theirs, there)}</td>
  </tr>`;
}

const side = (value: Json | undefined, [lead, middle, end]: Parts): TemplateResult =>
  value === undefined ? html`<i class="absent">nothing</i>` : html`<pre>${lead}<mark>${middle}</mark>${end}</pre>`;

const text = (value: Json | undefined): string =>
  value === undefined ? "" : typeof value === "string" ? value : pretty(value);

type Parts = [lead: string, middle: string, end: string];

/** Two texts, each cut into what they share at the start, what is their own, and what they share at the end. */
function parts(a: string, b: string): [Parts, Parts] {
  const shorter = Math.min(a.length, b.length);
  let lead = 0;
  while (lead < shorter && a[lead] === b[lead]) lead += 1;
  let end = 0;
  while (end < shorter - lead && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const cut = (whole: string): Parts => [whole.slice(0, lead), whole.slice(lead, whole.length - end), whole.slice(whole.length - end)];
  return [cut(a), cut(b)];
}
