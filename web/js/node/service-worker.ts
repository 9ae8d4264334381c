/**
 * The service worker: requests for the node's paths below its folder go to the tab that has the node, everything else to the
 * network as if it were not there. It keeps nothing.
 */

import { absent, askNode, readRequest, toResponse } from "./channel.js";
import { nodePath } from "./routes.js";

interface Extendable { waitUntil(work: Promise<unknown>): void }
interface Fetched extends Extendable { request: Request; respondWith(answer: Promise<Response>): void }

const scope = self as unknown as {
  registration: { scope: string };
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetched) => void): void;
};

const database = new URL(self.location.href).searchParams.get("database") ?? "weft";

scope.addEventListener("install", (event) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener("fetch", (event) => {
  const path = nodePath(new URL(event.request.url), new URL(scope.registration.scope));
  if (path !== null) event.respondWith(answer(event.request, path));
});

async function answer(request: Request, path: string): Promise<Response> {
  const response = await askNode(database, await readRequest(request, path));
  return response ? toResponse(response) : absent();
}
