/** What the tab that has the node and its worker say to each other. */

import type { PlainError } from "../error.js";
import type { NodeRequest } from "./channel.js";

export type ToNodeWorker = { id: number } & (
  | { call: "open"; database: string }
  | { call: "answer"; request: NodeRequest }
  | { call: "publish"; bytes: Uint8Array<ArrayBuffer>; format: string }
  | { call: "save" }
);

export type FromNodeWorker =
  | { kind: "answer"; id: number; value: unknown }
  | { kind: "refusal"; id: number; error: PlainError }
  | { kind: "fatal"; error: PlainError };
