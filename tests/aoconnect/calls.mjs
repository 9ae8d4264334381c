// Every public call of the unmodified client, @permaweb/aoconnect, against a local network, in both of its modes.
//
//   node tests/aoconnect/calls.mjs BASE_URL WALLET_JWK_FILE LUA_MODULE_ID
//
// Prints one line of JSON: by mode and call, what it was answered, or how it failed.
import { readFileSync } from "node:fs";

const [base, walletFile, module] = process.argv.slice(2);
// aoconnect looks schedulers up at an address of the public network first; `connect` does not reach that. The fetch it finds
// when it is loaded asks this network in its place.
const real = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const url = new URL(typeof input === "string" || input instanceof URL ? input : input.url);
  if (url.hostname === "su-router.ao-testnet.xyz") {
    return real(`${base}/su${url.pathname.replace(/\/$/, "")}${url.search}`, init);
  }
  if (url.hostname !== new URL(base).hostname) throw new Error(`It asked ${url.href}.`);
  return real(input, init);
};
const { connect, createDataItemSigner, createSigner } = await import("@permaweb/aoconnect");

const wallet = JSON.parse(readFileSync(walletFile, "utf8"));
const tags = (object) => Object.entries(object).map(([name, value]) => ({ name, value }));
const scheduler = await (await fetch(`${base}/~meta@1.0/info/address`)).text();
const lua = tags({ device: "process@1.0", "execution-device": "lua@5.3a", Authority: scheduler });
const seen = { legacy: {}, mainnet: {} };
const calls = (mode) => async (name, work) => {
  try {
    seen[mode][name] = await work();
  } catch (error) {
    seen[mode][name] = { failed: `${error.message} ${error.cause?.message ?? ""}` };
  }
  return seen[mode][name];
};

{
  const call = calls("legacy");
  const signer = createDataItemSigner(wallet);
  const ao = connect({
    MODE: "legacy", GATEWAY_URL: `${base}/gateway`, GRAPHQL_URL: `${base}/gateway/graphql`, MU_URL: `${base}/mu`, CU_URL: `${base}/cu`,
  });
  const own = await call("spawn", () => ao.spawn({ module, scheduler, signer, tags: lua }));
  const other = await ao.spawn({ module, scheduler, signer, tags: [...lua, ...tags({ Name: "other" })] });
  const add = tags({ Action: "Add" });
  const message = await call("message", () => ao.message({ process: own, signer, data: "40", tags: add }));
  await call("result", () => ao.result({ process: own, message }));
  const signed = await call("signMessage", () => ao.signMessage({ process: own, signer, data: "2", tags: add }));
  const sent = await call("sendSignedMessage", () => ao.sendSignedMessage(signed));
  seen.legacy.signMessage = { id: signed.id, bytes: signed.raw?.byteLength ?? null };
  await ao.result({ process: own, message: sent });
  await call("results", () => ao.results({ process: own, sort: "ASC", limit: 10 }));
  await call("dryrun", () => ao.dryrun({ process: own, tags: tags({ Action: "Get" }) }));
  await call("assign", () => ao.assign({ process: other, message }));
  await call("monitor", () => ao.monitor({ process: own, signer }));
  await call("unmonitor", () => ao.unmonitor({ process: own, signer }));
  await call("getMessages", () => ao.getMessages({ processId: own, from: "0", to: String(Date.now() + 1e9), limit: "10" }));
  await call("getLastSlot", () => ao.getLastSlot({ processId: own }));
  await call("getMessageById", () => ao.getMessageById({ processId: own, messageId: message }));
  Object.assign(seen.legacy, { own, other, sent, sentMessage: message });
}
{
  const call = calls("mainnet");
  const signer = createSigner(wallet);
  const ao = connect({ MODE: "mainnet", URL: base, signer, GRAPHQL_URL: `${base}/gateway/graphql` });
  const own = await call("spawn", () => ao.spawn({ module, scheduler, authority: scheduler, tags: lua }));
  const slot = await call("message", () => ao.message({ process: own, data: "40", tags: tags({ Action: "Add" }) }));
  await call("result", () => ao.result({ process: own, message: slot }));
  await ao.message({ process: own, data: "2", tags: tags({ Action: "Add" }) });
  await call("results", () => ao.results({ process: own }));
  await call("dryrun", () => ao.dryrun({ process: own, tags: tags({ Action: "Get" }) }));
  for (const format of ["ans104", "httpsig"]) {
    await call(`request ${format}`, async () => {
      const path = `/${own}~process@1.0/now/count`;
      const answer = await ao.request({ path, method: "POST", "signing-format": format });
      return { status: answer.status, body: await answer.text() };
    });
  }
  await call("getMessages", () => ao.getMessages({ processId: own, from: "0", to: String(Date.now() + 1e9), limit: "10" }));
  await call("getLastSlot", () => ao.getLastSlot({ processId: own }));
  seen.mainnet.own = own;
}
console.log(JSON.stringify({ ...seen, scheduler }));
