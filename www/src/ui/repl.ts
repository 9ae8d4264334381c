/** The prompt: lines that are evaluated on a copy of the process, and what came of each. */

import { html, nothing, type TemplateResult } from "lit";
import { live } from "lit/directives/live.js";

import type { Line, Way } from "../ask.js";
import { count, pretty } from "../format.js";
import type { Model } from "../model.js";

const WAYS: { [way in Way]: { name: string; mark: string; hint: string } } = {
  state: { name: "Luerl, over its state", mark: "luerl", hint: "state.supply" },
  local: { name: "Lua 5.3", mark: "lua", hint: "string.format('%.2f', 10 / 3)" },
  eval: { name: "Eval in the process", mark: "eval", hint: "1 + 1" },
};

export function repl(model: Model): TemplateResult | typeof nothing {
  const { ask, summary } = model;
  if (summary?.replayed == null) return nothing;
  const way = ask.inForce();
  return html`
    <section class="panel repl" aria-labelledby="repl-title">
      <div class="head">
        <div>
          <h2 id="repl-title">Ask it</h2>
          <p class="sub">
            ${way === "eval" ? html`Your code goes to the process as a message with <code>Action: Eval</code>, in its owner's name.` : nothing}
            ${way === "state" ? html`Your code runs as the process's own does, in Luerl, and sees its state as <code>state</code>.` : nothing}
            ${way === "local" ? html`Your code runs in standard Lua 5.3, as a script of your own${model.isLua() ? html`, and sees the process's state as <code>state</code>` : nothing}.` : nothing}
            ${way === "local" && !model.isLua() ? "It sees nothing of the process:" : html`It runs on a copy of the state after slot ${count(summary.replayed)}:`}
            <b>nothing is signed, sent or kept</b>, and each line begins anew.
          </p>
        </div>
        ${ask.ways().length > 1 ? chooser(model, way) : nothing}
      </div>
      <ol class="lines" role="log" aria-label="What was asked" tabindex="0">${ask.lines.map((line) => asked(model, line))}</ol>
      <form class="prompt" autocomplete="off" @submit=${(event: Event) => { event.preventDefault(); void run(model, event); }}>
        <label class="unseen" for="repl-input">Code to evaluate</label>
        <span class="mark mono" aria-hidden="true">${WAYS[way].mark}&gt;</span>
        <textarea id="repl-input" class="mono" rows=${Math.min(12, Math.max(2, ask.input.split("\n").length))} spellcheck="false" autocapitalize="off"
          placeholder=${WAYS[way].hint} aria-describedby="repl-keys" .value=${live(ask.input)}
          @input=${(event: Event) => { ask.type((event.target as HTMLTextAreaElement).value); model.changed(); }}
          @keydown=${(event: KeyboardEvent) => keys(event, model)}></textarea>
        <div class="actions">
          ${ask.running === "line"
            ? html`<button type="button" id="repl-cancel" ?disabled=${ask.stopping} @click=${() => ask.stop()}>Cancel</button>`
            : html`<button class="primary" id="repl-run" ?disabled=${!ask.ready() || ask.input.trim() === ""}>Run</button>`}
        </div>
      </form>
      <p class="keys" id="repl-keys"><kbd>Enter</kbd> runs, <kbd>Shift</kbd> <kbd>Enter</kbd> begins a new line, <kbd>↑</kbd> brings back what was asked, <kbd>Esc</kbd> cancels</p>
    </section>`;
}

function chooser(model: Model, way: Way): TemplateResult {
  return html`
    <div class="ways" role="radiogroup" aria-label="How code is evaluated">
      ${model.ask.ways().map((one) => html`
        <label><input type="radio" name="way" value=${one} .checked=${one === way} @change=${() => model.ask.choose(one)} />
          <span>${WAYS[one].name}</span></label>`)}
    </div>`;
}

function asked(model: Model, line: Line): TemplateResult {
  const { error, output, messages } = line;
  return html`
    <li class=${error ? "failed" : output === null ? "open" : "done"} data-line=${line.way}>
      <div class="in"><span class="mark mono" aria-hidden="true">${WAYS[line.way].mark}&gt;</span><pre>${line.input}</pre></div>
      ${output === null && !error ? html`<p class="empty">Running…</p>` : nothing}
      ${output ? html`<pre class="out">${output}</pre>` : nothing}
      ${output === "" && !error && messages.length === 0 ? html`<p class="empty">It said nothing.</p>` : nothing}
      ${error ? html`<p class="banner ${error.code === "cancelled" ? "" : "bad"}" data-code=${error.code}><code>${error.code}</code> ${error.message}</p>` : nothing}
      ${messages.length > 0 ? html`<details><summary>Would send ${count(messages.length)} ${messages.length === 1 ? "message" : "messages"}</summary><pre>${pretty(messages)}</pre></details>` : nothing}
      ${line.unknown ? noEval(model, line) : nothing}
      ${line.notReplayable.length > 0 ? html`<p class="hint" data-not-replayable>Asked for ${line.notReplayable.join(", ")}: another time it may answer otherwise.</p>` : nothing}
      ${line.gas > 0 ? html`<span class="gas">${count(line.gas)} ${line.way === "eval" ? "gas" : "fuel"}</span>` : nothing}
    </li>`;
}

/** The process took the line for a message like any other. */
function noEval(model: Model, line: Line): TemplateResult {
  return html`
    <p class="hint" data-no-eval>This process does not evaluate code: it has no <code>Eval</code>, and this is what it says to a message it does not know.
      ${model.isLua() ? html`<button type="button" class="link" @click=${() => { model.ask.choose("state"); model.ask.type(line.input); model.changed(); }}>
        Evaluate the line over its state instead</button>` : "aos processes have one."}</p>`;
}

function keys(event: KeyboardEvent, model: Model): void {
  const { ask } = model;
  const field = event.target as HTMLTextAreaElement;
  if (event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    void run(model, event);
  } else if (event.key === "Escape" && ask.running === "line") {
    void ask.stop();
  } else if (event.key === "ArrowUp" && !field.value.slice(0, field.selectionStart).includes("\n")) {
    event.preventDefault();
    field.value = ask.recall(1);
  } else if (event.key === "ArrowDown" && !field.value.slice(field.selectionEnd).includes("\n")) {
    event.preventDefault();
    field.value = ask.recall(-1);
  }
}

/** Runs the line, with the newest in sight. */
async function run(model: Model, event: Event): Promise<void> {
  const panel = (event.target as HTMLElement).closest(".repl");
  const sight = (): void => {
    const lines = panel?.querySelector(".lines");
    if (lines) lines.scrollTop = lines.scrollHeight;
  };
  const done = model.ask.line();
  requestAnimationFrame(() => requestAnimationFrame(sight));
  await done;
  requestAnimationFrame(() => requestAnimationFrame(sight));
}
