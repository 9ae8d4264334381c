// Writes a bundle of items of types 2, 3 and 4 in turn, signed by npm arbundles, for the bench of verification.
//   node tests/bench/items.mjs ITEMS FILE

import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";

import { createData, EthereumSigner, HexSolanaSigner, SolanaSigner } from "arbundles";
import * as ed25519 from "@noble/ed25519";
import base58 from "bs58";

import { bundleOf } from "./bundle.mjs";

const [count, file] = [Number(process.argv[2]), process.argv[3]];
// Fixed keys: they own nothing.
const seed = createHash("sha256").update("the bench's keys").digest();
const solana = base58.encode(Buffer.concat([seed, await ed25519.getPublicKey(seed)]));
const signers = [new SolanaSigner(solana), new EthereumSigner(seed.toString("hex")), new HexSolanaSigner(solana)];

const items = [];
for (let at = 0; at < count; at += 1) {
  const signer = signers[at % signers.length];
  const tags = [{ name: "Content-Type", value: "text/plain" }, { name: "Number", value: String(at) }];
  const item = createData(`item ${at}`.repeat(1 + (at % 50)), signer, { tags });
  await item.sign(signer);
  items.push(item);
}
await writeFile(file, bundleOf(items));
