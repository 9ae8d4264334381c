// What a person may enter wrongly, and sources that fail: each answered in place, with its code and what to do next.

import assert from "node:assert/strict";
import { test } from "node:test";

import { green, model, onStage, picture, serveAnswers, visit } from "./page.mjs";

const PROCESS = "A".repeat(42) + "E";
const stage = onStage();

/** Fills the form as a person does, and answers with the code that is shown. */
async function enter({ process = PROCESS, schedulers = [], gateways = [] }) {
  const { page, faults } = await visit(stage.browser, `${stage.site.url}#/new`);
  await page.fill("input[name=process]", process);
  for (const [kind, urls] of Object.entries({ schedulers, gateways })) {
    for (const [at, url] of urls.entries()) {
      await page.click(`[data-add=${kind}]`);
      await page.locator(`[data-kind=${kind}] input`).nth(at).fill(url);
    }
  }
  await page.click(".form button.primary");
  const shown = page.locator("[role=alert]");
  await shown.waitFor({ timeout: 60_000 });
  assert.match(await shown.innerText(), /Next:/, "says what to do next");
  assert.deepEqual(faults, []);
  return {
    code: await shown.getAttribute("data-code"),
    failures: await page.locator(".failures code").allInnerTexts(),
  };
}

/** The code with one source for everything, which answers as `handler` says. */
async function source(handler) {
  const server = await serveAnswers(handler);
  try {
    return await enter({ schedulers: [server.url], gateways: [server.url] });
  } finally {
    server.close();
  }
}

test("an id that is none", async () => {
  assert.equal((await enter({ process: "not-an-id", schedulers: ["http://127.0.0.1:1"], gateways: ["http://127.0.0.1:1"] })).code, "id-invalid");
});

test("no source at all", async () => {
  assert.equal((await enter({})).code, "no-source");
});

test("what was begun goes on when its address is told once more", async () => {
  const server = await serveAnswers(() => ({ hang: true }));
  const { page } = await visit(stage.browser, `${stage.site.url}#/process/${PROCESS}?scheduler=${server.url}&gateway=${server.url}`);
  try {
    await page.waitForFunction(() => document.querySelector("weft-app").model.running);
    const seen = await model(page, async (model) => {
      dispatchEvent(new HashChangeEvent("hashchange"));
      await model.weft.processes();
      return { running: model.running, cancelling: model.cancelling, lastCancel: model.lastCancel };
    });
    assert.deepEqual(seen, { running: true, cancelling: false, lastCancel: null });
    await page.click("#cancel");
    await page.locator("[data-cancel-ms]").waitFor();
  } finally {
    server.close();
  }
});

test("an address that is neither http nor https", async () => {
  assert.equal((await enter({ schedulers: ["ftp://127.0.0.1"], gateways: ["ftp://127.0.0.1"] })).code, "source-invalid");
});

test("a source that nobody listens at", async () => {
  const { code, failures } = await enter({ schedulers: ["http://127.0.0.1:1"], gateways: ["http://127.0.0.1:1"] });
  assert.equal(code, "source-unreachable");
  assert.ok(failures.includes("source-unreachable"), "and is listed as failed");
});

test("a source that answers with an error", async () => {
  assert.equal((await source(() => ({ status: 500, body: "{}" }))).code, "source-status");
});

test("a source that answers with a page for people", async () => {
  assert.equal((await source(() => ({ type: "text/html", body: "<!doctype html><title>Welcome</title>" }))).code, "source-garbled");
});

test("a source that has never heard of the process", async () => {
  assert.equal((await source((path) => path.startsWith("/graphql")
    ? { body: '{"data":{"transactions":{"edges":[],"pageInfo":{"hasNextPage":false}}}}' } : { status: 404, body: "Not Found" })).code, "not-found");
});

test("a cancel while a source keeps silent stops within 200 ms", async () => {
  const server = await serveAnswers(() => ({ hang: true }));
  const { page } = await visit(stage.browser, `${stage.site.url}#/process/${PROCESS}?scheduler=${server.url}&gateway=${server.url}`);
  try {
    await page.click("#cancel");
    const told = page.locator("[data-cancel-ms]");
    await told.waitFor();
    const ms = Number(await told.getAttribute("data-cancel-ms"));
    assert.ok(ms <= 200, `stopped after ${ms} ms`);
    assert.ok(await page.locator("#sync").isVisible(), "and can be asked to go on");
  } finally {
    server.close();
  }
});

test("a source that keeps silent for too long is given up", async () => {
  const server = await serveAnswers(() => ({ hang: true }));
  const { page } = await visit(stage.browser, `${stage.site.url}#/new`);
  try {
    await page.waitForFunction(() => document.querySelector("weft-app").model.weft !== null);
    const error = await model(page, ({ weft }, [process, url]) => weft.sync(
      process, { schedulers: [url], gateways: [url] }, { timeoutMs: 100, attempts: 1 },
    ).catch(({ code, message }) => ({ code, message })), [PROCESS, server.url]);
    assert.equal(error.code, "source-timeout", error.message);
  } finally {
    server.close();
  }
});

test("sources can be put in another order, removed, and are kept", async () => {
  const server = await serveAnswers(() => ({ status: 500 }));
  const { page } = await visit(stage.browser, `${stage.site.url}#/new`);
  try {
    await page.fill("input[name=process]", PROCESS);
    for (const [at, url] of ["http://127.0.0.1:2", server.url, "http://127.0.0.1:3"].entries()) {
      await page.click("[data-add=schedulers]");
      await page.locator("[data-kind=schedulers] input").nth(at).fill(url);
    }
    await page.click("[aria-label='Ask scheduler 2 earlier']");
    await page.click("[aria-label='Remove scheduler 3']");
    await page.click("[data-add=gateways]");
    await page.locator("[data-kind=gateways] input").fill(server.url);
    await picture(page, "form");
    await page.click(".form button.primary");
    await page.locator("[role=alert]").waitFor({ timeout: 60_000 });
    // From elsewhere, and once more as a new page: what is shown was read from the store.
    for (const elsewhere of [`${stage.site.url}#/`, "about:blank"]) {
      await page.goto(elsewhere);
      if (elsewhere !== "about:blank") await green(page);
      await page.goto(`${stage.site.url}#/process/${PROCESS}`);
      const kept = page.locator("[data-kind=schedulers] input");
      await kept.nth(1).waitFor();
      assert.deepEqual(await kept.evaluateAll((inputs) => inputs.map((input) => input.value)), [server.url, "http://127.0.0.1:2"]);
    }
  } finally {
    server.close();
  }
});
