// V8 for what the rewrite makes, which has several memories: node's own where it takes them (from version 22 on), else Chromium's.

import { readFile } from "node:fs/promises";

/** A module with two memories. */
const TWO = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 5, 2, 0, 0, 0, 0]);

/** What `run(input)` of a script gives for each input: a file beside this one that imports nothing. All of it is JSON. */
export async function onV8(script, inputs) {
  const url = new URL(script, import.meta.url);
  if (WebAssembly.validate(TWO)) {
    const { run } = await import(url);
    return Promise.all(inputs.map(run));
  }
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
  const [text, outputs] = [await readFile(url, "utf8"), []];
  try {
    // A page for each: memories take up addresses, of which a page has only so many.
    for (const input of inputs) {
      const page = await browser.newPage();
      outputs.push(await page.evaluate(async ([text, input]) => {
        const script = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
        return script.run(input);
      }, [text, input]));
      await page.close();
    }
    return outputs;
  } finally {
    await browser.close();
  }
}
