// What the engines of the bench share: the loop that is measured, and the line it prints.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

const median = (times) => {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

// Runs the workload's messages through `step(message, env)`, which answers with the output's text, and prints one line of JSON:
// medians in milliseconds, and a hash over all outputs, which must be the same for every engine.
export async function measure(workloadFile, start) {
  const { env, messages } = JSON.parse(readFileSync(workloadFile, "utf8"));
  const begun = performance.now();
  const step = await start(env);
  const times = { start: [performance.now() - begun], small: [], cpu: [], string: [] };
  const outputs = createHash("sha256");
  for (const { kind, message } of messages) {
    const before = performance.now();
    const output = await step(message);
    const took = performance.now() - before;
    if (kind) times[kind].push(took);
    outputs.update(JSON.stringify(output));
  }
  const line = Object.fromEntries(Object.entries(times).map(([kind, list]) => [`${kind}_ms`, median(list)]));
  return JSON.stringify({ ...line, outputs: outputs.digest("hex") });
}
