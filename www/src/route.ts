/**
 * The address of what is shown, in the fragment of the page's own URL:
 *
 * - `#/` or nothing: the demo; `#/lua`: its process in Lua
 * - `#/process/<id>?scheduler=<url>&gateway=<url>&slot=<n>`: a process; sources repeat
 * - `#/own`: processes on a node of one's own
 * - `#/new`: the form for another process, filled from the same query
 */

import type { Sources } from "../../web/js/client.js";

export interface Route {
  page: "demo" | "process" | "new" | "own";
  /** Which of the demo's processes. */
  demo: number;
  process: string;
  sources: Sources;
  slot: number | null;
}

export function parse(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?", 2);
  const parameters = new URLSearchParams(query);
  const parts = path.split("/").filter(Boolean);
  const first = parts[0];
  const slot = Number.parseInt(parameters.get("slot") ?? "", 10);
  return {
    page: first === "process" && parts[1] ? "process" : first === "new" || first === "own" ? first : "demo",
    demo: first === "lua" ? 1 : 0,
    process: first === "process" ? decodeURIComponent(parts[1] ?? "") : (parameters.get("process") ?? ""),
    sources: { schedulers: parameters.getAll("scheduler"), gateways: parameters.getAll("gateway") },
    slot: Number.isSafeInteger(slot) && slot >= 0 ? slot : null,
  };
}

/** The fragment of a process's page. */
export function link(process: string, sources?: Sources): string {
  const query = new URLSearchParams();
  for (const url of sources?.schedulers ?? []) query.append("scheduler", url);
  for (const url of sources?.gateways ?? []) query.append("gateway", url);
  const text = query.toString();
  return `#/process/${encodeURIComponent(process)}${text ? `?${text}` : ""}`;
}
