// Every call of the unmodified client from a page's own JavaScript, in both modes, against the node in that page. docs/http.md has them as a table.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { launch, servePage } from "../page.mjs";

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));
const ID = /^[\w-]{43}$/;
const PAGE = {
  "index.html": `<!doctype html><title>Weft</title><script type=module>
    import { PageNode } from './weft.js';
    window.PageNode = PageNode;
  </script>`,
};
const COUNTER = `
count = 0
function compute(base, req)
  local body = req.body
  if body.action == "Add" then count = count + tonumber(body.data) end
  base.count = string.format("%d", count)
  base.results = { output = { data = base.count } }
  return base
end
`;

let browser, page, site;

before(async () => {
  const { ArweaveSigner, createData } = require("arbundles");
  const key = JSON.parse(await readFile(join(here, "../../fixtures/vectors/keys.json"), "utf8")).rsa4096.jwk;
  const client = await readFile(join(dirname(require.resolve("@permaweb/aoconnect")), "browser.js"));
  const libs = await readFile(join(here, "../../node_modules/@permaweb/ao-core-libs/dist/index.esm.js"));
  site = await servePage(process.env.WEFT_CLIENT, "/some/where/", { ...PAGE, "aoconnect.js": client, "core-libs.js": libs });
  browser = await launch();
  page = await browser.newPage();
  // The wallet that a browser's extension puts into pages: it signs data items, and keeps its key.
  await page.exposeFunction("walletSigns", async ({ data, tags, target, anchor }) => {
    const signer = new ArweaveSigner(key);
    const item = createData(Buffer.from(data, "base64"), signer, { tags, ...(target && { target }), ...(anchor && { anchor }) });
    await item.sign(signer);
    return item.getRaw().toString("base64");
  });
  await page.addInitScript(() => {
    const base64 = (data) => btoa(typeof data === "string"
      ? String.fromCharCode(...new TextEncoder().encode(data)) : String.fromCharCode(...new Uint8Array(data)));
    window.arweaveWallet = {
      connect: async () => {},
      getActiveAddress: async () => "wtl7n8WWlAdwZ7xk93kMA0Y-Gbaa1Z_cE5G4_CQbMQY",
      signDataItem: async ({ data, ...rest }) => {
        const raw = await window.walletSigns({ data: base64(data), ...rest });
        return Uint8Array.from(atob(raw), (char) => char.charCodeAt(0));
      },
    };
  });
  await page.goto(site.url);
  await page.waitForFunction(() => window.PageNode);
  await page.evaluate(async (code) => {
    // aoconnect looks schedulers up at an address of the public network first; `connect` does not reach that.
    const real = window.fetch.bind(window);
    window.fetch = (input, init) => {
      const url = new URL(typeof input === "string" || input instanceof URL ? input : input.url, location.href);
      if (url.hostname !== "su-router.ao-testnet.xyz") return real(input, init);
      return real(new URL(`su${url.pathname.replace(/\/$/, "")}${url.search}`, location.href), init);
    };
    window.node = await window.PageNode.open({});
    window.module = await window.node.publishModule(new TextEncoder().encode(code), "application/lua");
    window.scheduler = await window.node.address();
    window.tags = (object) => Object.entries(object).map(([name, value]) => ({ name, value }));
    window.calls = (seen) => async (name, work) => {
      try {
        seen[name] = await work();
      } catch (error) {
        seen[name] = { failed: `${error.message} ${error.cause?.message ?? ""}` };
      }
      return seen[name];
    };
  }, COUNTER);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
});

after(async () => {
  await browser?.close();
  site?.close();
});

const data = (result) => result?.Output?.data;

test("paths of AO-Core are answered below the app's folder", async () => {
  const seen = await page.evaluate(async () => {
    const text = async (path, headers) => (await fetch(path, { headers })).text();
    return {
      address: await text("~meta@1.0/info/address"), literal: await text("~message@1.0&a+integer=42/a"),
      json: JSON.parse(await text("~message@1.0&a=1/a", { "require-codec": "application/json" })).body,
      absent: (await fetch("~snp@1.0/verify")).status, scheduler: window.scheduler,
    };
  });
  assert.equal(seen.address, seen.scheduler);
  assert.deepEqual([seen.literal, seen.json, seen.absent], ["42", "1", 501]);
});

test("legacy mode", async () => {
  const seen = await page.evaluate(async () => {
    const { connect, createDataItemSigner } = await import("./aoconnect.js");
    const { module, scheduler, tags } = window;
    const url = (path) => new URL(path, location.href).href;
    const [seen, signer] = [{}, createDataItemSigner(window.arweaveWallet)];
    const call = window.calls(seen);
    const ao = connect({
      MODE: "legacy", MU_URL: url("mu"), CU_URL: url("cu"), GATEWAY_URL: url("gateway"), GRAPHQL_URL: url("gateway/graphql"),
    });
    const lua = tags({ device: "process@1.0", "execution-device": "lua@5.3a", Authority: scheduler });
    const own = await call("spawn", () => ao.spawn({ module, scheduler, signer, tags: lua }));
    const other = await ao.spawn({ module, scheduler, signer, tags: [...lua, ...tags({ Name: "other" })] });
    const add = tags({ Action: "Add" });
    const message = await call("message", () => ao.message({ process: own, signer, data: "40", tags: add }));
    await call("result", () => ao.result({ process: own, message }));
    const signed = await call("signMessage", () => ao.signMessage({ process: own, signer, data: "2", tags: add }));
    await call("sendSignedMessage", () => ao.sendSignedMessage(signed));
    seen.signMessage = signed.id ?? signed;
    seen.sent = (await (await fetch("mu", { method: "POST", body: signed.raw })).json()).id;
    await ao.result({ process: own, message: seen.sent });
    await call("results", () => ao.results({ process: own, sort: "ASC", limit: 10 }));
    await call("dryrun", () => ao.dryrun({ process: own, tags: tags({ Action: "Get" }) }));
    await call("assign", () => ao.assign({ process: other, message }));
    await call("monitor", () => ao.monitor({ process: own, signer }));
    await call("unmonitor", () => ao.unmonitor({ process: own, signer }));
    await call("getMessages", () => ao.getMessages({ processId: own, from: "0", to: String(Date.now() + 1e9), limit: "10" }));
    await call("getLastSlot", () => ao.getLastSlot({ processId: own }));
    await call("getMessageById", () => ao.getMessageById({ processId: own, messageId: message }));
    return seen;
  });
  for (const call of ["spawn", "message", "signMessage", "assign", "monitor", "unmonitor"]) {
    assert.match(String(seen[call]), ID, `${call}: ${JSON.stringify(seen[call])}`);
  }
  assert.equal(seen.sent, seen.signMessage);
  // The client's own check of the item fails in its browser build, before anything is asked. Once it does not, docs/http.md is out of date.
  assert.match(String(seen.sendSignedMessage.failed), /^Error while communicating with MU: \{\}/);
  assert.deepEqual([data(seen.result), data(seen.dryrun)], ["40", "42"]);
  assert.equal(seen.results.edges?.length, 3, JSON.stringify(seen.results));
  assert.equal(seen.getMessages.edges?.[0].node.message.id, seen.message, JSON.stringify(seen.getMessages));
  assert.equal(seen.getLastSlot, "2");
  assert.equal(seen.getMessageById.message?.id, seen.message);
});

test("mainnet mode", async () => {
  const seen = await page.evaluate(async () => {
    const { connect, createSigner } = await import("./aoconnect.js");
    const { module, scheduler, tags } = window;
    const seen = {};
    const call = window.calls(seen);
    const ao = connect({ MODE: "mainnet", URL: new URL(".", location.href).href, signer: createSigner(window.arweaveWallet) });
    const lua = tags({ device: "process@1.0", "execution-device": "lua@5.3a" });
    const own = await call("spawn", () => ao.spawn({ module, scheduler, authority: scheduler, tags: lua }));
    const slot = await call("message", () => ao.message({ process: own, data: "40", tags: tags({ Action: "Add" }) }));
    await call("result", () => ao.result({ process: own, message: slot }));
    await call("second", () => ao.message({ process: own, data: "2", tags: tags({ Action: "Add" }) }));
    await call("results", () => ao.results({ process: own }));
    await call("dryrun", () => ao.dryrun({ process: own, tags: tags({ Action: "Get" }) }));
    await call("request", async () => {
      const answer = await ao.request({ path: `/${own}~process@1.0/now/count`, method: "POST", "signing-format": "ans104" });
      return [answer.status, await answer.text()];
    });
    await call("getMessages", () => ao.getMessages({ processId: own, from: "0", to: String(Date.now() + 1e9), limit: "10" }));
    await call("getLastSlot", () => ao.getLastSlot({ processId: own }));
    seen.fetched = await (await fetch(`${own}~process@1.0/compute&slot=1/count`)).text();
    return seen;
  });
  assert.match(String(seen.spawn), ID, JSON.stringify(seen.spawn));
  assert.equal(seen.message, 1, JSON.stringify(seen.message));
  assert.deepEqual([data(seen.result), data(seen.dryrun)], ["40", "42"], JSON.stringify(seen));
  assert.equal(data(seen.results.edges?.[0].node), "42", JSON.stringify(seen.results));
  assert.deepEqual(seen.request, [200, "42"], JSON.stringify(seen.request));
  assert.deepEqual([seen.getMessages.edges?.length, seen.getLastSlot], [2, "2"]);
  assert.equal(seen.fetched, "40");
});

test("ao-core-libs", async () => {
  const seen = await page.evaluate(async () => {
    // Its browser build asks for what bundlers put in.
    window.process ??= { env: {}, version: "v20.0.0", browser: true, nextTick: (work, ...given) => queueMicrotask(() => work(...given)) };
    const { default: AOCore, createSigner } = await import("./core-libs.js");
    const { module, scheduler } = window;
    const url = new URL(".", location.href).href;
    const [ao, nobody] = [AOCore.init({ signer: createSigner(window.arweaveWallet), url }), AOCore.init({ url })];
    const ans104 = { method: "POST", "signing-format": "ans104", "Data-Protocol": "ao", Variant: "ao.N.1" };
    const spawned = await ao.request({
      ...ans104, path: "push", Type: "Process", device: "process@1.0", "execution-device": "lua@5.3a", "push-device": "push@1.0",
      "scheduler-device": "scheduler@1.0", Scheduler: scheduler, Authority: scheduler, Module: module, data: "1984",
    });
    const own = spawned.headers.get("process");
    const sent = await ao.request({ ...ans104, path: `${own}~process@1.0/push`, Type: "Message", Action: "Add", data: "40", target: own });
    const count = await nobody.request({ path: `${own}~process@1.0/now/count` });
    return { own, sent: sent.status, slot: sent.headers.get("slot"), count: [count.status, await count.text()] };
  });
  assert.match(String(seen.own), ID, JSON.stringify(seen));
  assert.deepEqual([seen.sent, seen.slot, seen.count], [200, "1", [200, "40"]]);
});
