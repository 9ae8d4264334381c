/** Code over a copy of the shown process: a prompt that evaluates lines, and a function over its state. The views read it. */

import { WeftError } from "../../web/js/client.js";
import type { Json, LocalAnswer, LuaAnswer, SlotResult } from "../../web/js/client.js";
import { plain } from "./format.js";
import { asWeftError, type Model } from "./model.js";

/** How a line is evaluated: by the process itself, by its own Lua over its state, or by standard Lua 5.3, as a script of the reader's. */
export type Way = "eval" | "state" | "local";

/** A line that was asked, and what came of it. */
export interface Line {
  way: Way;
  input: string;
  /** Said and printed; `null` while it runs. */
  output: string | null;
  /** What the process said against it, or what Weft did. */
  error: { code: string; message: string } | null;
  /** The process answered as to any message it does not know. */
  unknown: boolean;
  messages: Json[];
  gas: number;
  notReplayable: string[];
}

/** Lines that are kept on the page. */
const MOST_LINES = 200;

/** The text that is there at first: it fits the demo's token. */
const SCRIPT = `-- Adds up what everybody has.
-- Amounts are texts, since a number of more than fifteen digits
-- stops a HyperBEAM process; so they are counted digit by digit.
local function whole(text)
  local n = 0
  for i = 1, #text do n = n * 10 + string.byte(text, i) - 48 end
  return n
end

function sum(state, request)
  local total, holders = 0, 0
  for _, balance in pairs(state.balances) do
    total = total + whole(balance)
    holders = holders + 1
  end
  return {
    holders = holders,
    ["sum of balances"] = tostring(total),
    supply = state.supply,
    ["nothing lost"] = tostring(total) == state.supply,
  }
end
`;

export class Ask {
  /** What runs now. */
  running: "line" | "function" | null = null;
  /** A cancel is on its way. */
  stopping = false;

  /** What the user chose; `null` for nothing yet. */
  way: Way | null = null;
  lines: Line[] = [];
  input = "";

  script = SCRIPT;
  name = "sum";
  params = "";
  answer: LuaAnswer | null = null;
  error: WeftError | null = null;
  /** How long the last function took, milliseconds. */
  took = 0;

  /** Where ArrowUp has come to: the last line is 1; 0 is what was typed. */
  #recalled = 0;
  #typed = "";
  readonly #model: Model;

  constructor(model: Model) {
    this.#model = model;
  }

  /** For another process. */
  reset(): void {
    Object.assign(this, { lines: [], input: "", answer: null, error: null, way: null });
    this.#recalled = 0;
  }

  /** Whether something can be asked now. */
  ready(): boolean {
    const { summary, running, check } = this.#model;
    return summary?.replayed != null && !running && !check.running && this.running === null;
  }

  /** How a line can be evaluated in this process, the likeliest first: every Lua process has a state, and few have an `Eval`. */
  ways(): Way[] {
    return this.#model.isLua() ? ["state", "local", "eval"] : ["eval", "local"];
  }

  choose(way: Way): void {
    this.way = way;
    this.#model.changed();
  }

  /** The way in force. */
  inForce(): Way {
    const ways = this.ways();
    return ways.find((way) => way === this.way) ?? ways[0] ?? "eval";
  }

  type(text: string): void {
    this.input = text;
    this.#recalled = 0;
  }

  /** The line before (1) or after (-1) the one that is shown, which takes its place. */
  recall(step: 1 | -1): string {
    const next = this.#recalled + step;
    if (next < 0 || next > this.lines.length) return this.input;
    if (this.#recalled === 0) this.#typed = this.input;
    this.#recalled = next;
    this.input = next === 0 ? this.#typed : (this.lines.at(-next)?.input ?? "");
    this.#model.changed();
    return this.input;
  }

  /** Evaluates what is typed on a copy of the state after the last slot. */
  async line(): Promise<void> {
    const input = this.input.trim();
    const { weft, process } = this.#model;
    if (input === "" || !weft || !process || !this.ready()) return;
    const way = this.inForce();
    const line: Line = { way, input, output: null, error: null, unknown: false, messages: [], gas: 0, notReplayable: [] };
    this.lines = [...this.lines, line].slice(-MOST_LINES);
    this.type("");
    await this.#run("line", async () => {
      if (way === "eval") fill(line, await weft.dryRun(process, evaluation(process, this.#model, input)));
      else if (way === "local") print(line, await this.#local(process, input));
      else show(line, await this.#overState(process, input));
    }, (error) => {
      line.error = error;
      line.output = error.fields["output"]?.trimEnd() ?? null;
    });
    line.output ??= "";
    this.#model.announcement = inWords(line);
    this.#model.changed();
  }

  #overState(process: string, input: string): Promise<LuaAnswer> {
    const weft = this.#model.weft as NonNullable<Model["weft"]>;
    return asLine(input, (code) => weft.runLua(process, { script: chunk(code), function: "evaluate" }));
  }

  /** The state goes along where there is one. */
  #local(process: string, input: string): Promise<LocalAnswer> {
    const weft = this.#model.weft as NonNullable<Model["weft"]>;
    return asLine(input, (code) => weft.runScript(this.#model.isLua() ? { script: `local state = ... ${code}`, over: process } : { script: code }));
  }

  /** Runs the function of the script over the state. */
  async function(): Promise<void> {
    const { weft, process } = this.#model;
    if (!weft || !process || !this.ready()) return;
    this.answer = null;
    this.error = null;
    const began = performance.now();
    await this.#run("function", async () => {
      const answer = await weft.runLua(process, { script: this.script, function: this.name.trim(), params: parameters(this.params) });
      if (this.#model.process === process) this.answer = answer;
    }, (error) => { this.error = error; });
    this.took = performance.now() - began;
    this.#model.announcement = inWords({ error: this.error, output: "the function has ended" });
    this.#model.changed();
  }

  async stop(): Promise<void> {
    if (this.running === null || this.stopping) return;
    this.stopping = true;
    this.#model.changed();
    const stopped = await this.#model.weft?.cancel().catch(() => undefined);
    this.stopping = false;
    dispatchEvent(new CustomEvent("weft-cancelled", { detail: stopped }));
    this.#model.changed();
  }

  async #run(what: "line" | "function", work: () => Promise<void>, failed: (error: WeftError) => void): Promise<void> {
    this.running = what;
    this.#model.changed();
    try {
      await work();
    } catch (thrown) {
      failed(asWeftError(thrown));
    }
    this.running = null;
    this.#model.changed();
  }
}

/** For those who hear the page. */
const inWords = ({ error, output }: Pick<Line, "error" | "output">): string => (error ? `${error.code}: ${error.message}` : `Answer: ${(output ?? "").slice(0, 200)}`);

/**
 * The message by which an aos process evaluates code. It does so for its owner alone; hyper-aos, which does not find the signer of a data
 * item, for whom one of its authorities speaks.
 */
function evaluation(process: string, model: Model, code: string): Json {
  const tags = [{ name: "Action", value: "Eval" }];
  const authority = model.card?.tags.find(({ name }) => name.toLowerCase() === "authority");
  if (model.isLua() && authority) tags.push({ name: "From-Process", value: authority.value });
  return { Id: "1234", Anchor: "0", Target: process, Owner: model.card?.owner ?? "", Tags: tags, Data: code };
}

/**
 * A line as a function over the state. What it gives goes into a table, since a node takes two values for a status and a value;
 * numbers as Lua prints them, which JSON would not.
 */
const chunk = (line: string): string => `local function line(state)
${line}
end
function evaluate(state)
  local value = line(state)
  local kind = type(value)
  if kind == "table" or kind == "string" then return { kind = kind, value = value } end
  return { kind = kind, text = tostring(value) }
end`;

/** As a prompt of Lua does: a line is an expression if it can be one, else statements. */
async function asLine<T>(input: string, run: (code: string) => Promise<T>): Promise<T> {
  try {
    return await run(`return ${input}`);
  } catch (thrown) {
    if (asWeftError(thrown).code !== "lua-syntax") throw thrown;
    return await run(input);
  }
}

/** Values as the prompt of Lua prints them; what is in a table, too. */
function print(line: Line, { values, texts, output, gas, not_replayable }: LocalAnswer): void {
  const shown = values.map((value, at) => (typeof value === "object" && value !== null ? JSON.stringify(value, null, 2) : (texts[at] ?? "")));
  line.output = [output.trimEnd(), shown.join("\t")].filter((part) => part !== "").join("\n");
  line.gas = gas;
  line.notReplayable = not_replayable ?? [];
}

function show(line: Line, answer: LuaAnswer): void {
  const { kind, value, text } = answer.result as { kind?: string; value?: Json; text?: string };
  const shown = kind === "nil" && answer.output !== "" ? "" : (text ?? JSON.stringify(value, null, 2));
  line.output = [answer.output.trimEnd(), shown].filter((part) => part !== "").join("\n");
  line.gas = answer.gas;
  line.notReplayable = answer.not_replayable ?? [];
}

function fill(line: Line, result: SlotResult): void {
  line.output = said(result.output);
  line.messages = result.messages;
  line.gas = result.gas;
  line.notReplayable = result.not_replayable ?? [];
  if (result.failure !== null || result.error !== null) {
    line.error = { code: result.failure ?? "error", message: plain(why(result.error)) };
  }
  // What evaluates code prints what came of it, or says what is wrong with the code; hyper-aos breaks over code that fails.
  line.unknown = result.failure !== "lua-failed" && !evaluates(result);
}

/** An error as a text. Of the message a node makes of one: what it says, or else which calls it names. */
function why(error: Json): string {
  if (typeof error === "string" || error === null) return error ?? "";
  if (typeof error !== "object" || Array.isArray(error)) return JSON.stringify(error);
  const { body, trace } = error;
  if (typeof body === "string") return body;
  if (typeof trace !== "object" || trace === null) return JSON.stringify(error);
  const calls = Object.values(trace).map((call) => {
    const { function: name, line } = (call ?? {}) as { function?: Json; line?: Json };
    return `${typeof name === "string" ? name : "a function"}${line === undefined ? "" : `, line ${line}`}`;
  });
  return `A call failed, and a node does not say why. Innermost first: ${calls.join("; ")}.`;
}

/** aos answers an Eval with its prompt, or with an error of Lua in the code it was given. */
function evaluates({ output, error }: SlotResult): boolean {
  const prompt = (value: Json | undefined): boolean => typeof value === "object" && value !== null && !Array.isArray(value) && "prompt" in value;
  if (prompt(output) || (typeof output === "object" && output !== null && !Array.isArray(output) && prompt(output["data"]))) return true;
  return typeof error === "string" && /\[string "|\.lua:/.test(error);
}

/** What an aos process prints for a person. */
function said(output: Json): string {
  if (typeof output === "string") return plain(output);
  if (typeof output !== "object" || output === null || Array.isArray(output)) return output === null ? "" : JSON.stringify(output);
  const { data } = output;
  if (typeof data === "string") return plain(data);
  if (typeof data === "object" && data !== null && !Array.isArray(data) && typeof data["output"] === "string") return plain(data["output"]);
  return JSON.stringify(output, null, 2);
}

/** The keys of the request: an object, or nothing. */
function parameters(text: string): { [name: string]: Json } {
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new WeftError("json-invalid", "The request is not JSON.", String(thrown));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WeftError("json-invalid", "The request is an object of keys and values.");
  }
  return value as { [name: string]: Json };
}
