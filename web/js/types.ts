/**
 * The shapes that cross between the page and the node.
 *
 * Conventions, once for all: an *id* is 43 characters of base64url (32 bytes); an *address* is an id or a `0x…` address;
 * times are milliseconds since 1970; sizes are bytes; gas is counted in Weft's own units, the same on every machine,
 * and not comparable with what other compute units report; slots count from 0.
 */

/** 43 characters of base64url. */
export type Id = string;
/** The address of an owner: an {@link Id}, or `0x…`. */
export type Address = string;
/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * Where to look, in order of preference; the next one is asked when one fails. Absolute http or https URLs. Without a
 * scheduler it is looked for by the record it published on Arweave; where none answers, the history is rebuilt from the
 * assignments there.
 */
export interface Sources {
  schedulers: string[];
  gateways: string[];
}

/** How to sync. Everything has a default. */
export interface SyncOptions {
  /** The last slot wanted. Default: as far as the scheduler goes. */
  to?: number;
  /**
   * Signers of assignments you accept beside the address the process names as its scheduler. Each assignment they sign
   * is listed in the receipt as trusted by you. Default: none.
   */
  acceptedSchedulers?: Address[];
  /**
   * Owners you name for a process or a module that is an ECDSA transaction of layer 1. Its id does not bind its fields:
   * without a named owner it is refused with `owner-unproved`. Default: none.
   */
  acceptedOwners?: Address[];
  /** Most memory a process may use, bytes. Default 1 GiB. */
  memoryBytes?: number;
  /** Most gas one message may use. Default 9e12. */
  gas?: number;
  /** Replays a process that asks for cron messages without them; the receipt says so. Default false. */
  withoutCrons?: boolean;
  /** Most time between commits to the store, milliseconds. Default 2000. */
  commitEveryMs?: number;
  /** Most time for one answer of a source, milliseconds. Default 30 000. */
  timeoutMs?: number;
  /** How often every source is tried before a passing failure is final. Default 3. */
  attempts?: number;
  /**
   * How many sources of one kind must say the same of what cannot be proved: where a history ends, what an index lists.
   * Of fewer sources, all. Default: a majority.
   */
  quorum?: number;
  /**
   * Which WebAssembly engines run a wasm process. Default `referee`: the browser's own, and Weft's wasmi runs again every 250th
   * message and each that a commit rests on; a sync stops with `engines-differ` where they do not agree. `reference`: wasmi alone,
   * some thirty times slower. `fast`: the browser's alone. Receipts say which engine made a result.
   */
  engine?: EnginePolicy;
  /** Whether what is proved is replayed too. Default true; a later sync catches up. */
  replay?: boolean;
}

/** See {@link SyncOptions.engine}. */
export type EnginePolicy = "referee" | "reference" | "fast";

/** What was found about one item of a bundle. */
export interface ItemVerdict {
  /** The id that the bundle's header prints. */
  id: Id;
  /** Whether it was proved: its id, and its owner's signature. */
  ok: boolean;
  /** Why it was not: a stable code (docs/errors.md), and a sentence. */
  code?: string;
  message?: string;
}

/** What is known of a process. */
export interface Summary {
  process: Id;
  module: Id;
  /** The modules after it, in the order they run, of a Lua process that lists several. Missing otherwise, and before its first replay. */
  further_modules?: Id[];
  /** The address the process names as its scheduler. */
  scheduler: Address;
  /** What it runs on, by its tags and its module's: `lua` is the device `lua@5.3a`; `null` before its first replay. */
  engine: "wasm" | "lua" | null;
  /** The last verified slot in the store, `null` for none. */
  head: number | null;
  /** The last replayed slot in the store, `null` for none. */
  replayed: number | null;
  /** SHA-256 of the process's memory after that slot. */
  memory_sha256: Id | null;
  /** Gas of all slots up to that one, in the unit of {@link SlotResult.gas}; null before the first replay. */
  gas: number | null;
  /** Slots fetched and verified by this sync; 0 when everything was in the store. */
  verified_now: number;
  /** Slots replayed by this sync; 0 when everything was in the store. */
  replayed_now: number;
  /** Bytes received by this sync. */
  bytes: number;
  /** Requests sent by this sync. */
  requests: number;
  /** How long this sync took, milliseconds. */
  elapsed_ms: number;
}

/** A tag of a message. */
export interface Tag {
  name: string;
  value: string;
}

/** What a process answered at one slot. */
export interface SlotResult {
  slot: number;
  /** The message at this slot. */
  message: Id;
  timestamp: number;
  block_height: number;
  output: Json;
  messages: Json[];
  spawns: Json[];
  assignments: Json[];
  /** The process's own error, if the message failed. */
  error: Json;
  gas: number;
  /** Of a wasm process: what made the result: the browser's WebAssembly (`fast`), wasmi (`reference`), or both, which agreed. */
  ran_on?: "fast" | "reference" | "both";
  /** The message failed, and the state is that of before it. */
  rolled_back: boolean;
  /**
   * The code of a failure below the program: `trap`, `gas-limit`, `memory-limit`, `result-malformed`; of a Lua process `lua-failed`
   * (its function failed), `lua-thrown` (a node breaks on what it returned), `lua-unreadable` (the state holds an integer of more than
   * fifteen digits), `lua-stuck` (an earlier slot stopped the process). After any of the four it never computes again.
   */
  failure: string | null;
  /** This is a second copy of the message at that slot, and was not evaluated again. */
  duplicate_of: number | null;
  /** Of a Lua process: the whole message `results`. Integers beyond 2^53 are decimal texts. */
  results?: Json;
  /** What a Lua slot asked that no history tells: `os.time`, `os.clock`, unseeded randomness. Another node may have got another result. */
  not_replayable?: string[];
  /** The first earlier slot with `not_replayable`: this one went on from its state. */
  follows_not_replayable?: number;
  /** The slot that stopped the process, where `failure` is `lua-stuck`. */
  stopped_at?: number;
}

/** A Lua function over a process's state. */
export interface LuaCall {
  /** The script, text of Lua as Luerl 1.3.0 takes it. */
  script: string;
  /** The name of a global function of the script. It is called as `f(state, request, {})`, as HyperBEAM's `lua@5.3a` does. */
  function: string;
  /** Keys of `request`, beside `path`. Default: none. */
  params?: { [name: string]: Json };
}

/** What a Lua function gave. */
export interface LuaAnswer {
  /** `ok`; or the first of two values that the function returned, such as `error`. */
  status: string;
  /** What it returned. Integers beyond 2^53 are decimal texts. */
  result: Json;
  /** What the script printed. */
  output: string;
  /** The fuel it used, in the unit of {@link SlotResult.gas}. */
  gas: number;
  /** What it asked that the state does not tell, such as `os.time`; absent for nothing. */
  not_replayable?: string[];
}

/** A script of your own, and how it runs. */
export interface LocalScript {
  /** The text of a chunk. What it returns is the answer. */
  script: string;
  /**
   * Whose Lua. `lua53` (the default): Lua 5.3 as its manual has it. `luerl`: Luerl 1.3.0, as every process and function of the device
   * `lua@5.3a` has it.
   */
  profile?: "lua53" | "luerl";
  /** What the chunk gets as `...`; lists and objects become tables. Default: nothing. */
  args?: Json[];
  /** A Lua process that is replayed here: its state comes before `args`, as the chunk's first argument. */
  over?: Id;
  /** Instructions at most. Default 1e10. */
  fuel?: number;
  /** Bytes of memory at most. Default 256 MiB, never more than 1 GiB. */
  memoryBytes?: number;
}

/** What a script gave. */
export interface LocalAnswer {
  /**
   * What it returned. Tables with the keys 1 to n are lists, others objects; integers beyond 2^53 are decimal texts, functions and
   * numbers that are not finite the text Lua shows, bytes that are no text `{ base64url }`.
   */
  values: Json[];
  /** The same values as its Lua prints them. */
  texts: string[];
  /** What it printed. */
  output: string;
  /** The fuel it used, in the unit of {@link SlotResult.gas}. */
  gas: number;
  /** What it asked that its arguments do not tell, such as `os.time`; absent for nothing. */
  not_replayable?: string[];
}

/** A process of a demo archive. */
export interface DemoCard {
  process: Id;
  /** How many slots its history has. */
  slots: number;
  /** What it runs on. */
  engine: "wasm" | "lua";
  tags: Tag[];
}

/** A slot in a few words: what a picture of the history needs. */
export interface SlotMark {
  slot: number;
  /** `ok`; `error`: the process answered with an error; `failed`: it trapped or met a limit; `duplicate`. */
  state: "ok" | "error" | "failed" | "duplicate";
  gas: number;
  messages: number;
  spawns: number;
  assignments: number;
  /** It asked the clock or chance: {@link SlotResult.not_replayable}. */
  not_replayable: boolean;
  /** It went on from the state of one that did: {@link SlotResult.follows_not_replayable}. */
  follows_not_replayable: boolean;
}

/** One check of a receipt. */
export interface Check {
  /** What was checked, by a stable name: `item-signature`, `hash-chain`, … */
  claim: string;
  /** The id it is about. */
  subject: string;
  /** Proved here, agreed by several sources, or taken on trust and from whom. */
  status: CheckStatus;
  /** What it takes to check it again: algorithm, owner, hashes, source. */
  evidence: { [name: string]: string };
  sentence: string;
}

/**
 * Proved; or not provable here and said by `k` of `n` sources that were asked, with those who say otherwise and what they
 * say; or who is trusted for it: `you`, or a source. What is agreed is not proved.
 */
export type CheckStatus =
  | { kind: "proved" }
  | { kind: "agreed"; k: number; n: number; by: string[]; against: string[] }
  | { kind: "trusted"; by: string };

/** What was checked, with the evidence, and what is only trusted. */
export interface Receipt {
  /** What it is about: an id, or `process/slot`. */
  subject: string;
  checks: Check[];
}

/** What a receipt file shall hold. */
export interface ReceiptFileOptions {
  /** This slot alone. Default: the history. */
  slot?: number;
  /** The last slot of the history. Default: the last one in the store. */
  to?: number;
  /** Whether the module is in it, so that the results can be replayed. Default: in a history. */
  module?: boolean;
}

/** A data item's bytes as base64url, or a layer-1 transaction: its JSON without the data, and the data as base64url. */
export type CarrierText = { item: string } | { transaction: { header: Json; data: string } };

/** The JSON of a receipt file. docs/receipts.md. */
export interface ReceiptFile {
  kind: "weft-receipt";
  version: 1;
  /** A process's id, or `process/slot`. */
  subject: string;
  /** The program that made it, with its version. */
  made_by: string;
  scope: { history: { to: number; newest: boolean } } | { slot: number };
  process: CarrierText;
  module?: CarrierText;
  /** The assignment before the slot. */
  previous?: string;
  /** Bytes of items as base64url; `message` is `null` where it is the process. */
  slots: { assignment: string; message: string | null; result: SlotResult | null }[];
  /** When a process began whose slot 0 is a message, by its scheduler's word. */
  origin?: { block_height: number; timestamp: number; source: string };
  /** Signers beside the process's scheduler that its maker accepted. */
  accepted_schedulers?: Address[];
  /** Of the memory after the last slot that has a result. */
  memory_sha256?: Id;
  /** Proofs that items are in a block: `InclusionProof` of docs/receipts.md. */
  inclusions?: Json[];
  /** What several sources were asked, and what each said. */
  agreements?: {
    claim: string; subject: string; asked: number; needed: number; answer: string; answers: { source: string; answer: string }[];
  }[];
  checks: Check[];
  /** Of all text before this line. */
  sha256: Id;
}

/** The stages of a sync, and the writing of a receipt file. */
export type Phase = "process" | "module" | "history" | "verify" | "replay" | "store" | "receipt";

/** What a sync tells while it runs. */
export type WeftEvent =
  /** Another tab of this origin works on the process: this one goes on when that one has `ended`, from where it came to. */
  | { kind: "waiting"; ended: boolean }
  /** How far a phase is. `done` and `total` count slots (bytes for process and module, checks for verify); `per_second` the
   *  same in a second. */
  | { kind: "progress"; phase: Phase; done: number; total: number | null; bytes: number; per_second: number }
  /** The process item is proved. */
  | { kind: "process"; process: Id; module: Id; scheduler: Address }
  /**
   * A module is proved, and what runs the process is ready: once for each of a Lua process that lists several, in their order.
   * `refused`: why the browser's WebAssembly does not run it, where that was asked for.
   */
  | { kind: "module"; module: Id; format: string; bytes: number; engine: string; refused?: string }
  /** Slots were replayed. Sent in bundles, about twenty a second. */
  | { kind: "slots"; slots: SlotMark[] }
  /** A source failed; the next one is tried. */
  | { kind: "source"; url: string; code: string; sentence: string }
  /** How sources are doing: one of them after it failed, all of this session at the end of a sync. */
  | { kind: "health"; sources: SourceHealth[] }
  /** How far a source's history is, and how fresh. */
  | ({ kind: "head" } & HeadSeen)
  /**
   * Sources were asked about something that none of them can prove: `history-complete`, `assignment-listing`,
   * `scheduler-location`, `tip`, `block`. They disagree where `against` is not empty.
   */
  | { kind: "quorum"; claim: string; tally: Tally }
  /** The scheduler signed two assignments for this slot; `proof` is a file that anyone can check. */
  | {
      kind: "fraud"; process: Id; slot: number; scheduler: Address; url: string;
      difference: "message" | "past" | "context" | "id"; proof: FraudProof;
    }
  /** The scheduler was found by the record it published. */
  | { kind: "located"; scheduler: Address; url: string; record: Id; ttl_ms: number }
  /** No scheduler answers: slots `from` to `to` are taken from Arweave. */
  | { kind: "rebuild"; from: number; to: number }
  /** Slots that no gateway has an assignment of, as ranges with both ends; `more` if there are further ones. */
  | { kind: "holes"; slots: [number, number][]; more: boolean }
  /** Everything up to this slot is in the store: what ends now goes on from here. */
  | { kind: "committed"; slot: number }
  /** Earlier answers of a node are gone through, to the first that differs. About ten times a second. */
  | { kind: "comparing"; node: string; done: number; total: number }
  /** A node was compared. */
  | ({ kind: "compared" } & NodeCheck);

/** A proved fraud proof: two assignments of one scheduler for one slot. */
export interface FraudCard {
  scheduler: Address;
  process: Id;
  slot: number;
  /** In what they differ, the gravest first: the message, what they say came before, time or height, only the id. */
  difference: "message" | "past" | "context" | "id";
  sentence: string;
  first: FraudSide;
  second: FraudSide;
  /** Whether the file proves that the process names this signer as its scheduler. */
  named: boolean;
}

/** One assignment of a fraud proof. */
export interface FraudSide {
  assignment: Id;
  message: Id;
  timestamp: number;
  block_height: number;
  hash_chain: Id;
}

/** What {@link Weft.check} is asked. */
export interface CheckQuestion {
  /** The slot whose answer is checked; without it and without `message`, the newest. */
  slot?: number;
  /** Or the message. */
  message?: Id;
  /** The nodes: `URL`, `legacy:URL` for a compute unit, `hyperbeam:URL` for a HyperBEAM node. 1 to 16. */
  nodes: string[];
  /** Goes through the earlier answers even where this one matches. Default false. */
  all?: boolean;
  /** The most earlier slots that are compared per node. Default 10 000. */
  mostSlots?: number;
  /** How long a node may go on saying that it still computes, milliseconds. Default 60 000. */
  patienceMs?: number;
  /** Where to sync what is not stored. Default: nowhere. */
  sources?: Sources;
  /** How to sync, and `timeoutMs` for the nodes too. */
  options?: SyncOptions;
}

/** An item that was found in a block. */
export interface IncludedItem {
  item: Id;
  /** The transaction whose data it is in. */
  transaction: Id;
  /** The height of the block that has the transaction. */
  height: number;
  /** The height of the last header of the proof. */
  head_height: number;
  /** Whether sources agree on that header. If not, it is the word of the gateway that gave the proof. */
  agreed: boolean;
}

/** The answer computed here, and what each node makes of it. */
export interface Comparison {
  process: Id;
  slot: number;
  message: Id;
  result: SlotResult;
  /** In the order asked. */
  nodes: NodeCheck[];
}

/** What came of one node. */
export interface NodeCheck {
  /** Its URL. */
  node: string;
  node_kind: "legacy" | "hyperbeam" | null;
  verdict: CheckVerdict;
  /** The search for the first slot that differs, if there was one. */
  searched: { compared: number; unanswered: number; complete: boolean } | null;
}

/** The same answer; another one, with the first slot at which its answers differ; or none that could be compared. */
export type CheckVerdict =
  | { kind: "match" }
  | { kind: "mismatch"; differences: Difference[]; first: { slot: number; message: Id; differences: Difference[] } }
  | { kind: "silent"; code: string; sentence: string };

/** A place where two answers differ. A side that has nothing there is absent; long values are cut, marked with `…`. */
export interface Difference {
  /** `Output`, `Messages[0].Tags[2].value`, … */
  path: string;
  ours?: Json;
  theirs?: Json;
}

/** What came of asking all sources of a kind the same. */
export interface Tally {
  /** What most say; of equally many, what the source says that stands first. */
  value: string;
  asked: number;
  /** How many must say the same for it to count as agreed. */
  needed: number;
  by: string[];
  /** Who says otherwise, and what. */
  against: { url: string; says: string }[];
  /** Who said nothing, and why. */
  silent: { url: string; code: string; sentence: string }[];
}

/** How a source is doing in this session. */
export interface SourceHealth {
  url: string;
  /** From 0 to 1000; of the best the first in the user's order is asked first. */
  score: number;
  answers: number;
  failures: number;
  /** The code of the last failure. */
  last_failure: string | null;
  /** For how much longer it asked to be left alone, milliseconds; 0 for not. */
  wait_ms: number;
}

/** What a source said of the end of a history. */
export interface HeadSeen {
  url: string;
  of: "scheduler" | "gateway";
  /**
   * `agrees`: it ends where the verified history does; `ahead`: it says that there is more; `behind`: it ends earlier;
   * `differs`: it has another assignment; `silent`: it did not say.
   */
  standing: "agrees" | "ahead" | "behind" | "differs" | "silent";
  slot: number | null;
  assignment: Id | null;
  /** When that slot was assigned, by the scheduler's clock. */
  timestamp: number | null;
  asked_at_ms: number;
  /** How old its head was when it was asked. A quiet process has an old head. */
  age_ms: number | null;
  failure: { url: string; code: string; sentence: string } | null;
}

/** Two assignments that a scheduler signed for one slot: the file that `weft verify` checks. Items in base64url. */
export interface FraudProof {
  kind: "weft-fraud-proof";
  version: 1;
  scheduler: Address;
  process: Id;
  slot: number;
  first: string;
  second: string;
}

/** What is known of a process item itself. */
export interface ProcessCard {
  process: Id;
  owner: Address;
  module: Id;
  scheduler: Address;
  tags: Tag[];
}

/** A message as it stands in the history. */
export interface MessageCard {
  slot: number;
  message: Id;
  assignment: Id;
  owner: Address;
  target: Id | null;
  tags: Tag[];
  /** The data as text, cut after 4 KiB. */
  data: string;
  /** The size of the data, bytes. */
  data_bytes: number;
}

/** A way of changing the demo's history, which the node must refuse. */
export interface Tampering {
  id: string;
  sentence: string;
  /** The code it must be refused with. */
  code: string;
  /** What must be refused: `process`, `module`, `assignment` or `message`. */
  subject: string;
  /** The slot that must be refused; `null` where it is the process or the module. */
  slot: number | null;
}

/** What became of one tampering. */
export interface TamperOutcome {
  id: string;
  /** The code it was refused with, `null` if it was not refused: a fault of ours. */
  code: string | null;
  sentence: string;
  expected: string;
  /** What was refused, as the error says it: `process`, `module`, `assignment` or `message`. */
  subject: string | null;
  /** The slot at which it was refused; `null` where it was the process or the module. */
  slot: number | null;
  /** The state the node had proved before. */
  before: Standing;
  /** The state it holds after the refusal: the same, or it is a fault of ours. */
  after: Standing;
}

/** How far a node is, and the hash of the process's memory there. */
export interface Standing {
  head: number | null;
  replayed: number | null;
  /** The id of the last assignment. */
  assignment: Id | null;
  memory_sha256: Id | null;
}

/** What a cancel did. */
export interface Cancelled {
  /** From asking to having stopped, milliseconds. */
  ms: number;
  /** The worker did not answer in time and was replaced. */
  restarted: boolean;
}
