// What the end-to-end tests share: the page served from a folder, a browser, and what a test reads from the page.

import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { after, before } from "node:test";

import { chromium } from "playwright-core";

const TYPES = {
  ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm",
  ".bin": "application/octet-stream",
};

/** Serves a folder below a sub-path, as a gateway does, and remembers what was asked for. `more` are further files. */
export async function servePage(folder = process.env.WEFT_DIST, base = "/some/where/", more = {}) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://page").pathname;
    asked.push(path);
    const inside = path.startsWith(base) ? normalize(path.slice(base.length) || "index.html") : null;
    try {
      if (inside === null || inside.startsWith("..")) throw new Error("outside");
      const body = more[inside] ?? await readFile(join(folder, inside));
      response.writeHead(200, { "content-type": TYPES[extname(inside)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found");
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}${base}`;
  return { url, asked, close: () => { server.closeAllConnections(); server.close(); } };
}

/** Answers every request with `handler(path, request)`: `{ status?, type?, body?, hang? }`. */
export async function serveAnswers(handler) {
  const server = createServer((request, response) => {
    const { status = 200, type = "application/json", body = "", hang = false } = handler(request.url, request);
    if (hang) return;
    response.writeHead(status, { "content-type": type, "access-control-allow-origin": "*" }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => { server.closeAllConnections(); server.close(); } };
}

export function launch(more = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run",
      // One process draws all pages, so that what it compiled of the node for one visit may serve the next.
      "--renderer-process-limit=1", ...more,
    ],
  });
}

/** The browser of all files that run in this process. */
let shared = null;

export const theBrowser = () => (shared ??= launch());

after(async () => (await shared)?.close());

/** The page's site and the browser, there while the tests of a file run. */
export function onStage() {
  const stage = {};
  before(async () => {
    stage.site = await servePage();
    stage.browser = await theBrowser();
  });
  after(() => stage.site?.close());
  return stage;
}

/** Each browser's page: a new one would start a process and compile the node once more, for every test. */
const pages = new WeakMap();

async function pageOf(browser) {
  const known = pages.get(browser);
  if (known) return known;
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  const opened = { context, page, session: await context.newCDPSession(page) };
  page.on("pageerror", (error) => opened.faults.push(error.message));
  await context.route((target) => target.hostname !== "127.0.0.1", (route) => {
    opened.left.push(route.request().url());
    return route.abort();
  });
  pages.set(browser, opened);
  return opened;
}

/**
 * The browser's page on a URL, as somebody sees it who was never there: what an earlier test left is gone, in the page and in the
 * store, unless it is `kept` there. Requests that leave 127.0.0.1 are cut off and remembered; so are the page's own errors.
 */
export async function visit(browser, url, { width = 1280, height = 900, scheme = "light", kept = false } = {}) {
  const opened = await pageOf(browser);
  const { context, page, session } = opened;
  await page.goto("about:blank");
  await page.unrouteAll();
  Object.assign(opened, { left: [], faults: [] });
  if (!kept && url.startsWith("http")) {
    await session.send("Storage.clearDataForOrigin", { origin: new URL(url).origin, storageTypes: "all" });
  }
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
  await page.goto(url);
  return { context, page, left: opened.left, faults: opened.faults };
}

/** Waits until the shown process is proved and replayed. */
export const green = (page, timeout = 300_000) => page.waitForSelector("[data-state=green]", { timeout });

/** Runs a function in the page on its model. */
export const model = (page, work, argument) =>
  page.evaluate(([text, value]) => new Function("model", "value", `return (${text})(model, value)`)(
    document.querySelector("weft-app").model, value), [work.toString(), argument]);

/** Every slot's message and result, as the page's own API gives them. */
export const history = (page) => model(page, async ({ weft, process }) => {
  const results = [];
  for (;;) {
    const next = await weft.results(process, { from: results.length, limit: 500 });
    if (next.length === 0) break;
    results.push(...next);
  }
  const messages = [];
  for (const { slot } of results) messages.push(await weft.message(process, slot));
  return { results, messages };
});

/** What a message's tag says. */
export const tag = (message, name) => message.tags.find((one) => one.name === name)?.value;

/** Everything the store has of the process: what asking must leave alone. */
export const everything = (page) => model(page, async ({ weft, process }) => ({
  summary: (await weft.processes()).find((one) => one.process === process),
  results: await weft.results(process, { limit: 1000 }),
  receipt: await weft.receipt(process),
}));

/** Types a line at the prompt and waits for its answer: the output, the code if it failed, and the hints. */
export async function ask(page, text) {
  const before = await page.locator(".lines > li").count();
  await page.fill("#repl-input", text);
  await page.press("#repl-input", "Enter");
  const line = page.locator(".lines > li").nth(before);
  await page.waitForFunction((at) => document.querySelectorAll(".lines > li")[at]?.matches(".done, .failed"), before);
  const one = async (selector, read) => (await line.locator(selector).count()) === 0 ? null : read(line.locator(selector).first());
  return {
    output: await one(".out", (found) => found.innerText()),
    code: await one("[data-code]", (found) => found.getAttribute("data-code")),
    noEval: (await line.locator("[data-no-eval]").count()) > 0,
    notReplayable: (await line.locator("[data-not-replayable]").count()) > 0,
  };
}

/** A picture for people, beside the test: the whole page, or the window alone. */
export async function picture(page, name, { fullPage = true } = {}) {
  await mkdir(process.env.WEFT_ARTEFACTS, { recursive: true });
  // By the protocol: half of what a picture costs is to pack it well, and these are looked at and thrown away.
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", {
    format: "png", optimizeForSpeed: true, captureBeyondViewport: fullPage,
    ...(fullPage ? { clip: { x: 0, y: 0, scale: 1, ...(await whole(page)) } } : {}),
  });
  await session.detach();
  await writeFile(join(process.env.WEFT_ARTEFACTS, `${name}.png`), Buffer.from(data, "base64"));
}

const whole = (page) => page.evaluate(() => {
  const { scrollWidth, scrollHeight } = document.documentElement;
  return { width: scrollWidth, height: scrollHeight };
});

/** How far the page reaches beyond the window, in pixels, with ids that have no hyphen where a line could break: one in two has none. */
export const overflow = (page) => page.evaluate(() => {
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const were = [];
  while (words.nextNode()) {
    const node = words.currentNode;
    if (!/[\w-]{43}/.test(node.nodeValue)) continue;
    were.push([node, node.nodeValue]);
    node.nodeValue = node.nodeValue.replace(/[\w-]{43}/g, "x".repeat(43));
  }
  const over = document.documentElement.scrollWidth - innerWidth;
  for (const [node, was] of were) node.nodeValue = was;
  return over;
});
