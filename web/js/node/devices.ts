/**
 * Devices in JavaScript. A device is a module; the functions that it exports are the keys it answers:
 *
 * ```js
 * // greeter.js, for PageNode.open({ devices: { "greeter@1.0": "greeter.js" } })
 * export function greet(base, request) {
 *   return `hello ${base.whom ?? "you"}`;
 * }
 * ```
 *
 * `/~greeter@1.0&whom=World/greet` is answered with `hello World`. A function is given the message and the request, as plain values,
 * and gives a value, or a promise of one; it may throw an error with a `status`. Each device runs in a worker of its own: one that
 * throws is `device-failed`, one that does not answer within five seconds is stopped and `device-silent`, and the node goes on.
 */

import { WeftError } from "../error.js";
import type { FromDevice, ToDevice } from "./device-worker.js";

/** How long a device may take to load, and to answer. */
const PATIENCE_MS = 5000;

/** A device: its worker is started when it is asked, and again after it was stopped. */
class ScriptDevice {
  readonly name: string;
  readonly #script: string;
  #worker: Worker | null = null;
  #keys: Promise<string[]> = Promise.resolve([]);
  readonly #waiting = new Map<number, { resolve: (value: string) => void; reject: (error: Error) => void }>();
  #next = 1;

  constructor(name: string, script: string) {
    this.name = name;
    this.#script = script;
  }

  /** Its keys, once it is loaded. */
  keys(): Promise<string[]> {
    this.#start();
    return this.#keys;
  }

  async ask(key: string, base: string, request: string): Promise<string> {
    await this.keys();
    const id = this.#next++;
    return this.#within(new Promise<string>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker?.postMessage({ id, key, base, request } satisfies ToDevice);
    }), `did not answer \`${key}\``);
  }

  #start(): void {
    if (this.#worker) return;
    const worker = new Worker(new URL("device-worker.js", import.meta.url), { type: "module", name: `weft-${this.name}` });
    this.#worker = worker;
    const loaded = new Promise<string[]>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<FromDevice>) => {
        if ("keys" in data) return resolve(data.keys);
        if ("unloaded" in data) return reject(this.#failed(`could not be loaded: ${data.unloaded}`));
        const waiting = this.#waiting.get(data.id);
        this.#waiting.delete(data.id);
        if ("value" in data) waiting?.resolve(data.value);
        else waiting?.reject(this.#failed(`failed: ${data.failed}`, data.status));
      };
      worker.onerror = (event) => {
        event.preventDefault();
        this.#stop(this.#failed(`broke: ${event.message}`));
        reject(this.#failed(`broke: ${event.message}`));
      };
    });
    worker.postMessage({ load: this.#script } satisfies ToDevice);
    this.#keys = this.#within(loaded, "did not load").catch((error: unknown) => {
      this.#stop(error as Error);
      throw error;
    });
    this.#keys.catch(() => undefined);
  }

  /** Who waits for longer stops the device: nothing else ends a loop without end. */
  async #within<T>(work: Promise<T>, what: string): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const silent = new WeftError("device-silent", `The device \`${this.name}\` ${what} within ${PATIENCE_MS / 1000} seconds.`);
        this.#stop(silent);
        reject(silent);
      }, PATIENCE_MS);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #stop(error: Error): void {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #failed(what: string, status?: number): WeftError {
    return new WeftError("device-failed", `The device \`${this.name}\` ${what}`, undefined, status === undefined ? {} : { status: String(status) });
  }
}

/** The devices of a node, by name. */
export class ScriptDevices {
  readonly #devices: Map<string, ScriptDevice>;

  /** `scripts` are the URLs of their modules. */
  constructor(scripts: { [name: string]: string }) {
    this.#devices = new Map(Object.entries(scripts).map(([name, script]) => [name.toLowerCase(), new ScriptDevice(name.toLowerCase(), script)]));
  }

  /** Names and keys, once all are loaded. Errors: `device-failed`, `device-silent`. */
  async keys(): Promise<{ name: string; keys: string[] }[]> {
    return Promise.all([...this.#devices.values()].map(async (device) => ({ name: device.name, keys: await device.keys() })));
  }

  /** What a device answers, as JSON; or what is told instead. */
  readonly ask = async (name: string, key: string, base: string, request: string): Promise<Told> => {
    try {
      const device = this.#devices.get(name);
      if (!device) throw new WeftError("device-failed", `There is no device \`${name}\` here.`);
      return { value: await device.ask(key, base, request) };
    } catch (thrown) {
      const { code, message, fields } = thrown as WeftError;
      return { silent: code === "device-silent", sentence: message, ...(fields["status"] === undefined ? {} : { status: Number(fields["status"]) }) };
    }
  };
}

/** A value as JSON; or a sentence, with the status that the device chose, or whether it did not answer in time. */
type Told = { value: string } | { sentence: string; silent: boolean; status?: number };
