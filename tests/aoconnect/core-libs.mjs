// The unmodified client @permaweb/ao-core-libs against a local network: every way it has to ask.
//
//   node tests/aoconnect/core-libs.mjs BASE_URL WALLET_JWK_FILE LUA_MODULE_ID
//
// Prints one line of JSON: by request, the status and the body, or how it failed.
import { readFileSync } from "node:fs";
import AOCore from "@permaweb/ao-core-libs";

const [base, walletFile, module] = process.argv.slice(2);
const jwk = JSON.parse(readFileSync(walletFile, "utf8"));
const [ao, nobody] = [AOCore.init({ jwk, url: base }), AOCore.init({ url: base })];
const seen = {};
const ask = async (name, client, fields) => {
  try {
    const answer = await client.request(fields);
    seen[name] = { status: answer.status, body: await answer.text(), process: answer.headers.get("process"), error: answer.headers.get("error") };
  } catch (error) {
    seen[name] = { failed: `${error.message} ${error.cause?.message ?? ""}` };
  }
  return seen[name];
};

const scheduler = (await ask("read", nobody, { path: "~meta@1.0/info/address" })).body;
const ans104 = { method: "POST", "signing-format": "ans104" };
const own = (await ask("spawn", ao, {
  ...ans104, path: "push", Type: "Process", "Data-Protocol": "ao", Variant: "ao.N.1", device: "process@1.0", "execution-device": "lua@5.3a",
  "push-device": "push@1.0", "scheduler-device": "scheduler@1.0", Scheduler: scheduler, Authority: scheduler, Module: module, data: "1984",
})).process;
const add = { Type: "Message", "Data-Protocol": "ao", Variant: "ao.N.1", Action: "Add", data: "40", target: own };
await ask("message", ao, { ...ans104, path: `${own}~process@1.0/push`, "require-codec": "application/json", ...add });
await ask("slot by httpsig", ao, { method: "POST", "signing-format": "httpsig", path: `${own}~process@1.0/push`, ...add });
for (const format of ["ans104", "httpsig"]) {
  await ask(`signed ${format}`, ao, { method: "POST", "signing-format": format, path: `${own}~process@1.0/now/count` });
}
await ask("signed GET", ao, { path: `${own}~process@1.0/now/count` });
await ask("GET", nobody, { path: `${own}~process@1.0/compute&slot=1/count` });
await ask("refused", nobody, { path: "~nothing@1.0/x" });
console.log(JSON.stringify({ ...seen, own, scheduler }));
