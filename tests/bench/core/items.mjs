// Signed items for the benches: RSA-4096, the published test key.

import { readFile } from "node:fs/promises";

import { ArweaveSigner, createData } from "arbundles";

const KEYS = new URL("../../fixtures/vectors/keys.json", import.meta.url);

const { jwk } = JSON.parse(await readFile(KEYS, "utf8")).rsa4096;
const signer = new ArweaveSigner(jwk);

export const owner = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(jwk.n, "base64url"))).toString("base64url");

export const tags = (object) => Object.entries(object).map(([name, value]) => ({ name, value }));

/** `{ id, raw }` */
async function signed(data, more, target) {
  const protocol = { "Data-Protocol": "ao", Variant: "ao.TN.1" };
  const item = createData(data, signer, { tags: tags({ ...protocol, ...more }), ...(target && { target }) });
  await item.sign(signer);
  return { id: item.id, raw: item.getRaw() };
}

export const spawn = (module, { scheduler, authority }, more = {}) =>
  signed(" ", { Type: "Process", Module: module, Scheduler: scheduler, Authority: authority, Name: "bench", ...more });

/** `count` messages for a process, `data(n)` of each. */
export async function messages(process, count, action, data) {
  const all = [];
  for (let n = 0; n < count; n += 1) all.push(await signed(data(n), { Type: "Message", Action: action }, process));
  return all;
}
