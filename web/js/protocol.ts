/** What the page and the worker say to each other. Bytes cross by transfer, everything else by structured clone. */

import type { PlainError } from "./error.js";
import type {
  CheckQuestion, Comparison, DemoCard, FraudCard, FraudProof, Id, IncludedItem, ItemVerdict, Json, LocalAnswer, LocalScript, LuaAnswer,
  LuaCall, MessageCard, ProcessCard, Receipt, ReceiptFileOptions, SlotMark, SlotResult, SourceHealth, Sources, Summary, SyncOptions, TamperOutcome, Tampering,
  WeftEvent,
} from "./types.js";

/** Every call, its arguments and its answer. */
export interface Calls {
  open: { args: [database: string, webCrypto: boolean]; answer: null };
  sync: { args: [process: Id, sources: Sources, options: SyncOptions]; answer: Summary };
  demo: { args: [archive: Uint8Array<ArrayBuffer>, process: Id | null, options: SyncOptions]; answer: Summary };
  demoProcesses: { args: [archive: Uint8Array<ArrayBuffer>]; answer: DemoCard[] };
  verifyBundle: { args: [bundle: Uint8Array<ArrayBuffer>]; answer: ItemVerdict[] };
  check: { args: [process: Id, question: CheckQuestion]; answer: Comparison };
  include: { args: [process: Id, slot: number, sources: Sources | null, options: SyncOptions]; answer: IncludedItem[] };
  cancel: { args: []; answer: null };
  processes: { args: []; answer: Summary[] };
  process: { args: [process: Id]; answer: ProcessCard | null };
  marks: { args: [process: Id, from: number, limit: number]; answer: SlotMark[] };
  results: { args: [process: Id, from: number, limit: number]; answer: SlotResult[] };
  message: { args: [process: Id, slot: number]; answer: MessageCard | null };
  dryRun: { args: [process: Id, message: Json]; answer: SlotResult };
  runLua: { args: [process: Id, call: LuaCall]; answer: LuaAnswer };
  runScript: { args: [script: Omit<LocalScript, "over">, over: Id | undefined]; answer: LocalAnswer };
  receipt: { args: [process: Id]; answer: Receipt };
  frauds: { args: [process: Id]; answer: FraudProof[] };
  divergence: { args: [process: Id]; answer: Uint8Array<ArrayBuffer> | null };
  health: { args: []; answer: SourceHealth[] };
  slotReceipt: { args: [process: Id, slot: number]; answer: Receipt };
  receiptFile: { args: [process: Id, options: ReceiptFileOptions]; answer: Blob };
  forget: { args: [process: Id]; answer: null };
  setting: { args: [name: string]; answer: Json };
  setSetting: { args: [name: string, value: Json]; answer: null };
  fraudCard: { args: [file: string]; answer: FraudCard };
  tamperings: { args: []; answer: Tampering[] };
  tamper: { args: [archive: Uint8Array<ArrayBuffer>, process: Id | null, id: string]; answer: TamperOutcome };
}

/** The name of a call. */
export type CallName = keyof Calls;

/** From the page: a call. `id` is of the page's choosing and comes back with the answer. */
export type ToWorker = { [N in CallName]: { id: number; call: N; args: Calls[N]["args"] } }[CallName];

/** From the worker. */
export type FromWorker =
  | { kind: "answer"; id: number; answer: unknown }
  | { kind: "refusal"; id: number; error: PlainError }
  | { kind: "event"; id: number; event: WeftEvent }
  | { kind: "fatal"; error: PlainError };
