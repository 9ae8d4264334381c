// The nodes that answer over HTTP, each a process of its own with a state of its own.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** `weft serve` with a module: where it is, and whose. */
export async function startWeft(binary, module, format) {
  const state = await mkdtemp(join(tmpdir(), "weft-bench-"));
  const { told, stop } = await start(binary, ["serve", "--json", "--port", "0", "--state", state, "--module", `${module}:${format}`]);
  const close = async () => { stop(); await rm(state, { recursive: true, force: true }); };
  const address = told.address;
  return { mu: told.url, cu: told.url, units: { mu: "/mu", cu: "/cu" }, scheduler: address, authority: address, module: told.modules[0].id, close };
}

/** WAO's node in memory. */
export async function startWao(folder) {
  const script = fileURLToPath(new URL("wao.mjs", import.meta.url));
  const flags = ["--experimental-wasm-memory64", "--unhandled-rejections=warn"];
  const { told, stop } = await start(process.execPath, [...flags, script, folder, String(await freePorts(5))]);
  return { ...told, units: {}, close: stop };
}

/** A program that says in a line of JSON that it runs. */
async function start(program, words) {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((_, failed) => child.on("error", failed).on("exit", (code) => failed(new Error(`${program} ended: ${code}`))));
  const line = new Promise((resolve) => createInterface(child.stdout).once("line", resolve));
  const told = JSON.parse(await Promise.race([line, ended]));
  ended.catch(() => {});
  return { told, stop: () => child.kill() };
}

/** The first of some ports in a row that are free. */
async function freePorts(count) {
  const open = (port) => new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(null));
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
  for (;;) {
    const first = await open(0);
    const { port } = first.address();
    const rest = await Promise.all(Array.from({ length: count - 1 }, (_, n) => open(port + n + 1)));
    const all = [first, ...rest];
    await Promise.all(all.map((server) => server && new Promise((done) => server.close(done))));
    if (all.every(Boolean)) return port;
  }
}
