/** Small pictures. They say nothing that the text beside them does not. */

import { svg, html, type TemplateResult } from "lit";

const icon = (content: TemplateResult, box = "0 0 24 24"): TemplateResult =>
  html`<svg class="icon" viewBox=${box} aria-hidden="true" focusable="false">${content}</svg>`;

/** Two threads each way, over and under. */
export const brand = icon(svg`
  <rect width="32" height="32" rx="7" fill="var(--brand-ground)"/>
  <g fill="none" stroke-width="3.4" stroke-linecap="round">
    <path stroke="var(--brand-weft)" d="M6 11h20M6 21h20"/>
    <path stroke="var(--brand-warp)" d="M11 6v3M11 13v13M21 6v13M21 23v3"/>
  </g>`, "0 0 32 32");

export const bytesIcon = icon(svg`
  <path d="M5 4h9l5 5v11H5z"/><path d="M14 4v5h5"/><path d="M8.5 13v4M12 13h2.5v4H12zM8 13h.5"/>`);

export const proofIcon = icon(svg`
  <path d="M12 3l7.5 2.8v5.4c0 4.6-3.1 8-7.5 9.8-4.4-1.8-7.5-5.2-7.5-9.8V5.8z"/><path d="M8.6 12l2.5 2.5 4.6-4.9"/>`);

export const replayIcon = icon(svg`
  <path d="M4.5 12a7.5 7.5 0 1 1 2.3 5.4"/><path d="M4 20v-4.2h4.2"/><path d="M10.3 9.2l4.4 2.8-4.4 2.8z"/>`);

export const resultIcon = icon(svg`
  <path d="M4 19.5h16"/><path d="M6.5 16v-5M11 16V6M15.5 16V9M19.3 16v-2.5"/>`);

export const provedIcon = icon(svg`<circle cx="12" cy="12" r="8.5"/><path d="M8 12.2l2.8 2.8 5.2-5.6"/>`);

export const agreedIcon = icon(svg`
  <circle cx="8.5" cy="9" r="3"/><circle cx="15.5" cy="9" r="3"/><path d="M3.5 19c.5-3.4 2.4-5 5-5s4.5 1.6 5 5M13.5 14.3c.6-.2 1.3-.3 2-.3 2.6 0 4.5 1.6 5 5"/>`);

export const trustedIcon = icon(svg`
  <circle cx="12" cy="8.2" r="3.7"/><path d="M4.8 20c.7-4 3.5-6 7.2-6s6.5 2 7.2 6" stroke-dasharray="2.6 2.4"/>`);

export const refusedIcon = icon(svg`<circle cx="12" cy="12" r="8.5"/><path d="M9 9l6 6M15 9l-6 6"/>`);

export const silentIcon = icon(svg`<circle cx="12" cy="12" r="8.5" stroke-dasharray="3 2.6"/><path d="M8.5 12h7"/>`);

/** A moon by its planet. */
export const luaIcon = icon(svg`<circle cx="10.5" cy="13.5" r="7"/><circle cx="13.2" cy="10.8" r="2.3"/><circle cx="19.3" cy="4.7" r="1.9"/>`);

/** A crate of code. */
export const wasmIcon = icon(svg`<path d="M12 3l8 4.4v9.2L12 21l-8-4.4V7.4z"/><path d="M4.3 7.6L12 12l7.7-4.4M12 12v8.6"/>`);

/** One line that becomes two. */
export const forkIcon = icon(svg`<path d="M12 21v-7"/><path d="M12 14c0-4-5-4-5-9M12 14c0-4 5-4 5-9"/><path d="M4.5 7L7 4.5 9.5 7M14.5 7L17 4.5 19.5 7"/>`);

export const upIcon = icon(svg`<path d="M6 14.5l6-6 6 6"/>`);
export const downIcon = icon(svg`<path d="M6 9.5l6 6 6-6"/>`);
export const removeIcon = icon(svg`<path d="M7 7l10 10M17 7L7 17"/>`);
