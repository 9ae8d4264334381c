/** What is shown, where the API has no type of its own for it. */

import type { MessageCard, Receipt, SlotResult, TamperOutcome, Tampering, WeftError } from "../../web/js/client.js";

export interface Progress {
  done: number;
  total: number | null;
  perSecond: number;
}

export interface SourceFailure {
  url: string;
  code: string;
  sentence: string;
  times: number;
}

/** What is shown of the selected slot. */
export interface SlotView {
  slot: number;
  result: SlotResult | null;
  message: MessageCard | null;
  receipt: Receipt | null;
}

export interface TamperRow {
  tampering: Tampering;
  state: "idle" | "running" | "done";
  outcome?: TamperOutcome;
  error?: WeftError;
}
