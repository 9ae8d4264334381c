// A server in front of another one that changes, withholds or refuses answers.

import { once } from "node:events";
import { createServer } from "node:http";

const CORS = {
  "access-control-allow-origin": "*", "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-headers": "*", "access-control-expose-headers": "*",
};

/**
 * Passes requests on to `target`. `change(path, json, body)` gives what a JSON answer becomes; `refuse(path, body)` an answer
 * in its place: `{ status, headers? }`, or nothing.
 */
export async function serveProxy(target, { change = (_path, json) => json, refuse = () => null } = {}) {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (request.method === "OPTIONS") return response.writeHead(204, CORS).end();
    const refused = refuse(request.url, body.toString());
    if (refused) return response.writeHead(refused.status, { ...CORS, ...refused.headers }).end("no");
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method, ...(body.length > 0 ? { body, headers: { "content-type": "application/json" } } : {}),
    });
    const type = answer.headers.get("content-type") ?? "application/octet-stream";
    let bytes = Buffer.from(await answer.arrayBuffer());
    if (type.startsWith("application/json")) {
      bytes = Buffer.from(JSON.stringify(change(request.url, JSON.parse(bytes.toString()), body.toString())));
    }
    return response.writeHead(answer.status, { ...CORS, "content-type": type }).end(bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, close: () => { server.closeAllConnections(); server.close(); } };
}
