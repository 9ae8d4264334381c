/** What the tab that has the node and its worker say to each other. */

import type { PlainError } from "../error.js";
import type { NodeRequest } from "./channel.js";
import type { UnsignedItem } from "./node.js";

export type ToNodeWorker = { id: number } & (
  | { call: "open"; database: string; devices: { [name: string]: string } }
  | { call: "answer"; request: NodeRequest }
  | { call: "signer"; database: string }
  | { call: "sign"; database: string; item: Omit<UnsignedItem, "data">; data: Uint8Array<ArrayBuffer> }
  | { call: "module-tags"; format: string }
  | { call: "save" }
);

export type FromNodeWorker =
  | { kind: "answer"; id: number; value: unknown }
  | { kind: "refusal"; id: number; error: PlainError }
  | { kind: "fatal"; error: PlainError };
