// Lua in the page: the demo's token in Lua, the prompt, and a function over its state. What must come out follows from the
// history's own messages and the token's rules, written once more here.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ask, everything, green, history, model, onStage, overflow, picture, tag, visit } from "./page.mjs";

const stage = onStage();

/** What the messages alone make of the balances and the supply, which of them fail, and which ask the clock. */
function expected(messages, owner) {
  const balances = new Map();
  const [failing, clocked] = [[], []];
  let supply = 0n;
  const add = (holder, amount) => {
    const sum = (balances.get(holder) ?? 0n) + amount;
    if (sum === 0n) balances.delete(holder);
    else balances.set(holder, sum);
  };
  for (const message of messages.slice(1)) {
    const [action, text] = [tag(message, "Action"), tag(message, "Quantity") ?? ""];
    const quantity = /^\d+$/.test(text) ? BigInt(text) : null;
    if (action === "Mint" && message.owner === owner && quantity !== null) {
      add(owner, quantity);
      supply += quantity;
    } else if (action === "Transfer" && tag(message, "Recipient") && quantity !== null && (balances.get(message.owner) ?? 0n) >= quantity) {
      add(message.owner, -quantity);
      add(tag(message, "Recipient"), quantity);
    } else if (action === "Time") clocked.push(message.slot);
    else if (!["Balance", "Balances", "Info"].includes(action)) failing.push(message.slot);
  }
  return { balances, supply, failing, clocked };
}

/** The token in Lua, from the store if a test before has it there: none changes it. */
async function openLua(options) {
  const visited = await visit(stage.browser, `${stage.site.url}#/lua`, { ...options, kept: true });
  await green(visited.page);
  return visited;
}

test("the token in Lua is proved and replayed offline, and holds what its history says", async () => {
  const { page, left, faults } = await visit(stage.browser, stage.site.url);
  await green(page);
  const rust = await model(page, ({ process }) => process);
  await page.click("[data-demo][href='#/lua']");
  await page.waitForFunction((other) => document.querySelector("weft-app").model.process !== other, rust);
  await green(page);
  await page.waitForFunction(() => /Lua/.test(document.title));
  assert.equal(await page.locator("[data-engine]").getAttribute("data-engine"), "lua");

  const { results, messages } = await history(page);
  const card = await model(page, (model) => model.card);
  const { balances, supply, failing, clocked } = expected(messages, card.owner);
  assert.equal(results.length, messages.length);
  assert.ok(balances.size >= 4 && failing.length >= 4 && clocked.length === 1);
  const bars = await page.locator("[data-holder]").evaluateAll((rows) => rows.map((row) => [row.dataset.holder, row.dataset.amount]));
  assert.deepEqual(new Map(bars), new Map([...balances].map(([holder, amount]) => [holder, String(amount)])));
  assert.deepEqual(results.filter(({ error }) => error !== null).map(({ slot }) => slot), failing);
  assert.ok(results.every(({ failure, rolled_back }) => failure === null && !rolled_back), "a refusal is an answer, and stops nothing");

  // Every transfer that was done sends both notices, with the amount to the digit.
  for (const { slot } of messages.filter((message) => tag(message, "Action") === "Transfer" && !failing.includes(message.slot))) {
    const [message, notices] = [messages[slot], results[slot].messages];
    assert.deepEqual(notices.map((one) => [one.Target, tag({ tags: one.Tags }, "Action")]),
      [[message.owner, "Debit-Notice"], [tag(message, "Recipient"), "Credit-Notice"]], `slot ${slot}`);
    for (const one of notices) assert.equal(tag({ tags: one.Tags }, "Quantity"), tag(message, "Quantity"));
  }
  assert.ok(supply > 2n ** 64n, "amounts are beyond 64 bits");

  // Both are in the store, and the first is as it was.
  await page.click("[data-demo][href='#/']");
  await page.waitForFunction((id) => document.querySelector("weft-app").model.process === id, rust);
  await green(page);
  // No Lua over the state of a wasm process.
  await page.locator(".serverless").waitFor({ state: "detached" });
  const refused = await model(page, ({ weft, process }) => weft.runLua(process, { script: "", function: "f" }).catch(({ code }) => code));
  assert.equal(refused, "request-invalid");
  assert.deepEqual(left, [], "nothing left the machine");
  assert.deepEqual(faults, []);
});

test("a slot that asks the clock is marked not replayable, on the cloth, in its result and in its receipt", async () => {
  const { page, faults } = await openLua();
  const { results, messages } = await history(page);
  const [slot] = expected(messages, "").clocked;
  assert.deepEqual(results.filter((result) => result.not_replayable?.length > 0).map((result) => result.slot), [slot]);
  assert.deepEqual(results[slot].not_replayable, ["os.time"]);
  assert.deepEqual(await page.locator(".cell.once[data-slot]").evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.slot))), [slot]);
  await page.click(`[data-slot="${slot}"]`);
  await page.waitForSelector(`[data-shown-slot="${slot}"]`);
  assert.match(await page.locator(".slot [data-not-replayable]").innerText(), /Not replayable.*os\.time/s);
  const receipt = await model(page, ({ weft, process }, at) => weft.slotReceipt(process, at), slot);
  assert.ok(receipt.checks.some((check) => check.claim === "not-replayable"), JSON.stringify(receipt.checks.map(({ claim }) => claim)));
  assert.match(await page.locator(`[data-receipt="Slot ${slot}"]`).innerText(), /not-replayable/);
  // What comes after it went on from its state.
  const after = results.filter((result) => result.follows_not_replayable === slot).map((result) => result.slot);
  assert.deepEqual(after, results.map((result) => result.slot).filter((at) => at > slot));
  assert.ok(after.length > 0, "the demo's history goes on after it");
  await page.click(`[data-slot="${after[0]}"]`);
  await page.waitForSelector(`[data-shown-slot="${after[0]}"]`);
  assert.match(await page.locator(".slot [data-follows-not-replayable]").innerText(), new RegExp(`state of slot\\s+${slot}`));
  await page.click(`[data-slot="${slot}"]`);
  await page.waitForSelector(`[data-shown-slot="${slot}"]`);
  await picture(page, "lua-demo");
  assert.deepEqual(faults, []);
});

test("the prompt evaluates Lua over the state and leaves history and state alone", async () => {
  const { page, left, faults } = await openLua();
  const { messages } = await history(page);
  const card = await model(page, (model) => model.card);
  const { balances, supply } = expected(messages, card.owner);
  const before = await everything(page);

  assert.deepEqual(await ask(page, "1 + 1"), { output: "2", code: null, noEval: false, notReplayable: false });
  assert.equal((await ask(page, "state.supply")).output, JSON.stringify(String(supply)));
  assert.equal((await ask(page, `state.balances["${card.owner}"]`)).output, JSON.stringify(String(balances.get(card.owner))));
  // Statements too; what Luerl answers: integers without bound, a float's own text, sorted keys.
  assert.equal((await ask(page, "local n = 0 for _ in pairs(state.balances) do n = n + 1 end return n")).output, String(balances.size));
  assert.equal((await ask(page, "2^53")).output, "9.007199254740992e15");
  assert.equal((await ask(page, "(1 << 70) + 1")).output, String(2n ** 70n + 1n));
  assert.equal((await ask(page, "print('hello') return nil")).output, "hello");
  // A line changes its own copy, and the next one does not see it.
  assert.equal((await ask(page, "state.supply = '0' return state.supply")).output, '"0"');
  assert.equal((await ask(page, "state.supply")).output, JSON.stringify(String(supply)));
  assert.equal((await ask(page, "os.time() > -1")).notReplayable, true);
  const { output, code: stopped } = await ask(page, "print('so far') error('stop')");
  assert.deepEqual([output, stopped], ["so far", "lua-error"], "what was printed before an error stays");
  for (const [line, code] of [["state.nothing.here", "lua-error"], ["error('stop')", "lua-error"], ["return return", "lua-syntax"]]) {
    assert.equal((await ask(page, line)).code, code, line);
  }
  assert.deepEqual(await everything(page), before, "the store is what it was");

  // ArrowUp brings back what was asked, newest first; Shift+Enter begins a line and runs nothing.
  const input = page.locator("#repl-input");
  await input.press("ArrowUp");
  assert.equal(await input.inputValue(), "return return");
  await input.press("ArrowUp");
  assert.equal(await input.inputValue(), "error('stop')");
  await input.press("ArrowDown");
  await input.press("ArrowDown");
  assert.equal(await input.inputValue(), "");
  const count = await page.locator(".lines > li").count();
  await input.fill("local sum = 1");
  await input.press("End");
  await input.press("Shift+Enter");
  await input.pressSequentially("return sum + 1");
  assert.equal(await page.locator(".lines > li").count(), count);
  await input.press("Enter");
  await page.waitForFunction((at) => document.querySelectorAll(".lines > li")[at]?.matches(".done"), count);
  assert.equal(await page.locator(".lines > li .out").last().innerText(), "2");

  // Eval goes to the process, which has none, and says so.
  await page.click(".ways label:has([value=eval])");
  const answer = await ask(page, "1 + 1");
  assert.deepEqual([answer.code, answer.noEval], ["error", true]);
  assert.deepEqual(await everything(page), before);
  assert.match(await page.locator(".repl .sub").innerText(), /nothing is signed, sent or kept/);
  await page.locator(".repl").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/repl.png` });
  assert.deepEqual(left, []);
  assert.deepEqual(faults, []);
});

test("a script of one's own: Lua 5.3 at the prompt and for programs, Luerl by choice", async () => {
  const { page, left, faults } = await openLua();
  const before = await everything(page);
  const supply = JSON.parse((await ask(page, "state.supply")).output);
  await page.click(".ways label:has([value=local])");
  // What Lua 5.3's manual says: floats and integers of 64 bits, goto, infinity, what an error names, the state as it is.
  for (const [line, output] of [
    ["2^53, 1//0.0, 7 // 2", "9.007199254741e+15\tinf\t3"], ["math.maxinteger + 1 == math.mininteger", "true"],
    ["local n = 0 ::again:: n = n + 1 if n < 3 then goto again end return n", "3"], ["state.supply", supply],
    ["print('hello', 1)", "hello\t1"], ["nil", "nil"], ["{1, 2}", JSON.stringify([1, 2], null, 2)],
  ]) assert.equal((await ask(page, line)).output, output, line);
  for (const [line, code] of [["nothing.here", "lua-error"], ["return return", "lua-syntax"]]) assert.equal((await ask(page, line)).code, code, line);
  assert.match(await page.locator(".lines [data-code=lua-error]").last().innerText(), /attempt to index a nil value \(global 'nothing'\)/);
  await page.locator(".repl").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/repl-lua53.png` });

  // The same for programs.
  const [sorted, luerl, endless, unknown, stopped] = await model(page, async ({ weft }) => {
    const code = (promise) => promise.then(() => null, (error) => error.code);
    const endless = weft.runScript({ script: "while true do end" });
    const cancelled = code(endless);
    await new Promise((soon) => setTimeout(soon));
    const { ms } = await weft.cancel();
    return [
      (await weft.runScript({ script: "local list = ... table.sort(list) return list, #list", args: [[3, 1, 2]] })).values,
      (await weft.runScript({ script: "return 2^53, math.maxinteger + 1", profile: "luerl" })).texts,
      await code(weft.runScript({ script: "while true do end", fuel: 100_000 })),
      await code(weft.runScript({ script: "", profile: "lua54" })),
      [await cancelled, ms <= 200],
    ];
  });
  assert.deepEqual(sorted, [[1, 2, 3], 3]);
  assert.deepEqual(luerl, ["9.007199254740992e15", String(2n ** 63n)]);
  assert.deepEqual([endless, unknown, stopped], ["lua-out-of-fuel", "request-invalid", ["cancelled", true]]);
  assert.deepEqual(await everything(page), before, "the store is what it was");
  assert.deepEqual(left, []);
  assert.deepEqual(faults, []);
});

test("the prompt of a process without Eval says so", async () => {
  const { page, faults } = await visit(stage.browser, stage.site.url);
  await green(page);
  const before = await everything(page);
  const answer = await ask(page, "return 1");
  assert.equal(answer.noEval, true);
  assert.equal(await page.locator("[data-engine]").getAttribute("data-engine"), "wasm");
  await page.click(".ways label:has([value=local])");
  assert.equal((await ask(page, "type(state)")).output, "nil", "the state of a wasm process is memory");
  assert.deepEqual(await everything(page), before);
  assert.deepEqual(faults, []);
});

/** Runs the function and waits for what came of it. */
async function run(page, script, name) {
  if (script !== undefined) await page.fill("#lua-script", script);
  if (name !== undefined) await page.fill("#lua-function", name);
  await page.click("#lua-run");
  // The answer before this one stands there until the next frame.
  await page.waitForFunction(() => document.querySelector("weft-app").model.ask.running !== "function");
  await page.evaluate(() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown))));
  const answered = page.locator(".answered");
  if ((await answered.count()) > 0) {
    return { result: JSON.parse(await answered.getAttribute("data-answer")), status: await answered.getAttribute("data-status") };
  }
  return { code: await page.locator(".answer-box [data-code]").getAttribute("data-code") };
}

test("a function over the state: the sum of balances, its fuel, and errors with their codes", async () => {
  const { page, faults } = await openLua();
  const { messages } = await history(page);
  const { balances, supply } = expected(messages, (await model(page, (model) => model.card)).owner);
  const before = await everything(page);
  const sum = [...balances.values()].reduce((total, amount) => total + amount, 0n);
  assert.equal(sum, supply);

  const { result, status } = await run(page);
  assert.equal(status, "ok");
  assert.deepEqual(result, { holders: balances.size, "nothing lost": true, "sum of balances": String(sum), supply: String(supply) });
  assert.match(await page.locator(".answered .gas").innerText(), /[\d ]+ fuel/);
  await page.locator(".serverless").screenshot({ path: `${process.env.WEFT_ARTEFACTS}/serverless.png` });

  await page.fill("#lua-params", '{"least": 7}');
  assert.deepEqual((await run(page, "function least(state, request) return { least = request.least } end", "least")).result, { least: 7 });
  await page.fill("#lua-params", "[1]");
  assert.equal((await run(page)).code, "json-invalid");
  await page.fill("#lua-params", "");
  assert.deepEqual(await run(page, "function f() return 'error', 'no' end", "f"), { result: "no", status: "error" });
  for (const [script, code] of [
    ["function f( return end", "lua-syntax"], ["function f() error('no') end", "lua-error"], ["function f() return 1 + {} end", "lua-error"],
    ["function f() return string.rep('x', 4000000000) end", "lua-out-of-memory"],
    ["function f() return f() + 1 end", "lua-too-deep"],
  ]) assert.equal((await run(page, script, "f")).code, code, script);
  assert.deepEqual(await everything(page), before);

  // The same for programs.
  const refused = await model(page, async ({ weft }, wasm) => weft.runLua(wasm, { script: "", function: "f" }).catch((error) => error.code), "A".repeat(43));
  assert.equal(refused, "not-found");
  assert.deepEqual(faults, []);
});

test("a script without end is stopped within 200 ms, and the node goes on", async () => {
  const { page, faults } = await openLua();
  const before = await everything(page);
  await page.evaluate(() => addEventListener("weft-cancelled", (event) => { window.cancelled = event.detail; }));
  await page.fill("#lua-script", "function f() while true do end end");
  await page.fill("#lua-function", "f");
  await page.click("#lua-run");
  await page.click("#lua-cancel");
  await page.waitForSelector(".answer-box [data-code=cancelled]");
  const { ms } = await page.evaluate(() => window.cancelled);
  assert.ok(ms <= 200, `stopped after ${ms} ms`);

  await page.fill("#repl-input", "while true do end");
  await page.press("#repl-input", "Enter");
  await page.waitForSelector("#repl-cancel");
  await page.press("#repl-input", "Escape");
  await page.waitForSelector(".lines [data-code=cancelled]");
  assert.ok((await page.evaluate(() => window.cancelled.ms)) <= 200);

  assert.deepEqual(await everything(page), before);
  assert.equal((await ask(page, "2 + 2")).output, "4");
  assert.deepEqual(faults, []);
});

test("tampering with the token in Lua is refused like any other", async () => {
  const { page, faults } = await openLua();
  const list = await model(page, ({ weft }) => weft.tamperings());
  await page.click("#tamper-all");
  await page.waitForSelector(`[data-refused="${list.length}"]`, { timeout: 300_000 });
  assert.deepEqual(faults, []);
});

test("Lua fits a narrow screen, and has a dark one", async () => {
  const { page } = await openLua({ width: 360, height: 780 });
  await ask(page, "state.supply");
  await run(page);
  assert.ok(await overflow(page) <= 0);
  await picture(page, "lua-narrow");
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "lua-dark");
});
