// A page with the client, and the node in it.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

import { chromium } from "playwright-core";

const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };

const INDEX = `<!doctype html><title>bench</title><script type=module>
  import { PageNode } from "./weft.js";
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  let node;
  window.bench = {
    async open() {
      // The service worker would only be one more way to the same answers.
      node ??= await PageNode.open({ serviceWorker: null });
      const address = await node.address();
      return { scheduler: address, authority: address };
    },
    publish: (module, format) => node.publishModule(bytes(module), format),
    async many(requests, atOnce) {
      const ready = requests.map(({ unit, path, method = "GET", body, raw, type }) => {
        const init = { method, ...(type && { headers: { "content-type": type } }) };
        if (raw !== undefined) init.body = bytes(raw);
        else if (body !== undefined) init.body = body;
        return ["/" + unit + path, init];
      });
      const texts = new Array(ready.length);
      const begun = performance.now();
      let next = 0;
      await Promise.all(Array.from({ length: atOnce }, async () => {
        while (next < ready.length) {
          const at = next++;
          const answer = await node.fetch(...ready[at]);
          texts[at] = await answer.text();
          if (!answer.ok) throw new Error(answer.status + ": " + texts[at].slice(0, 400));
        }
      }));
      return { ms: performance.now() - begun, texts };
    },
  };
</script>`;

export async function openPage(client, wasm) {
  const server = createServer(async ({ url }, response) => {
    const name = url === "/" ? "index.html" : url.slice(1);
    const file = wasm && name.endsWith(".wasm") ? wasm : join(client, name);
    const body = name === "index.html" ? INDEX : await readFile(file).catch(() => null);
    response.writeHead(body === null ? 404 : 200, { "content-type": TYPES[extname(name)] ?? "text/plain" }).end(body ?? "");
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"],
  });
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", ({ message }) => process.stderr.write(`${message}\n`));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => window.bench);
  const ask = (name, ...given) => page.evaluate(([name, given]) => window.bench[name](...given), [name, given]);
  const many = (requests, at_once) => {
    const packed = requests.map(({ body, ...rest }) => Buffer.isBuffer(body) ? { ...rest, raw: body.toString("base64") } : { ...rest, body });
    return ask("many", packed, at_once);
  };
  return {
    browser: browser.version(), cores: await page.evaluate(() => navigator.hardwareConcurrency),
    open: () => ask("open"), publish: (module, format) => ask("publish", module.toString("base64"), format), many,
    close: async () => { await browser.close(); server.close(); },
  };
}
