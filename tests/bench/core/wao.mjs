// WAO's node in memory, on loopback.
//
//   node --experimental-wasm-memory64 --unhandled-rejections=warn tests/bench/core/wao.mjs FOLDER PORT
//
// FOLDER is where npm installed wao. PORT is its gateway's; messenger, scheduler and compute unit have the next but one and so on. Prints
// a line of JSON once all of them listen.

import { createRequire } from "node:module";
import { Server } from "node:net";
import { join } from "node:path";

const [folder, first] = process.argv.slice(2);
const port = Number(first);

// It would listen on every interface.
const listen = Server.prototype.listen;
const listening = [];
Server.prototype.listen = function (port, ...rest) {
  listening.push(new Promise((ready) => this.once("listening", ready)));
  return listen.call(this, port, "127.0.0.1", ...rest.filter((one) => typeof one === "function"));
};
// It prints what processes print, and what it tells while it starts.
console.log = () => {};

const require = createRequire(join(folder, "package.json"));
const { Server: Wao, mu, scheduler } = require("wao/test");
// Without a database, everything is in memory.
new Wao({ port, log: false });
await Promise.all(listening);
const url = (number) => `http://127.0.0.1:${port + number}`;
const { Address } = await (await fetch(`${url(3)}/`)).json();
process.stdout.write(`${JSON.stringify({ mu: url(2), su: url(3), cu: url(4), scheduler: Address ?? scheduler, authority: mu.addr })}\n`);
