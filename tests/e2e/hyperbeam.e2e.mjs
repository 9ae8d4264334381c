// A process of a HyperBEAM node in the page: the node is real recordings of one, served as it served them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { green, history, onStage, picture, visit } from "./page.mjs";

const TOKEN = "eBx69GteoL6hmsiYfK-69_YOfQralrjMPBPKHeGVuMc";
const FIXTURES = new URL("../fixtures/", import.meta.url);
const PAGES = [["token-000-009", 9], ["token-010-019", 19], ["token-020-029", 29], ["token-030-030", 30]];

const stage = onStage();
let node;

const recorded = async (name) => JSON.parse(await readFile(new URL(name, FIXTURES), "utf8")).response;

/** The node: it answers each range with the recorded page that begins it, and checks that it is asked as recorded. */
async function serveNode({ change = (text) => text } = {}) {
  const pages = await Promise.all(PAGES.map(async ([name, last]) => ({ last, ...await recorded(`hyperbeam-schedules/${name}.json`) })));
  const empty = {
    headers: [["content-type", 'multipart/form-data; boundary="b"'], ["continues", "false"], ["type", "schedule"]],
    body: { text: '--b\r\nao-types: empty-message\r\ncontent-disposition: form-data;name="assignments"\r\n--b--' },
  };
  const preflights = [];
  const server = createServer((request, response) => {
    const cors = { "access-control-allow-origin": "*", "access-control-expose-headers": "*" };
    if (request.method === "OPTIONS") {
      preflights.push(request.headers["access-control-request-headers"]);
      response.writeHead(204, { ...cors, "access-control-allow-headers": "*", "access-control-allow-methods": "GET, POST" }).end();
      return;
    }
    const { pathname, searchParams } = new URL(request.url, "http://node");
    if (pathname === `/${TOKEN}~process@1.0/slot/current`) {
      response.writeHead(200, cors).end("30");
    } else if (pathname === `/${TOKEN}~process@1.0/schedule` && request.headers["accept-bundle"] === "true") {
      const from = Number(searchParams.get("from"));
      const { headers, body } = pages.find(({ last }) => from <= last) ?? empty;
      const kept = headers.filter(([name]) => !["connection", "date", "server", "transfer-encoding", "content-digest", "signature", "signature-input"].includes(name));
      response.writeHead(200, { ...Object.fromEntries(kept), ...cors }).end(change(body.text));
    } else {
      response.writeHead(404, { ...cors, "content-type": "text/html" }).end("<html>Not Found</html>");
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`, preflights,
    close: () => { server.closeAllConnections(); server.close(); },
  };
}

before(async () => { node = await serveNode(); });
after(() => node?.close());

const open = (url) => visit(stage.browser, `${stage.site.url}#/process/${TOKEN}?${new URLSearchParams([["scheduler", url]])}`);

test("a node's process is proved and replayed, with the node's own results", async () => {
  const { page, faults } = await open(node.url);
  await green(page);
  const { results, messages } = await history(page);
  assert.equal(results.length, 31);
  assert.equal(results[3].output, "moved 250");
  const third = await recorded("hyperbeam-live/token-results-httpsig-003.json");
  for (const line of ["action: Credit-Notice", "quantity: 250", "action: Debit-Notice"]) assert.ok(third.body.text.includes(line));
  assert.deepEqual(results[3].results.outbox.map(({ action, quantity }) => [action, quantity]), [["Credit-Notice", 250], ["Debit-Notice", 250]]);
  assert.deepEqual(messages[3].tags.filter(({ name }) => name === "action"), [{ name: "action", value: "Transfer" }]);
  assert.equal(await page.locator("[data-engine]").getAttribute("data-engine"), "lua");
  assert.ok(node.preflights.every((asked) => asked === "accept-bundle"), node.preflights.join(" "));
  await page.click(".cell[data-slot='3']");
  await page.waitForSelector("[data-receipt] li[data-claim='hash-chain']");
  await picture(page, "hyperbeam-process");
  assert.deepEqual(faults, []);
});

test("a node that changes a message is refused", async () => {
  const liar = await serveNode({ change: (text) => text.replace("quantity: 1000", "quantity: 9000") });
  try {
    const { page, faults } = await open(liar.url);
    await page.waitForSelector("[data-code]");
    const codes = await page.locator("[data-code]").evaluateAll((found) => found.map((one) => one.getAttribute("data-code")));
    // What came is not the message whose id was signed.
    assert.ok(codes.includes("message-missing"), codes.join(" "));
    assert.deepEqual(faults, []);
  } finally {
    liar.close();
  }
});
