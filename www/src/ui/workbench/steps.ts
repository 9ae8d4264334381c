/** One process of the workbench: its slots, one after the other, and what can be said to it. */

import { html, nothing, type TemplateResult } from "lit";

import { type Json, type Tag, WeftError } from "../../../../web/js/client.js";
import { clip, count, instant, plain, pretty } from "../../format.js";
import type { Entry, Result } from "../../workbench/network.js";
import type { Workbench } from "../../workbench/workbench.js";

export function steps(bench: Workbench): TemplateResult {
  const { history, shown } = bench;
  const last = history.at(-1)?.slot ?? 0;
  const at = shown?.slot ?? last;
  const process = bench.processes.find(({ id }) => id === bench.selected);
  return html`
    <section class="panel steps" aria-labelledby="steps-title" data-shown-slot=${at} data-last-slot=${last}>
      <div class="head">
        <div><h2 id="steps-title">${process?.name || "Process"}, slot ${count(at)} of ${count(last)}</h2>
          <p class="sub mono" title=${process?.id ?? ""}>${process?.id}</p></div>
        <div class="actions">
          <button id="bench-save" title="Process, module, assignments and messages, signed as they are: any node can prove and replay them" ?disabled=${bench.busy !== ""}
            @click=${() => bench.save()}>Save its history</button>
          <button id="step-back" ?disabled=${at === 0} @click=${() => bench.step(at - 1)}>Back</button>
          <button id="step-on" ?disabled=${at === last} @click=${() => bench.step(at + 1)}>Forward</button>
        </div>
      </div>
      <input type="range" id="step-at" aria-label="Slot" min="0" max=${last} .value=${String(at)}
        @input=${(event: Event) => bench.step(Number((event.target as HTMLInputElement).value))} />
      ${shown ? html`
        <div class="in-out">
          <div><h3>In</h3>${incoming(shown)}</div>
          <div><h3>Out</h3>${outgoing(bench.resultOf(shown))}</div>
        </div>` : nothing}
      ${write(bench, at, last)}
    </section>`;
}

function incoming(entry: Entry): TemplateResult {
  return html`
    <dl class="facts tight">
      <div><dt>${entry.slot === 0 ? "Process" : "Message"}</dt><dd class="mono" title=${entry.id}>${entry.id}</dd></div>
      <div><dt>${entry.sender ? "From process" : "From"}</dt><dd class="mono" title=${entry.from}>${entry.from || "—"}</dd></div>
      <div><dt>Assigned</dt><dd>${instant(entry.timestamp)}</dd></div>
    </dl>
    <ul class="tags">${entry.tags.map(({ name, value }) => html`<li title="${name}: ${value}"><b>${name}</b> ${value}</li>`)}</ul>
    ${entry.data.trim() === "" ? html`<p class="empty">No data.</p>` : html`<details open><summary>Data</summary><pre>${entry.data}</pre></details>`}`;
}

function outgoing(result: Result | WeftError | undefined): TemplateResult {
  if (result === undefined) return html`<p class="empty" aria-busy="true">Computing…</p>`;
  if (result instanceof WeftError) return html`<div class="banner bad" data-code=${result.code}><code>${result.code}</code> ${result.message}</div>`;
  const failed = result.Error !== undefined && result.Error !== null && result.Error !== "";
  const messages = result.Messages ?? [];
  return html`
    ${failed ? html`<div class="banner bad">${text(result.Error)}</div>` : nothing}
    <pre data-output>${text(result.Output) || "No output."}</pre>
    ${messages.length > 0 ? html`
      <details open><summary>Messages <b>${count(messages.length)}</b></summary>
        <ol class="outbox">${messages.map(({ Target, Tags = [], Data }) => html`
          <li><b>${Tags.find(({ name }) => name.toLowerCase() === "action")?.value ?? "message"}</b> to <span class="mono" title=${Target ?? ""}>${clip(Target ?? "")}</span>
            ${Data ? html`<pre>${Data}</pre>` : nothing}</li>`)}</ol></details>` : nothing}
    ${(result.Spawns?.length ?? 0) > 0 ? html`<p class="hint">It spawned ${count(result.Spawns?.length ?? 0)}.</p>` : nothing}
    ${result.GasUsed ? html`<p class="gas"><b>${count(result.GasUsed)}</b> gas</p>` : nothing}`;
}

/** What a process prints, where that is text. */
function text(value: Json | undefined): string {
  if (typeof value === "string") return plain(value);
  const data = typeof value === "object" && value !== null && !Array.isArray(value) ? value["data"] : undefined;
  return typeof data === "string" ? plain(data) : value === undefined || value === null ? "" : pretty(value);
}

function write(bench: Workbench, at: number, last: number): TemplateResult {
  const read = (form: HTMLFormElement): { tags: Tag[]; data: string } => {
    const given = new FormData(form);
    const lines = String(given.get("tags") ?? "").split("\n").map((line) => line.split(/[:=](.*)/s));
    const more = lines.map(([name = "", value = ""]) => ({ name: name.trim(), value: value.trim() })).filter(({ name }) => name !== "");
    return { tags: [{ name: "Action", value: String(given.get("action") ?? "").trim() }, ...more].filter(({ value }) => value !== ""), data: String(given.get("data") ?? "") };
  };
  const send = (event: SubmitEvent): void => {
    event.preventDefault();
    const { tags, data } = read(event.target as HTMLFormElement);
    void ((event.submitter as HTMLButtonElement | null)?.name === "ask" ? bench.ask(tags, data) : bench.send(tags, data));
  };
  return html`
    <form class="write" autocomplete="off" @submit=${send}>
      <label class="field"><span>Action</span><input name="action" id="bench-action" spellcheck="false" autocapitalize="off" placeholder="Add, Eval, …" /></label>
      <label class="field"><span>Data</span><textarea name="data" id="bench-data" class="mono" rows="2" spellcheck="false" autocapitalize="off"></textarea></label>
      <label class="field"><span>Tags <small>Name: value, a line each</small></span><textarea name="tags" id="bench-tags" class="mono" rows="2" spellcheck="false" autocapitalize="off"></textarea></label>
      <div class="actions">
        <button class="primary" id="bench-send" ?disabled=${bench.busy !== ""}>Send</button>
        <button name="ask" id="bench-ask" ?disabled=${bench.busy !== "" || at !== last}
          title=${at === last ? "Evaluated on a copy; nothing is written" : "Only the newest state can be asked"}>Ask it</button>
      </div>
    </form>
    ${bench.answer ? html`<div class="answered" data-answered><h3>Answer</h3>${outgoing(bench.answer)}</div>` : nothing}`;
}
