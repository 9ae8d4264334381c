/** What the workbench reads from a node, and writes to it: the units' own interfaces, over any node. */

import { type AoNode, type Json, type Tag, WeftError } from "../../../web/js/client.js";

export interface LocalProcess {
  id: string;
  name: string;
  owner: string;
  module: string;
}

/** One slot of a process's history. */
export interface Entry {
  slot: number;
  /** The item in it; of slot 0 the process itself. */
  id: string;
  from: string;
  /** The process that sent it, where one did. */
  sender: string | null;
  action: string;
  tags: Tag[];
  data: string;
  timestamp: number;
}

/** What a compute unit answers for a slot. */
export interface Result {
  Output?: Json;
  Messages?: { Target?: string; Tags?: Tag[]; Data?: string }[];
  Spawns?: Json[];
  Error?: Json;
  GasUsed?: number;
}

interface Row {
  message: { id: string; owner: { address: string }; tags: Tag[]; data: string | null } | null;
  assignment: { tags: Tag[] };
}

/** Slots of one page of a history. */
const PAGE = 100;

export const tagOf = (tags: Tag[], name: string): string | undefined =>
  tags.find((tag) => tag.name.toLowerCase() === name.toLowerCase())?.value;

export class Network {
  readonly node: AoNode;

  constructor(node: AoNode) {
    this.node = node;
  }

  /** The processes of the node's scheduler, oldest first. */
  async processes(): Promise<LocalProcess[]> {
    const query = `query { transactions(tags: [{ name: "Type", values: ["Process"] }], sort: HEIGHT_ASC, first: 100) {
      edges { node { id owner { address } tags { name value } } } } }`;
    const answer = await this.#json<{ data: { transactions: { edges: { node: { id: string; owner: { address: string }; tags: Tag[] } }[] } } }>(
      "/gateway/graphql", post({ query, variables: {} }));
    return answer.data.transactions.edges.map(({ node: { id, owner, tags } }) =>
      ({ id, owner: owner.address, name: tagOf(tags, "Name") ?? "", module: tagOf(tags, "Module") ?? "" }));
  }

  /** The slots after this one; from the first on after -1. */
  async entries(process: string, after: number): Promise<Entry[]> {
    const list: Entry[] = [];
    for (let last = after, more = true; more;) {
      const page = await this.#json<{ page_info: { has_next_page: boolean }; edges: { node: Row }[] }>(
        `/su/${process}?from-nonce=${last}&limit=${PAGE}`);
      list.push(...page.edges.map(({ node }) => entry(process, node)));
      last = list.at(-1)?.slot ?? last;
      more = page.page_info.has_next_page;
    }
    return list;
  }

  /** What the process answered to the item of a slot. It is computed now, if it was not. */
  result(process: string, { id }: Entry): Promise<Result> {
    return this.#json<Result>(`/cu/result/${id}?process-id=${process}`);
  }

  /** What it would answer. Nothing is written. */
  dryRun(process: string, owner: string, tags: Tag[], data: string): Promise<Result> {
    const message = { Id: "0".repeat(43), Target: process, Owner: owner, From: owner, Tags: tags, Data: data, Anchor: "0" };
    return this.#json<Result>(`/cu/dry-run?process-id=${process}`, post(message));
  }

  /** Gives a signed item to the messenger. */
  async write(raw: Uint8Array<ArrayBuffer>): Promise<string> {
    const headers = { "content-type": "application/octet-stream" };
    return (await this.#json<{ id: string }>("/mu/", { method: "POST", headers, body: raw })).id;
  }

  /** The history of a process as a file: signed items, which any node proves and replays. */
  async history(process: string): Promise<Blob> {
    const answer = await this.node.fetch(`/gateway/history/${process}`);
    if (!answer.ok) await this.#refuse(answer);
    return answer.blob();
  }

  /** Takes in the history of a file, once the node has proved it; the process it is of. */
  async takeIn(file: Blob): Promise<string> {
    const headers = { "content-type": "application/octet-stream" };
    const body = await file.arrayBuffer();
    return (await this.#json<{ process: string }>("/gateway/history", { method: "POST", headers, body })).process;
  }

  async #json<T>(path: string, init?: RequestInit): Promise<T> {
    const answer = await this.node.fetch(path, init);
    const body: unknown = answer.ok ? await answer.json().catch(() => null) : null;
    return body === null ? this.#refuse(answer) : body as T;
  }

  async #refuse(answer: Response): Promise<never> {
    const body: unknown = answer.bodyUsed ? null : await answer.json().catch(() => null);
    const { error, code, message } = (body ?? {}) as { error?: string; code?: string; message?: string };
    throw new WeftError(code ?? "source-status", error ?? message ?? `The node answered with the status ${answer.status}.`);
  }
}

const post = (body: unknown): RequestInit =>
  ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

function entry(process: string, { message, assignment }: Row): Entry {
  const { tags = [], id = process, owner, data } = message ?? {};
  return {
    slot: Number(tagOf(assignment.tags, "Nonce")), id, tags, data: data ?? "",
    from: tagOf(tags, "From-Process") ?? owner?.address ?? "", sender: tagOf(tags, "From-Process") ?? null,
    action: tagOf(tags, "Action") ?? tagOf(tags, "Type") ?? "", timestamp: Number(tagOf(assignment.tags, "Timestamp")),
  };
}
