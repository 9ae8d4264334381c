/** The worker of the node at a URL: a network of its own, beside the worker that proves and replays. */

import init, { WeftNetwork } from "../../pkg/weft_web.js";
import { toPlain } from "../error.js";
import type { NodeRequest, NodeResponse } from "./channel.js";
import { ScriptDevices } from "./devices.js";
import { addressOf, nodeKey } from "./key.js";
import type { FromNodeWorker, ToNodeWorker } from "./protocol.js";

const scope = self as unknown as {
  postMessage(message: FromNodeWorker, transfer?: Transferable[]): void;
  addEventListener(type: string, listener: (event: never) => void): void;
};

const loaded = init({ module_or_path: new URL("weft_web_bg.wasm", import.meta.url) });
let network: Promise<WeftNetwork> | undefined;

async function open(database: string, scripts: { [name: string]: string }): Promise<WeftNetwork> {
  const devices = new ScriptDevices(scripts);
  const [{ modulus, sign }, keys] = await Promise.all([nodeKey(database), devices.keys(), loaded]);
  const network = await WeftNetwork.open(`${database}-network`, modulus, sign, () => crypto.getRandomValues(new Uint8Array(32)));
  network.addDevices(keys, devices.ask);
  return network;
}

async function answer(request: NodeRequest): Promise<NodeResponse> {
  const { body, ...head } = request;
  return (await opened()).answer(head, body) as Promise<NodeResponse>;
}

function opened(): Promise<WeftNetwork> {
  if (!network) throw new Error("The node is not open yet.");
  return network;
}

const handlers = {
  open: async ({ database, devices }: Extract<ToNodeWorker, { call: "open" }>) => (await (network = open(database, devices))).address(),
  answer: ({ request }: Extract<ToNodeWorker, { call: "answer" }>) => answer(request),
  signer: async ({ database }: Extract<ToNodeWorker, { call: "signer" }>) => addressOf((await nodeKey(database)).modulus),
  sign: async ({ database, item, data }: Extract<ToNodeWorker, { call: "sign" }>) => {
    const [{ modulus, sign }] = await Promise.all([nodeKey(database), loaded]);
    return WeftNetwork.signItem(modulus, sign, item, data);
  },
  "module-tags": async ({ format }: Extract<ToNodeWorker, { call: "module-tags" }>) => {
    await loaded;
    return WeftNetwork.moduleTags(format);
  },
  save: async () => (await opened()).save(),
};

async function serve(message: ToNodeWorker): Promise<void> {
  try {
    const value = await (handlers[message.call] as (given: ToNodeWorker) => Promise<unknown>)(message);
    scope.postMessage({ kind: "answer", id: message.id, value });
  } catch (thrown) {
    scope.postMessage({ kind: "refusal", id: message.id, error: toPlain(thrown) });
  }
}

(globalThis as { weftPanicked?: (message: string) => void }).weftPanicked = (message) =>
  scope.postMessage({ kind: "fatal", error: { ...toPlain(new Error(message)), code: "crashed" } });
scope.addEventListener("message", (event: MessageEvent<ToNodeWorker>) => void serve(event.data));
