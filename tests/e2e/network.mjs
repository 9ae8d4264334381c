// A network of `weft serve` for the end-to-end tests, and items signed by the throw-away key of the vectors.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { ArweaveSigner, createData } from "arbundles";

const here = dirname(fileURLToPath(import.meta.url));

/** The program of tests/src/world/program.rs, assembled: it counts its messages and echoes them. */
const COUNT = Buffer.from(""
  + "AGFzbQEAAAABEANgAX8AYAF/AX9gAn9/AX8DBwYAAQICAgIFBQEBAoAgBggBfwFBgIAECwccAwZtZW1vcnkCAAZtYWxsb2MAAQZoYW5kbGUABQrYAgYiAANA"
  + "PwBBgIAEbCMAIABqSQRAQQFAAEF/RgRAAAsMAQsLCxUBAX8gABAAIwAhASABIABqJAAgAQssAQF/A0AgAS0AACECIAAgAjoAACACBEAgAEEBaiEAIAFBAWoh"
  + "AQwBCwsgAAs1AQF/A0AgAC0AACECIAJFBEBBAA8LIAJBIUYgAC0AASABRnEEQEEBDwsgAEEBaiEADAALAAsnACABQQpPBEAgACABQQpuEAQhAAsgAEEwIAFB"
  + "CnBqOgAAIABBAWoLkQEBAn9BCEEIKAIAQQFqNgIAIABB9AAQAwRAAAsgAEHsABADBEADQAwACwALIwAhAkGABCMAQYCABGtqEABBgIAEJAAgAEHlABADBEBB"
  + "gAoPCyACQYAIEAIhAyADQQgoAgAQBCEDIANBwAgQAiEDIAMgABACIQMgA0GACRACIQMgAyABEAIhAyADQcAJEAIaIAILC58BBQBBgAgLInsib2siOnRydWUs"
  + "InJlc3BvbnNlIjp7Ik91dHB1dCI6IgAAQcAICyAiLCJBc3NpZ25tZW50cyI6W10sIk1lc3NhZ2VzIjpbAABBgAkLDV0sIlNwYXducyI6WwAAQcAJCwRdfX0A"
  + "AEGACgsteyJvayI6dHJ1ZSwicmVzcG9uc2UiOnsiRXJyb3IiOiJhc2tlZCBmb3IifX0A", "base64");

const key = async () => JSON.parse(await readFile(join(here, "../fixtures/vectors/keys.json"), "utf8")).rsa4096.jwk;

/** Starts a network whose state is in a folder; its modules are the program that counts, and these texts of Lua. */
export async function startNetwork(folder, lua = []) {
  await mkdir(folder, { recursive: true });
  const [wallet, module] = [join(folder, "wallet.json"), join(folder, "count.wasm")];
  await writeFile(wallet, JSON.stringify(await key()));
  await writeFile(module, COUNT);
  const texts = await Promise.all(lua.map(async (text, at) => {
    const file = join(folder, `${at}.lua`);
    await writeFile(file, text);
    return ["--module", file];
  }));
  const server = spawn(process.env.WEFT_BIN, [
    "serve", "--port", "0", "--json", "--state", join(folder, "state"), "--www", process.env.WEFT_DIST,
    "--wallet", wallet, "--module", `${module}:wasm32-unknown-unknown`, ...texts.flat(),
  ], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  const stop = async () => {
    if (server.exitCode !== null) return;
    server.kill("SIGINT");
    await once(server, "exit");
  };
  return { ...JSON.parse(line), stop };
}

/** A signed data item, sent to a scheduler; answers with its id. */
export async function schedule(network, { target, data = " ", tags }) {
  const signer = new ArweaveSigner(await key());
  const anchor = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex");
  const item = createData(data, signer, { anchor, tags, ...(target ? { target } : {}) });
  await item.sign(signer);
  const answer = await fetch(`${network.su}/`, {
    method: "POST", body: item.getRaw(), headers: { "content-type": "application/octet-stream" },
  });
  if (!answer.ok) throw new Error(`the scheduler answered ${answer.status}: ${await answer.text()}`);
  return item.id;
}

/** A process of the network's module; answers with its id. */
export const spawnProcess = (network) => schedule(network, {
  tags: [
    { name: "Data-Protocol", value: "ao" }, { name: "Variant", value: "ao.TN.1" }, { name: "Type", value: "Process" },
    { name: "Module", value: network.modules[0].id }, { name: "Scheduler", value: network.address },
  ],
});

/** A message to a process; answers with its id. */
export const sendMessage = (network, target, data) => schedule(network, {
  target, data,
  tags: [{ name: "Data-Protocol", value: "ao" }, { name: "Variant", value: "ao.TN.1" }, { name: "Type", value: "Message" }],
});
