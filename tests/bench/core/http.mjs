// A client of HTTP/1.1 that costs little, so that the server is what is measured: kept connections, one request at a time on each.

import { connect } from "node:net";

const END = Buffer.from("\r\n\r\n");

/** One connection. Answers are `{ status, text }`. */
class Connection {
  #socket;
  #host;
  #pieces = [];
  #waiting = null;

  constructor(url) {
    const { hostname, port, host } = new URL(url);
    this.#host = host;
    this.#socket = connect(Number(port), hostname).setNoDelay(true);
    this.#socket.on("data", (piece) => { this.#pieces.push(piece); this.#read(); });
    const fail = (error) => this.#waiting?.reject(error ?? new Error("the server closed the connection"));
    this.#socket.on("error", fail).on("close", () => fail());
  }

  static async open(url) {
    const connection = new Connection(url);
    await new Promise((ready, failed) => connection.#socket.once("connect", ready).once("error", failed));
    return connection;
  }

  ask({ method = "GET", path, body = null, type = "application/json" }) {
    const length = body === null ? "" : `content-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\naccept: */*\r\n${length}\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.cork();
      this.#socket.write(head);
      if (body !== null) this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close() {
    this.#waiting = null;
    this.#socket.destroy();
  }

  #read() {
    const all = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
    this.#pieces = [all];
    const end = all.indexOf(END);
    if (end < 0) return;
    const head = all.toString("latin1", 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    if (!length) return this.#waiting.reject(new Error(`an answer without a length: ${head}`));
    const from = end + END.length;
    const to = from + Number(length[1]);
    if (all.length < to) return;
    this.#pieces = [];
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve({ status: Number(head.slice(9, 12)), text: all.toString("utf8", from, to) });
  }
}

/**
 * Puts requests to a server, so many at a time, in their order: how long that took, and the texts of the answers. `url(request)` says
 * which server it is for. Connections are there before the clock starts.
 */
export async function many(requests, atOnce, url) {
  const lines = [];
  for (let line = 0; line < Math.min(atOnce, requests.length); line += 1) {
    const to = new Map();
    for (const one of new Set(requests.map(url))) to.set(one, await Connection.open(one));
    lines.push(to);
  }
  const texts = new Array(requests.length);
  const begun = performance.now();
  let next = 0;
  await Promise.all(lines.map(async (to) => {
    while (next < requests.length) {
      const at = next++;
      const { status, text } = await to.get(url(requests[at])).ask(requests[at]);
      if (status >= 300) throw new Error(`${status}: ${text.slice(0, 400)}`);
      texts[at] = text;
    }
  }));
  const ms = performance.now() - begun;
  for (const to of lines) for (const connection of to.values()) connection.close();
  return { ms, texts };
}
