/** The road from bytes to a result, as a picture that fills while a sync runs. */

import { html, type TemplateResult } from "lit";

import type { Phase } from "../../../web/js/client.js";
import { bytes, clip, compact, count, slots as some } from "../format.js";
import type { Model } from "../model.js";
import type { Progress } from "../shown.js";
import { bytesIcon, proofIcon, replayIcon, resultIcon } from "./icons.js";

interface Station {
  name: string;
  what: string;
  icon: TemplateResult;
  phases: Phase[];
  now: (model: Model) => string;
}

const STATIONS: Station[] = [
  {
    name: "Bytes", what: "Fetched from sources nobody has to trust.", icon: bytesIcon,
    phases: ["process", "module", "history"],
    now: (model) => {
      const slots = model.phases.get("history");
      if (model.received === 0 && !slots) return "";
      return [bytes(model.received), slots && `${count(slots.done)}${of(slots)} slots`].filter(Boolean).join(" · ");
    },
  },
  {
    name: "Proofs", what: "Signatures, ids, the hash chain.", icon: proofIcon,
    phases: ["verify"], now: (model) => checks(model.phases.get("verify")),
  },
  {
    name: "Replay", what: "Each message run again, here.", icon: replayIcon,
    phases: ["replay"], now: (model) => rate(model.phases.get("replay")),
  },
  {
    name: "Result", what: "What the process answers, with its receipt.", icon: resultIcon,
    phases: ["store"],
    now: (model) => (model.summary?.memory_sha256 ? `state ${clip(model.summary.memory_sha256)}` : ""),
  },
];

export function road(model: Model): TemplateResult {
  return html`
    <section class="road" aria-label="From bytes to a result">
      <ol>${STATIONS.map((station) => stop(model, station))}</ol>
    </section>`;
}

function stop(model: Model, station: Station): TemplateResult {
  const share = reached(model, station);
  const state = share >= 1 ? "done" : share > 0 || station.phases.some((name) => phase(model, name)) ? "under-way" : "ahead";
  return html`
    <li class="stop ${state}" data-station=${station.name.toLowerCase()}>
      <span class="disc">${station.icon}</span>
      <div>
        <h2>${station.name}</h2>
        <p class="what">${station.what}</p>
        <div class="track" role="progressbar" aria-label=${station.name} aria-valuemin="0" aria-valuemax="100"
          aria-valuenow=${Math.round(share * 100)}><i style="width:${(share * 100).toFixed(1)}%"></i></div>
        <p class="now">${station.now(model) || "\u00a0"}</p>
      </div>
    </li>`;
}

/** How far a phase is. Checks are counted as they are made; how many there will be follows from the slots, each of which is
 *  proved just before it is replayed. */
const phase = (model: Model, name: Phase): Progress | undefined =>
  name === "verify" ? (model.phases.get("replay") ?? model.phases.get("verify")) : model.phases.get(name);

/** How far a station is, 0 to 1. What came from the store alone has gone the whole road before. */
function reached(model: Model, station: Station): number {
  if (!model.running && model.origin !== "none" && !model.error) return 1;
  const known = station.phases.map((name) => phase(model, name)).filter((one) => one !== undefined);
  const last = known.at(-1);
  if (!last || known.length === 0) return 0;
  const within = last.total ? Math.min(1, last.done / last.total) : last.done > 0 ? 0.5 : 0.1;
  return Math.min(1, (known.length - 1 + within) / station.phases.length);
}

const of = ({ total }: Progress): string => (total === null ? "" : ` of ${count(total)}`);

const checks = (progress: Progress | undefined): string => {
  if (!progress) return "";
  return `${count(progress.done)} checks${progress.perSecond > 0 ? ` · ${compact(progress.perSecond)}/s` : ""}`;
};

const rate = (progress: Progress | undefined): string => {
  if (!progress) return "";
  const speed = progress.perSecond > 0 ? ` · ${compact(progress.perSecond)}/s` : "";
  return `${progress.total === null ? some(progress.done) : `${count(progress.done)}${of(progress)} slots`}${speed}`;
};
