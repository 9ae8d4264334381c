/**
 * The address of what is shown, in the fragment of the page's own URL:
 *
 * - `#/` or nothing: the demo; `#/lua`: its process in Lua
 * - `#/process/<id>?scheduler=<url>&gateway=<url>&slot=<n>`: a process; sources repeat
 * - `#/new`: the form for another process, filled from the same query
 */

import type { Sources } from "../../web/js/client.js";

export interface Route {
  page: "demo" | "process" | "new";
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
  const slot = Number.parseInt(parameters.get("slot") ?? "", 10);
  return {
    page: parts[0] === "process" && parts[1] ? "process" : parts[0] === "new" ? "new" : "demo",
    demo: parts[0] === "lua" ? 1 : 0,
    process: parts[0] === "process" ? decodeURIComponent(parts[1] ?? "") : (parameters.get("process") ?? ""),
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
