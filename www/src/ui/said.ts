/** What the sources say: where they disagree, how they do, how fresh they are, and which slots nobody has. */

import { html, nothing, type TemplateResult } from "lit";

import type { HeadSeen, SourceHealth, Tally } from "../../../web/js/client.js";
import { age, clipIds, count, duration } from "../format.js";
import type { Model } from "../model.js";
import type { Source } from "../said.js";
import { agreedIcon, forkIcon } from "./icons.js";

/** What is asked, in a person's words. */
const CLAIMS: { [claim: string]: string } = {
  "history-complete": "Where does the history end?",
  "assignment-listing": "Which assignments are on Arweave?",
  "scheduler-location": "Where is the scheduler?",
  tip: "Which block is the newest?",
  block: "Which block is at this height?",
};

/** Each disagreement with both answers kept, in the reader's face. */
export function disagreements(model: Model): TemplateResult[] {
  return model.said.disagreements().map(([claim, tally]) => html`
    <section class="panel disagreement" aria-labelledby="disagree-${claim}" data-disagreement=${claim}>
      <h2 id="disagree-${claim}">${forkIcon} Sources disagree: ${CLAIMS[claim] ?? claim}</h2>
      <p class="sub">
        ${tally.by.length >= tally.needed
          ? html`${count(tally.by.length)} of ${count(tally.asked)} say the same, which is enough (${count(tally.needed)} asked for). That is agreement, not proof; the other answers are kept.`
          : html`${count(tally.by.length)} of ${count(tally.asked)} say the same, which is fewer than the ${count(tally.needed)} asked for: nothing is agreed.`}
      </p>
      <div class="answers">
        ${said("good", tally.by, tally.value, title(claim, tally))}
        ${grouped(tally).map(([says, by]) => said("bad", by, says, "Says otherwise"))}
        ${tally.silent.length === 0 ? nothing : html`
          <div class="answer none"><h3>Says nothing</h3>
            <ul>${tally.silent.map(({ url, code }) => html`<li><span class="mono">${url}</span> <code>${code}</code></li>`)}</ul></div>`}
      </div>
    </section>`);
}

/** What the first answer is: of a tie, nobody's majority. */
function title(claim: string, { by, needed }: Tally): string {
  if (claim === "history-complete") return "As proved and shown here";
  return by.length >= needed ? "What most say" : "One answer";
}

const said = (kind: string, by: string[], says: string, title: string): TemplateResult => html`
  <div class="answer ${kind}">
    <h3>${title}</h3>
    <p class="says" title=${says}>${clipIds(says)}</p>
    <ul aria-label="Who says it">${by.map((url) => html`<li class="mono">${url}</li>`)}</ul>
  </div>`;

/** Those who say the same otherwise, together. */
function grouped({ against }: Tally): [says: string, by: string[]][] {
  const groups = new Map<string, string[]>();
  for (const { url, says } of against) groups.set(says, [...(groups.get(says) ?? []), url]);
  return [...groups];
}

/** Slots that nobody has. */
export function holes(model: Model): TemplateResult | typeof nothing {
  const { holes: found, rebuilt } = model.said;
  if (!found && !rebuilt) return nothing;
  return html`
    <section class="panel quiet rebuilt" aria-labelledby="rebuilt-title">
      <h2 id="rebuilt-title">${found ? "Slots that no source has" : "Rebuilt from Arweave"}</h2>
      ${rebuilt ? html`<p class="sub">No scheduler gave a history that proves. Slots ${count(rebuilt.from)} to ${count(rebuilt.to)} were looked for among
        the assignments on Arweave; each that was found is proved in the same way.</p>` : nothing}
      ${found ? html`
        <ol class="holes">${found.slots.map(([from, to]) => html`
          <li data-hole="${from}-${to}">${from === to ? `slot ${count(from)}` : `slots ${count(from)} to ${count(to)}`}</li>`)}
          ${found.more ? html`<li>and more</li>` : nothing}</ol>
        <p class="sub">Nothing after the first of them can be replayed. Add a gateway or a scheduler that has them.</p>` : nothing}
    </section>`;
}

/** Every source of the last sync: how far and how fresh it is, and how it does. */
export function sources(model: Model): TemplateResult | typeof nothing {
  const all = model.said.sources();
  if (all.length === 0) return nothing;
  const agreed = model.said.quorums.get("history-complete");
  return html`
    <section class="panel sources" aria-labelledby="sources-title">
      <div class="head">
        <div>
          <h2 id="sources-title">Sources</h2>
          <p class="sub">How far each one's history goes, how fresh that is, and how it did in this visit. A quiet process has an old head.</p>
        </div>
        ${agreed ? agreement(agreed) : nothing}
      </div>
      <ul class="source-list">${all.map((source) => one(model, source))}</ul>
    </section>`;
}

function agreement({ by, asked, needed }: Tally): TemplateResult {
  const reached = by.length >= needed;
  return html`<p class="agreement ${reached ? "" : "missed"}">${agreedIcon}
    <span><b>${count(by.length)} of ${count(asked)}</b> agree on the end${reached ? "" : `; ${count(needed)} are needed`}</span></p>`;
}

function one(model: Model, { url, head, health, located }: Source): TemplateResult {
  const kind = head?.of ?? (model.sources.gateways.includes(url) ? "gateway" : model.sources.schedulers.includes(url) ? "scheduler" : "");
  return html`
    <li data-source=${url} data-standing=${head?.standing ?? ""}>
      <div class="who"><b class="mono">${url}</b> <small>${kind}${located ? " · found by its record on Arweave" : ""}</small></div>
      <div class="at">${head ? standing(head) : nothing}</div>
      <div class="does">${health ? doing(health) : nothing}</div>
    </li>`;
}

const STANDING: { [standing in HeadSeen["standing"]]: [word: string, pill: string] } = {
  agrees: ["agrees", "good"], ahead: ["has more", "work"], behind: ["ends earlier", "idle"], differs: ["differs", "bad"], silent: ["silent", "idle"],
};

function standing(head: HeadSeen): TemplateResult {
  const [word, pill] = STANDING[head.standing];
  return html`
    <span class="pill ${pill}">${word}</span>
    ${head.slot === null ? nothing : html`slot ${count(head.slot)}`}${head.age_ms === null ? nothing : html`, ${age(head.age_ms)} old`}
    ${head.failure ? html`<code>${head.failure.code}</code>` : nothing}`;
}

function doing(health: SourceHealth): TemplateResult {
  const share = Math.round(health.score / 10);
  const kind = share >= 80 ? "good" : share >= 40 ? "fair" : "poor";
  return html`
    <span class="score ${kind}" role="meter" aria-label="Score" aria-valuemin="0" aria-valuemax="1000" aria-valuenow=${health.score}
      title="${health.score} of 1000"><i style="width:${share}%"></i></span>
    <small>${count(health.answers)} answered${health.failures > 0 ? html`, ${count(health.failures)} failed` : nothing}
      ${health.last_failure ? html`(last <code>${health.last_failure}</code>)` : nothing}
      ${health.wait_ms > 0 ? html`· asked to be left alone for ${duration(health.wait_ms)}` : nothing}</small>`;
}
