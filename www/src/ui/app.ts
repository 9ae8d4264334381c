/** The page: header, what is shown, footer. Renders the model, in the light DOM so that one stylesheet serves. */

import { html, LitElement, nothing, type TemplateResult } from "lit";

import { clip } from "../format.js";
import { Model } from "../model.js";
import { balances } from "./balances.js";
import { check } from "./check.js";
import { errorBox, failures } from "./error.js";
import { form } from "./form.js";
import { frauds } from "./fraud.js";
import { brand } from "./icons.js";
import { processCard } from "./process.js";
import { receipts } from "./receipt.js";
import { repl } from "./repl.js";
import { road } from "./road.js";
import { disagreements, holes, sources } from "./said.js";
import { serverless } from "./serverless.js";
import { slotDetail } from "./slot.js";
import { slots } from "./slots.js";
import { tamper } from "./tamper.js";
import { workbench } from "./workbench/page.js";

export class WeftApp extends LitElement {
  readonly model = new Model();

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.model.addEventListener("change", () => this.requestUpdate());
    void this.model.start();
  }

  protected override updated(): void {
    const { model } = this;
    const { page } = model.route;
    const what = page === "own" ? "Workbench" : page === "new" ? "Another process" : model.demo ? (model.isLua() ? "Demo in Lua" : "Demo") : clip(model.process ?? "");
    document.title = model.running ? `… ${what} · Weft` : `${what} · Weft`;
  }

  protected override render(): TemplateResult {
    const { model } = this;
    return html`
      <a class="skip" href="#main" @click=${skip}>Skip to the process</a>
      ${header(model)}
      <main id="main" tabindex="-1">
        ${model.route.page === "own" ? workbench(model.workbench) : html`
          ${road(model)} ${model.route.page === "new" ? this.#formPage() : this.#processPage()}`}
      </main>
      <footer>
        <p>
          Everything on this page was computed in this tab. The page itself is trusted: whoever serves it could have
          changed it. It asks only the sources you name, and the demo asks nobody.
        </p>
      </footer>
      <p class="unseen" aria-live="polite">${model.announcement}</p>
    `;
  }

  #formPage(): TemplateResult {
    return html`${errorBox(this.model)} ${form(this.model)}`;
  }

  #processPage(): TemplateResult {
    const { model } = this;
    return html`
      ${processCard(model)} ${errorBox(model)} ${frauds(model)} ${disagreements(model)} ${holes(model)} ${failures(model)}
      <div class="pair">${slots(model)} ${balances(model)}</div>
      ${slotDetail(model)} ${repl(model)} ${serverless(model)} ${check(model)} ${receipts(model)} ${sources(model)} ${model.demo ? tamper(model) : nothing}
      ${model.demo ? nothing : form(model)}
    `;
  }
}

function header(model: Model): TemplateResult {
  const others = model.stored.filter(({ process }) => !model.demos.some((demo) => demo.process === process));
  const current = model.route.page;
  const demo = (which: number): string => (current === "demo" && model.route.demo === which ? "page" : "false");
  return html`
    <header class="top">
      <div class="bar">
        <a class="brand" href="#/" aria-label="Weft, the demo">${brand}<span>Weft</span></a>
        <nav aria-label="Processes">
          <a class="tab" href="#/" aria-current=${demo(0)}>Demo</a>
          <a class="tab" href="#/lua" aria-current=${demo(1)}>Demo in Lua</a>
          ${others.map(({ process }) => html`
            <a class="tab mono" href="#/process/${process}" title=${process}
              aria-current=${current === "process" && model.process === process ? "page" : "false"}>${clip(process)}</a>`)}
          <a class="tab" href="#/own" aria-current=${current === "own" ? "page" : "false"}>Workbench</a>
          <a class="tab add" href="#/new" aria-current=${current === "new" ? "page" : "false"}>Another process</a>
        </nav>
      </div>
      <p class="lead">
        An AO node in this tab. It fetches a process and its message history, <b>proves</b> every signature, id and chain
        link it can, <b>replays</b> the history on your machine, and shows the evidence.
      </p>
    </header>`;
}

/** The fragment belongs to the routes, so the skip link moves the focus itself. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

customElements.define("weft-app", WeftApp);
