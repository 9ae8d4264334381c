// A scheduler unit's answers for a history that is at hand, printed before anything is measured.

import { once } from "node:events";
import { createServer } from "node:http";

/** Serves `[message, assignment, message, assignment, …]`: `/{process}?from-nonce=N&limit=N` and `/{process}/latest`. */
export async function serveHistory(items) {
  const slots = items.length / 2;
  const entries = Array.from({ length: slots }, (_, slot) => printed(items[2 * slot], items[2 * slot + 1]));
  let longest = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://scheduler");
    response.writeHead(200, { "content-type": "application/json", "access-control-allow-origin": "*" });
    if (url.pathname.endsWith("/latest")) {
      response.end(entries[slots - 1]);
      return;
    }
    const from = Number(url.searchParams.get("from-nonce")) + 1;
    const edges = entries.slice(from, from + Number(url.searchParams.get("limit")));
    const next = from + edges.length < slots;
    const nodes = edges.map((node, at) => `{"node":${node},"cursor":"${from + at}"}`);
    const body = `{"page_info":{"has_next_page":${next}},"edges":[${nodes}]}`;
    longest = Math.max(longest, body.length);
    response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** The bytes of the longest page that was asked for. */
    longest: () => longest,
    close: () => { server.closeAllConnections(); server.close(); },
  };
}

/** An entry as a scheduler unit prints it when asked for anchors. */
function printed(message, assignment) {
  const common = ({ id, owner, tags, signature }) => ({ id, owner: { address: "", key: owner }, tags, signature });
  return JSON.stringify({
    message: { ...common(message), anchor: message.rawAnchor.toString("utf8"), target: message.target, data: message.rawData.toString("utf8") },
    assignment: { ...common(assignment), anchor: assignment.rawAnchor.toString("base64url"), data: "" },
  });
}
