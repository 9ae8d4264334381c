/** Processes as a picture: who wrote to whom, how often, and what is on its way. */

import { html, nothing, svg, type TemplateResult } from "lit";

import { clip, compact } from "../../format.js";
import type { Flight, Workbench } from "../../workbench/workbench.js";

const WIDTH = 520;
const HEIGHT = 380;
const RADIUS = 26;
/** More processes than this are drawn without names. */
const NAMED = 16;

interface Place {
  id: string;
  x: number;
  y: number;
  name: string;
  person: boolean;
}

export function graph(bench: Workbench): TemplateResult {
  const edges = counted(bench);
  const places = placed(bench, edges);
  const at = new Map(places.map((place) => [place.id, place]));
  const most = Math.max(1, ...edges.map(({ times }) => times));
  const told = edges.map(({ from, to, times }) => `${named(at, from)} wrote ${times} to ${named(at, to)}`).join(", ");
  return html`
    <svg class="net" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${told || "Nobody has written yet"}>
      <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 0l8 4-8 4z" /></marker></defs>
      ${edges.map(({ from, to, times }) => {
        const [start, end] = [at.get(from), at.get(to)];
        return start && end ? edge(start, end, times, most) : nothing;
      })}
      ${bench.flights.slice(0, 40).map((flight) => flying(flight, at))}
      ${places.map((place) => node(place, bench, places.length <= NAMED))}
    </svg>`;
}

const named = (at: Map<string, Place>, id: string): string => at.get(id)?.name ?? clip(id);

function counted(bench: Workbench): { from: string; to: string; times: number }[] {
  const edges = new Map<string, { from: string; to: string; times: number }>();
  for (const [to, entries] of bench.histories) {
    for (const { slot, from } of entries) {
      if (slot === 0) continue;
      const key = `${from} ${to}`;
      const edge = edges.get(key) ?? { from, to, times: 0 };
      edge.times += 1;
      edges.set(key, edge);
    }
  }
  return [...edges.values()];
}

/** Processes on an oval, in the order they were spawned; people and others who write, above it. */
function placed(bench: Workbench, edges: { from: string }[]): Place[] {
  const known = new Set(bench.processes.map(({ id }) => id));
  const people = [...new Set(edges.map(({ from }) => from).filter((from) => !known.has(from)))];
  const count = bench.processes.length;
  const [middleX, middleY] = [WIDTH / 2, people.length > 0 ? 225 : HEIGHT / 2];
  const [wide, high] = count === 1 ? [0, 0] : [WIDTH / 2 - 70, 105];
  return [
    ...bench.processes.map(({ id, name }, index) => {
      const angle = (2 * Math.PI * index) / count + (count === 2 ? Math.PI : Math.PI / 2);
      return { id, name: name || "Process", person: false, x: middleX + wide * Math.cos(angle), y: middleY + high * Math.sin(angle) };
    }),
    ...people.map((id, index) => ({ id, name: clip(id), person: true, x: (WIDTH * (index + 1)) / (people.length + 1), y: 38 })),
  ];
}

/** A curve between two places, so that both directions can be seen; a loop for who writes to itself. */
function way(start: Place, end: Place): string {
  if (start === end) return `M${start.x - 12} ${start.y - RADIUS} c-34 -58 58 -58 24 0`;
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const bend = 26;
  const [x1, y1, x2, y2] = [start.x + ux * RADIUS, start.y + uy * RADIUS, end.x - ux * (RADIUS + 4), end.y - uy * (RADIUS + 4)];
  return `M${x1} ${y1} Q${(x1 + x2) / 2 - uy * bend} ${(y1 + y2) / 2 + ux * bend} ${x2} ${y2}`;
}

function edge(start: Place, end: Place, times: number, most: number): TemplateResult {
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  const length = Math.hypot(dx, dy) || 1;
  const [x, y] = start === end ? [start.x, start.y - RADIUS - 46] : [(start.x + end.x) / 2 - (dy / length) * 22, (start.y + end.y) / 2 + (dx / length) * 22];
  return svg`
    <g class="edge" data-edge="${start.id} ${end.id}" data-times=${times}>
      <path d=${way(start, end)} stroke-width=${1.2 + (2.6 * times) / most} marker-end="url(#tip)" />
      <text x=${x} y=${y}>${compact(times)}</text>
    </g>`;
}

/** A message on its way. It flies once; those who want no motion see the count alone. */
function flying(flight: Flight, at: Map<string, Place>): TemplateResult | typeof nothing {
  const [start, end] = [at.get(flight.from), at.get(flight.to)];
  if (!start || !end || matchMedia("(prefers-reduced-motion: reduce)").matches) return nothing;
  return svg`<circle class="flight" data-flight=${flight.key} r="5"><animateMotion dur="0.9s" fill="freeze" path=${way(start, end)} /></circle>`;
}

function node(place: Place, bench: Workbench, withName: boolean): TemplateResult {
  const { id, x, y, name, person } = place;
  const chosen = bench.selected === id;
  const click = person ? nothing : () => bench.select(id);
  return svg`
    <g class=${`who${person ? " person" : ""}${chosen ? " chosen" : ""}`} data-node=${id} @click=${click}>
      <title>${id}</title>
      ${person ? svg`<rect x=${x - 62} y=${y - 17} width="124" height="34" rx="17" />` : svg`<circle cx=${x} cy=${y} r=${RADIUS} />`}
      <text x=${x} y=${person ? y + 4 : y + 5}>${person ? name : compact(Math.max((bench.histories.get(id)?.length ?? 1) - 1, 0))}</text>
      ${!person && withName ? svg`<text class="name" x=${x} y=${y + RADIUS + 17}>${name.length > 18 ? `${name.slice(0, 17)}…` : name}</text>` : nothing}
    </g>`;
}
