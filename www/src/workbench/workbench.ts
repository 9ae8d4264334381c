/** The workbench: processes that live on a node of the reader's own. Views read it and call it. */

import { type AoNode, PageNode, ServedNode, type Tag, type UnsignedItem, WeftError } from "../../../web/js/client.js";
import { offer } from "../offer.js";
import { type Entry, type LocalProcess, Network, type Result } from "./network.js";
import starter from "./starter.lua";
import { watch } from "./watch.js";

/** How often the node is asked for what is new while somebody looks. */
const EVERY_MS = 1000;

/** A message that came since the last look. */
export interface Flight {
  from: string;
  to: string;
  key: string;
}

/** The part of an injected Arweave wallet that signs for AO. */
interface Wallet {
  connect(permissions: string[]): Promise<void>;
  getActiveAddress(): Promise<string>;
  signDataItem(item: object): Promise<ArrayBuffer | Uint8Array>;
}

const wallet = (): Wallet | undefined => (globalThis as { arweaveWallet?: Wallet }).arweaveWallet;

export class Workbench {
  /** Tells the views. */
  readonly changed: () => void;
  #network: Network | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #looking = false;
  #stopWatching: (() => void) | null = null;
  /** Slots whose results are on their way. */
  readonly #asked = new Set<string>();

  state: "closed" | "opening" | "open" | "failed" = "closed";
  error: WeftError | null = null;
  place: AoNode["place"] = "page";
  address = "";
  /** Whether another tab has the node. */
  elsewhere = false;

  processes: LocalProcess[] = [];
  histories = new Map<string, Entry[]>();
  flights: Flight[] = [];
  selected: string | null = null;
  /** The slot that is looked at; `null` follows the newest. */
  at: number | null = null;
  results = new Map<string, Result | WeftError>();

  code = starter;
  name = "Counter";
  file: FileSystemFileHandle | null = null;
  onSave: "spawn" | "eval" = "spawn";
  signer: "page" | "wallet" = "page";
  /** What is being done, as a person would say it. */
  busy = "";
  answer: Result | null = null;

  constructor(changed: () => void) {
    this.changed = changed;
  }

  get hasWallet(): boolean {
    return wallet() !== undefined;
  }

  /** Opens the node: that of the page's server if it has one, else the one in the tab. */
  async open(): Promise<void> {
    if (this.state === "opening" || this.state === "open") return;
    this.state = "opening";
    this.changed();
    try {
      const node = (await ServedNode.at(new URL("./", location.href))) ?? (await PageNode.open());
      this.#network = new Network(node);
      this.place = node.place;
      this.address = await node.address();
      this.state = "open";
      await this.look();
      this.#timer ??= setInterval(() => { if (!document.hidden) void this.look(); }, EVERY_MS);
    } catch (thrown) {
      this.state = "failed";
      this.error = thrown instanceof WeftError ? thrown : new WeftError("crashed", String(thrown));
    }
    this.changed();
  }

  /** Reads what is new, and what it answered. */
  async look(): Promise<void> {
    const network = this.#network;
    if (!network || this.#looking) return;
    this.#looking = true;
    try {
      this.elsewhere = network.node instanceof PageNode && !network.node.leads;
      this.processes = await network.processes();
      const first = this.histories.size === 0;
      const flights: Flight[] = [];
      for (const { id } of this.processes) {
        const known = this.histories.get(id) ?? [];
        const fresh = await network.entries(id, known.at(-1)?.slot ?? -1);
        if (fresh.length === 0) continue;
        this.histories.set(id, [...known, ...fresh]);
        flights.push(...fresh.filter(({ slot }) => slot > 0).map((one) => ({ from: one.from, to: id, key: `${id}/${one.slot}` })));
      }
      if (!first && flights.length > 0) this.flights = flights;
      this.selected ??= this.processes[0]?.id ?? null;
      // Not waited for: a message may run for long.
      void this.#fetchResult();
      if (this.error?.code === "node-absent") this.error = null;
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.#looking = false;
      this.changed();
    }
  }

  get history(): Entry[] {
    return (this.selected && this.histories.get(this.selected)) || [];
  }

  /** The slot that is shown. */
  get shown(): Entry | undefined {
    return this.at === null ? this.history.at(-1) : this.history.find(({ slot }) => slot === this.at);
  }

  resultOf(entry: Entry): Result | WeftError | undefined {
    return this.results.get(`${this.selected}/${entry.slot}`);
  }

  select(process: string): void {
    this.selected = process;
    this.at = null;
    this.answer = null;
    void this.#fetchResult();
    this.changed();
  }

  step(slot: number): void {
    const last = this.history.at(-1)?.slot ?? 0;
    this.at = slot >= last ? null : Math.max(slot, 0);
    this.answer = null;
    void this.#fetchResult();
    this.changed();
  }

  spawn(): Promise<void> {
    return this.#do("Spawning", async (network) => { this.select(await this.#spawn(network)); });
  }

  /** Sends a message, or an Eval, to the selected process. */
  send(tags: Tag[], data: string): Promise<void> {
    return this.#do("Sending", async (network) => {
      if (this.selected) await this.#send(network, this.selected, tags, data);
      this.at = null;
    });
  }

  /** Asks a copy of the selected process. */
  ask(tags: Tag[], data: string): Promise<void> {
    return this.#do("Asking", async (network) => {
      if (this.selected) this.answer = await network.dryRun(this.selected, await this.#owner(network), tags, data);
    });
  }

  /** Gives the history of the selected process to the reader, as a file. */
  save(): Promise<void> {
    return this.#do("Writing the history", async (network) => {
      if (this.selected) offer(await network.history(this.selected), `${this.selected}.ans104`);
    });
  }

  /** Takes in the history of a file: a process that lived elsewhere. */
  takeIn(file: Blob): Promise<void> {
    return this.#do("Proving the history", async (network) => { this.select(await network.takeIn(file)); });
  }

  /** Takes a file's text, and its changes from then on. */
  async load(file: FileSystemFileHandle): Promise<void> {
    this.#stopWatching?.();
    this.file = file;
    this.code = await (await file.getFile()).text();
    this.name = file.name.replace(/\.lua$/, "");
    this.#stopWatching = watch(file, (text) => void this.#saved(text), (why) => {
      this.file = null;
      this.#fail(new WeftError("unreadable", "The file cannot be read any more. Choose it again.", why));
    });
    this.changed();
  }

  /** The file was saved: the selected process gets the new code, or gives way to one that has it. */
  #saved(text: string): Promise<void> {
    this.code = text;
    const { selected } = this;
    if (!selected) return Promise.resolve(this.changed());
    if (this.onSave === "eval") {
      return this.#do("Saved: evaluating it in the process", (network) =>
        this.#send(network, selected, [{ name: "Action", value: "Eval" }], text));
    }
    return this.#do("Saved: spawning it anew, and sending its messages again", async (network) => {
      // What people sent; what processes sent, they send again.
      const messages = this.history.filter(({ slot, sender }) => slot > 0 && sender === null);
      const process = await this.#spawn(network);
      for (const { tags, data } of messages) await this.#send(network, process, tags.filter(({ name }) => !OWN.has(name)), data);
      this.select(process);
    });
  }

  async #spawn(network: Network): Promise<string> {
    const module = await network.node.publishModule(new TextEncoder().encode(this.code), "application/lua");
    const tags = named({
      "Data-Protocol": "ao", Variant: "ao.TN.1", Type: "Process", Module: module, Scheduler: this.address, Name: this.name.trim() || "Process",
      Device: "process@1.0", "Execution-Device": "lua@5.3a", Authority: this.address,
    });
    return this.#write(network, { tags, data: " " });
  }

  async #send(network: Network, target: string, tags: Tag[], data: string): Promise<void> {
    const given = tags.filter(({ name }) => name.trim() !== "");
    await this.#write(network, { target, tags: [...named({ "Data-Protocol": "ao", Variant: "ao.TN.1", Type: "Message" }), ...given], data });
  }

  async #write(network: Network, item: UnsignedItem): Promise<string> {
    const signed = wallet();
    // Two messages with the same content are two messages.
    const anchor = crypto.randomUUID().replaceAll("-", "");
    const raw = this.signer === "wallet" && signed
      ? new Uint8Array(await signed.signDataItem({ ...item, anchor }))
      : (await network.node.sign({ ...item, anchor })).raw;
    return network.write(raw);
  }

  async #owner(network: Network): Promise<string> {
    if (this.signer === "wallet") return (await wallet()?.getActiveAddress()) ?? "";
    return network.node.signer();
  }

  async useWallet(use: boolean): Promise<void> {
    await this.#do("Connecting the wallet", async () => {
      if (use) await wallet()?.connect(["ACCESS_ADDRESS", "SIGN_TRANSACTION"]);
      this.signer = use ? "wallet" : "page";
    });
  }

  async #fetchResult(): Promise<void> {
    const { selected, shown } = this;
    const network = this.#network;
    const key = `${selected}/${shown?.slot}`;
    if (!network || !selected || !shown || this.results.has(key) || this.#asked.has(key)) return;
    this.#asked.add(key);
    try {
      this.results.set(key, await network.result(selected, shown));
    } catch (thrown) {
      this.results.set(key, thrown instanceof WeftError ? thrown : new WeftError("crashed", String(thrown)));
    }
    this.changed();
  }

  async #do(what: string, how: (network: Network) => Promise<void>): Promise<void> {
    const network = this.#network;
    if (!network || this.busy) return;
    this.busy = what;
    this.error = null;
    this.answer = null;
    this.changed();
    try {
      await how(network);
    } catch (thrown) {
      this.#fail(thrown);
    }
    this.busy = "";
    await this.look();
  }

  #fail(thrown: unknown): void {
    this.error = thrown instanceof WeftError ? thrown : new WeftError("crashed", thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** Tags that every message gets when it is sent. */
const OWN = new Set(["Data-Protocol", "Variant", "Type"]);

const named = (tags: { [name: string]: string }): Tag[] => Object.entries(tags).map(([name, value]) => ({ name, value }));
