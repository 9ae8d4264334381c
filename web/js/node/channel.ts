/**
 * How tabs and the service worker reach the one tab that has the node: a broadcast channel of the origin. Requests and answers are
 * whole; bytes are copied.
 */

/** A request to the node. `url` is path and query. */
export interface NodeRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer>;
}

/** Its answer. */
export interface NodeResponse {
  status: number;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer>;
}

/** On the channel. */
type Said =
  | { kind: "ask"; id: string; request: NodeRequest }
  | { kind: "heard"; id: string }
  | { kind: "answer"; id: string; response: NodeResponse };

/** How long the tab that has the node may take to say that it heard a request. A tab that takes over may open its worker first. */
const HEARD_MS = 10_000;

const nameOf = (database: string): string => `weft-node ${database}`;

/** Answers what others ask, for as long as this tab has the node. */
export function answerOthers(database: string, answer: (request: NodeRequest) => Promise<NodeResponse>): () => void {
  const channel = new BroadcastChannel(nameOf(database));
  // Whoever is impatient asks again: each is answered once.
  const heard = new Set<string>();
  channel.onmessage = async ({ data }: MessageEvent<Said>) => {
    if (data.kind !== "ask" || heard.has(data.id)) return;
    heard.add(data.id);
    channel.postMessage({ kind: "heard", id: data.id } satisfies Said);
    const response = await answer(data.request);
    channel.postMessage({ kind: "answer", id: data.id, response } satisfies Said);
    heard.delete(data.id);
  };
  return () => channel.close();
}

/** Asks the tab that has the node. `null` where no tab has it. */
export function askNode(database: string, request: NodeRequest): Promise<NodeResponse | null> {
  const channel = new BroadcastChannel(nameOf(database));
  const id = crypto.randomUUID();
  return new Promise<NodeResponse | null>((resolve) => {
    // Asked again until somebody hears it: a tab that is about to take over listens only then.
    const ask = (): void => channel.postMessage({ kind: "ask", id, request } satisfies Said);
    const again = setInterval(ask, 500);
    const late = setTimeout(() => { clearInterval(again); resolve(null); }, HEARD_MS);
    channel.onmessage = ({ data }: MessageEvent<Said>) => {
      if (data.kind === "ask" || data.id !== id) return;
      // From here on only the answer matters: evaluating may take long.
      clearInterval(again);
      clearTimeout(late);
      if (data.kind === "answer") resolve(data.response);
    };
    ask();
  }).finally(() => channel.close());
}

/** A `Request` as the node reads it. */
export async function readRequest(request: Request, url: string): Promise<NodeRequest> {
  const headers: [string, string][] = [...request.headers];
  const body = new Uint8Array(await request.arrayBuffer());
  return { method: request.method, url, headers, body };
}

/** The node's answer as a `Response`. */
export function toResponse({ status, headers, body }: NodeResponse): Response {
  const shown = new Headers();
  for (const [name, value] of headers) {
    // What HTTP forbids in a header cannot be shown as one.
    try { shown.append(name, value); } catch { continue; }
  }
  const bodiless = [101, 204, 205, 304].includes(status);
  return new Response(bodiless ? null : body, { status, headers: shown });
}

/** Where no tab has the node. */
export function absent(): Response {
  const body = { code: "node-absent", message: "No tab of this origin runs the node. Open the app, and ask again." };
  return Response.json(body, { status: 503, headers: { "cache-control": "no-store", "access-control-allow-origin": "*" } });
}
