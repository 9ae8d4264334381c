/** Errors, in place: the code, what happened, what to do next. */

import { html, nothing, type TemplateResult } from "lit";

import { advice } from "../advice.js";
import type { Model } from "../model.js";
import { refusedIcon } from "./icons.js";
import { offer } from "../offer.js";

export function errorBox(model: Model): TemplateResult | typeof nothing {
  const { error } = model;
  if (!error || error.code === "cancelled") return nothing;
  return html`
    <section class="panel problem" role="alert" data-code=${error.code}>
      <h2>${refusedIcon} <code>${error.code}</code></h2>
      <p>${error.message}</p>
      ${error.cause ? html`<p class="cause">Because: ${String(error.cause)}</p>` : nothing}
      <p class="next"><b>Next:</b> ${advice(error.code)}</p>
      ${error.code === "scheduler-mismatch" ? acceptSigner(model) : nothing}
      ${error.code === "cron-unsupported"
        ? html`<button @click=${() => model.sync({ withoutCrons: true })}>Replay without cron messages</button>` : nothing}
      ${error.code === "engines-differ" ? html`<button id="save-divergence" @click=${() => save(model)}>Save the report</button>` : nothing}
    </section>`;
}

/** Both engines' states, as a file. */
async function save(model: Model): Promise<void> {
  const file = await model.divergence();
  if (file) offer(file, `weft-divergence-${(model.process ?? "process").slice(0, 8)}.bin`);
}

/** Sources that failed while another one went on. */
export function failures(model: Model): TemplateResult | typeof nothing {
  if (model.failures.length === 0) return nothing;
  return html`
    <section class="panel quiet" aria-labelledby="failures-title">
      <h2 id="failures-title">Sources that failed</h2>
      <ul class="failures">
        ${model.failures.map(({ url, code, sentence, times }) => html`
          <li><code>${code}</code> <span class="mono">${url}</span>${times > 1 ? ` (${times} times)` : ""}<br />${sentence}</li>`)}
      </ul>
    </section>`;
}

/** The signer the error names; the process names another. */
function acceptSigner(model: Model): TemplateResult | typeof nothing {
  const named = model.card?.scheduler ?? model.summary?.scheduler;
  const signer = model.error?.fields["signer"];
  if (!signer || signer === named) return nothing;
  const confirm = (event: Event): void => {
    event.preventDefault();
    void model.accept(signer);
  };
  return html`
    <details class="accept">
      <summary>I know this signer</summary>
      <form @submit=${confirm}>
        <p>
          You are about to let <code class="wrap">${signer}</code> decide the order of this process's messages. The process
          itself does not name it. Receipts will say <b>trusted by you</b>, never <i>proved</i>.
        </p>
        <label><input type="checkbox" required /> I trust this signer for this process.</label>
        <button class="danger">Accept and sync</button>
      </form>
    </details>`;
}
