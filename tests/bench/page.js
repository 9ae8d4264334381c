// What bench/verify.mjs does in the page. Rounds alternate, so that everybody meets the same machine.
(() => {
  const Weft = document.querySelector("weft-app").model.weft.constructor;
  const bytes = async (name) => new Uint8Array(await (await fetch(`bench/${name}.bin`)).arrayBuffer());

  async function verifyBundle(weft, bundle) {
    const verdicts = await weft.verifyBundle(bundle);
    if (!verdicts.every(({ ok }) => ok)) throw new Error("Weft refuses an item");
    return verdicts.length;
  }

  async function syncHistory(weft, { process, scheduler, slots }, listener) {
    const { head } = await weft.sync(process, { schedulers: [scheduler], gateways: [] }, { replay: false }, listener);
    if (head + 1 !== slots) throw new Error(`Weft ends at slot ${head} of ${slots}`);
    return 2 * slots;
  }

  /** arbundles, one item after the other or all at once. */
  async function peer() {
    const { Bundle, DataItem, getCryptoDriver, serializeTags } = window.Arbundles;
    // Its Buffer is its own, and not exported.
    const { constructor: Buffer } = serializeTags([{ name: "a", value: "b" }]);
    // In a browser, arbundles 0.11.2 gives WebCrypto the bytes of an RSA key where it takes their base64url, and no RSA
    // item verifies. This does what its class Rsa4096Pss does.
    const driver = getCryptoDriver();
    const verify = driver.verify.bind(driver);
    const text = (key) => key.toString("base64").replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    driver.verify = (key, ...rest) => verify(Buffer.isBuffer(key) ? text(key) : key, ...rest);
    const refuse = () => { throw new Error("arbundles refuses an item"); };
    return {
      items: (bundle) => new Bundle(Buffer.from(bundle)).items.map((item) => item.getRaw()),
      oneByOne: async (raws) => {
        for (const raw of raws) if (!(await DataItem.verify(raw))) refuse();
        return raws.length;
      },
      atOnce: async (raws) => {
        const verdicts = await Promise.all(raws.map((raw) => DataItem.verify(raw)));
        return verdicts.every(Boolean) ? raws.length : refuse();
      },
    };
  }

  /** Items per second of each, a list of one for each round. */
  async function speed(work, rounds) {
    const arbundles = await peer();
    const bundles = { mixed: await bytes("mixed"), rsa: await bytes("rsa"), history: await bytes("history") };
    const theirs = { mixed: arbundles.items(bundles.mixed), rsa: arbundles.items(bundles.rsa) };
    const rates = {};
    const rate = async (name, work) => {
      const begun = performance.now();
      const count = await work();
      (rates[name] ??= []).push((1000 * count) / (performance.now() - begun));
    };
    const weft = await Weft.open({ database: "bench" });
    const rust = await Weft.open({ database: "bench-rust", webCrypto: false });
    // Compiled code is warm on both sides.
    for (const node of [weft, rust]) await verifyBundle(node, bundles.mixed);
    await arbundles.atOnce(theirs.mixed);
    for (let round = 0; round < rounds; round += 1) {
      for (const name of ["mixed", "rsa"]) {
        await rate(`${name} weft`, () => verifyBundle(weft, bundles[name]));
        await rate(`${name} rust`, () => verifyBundle(rust, bundles[name]));
        await rate(`${name} arbundles`, () => arbundles.oneByOne(theirs[name]));
        await rate(`${name} arbundles at once`, () => arbundles.atOnce(theirs[name]));
      }
      await rate("history weft", () => verifyBundle(weft, bundles.history));
      const fresh = await Weft.open({ database: `bench-${round}` });
      await rate("sync weft", () => syncHistory(fresh, work));
      fresh.close();
    }
    weft.close();
    rust.close();
    return { cores: navigator.hardwareConcurrency, rates };
  }

  /** The same for the weighing: opened and warm, then one thing at a time. */
  const weighing = {
    open: async (work) => {
      const worker = new URL("bench-worker.js", location.href);
      Object.assign(weighing, { work, weft: await Weft.open({ database: "weighed", worker }) });
      await verifyBundle(weighing.weft, await bytes("rsa"));
    },
    bundle: async () => verifyBundle(weighing.weft, await bytes("history")),
    /** The most slots that were proved and not yet in the store. */
    sync: async () => {
      let [proved, stored, most] = [0, 0, 0];
      await syncHistory(weighing.weft, weighing.work, (event) => {
        if (event.kind === "progress" && event.phase === "history") proved = event.done;
        if (event.kind === "committed") stored = event.slot + 1;
        most = Math.max(most, proved - stored);
      });
      return most;
    },
  };

  window.bench = { speed, ...weighing };
})();
