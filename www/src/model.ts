/** Everything the page knows, and everything it can do. Views read it and call it; nothing else holds state. */

import { Weft, WeftError } from "../../web/js/client.js";
import type {
  Cancelled, DemoCard, EnginePolicy, Phase, ProcessCard, Receipt, SlotMark, Sources, Summary, WeftEvent,
} from "../../web/js/client.js";
import { UNPROVED } from "./advice.js";
import { type Balance, question, read as readBalances } from "./balances.js";
import { Ask } from "./ask.js";
import { Check } from "./check.js";
import { link, parse, type Route } from "./route.js";
import { Said } from "./said.js";
import type { Progress, SlotView, SourceFailure, TamperRow } from "./shown.js";
import { Workbench } from "./workbench/workbench.js";

const NO_SOURCES: Sources = { schedulers: [], gateways: [] };

export class Model extends EventTarget {
  route: Route = parse(location.hash);
  weft: Weft | null = null;

  /** The process that is shown. */
  process: string | null = null;
  demo = false;
  /** Sources and accepted signers of the shown process, as edited; kept in settings. */
  sources: Sources = NO_SOURCES;
  accepted: string[] = [];

  card: ProcessCard | null = null;
  summary: Summary | null = null;
  /** What the last sync of the shown process did, in this visit. */
  synced: Summary | null = null;
  marks: SlotMark[] = [];
  verified = 0;
  receipt: Receipt | null = null;
  balances: Balance[] | null = null;
  slot: SlotView | null = null;
  /** Other nodes' answers beside the one of the shown slot. */
  readonly check = new Check(this);
  /** Code that is run on a copy of the shown process. */
  readonly ask = new Ask(this);
  /** What the sources of the shown process say, and how they do. */
  readonly said = new Said(this);
  /** Processes on a node of the reader's own. */
  readonly workbench = new Workbench(() => this.changed());

  running = false;
  cancelling = false;
  phases = new Map<Phase, Progress>();
  received = 0;
  failures: SourceFailure[] = [];
  error: WeftError | null = null;
  /** The slot that was refused. */
  refused: number | null = null;
  lastCancel: Cancelled | null = null;
  /** How the shown state came to be: nothing yet, from the store alone, or after a sync. */
  origin: "none" | "stored" | "synced" = "none";
  /** The receipt file that is being written: of a slot, or of the history. */
  writing: { slot: number | null; done: number; total: number } | null = null;
  /** The slot whose items are being looked for in blocks. */
  including: number | null = null;
  /** Said to screen readers when a phase ends. */
  announcement = "";
  /** Another tab works on this process, and this one waits for it. */
  waiting = false;

  stored: Summary[] = [];
  /** The demo's processes, as its archive has them. */
  demos: DemoCard[] = [];
  localNetwork = false;
  /** Which WebAssembly engines run a process: the user's choice, for every process. */
  engine: EnginePolicy = "referee";
  /** Why the browser's WebAssembly does not run the shown process. */
  refusedModule: string | null = null;
  tampers: TamperRow[] = [];

  #archive: Uint8Array | null = null;
  /** The process that the form's button was pressed for. */
  #wish: string | null = null;
  /** The fragment that `go` read last. */
  #shown = "";
  #scheduled = false;
  /** Which call of `go` is the newest: an older one that still waits for something gives way. */
  #turn = 0;

  /** Tells the views, once a frame at most. */
  changed(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const tell = (): void => {
      this.#scheduled = false;
      this.dispatchEvent(new Event("change"));
    };
    // A hidden tab gets no frames, and still has to finish.
    if (document.hidden) setTimeout(tell, 100);
    else requestAnimationFrame(tell);
  }

  async start(): Promise<void> {
    if (this.route.page === "new") this.#fillForm(this.route);
    void this.#findLocalNetwork();
    try {
      this.weft = await Weft.open();
      this.demos = await this.#demoCards(this.weft);
      await this.check.open();
      const engine = await this.weft.setting("engine").catch(() => null);
      if (engine === "reference" || engine === "fast") this.engine = engine;
      await this.#listStored();
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    // What was asked for meanwhile is in the fragment by now.
    addEventListener("hashchange", () => {
      // The event comes after the change, perhaps when what it tells of is shown already: to begin again would stop it.
      if (location.hash !== this.#shown) void this.go();
    });
    await this.go();
  }

  /** Shows what the URL names. */
  async go(): Promise<void> {
    const turn = ++this.#turn;
    this.#shown = location.hash;
    const route = parse(this.#shown);
    const before = this.route;
    this.route = route;
    if (route.page !== "process" || route.process !== this.#wish) this.#wish = null;
    if (route.page === "own") {
      void this.workbench.open();
      this.changed();
      return;
    }
    if (route.page === "new") {
      if (before.page !== "new") this.#fillForm(route);
      this.changed();
      return;
    }
    if (this.running) await this.cancel();
    await this.check.stop();
    await this.ask.stop();
    if (turn !== this.#turn) return;
    if (route.page === "demo") await this.#openDemo(route, turn);
    else await this.#openProcess(route, turn);
    if (route.slot !== null && turn === this.#turn) await this.select(route.slot);
  }

  // --- what is shown -----------------------------------------------------------------------------------

  async #openDemo(route: Route, turn: number): Promise<void> {
    this.#reset(this.demos[route.demo]?.process ?? null, true);
    await this.#showStored();
    if (turn === this.#turn) await this.runDemo();
  }

  async #openProcess(route: Route, turn: number): Promise<void> {
    this.#reset(route.process, this.demos.some(({ process }) => process === route.process));
    const weft = this.#node();
    const kept = (await weft.setting(`sources/${route.process}`).catch(() => null)) as Sources | null;
    const accepted = (await weft.setting(`accepted/${route.process}`).catch(() => null)) as string[] | null;
    if (turn !== this.#turn) return;
    const named = route.sources.schedulers.length + route.sources.gateways.length > 0;
    this.sources = named ? route.sources : (kept ?? NO_SOURCES);
    this.accepted = accepted ?? [];
    this.changed();
    await this.#showStored();
    if (turn !== this.#turn) return;
    // Opening what is stored asks nobody; the form's button and a link that names sources are a wish to sync.
    if (named || this.#wish !== null) await this.sync();
    else if (this.demo) await this.runDemo();
  }

  #reset(process: string | null, demo: boolean): void {
    if (!demo || process !== this.process) this.tampers = [];
    Object.assign(this, {
      process, demo, sources: NO_SOURCES, accepted: [], card: null, summary: null, synced: null, marks: [], verified: 0, receipt: null,
      balances: null, slot: null, phases: new Map(), received: 0, failures: [], error: null, refused: null, refusedModule: null,
      lastCancel: null, origin: "none", announcement: "",
    });
    this.ask.reset();
    this.check.reset();
    this.said.reset();
    this.changed();
  }

  /** Reads what the store holds of the shown process. */
  async #showStored(): Promise<boolean> {
    const weft = this.#node();
    const { process } = this;
    if (!process) return false;
    try {
      const summary = (await weft.processes()).find((known) => known.process === process) ?? null;
      if (!summary) return false;
      const [card, marks, receipt] = await Promise.all([
        weft.process(process), weft.marks(process), weft.receipt(process).catch(() => null),
      ]);
      if (this.process !== process) return false;
      Object.assign(this, { summary, card, receipt, verified: summary.head === null ? 0 : summary.head + 1 });
      this.marks = [];
      for (const mark of marks) this.marks[mark.slot] = mark;
      if (this.origin === "none") this.origin = "stored";
      await this.said.stored(process);
      if (this.demo) await this.askBalances();
      this.changed();
      return true;
    } catch (thrown) {
      this.#fail(thrown);
      return false;
    }
  }

  async select(slot: number): Promise<void> {
    const { process } = this;
    if (!process || slot < 0) return;
    this.slot = { slot, result: null, message: null, receipt: null };
    this.changed();
    const weft = this.#node();
    const [results, message, receipt] = await Promise.all([
      weft.results(process, { from: slot, limit: 1 }).catch(() => []),
      weft.message(process, slot).catch(() => null),
      weft.slotReceipt(process, slot).catch(() => null),
    ]);
    if (this.slot?.slot !== slot || this.process !== process) return;
    this.slot = { slot, result: results[0]?.slot === slot ? results[0] : null, message, receipt };
    this.changed();
  }

  async askBalances(): Promise<void> {
    const { process, card } = this;
    if (!process) return;
    try {
      const balances = readBalances(await this.#node().dryRun(process, question(card?.owner ?? "")));
      if (this.process === process) this.balances = balances;
    } catch {
      // Most processes are no tokens; without an answer there is no picture.
      this.balances = null;
    }
    this.changed();
  }

  // --- what is done ------------------------------------------------------------------------------------

  async runDemo(): Promise<void> {
    const { process } = this;
    await this.#run(async (weft, listen) => weft.demo(await this.#demoArchive(), { process, engine: this.engine }, listen));
    if (this.demo && this.tampers.length === 0) await this.#listTampers();
  }

  async sync(options: { withoutCrons?: boolean } = {}): Promise<void> {
    const { process, sources, accepted } = this;
    if (!process) return;
    await this.#run(async (weft, listen) => {
      await weft.setSetting(`sources/${process}`, sources as never);
      return weft.sync(process, sources, { acceptedSchedulers: accepted, engine: this.engine, ...options }, listen);
    });
  }

  async #run(work: (weft: Weft, listen: (event: WeftEvent) => void) => Promise<Summary>): Promise<void> {
    const turn = this.#turn;
    if (this.check.running) await this.check.stop();
    await this.ask.stop();
    // Whoever went elsewhere meanwhile wants something else, here and when the work has ended.
    if (this.running || turn !== this.#turn) return;
    this.#wish = null;
    Object.assign(this, { running: true, error: null, refused: null, failures: [], lastCancel: null, received: 0 });
    this.phases = new Map();
    this.waiting = false;
    this.said.begin();
    this.changed();
    try {
      const synced = await work(this.#node(), (event) => this.#hear(event));
      if (turn === this.#turn) {
        this.process = synced.process;
        this.synced = this.summary = synced;
        this.origin = synced.verified_now + synced.replayed_now > 0 ? "synced" : "stored";
      }
    } catch (thrown) {
      if (turn === this.#turn) this.#fail(thrown);
    }
    this.running = false;
    this.waiting = false;
    this.cancelling = false;
    await this.#listStored();
    if (turn !== this.#turn) {
      this.changed();
      return;
    }
    const { error } = this;
    // Nobody knows since when the engine erred: what is not stored is not shown.
    if (error?.code === "engines-differ") Object.assign(this, { marks: [], verified: 0 });
    await this.#showStored();
    this.error = error ?? this.error;
    if (!error) this.announcement = `Done: ${this.verified} slots proved and replayed.`;
    if (this.slot) await this.select(this.slot.slot);
    this.changed();
  }

  /** Stops the sync. */
  async cancel(): Promise<void> {
    if (!this.running || !this.weft) return;
    this.cancelling = true;
    this.changed();
    try {
      this.lastCancel = await this.weft.cancel();
    } catch (thrown) {
      this.#fail(thrown);
    }
    dispatchEvent(new CustomEvent("weft-cancelled", { detail: this.lastCancel }));
    this.changed();
  }

  /** Asks the gateways for the places of the shown slot's items in blocks. */
  async include(): Promise<void> {
    const { process, slot, demo } = this;
    if (!process || !slot || this.including !== null || this.running) return;
    this.including = slot.slot;
    this.error = null;
    this.changed();
    try {
      const sources = demo ? null : this.sources;
      // A worker that took another's place does not know the demo yet; what is stored is not done again.
      if (demo) await this.#node().demo(await this.#demoArchive(), { process, engine: this.engine });
      await this.#node().include(process, slot.slot, sources, {}, (event) => this.#hear(event));
      if (this.process === process) this.receipt = await this.#node().receipt(process);
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.including = null;
    }
    if (this.slot?.slot === slot.slot) await this.select(slot.slot);
    this.changed();
  }

  /** The receipt file of a slot, or of the history; `null` if it could not be made. */
  async receiptFile(slot: number | null): Promise<Blob | null> {
    const { process } = this;
    if (!process || this.writing) return null;
    this.writing = { slot, done: 0, total: 0 };
    this.changed();
    try {
      return await this.#node().receiptFile(process, slot === null ? {} : { slot }, (event) => {
        if (event.kind === "progress") this.writing = { slot, done: event.done, total: event.total ?? 0 };
        this.changed();
      });
    } catch (thrown) {
      this.#fail(thrown);
      return null;
    } finally {
      this.writing = null;
      this.changed();
    }
  }

  /** Forgets a process; the demo then runs again from nothing. */
  async forget(process: string): Promise<void> {
    if (this.running) await this.cancel();
    await this.check.stop();
    await this.ask.stop();
    try {
      const weft = this.#node();
      await weft.forget(process);
      await weft.setSetting(`sources/${process}`, null);
      await weft.setSetting(`accepted/${process}`, null);
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    await this.#listStored();
    if (this.process !== process) return;
    const again = this.demo;
    this.#reset(process, again);
    if (again) await this.runDemo();
  }

  /** Accepts a signer the process does not name. Only ever after the user's confirmation. */
  async accept(address: string): Promise<void> {
    const { process } = this;
    if (!process || this.accepted.includes(address)) return;
    this.accepted = [...this.accepted, address];
    await this.#node().setSetting(`accepted/${process}`, this.accepted);
    await this.sync();
  }

  async unaccept(address: string): Promise<void> {
    this.accepted = this.accepted.filter((other) => other !== address);
    if (this.process) await this.#node().setSetting(`accepted/${this.process}`, this.accepted);
    this.changed();
  }

  /** Chooses the WebAssembly engines of the next sync. */
  async setEngine(engine: EnginePolicy): Promise<void> {
    this.engine = engine;
    this.changed();
    await this.weft?.setSetting("engine", engine).catch((thrown) => this.#fail(thrown));
  }

  /** What both engines made of the message at which they differed; `null` if they never did. */
  async divergence(): Promise<Blob | null> {
    const asked = this.process === null ? null : this.weft?.divergence(this.process);
    const bytes = await asked?.catch((thrown) => this.#fail(thrown));
    return bytes ? new Blob([bytes], { type: "application/octet-stream" }) : null;
  }

  setSources(sources: Sources): void {
    this.sources = sources;
    this.changed();
  }

  /** Leaves the form for the process it names. */
  submit(process: string): void {
    this.#wish = process;
    if (!this.weft) {
      location.hash = link(process, this.sources);
      return;
    }
    const target = link(process, this.sources);
    if (location.hash === target) void this.go();
    else location.hash = target;
  }

  // --- the tamper panel --------------------------------------------------------------------------------

  async #listTampers(): Promise<void> {
    try {
      const list = await this.#node().tamperings();
      this.tampers = list.map((tampering) => ({ tampering, state: "idle" }));
    } catch (thrown) {
      this.#fail(thrown);
    }
    this.changed();
  }

  async tamper(id: string): Promise<void> {
    const row = this.tampers.find(({ tampering }) => tampering.id === id);
    if (!row || row.state === "running") return;
    delete row.outcome;
    delete row.error;
    row.state = "running";
    this.changed();
    try {
      row.outcome = await this.#node().tamper(await this.#demoArchive(), id, { process: this.process });
    } catch (thrown) {
      row.error = asWeftError(thrown);
    }
    row.state = "done";
    this.changed();
  }

  async tamperAll(): Promise<void> {
    for (const { tampering } of this.tampers) await this.tamper(tampering.id);
  }

  // --- inside ------------------------------------------------------------------------------------------

  #node(): Weft {
    if (!this.weft) throw new WeftError("request-invalid", "The node is not open yet.");
    return this.weft;
  }

  /** The demo's processes; none where its archive is missing, which running it tells. */
  async #demoCards(weft: Weft): Promise<DemoCard[]> {
    try {
      return await weft.demoProcesses(await this.#demoArchive());
    } catch {
      return [];
    }
  }

  async #demoArchive(): Promise<Uint8Array> {
    if (this.#archive) return this.#archive;
    const response = await fetch(new URL("demo.bin", document.baseURI)).catch((cause: unknown) => {
      throw new WeftError("source-unreachable", "The demo's archive is not beside this page.", String(cause));
    });
    if (!response.ok) {
      throw new WeftError("source-status", `The demo's archive is not beside this page: status ${response.status}.`);
    }
    this.#archive = new Uint8Array(await response.arrayBuffer());
    return this.#archive;
  }

  async #listStored(): Promise<void> {
    try {
      this.stored = await this.#node().processes();
    } catch (thrown) {
      this.#fail(thrown);
    }
    this.changed();
  }

  #fillForm(route: Route): void {
    this.#reset(route.process || null, false);
    this.sources = route.sources;
  }

  #fail(thrown: unknown): void {
    this.error = asWeftError(thrown);
    const { code, fields } = this.error;
    const slot = code === "slot-missing" ? fields["wanted"] : fields["slot"];
    this.refused = slot !== undefined && UNPROVED.has(code) ? Number(slot) : null;
    this.announcement = this.error.message;
    this.changed();
  }

  #hear(event: WeftEvent): void {
    switch (event.kind) {
      case "waiting":
        this.waiting = !event.ended;
        if (this.waiting) this.announcement = WAITING;
        break;
      case "progress": {
        const { phase, done, total, per_second: perSecond } = event;
        this.phases.set(phase, { done, total, perSecond });
        this.received = Math.max(this.received, event.bytes);
        if (total !== null && done === total && total > 0) this.announcement = `${PHASE_DONE[phase]} ${done} of ${total}.`;
        break;
      }
      case "process":
        this.process = event.process;
        this.card ??= { process: event.process, module: event.module, scheduler: event.scheduler, owner: "", tags: [] };
        break;
      case "module":
        this.refusedModule = event.refused ?? null;
        break;
      case "slots":
        for (const mark of event.slots) {
          this.marks[mark.slot] = mark;
          this.verified = Math.max(this.verified, mark.slot + 1);
        }
        break;
      case "source": {
        const { url, code, sentence } = event;
        const known = this.failures.find((failure) => failure.url === url && failure.code === code);
        if (known) known.times += 1;
        else this.failures.push({ url, code, sentence, times: 1 });
        break;
      }
      default:
        this.said.hear(event);
    }
    this.changed();
  }

  /** `weft serve` has a local network beside the page. Only a page on this machine looks for one. */
  async #findLocalNetwork(): Promise<void> {
    if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname)) return;
    try {
      const answer = await fetch(new URL("su/", document.baseURI), { headers: { accept: "application/json" } });
      this.localNetwork = answer.ok && (answer.headers.get("content-type") ?? "").includes("json");
    } catch {
      this.localNetwork = false;
    }
    this.changed();
  }

  /** Whether the shown process is one for `lua@5.3a`. */
  isLua(): boolean {
    const engine = this.summary?.engine ?? this.demos.find(({ process }) => process === this.process)?.engine;
    return engine === "lua";
  }

  /** The local network's own addresses. */
  localSources(): Sources {
    const at = (path: string): string => new URL(path, document.baseURI).href.replace(/\/$/, "");
    return { schedulers: [at("su/")], gateways: [at("gateway/")] };
  }
}

const WAITING = "Another tab works on this process. This one goes on when that one is done.";
const PHASE_DONE: { [phase in Phase]: string } = {
  process: "Process proved:", module: "Module proved:", history: "History fetched:", verify: "Checks made:",
  replay: "Slots replayed:", store: "Stored:", receipt: "Receipt written:",
};

export function asWeftError(thrown: unknown): WeftError {
  if (thrown instanceof WeftError) return thrown;
  return new WeftError("crashed", thrown instanceof Error ? thrown.message : String(thrown));
}
