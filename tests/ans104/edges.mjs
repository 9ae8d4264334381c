// Writes ../fixtures/ans104/edges.json: items and bundles at the edges of the rules, signed with the throw-away keys of
// the vectors, and what the reference libraries say about each. `node ans104/edges.mjs` in tests/, after `npm ci`.

import { constants, createHash, createPrivateKey, sign as nodeSign } from "node:crypto";
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { libraries, verdicts } from "./reference.mjs";

const require = createRequire(import.meta.url);
const ed = require("@noble/ed25519");
const secp256k1 = require("secp256k1");
const keccak256 = (...parts) => require("keccak")("keccak256").update(Buffer.concat(parts)).digest();
const { _TypedDataEncoder, hashMessage } = require("@ethersproject/hash");
const { getAddress } = require("@ethersproject/address");

const here = import.meta.dirname;
const keys = JSON.parse(readFileSync(join(here, "../fixtures/vectors/keys.json"), "utf8"));
const hex = (text) => Buffer.from(text, "hex");
const text = (value) => Buffer.from(value, "utf8");

// --- keys ------------------------------------------------------------------------------------------------------------

const rsaKey = createPrivateKey({ key: keys.rsa4096.jwk, format: "jwk" });
const rsaOwner = Buffer.from(keys.rsa4096.owner_b64url, "base64url");
const seed = hex(keys.ed25519.seed_hex);
const secret = hex(keys.secp256k1.private_hex);
const point = Buffer.from(secp256k1.publicKeyCreate(secret, false));
const address = keccak256(point.subarray(1)).subarray(12).toString("hex");
const seeds = [1, 2, 3].map((n) => createHash("sha256").update(`multi ${n}`).digest());

const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const little = (bytes) => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex") || "0"}`);
const little32 = (value) => hex(value.toString(16).padStart(64, "0")).reverse();
const big32 = (value) => hex(value.toString(16).padStart(64, "0"));
const big = (bytes) => BigInt(`0x${bytes.toString("hex")}`);

// --- signing: each takes the 48 bytes of the item ----------------------------------------------------------------------

const pss = (saltLength) => (payload) =>
  nodeSign("sha256", payload, { key: rsaKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
const pkcs1 = (payload) => nodeSign("sha256", payload, { key: rsaKey, padding: constants.RSA_PKCS1_PADDING });
const ed25519 = (message = (payload) => payload, key = seed) => async (payload) =>
  Buffer.from(await ed.sign(message(payload), key));
const lowerHex = (payload) => text(payload.toString("hex"));
const aptos = (payload) => text(`APTOS\nmessage: ${payload.toString("hex")}\nnonce: bundlr`);
const ecdsa = (digest, change = (r, s, v) => [r, s, v + 27]) => (payload) => {
  const { signature, recid } = secp256k1.ecdsaSign(digest(payload), secret);
  const [r, s, v] = change(big(Buffer.from(signature.slice(0, 32))), big(Buffer.from(signature.slice(32))), recid);
  return Buffer.concat([big32(r), big32(s), Buffer.from([v])]);
};
const message = (payload) => hex(hashMessage(payload).slice(2));
const typed = (owner) => (payload) => {
  const types = { Bundlr: [{ name: "Transaction hash", type: "bytes" }, { name: "address", type: "address" }] };
  const value = { address: owner.toLowerCase(), "Transaction hash": payload };
  return hex(_TypedDataEncoder.hash({ name: "Bundlr", version: "1" }, types, value).slice(2));
};
const withV = (change) => (r, s, v) => [r, s, change(v)];
const highS = (r, s, v) => [r, N - s, (v ^ 1) + 27];

// --- points of small order ---------------------------------------------------------------------------------------------

/** A signature by the scalar `a` under the key A, with R moved by a point and s as it must be for a reader that clears
 * the cofactor. `wanted` picks among nonces by the challenge. */
async function crafted(payload, key, a, move, wanted = () => true) {
  for (let n = 1n; ; n += 1n) {
    const R = Buffer.from(ed.Point.BASE.multiply(n).add(move).toRawBytes());
    const k = little(createHash("sha512").update(Buffer.concat([R, key, payload])).digest()) % L;
    if (wanted(k)) return Buffer.concat([R, little32((n + k * a) % L)]);
  }
}
const order8 = ed.Point.fromHex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
const zero = ed.Point.ZERO;
const scalar = 12345n;
const mixed = Buffer.from(ed.Point.BASE.multiply(scalar).add(order8).toRawBytes());
const plain = Buffer.from(ed.Point.BASE.multiply(scalar).toRawBytes());

// --- Aptos multi-keys --------------------------------------------------------------------------------------------------

async function multiOwner(threshold) {
  const owner = Buffer.alloc(1025);
  for (const [slot, key] of seeds.entries()) owner.set(await ed.getPublicKey(key), slot * 32);
  owner[1024] = threshold;
  return owner;
}
const multi = (slots, change = (signature) => signature) => async (payload) => {
  const signature = Buffer.alloc(2052);
  for (const slot of slots) {
    if (slot < seeds.length) signature.set(await ed.sign(payload, seeds[slot]), slot * 64);
    signature[2048 + (slot >> 3)] |= 128 >> (slot & 7);
  }
  return change(signature, payload);
};

// --- items and bundles -------------------------------------------------------------------------------------------------

const SIGNATURE = { 1: 512, 2: 64, 3: 65, 4: 64, 5: 64, 6: 2052, 7: 65, 101: 65 };
const number = (value, size) => Buffer.from(Array.from({ length: size }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 255n)));

async function item(type, owner, sign, { tags = Buffer.alloc(0), count = 0, flags = [0, 0], data = text("edge") } = {}) {
  const bytes = Buffer.concat([
    number(type, 2), Buffer.alloc(SIGNATURE[type]), owner, Buffer.from(flags), number(count, 8),
    number(tags.length, 8), tags, data,
  ]);
  const payload = Buffer.from(await new libraries.dha.DataItem(bytes).getSignatureData());
  bytes.set(await sign(payload), 2);
  return bytes;
}
const long = (value) => {
  const out = [];
  let rest = value >= 0 ? BigInt(value) * 2n : -BigInt(value) * 2n - 1n;
  do {
    out.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(out);
};
const sized = (value) => Buffer.concat([long(Buffer.byteLength(value)), Buffer.from(value)]);
const records = (list) => Buffer.concat(list.flat().map(sized));
const block = (list) => Buffer.concat([long(list.length), records(list)]);
const negative = (list, size = records(list).length) => Buffer.concat([long(-list.length), long(size), records(list)]);
const end = Buffer.from([0]);
const tagged = (count, ...parts) => item(2, edOwner, ed25519(), { tags: Buffer.concat(parts), count });
const bundle = (items, { ids = {}, count = items.length, sizes = {}, rest = Buffer.alloc(0) } = {}) => {
  const id = (bytes) => createHash("sha256").update(bytes.subarray(2, 2 + SIGNATURE[bytes.readUInt16LE(0)])).digest();
  const heads = items.flatMap((bytes, at) => [number(sizes[at] ?? bytes.length, 32), ids[at] ?? id(bytes)]);
  return Buffer.concat([number(count, 32), ...heads, ...items, rest]);
};

const edOwner = Buffer.from(await ed.getPublicKey(seed));
const lower = text(`0x${address}`);
const one = [["a", "1"]];
const two = [["b", "2"], ["c", "3"]];
const many = (count) => Array.from({ length: count }, () => ["", ""]);
const hybrid = (first) => Buffer.concat([Buffer.from([first]), point.subarray(1)]);
const parity = point[64] & 1;
const good = await tagged(1, block(one), end);
const three = await item(3, point, ecdsa(message));
const nested = bundle([await item(2, edOwner, ed25519(), {
  tags: Buffer.concat([block([["Bundle-Format", "binary"], ["Bundle-Version", "2.0.0"]]), end]),
  count: 2,
  data: bundle([good, three]),
})]);

const cases = {
  "type 1, salt of 0 bytes": item(1, rsaOwner, pss(0)),
  "type 1, salt of 20 bytes": item(1, rsaOwner, pss(20)),
  "type 1, salt of 32 bytes": item(1, rsaOwner, pss(32)),
  "type 1, salt of 478 bytes": item(1, rsaOwner, pss(478)),
  "type 1, PKCS 1 v1.5": item(1, rsaOwner, pkcs1),
  "type 1, SHA-512": item(1, rsaOwner, (payload) => nodeSign("sha512", payload, { key: rsaKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 64 })),
  "type 2, plain": item(2, edOwner, ed25519()),
  "type 2, signs the text": item(2, edOwner, ed25519(lowerHex)),
  "type 2, s plus the order": item(2, edOwner, async (payload) => {
    const signature = await ed25519()(payload);
    return Buffer.concat([signature.subarray(0, 32), little32(little(signature.subarray(32)) + L)]);
  }),
  "type 2, the key is the neutral point": item(2, Buffer.from(zero.toRawBytes()), (payload) => crafted(payload, Buffer.from(zero.toRawBytes()), 0n, zero)),
  "type 2, the key has order 8": item(2, Buffer.from(order8.toRawBytes()), (payload) => crafted(payload, Buffer.from(order8.toRawBytes()), 0n, zero, (k) => k % 8n === 0n)),
  "type 2, the key has a part of order 8": item(2, mixed, (payload) => crafted(payload, mixed, scalar, zero, (k) => k % 8n !== 0n)),
  "type 2, R has a part of order 8": item(2, plain, (payload) => crafted(payload, plain, scalar, order8)),
  "type 2, R is the neutral point": item(2, plain, async (payload) => {
    const R = Buffer.from(zero.toRawBytes());
    const k = little(createHash("sha512").update(Buffer.concat([R, plain, payload])).digest()) % L;
    return Buffer.concat([R, little32((k * scalar) % L)]);
  }),
  "type 3, plain": item(3, point, ecdsa(message)),
  "type 3, v is 0": item(3, point, ecdsa(message, withV(() => 0))),
  "type 3, v is of the other key": item(3, point, ecdsa(message, withV((v) => (v ^ 1) + 27))),
  "type 3, v is 200": item(3, point, ecdsa(message, withV(() => 200))),
  "type 3, high s": item(3, point, ecdsa(message, highS)),
  "type 3, s is 0": item(3, point, ecdsa(message, (r, _s, v) => [r, 0n, v + 27])),
  "type 3, r is 0": item(3, point, ecdsa(message, (_r, s, v) => [0n, s, v + 27])),
  "type 3, r is the order": item(3, point, ecdsa(message, (_r, s, v) => [N, s, v + 27])),
  "type 3, hybrid key": item(3, hybrid(6 | parity), ecdsa(message)),
  "type 3, hybrid key of the other parity": item(3, hybrid(7 - parity), ecdsa(message)),
  "type 3, key with a first byte of 2": item(3, hybrid(2), ecdsa(message)),
  "type 3, not a point": item(3, Buffer.concat([point.subarray(0, 64), Buffer.from([point[64] ^ 1])]), ecdsa(message)),
  "type 3, no message prefix": item(3, point, ecdsa((payload) => keccak256(payload))),
  "type 3, typed data": item(3, point, ecdsa(typed(lower.toString()))),
  "type 4, plain": item(4, edOwner, ed25519(lowerHex)),
  "type 4, signs the payload": item(4, edOwner, ed25519()),
  "type 4, capital letters": item(4, edOwner, ed25519((payload) => text(payload.toString("hex").toUpperCase()))),
  "type 5, plain": item(5, edOwner, ed25519(aptos)),
  "type 5, signs the payload": item(5, edOwner, ed25519()),
  "type 5, a line feed at the end": item(5, edOwner, ed25519((payload) => Buffer.concat([aptos(payload), text("\n")]))),
  "type 6, two of three": item(6, await multiOwner(2), multi([0, 2])),
  "type 6, three of three": item(6, await multiOwner(3), multi([0, 1, 2])),
  "type 6, more than needed": item(6, await multiOwner(1), multi([0, 1, 2])),
  "type 6, fewer than the threshold": item(6, await multiOwner(2), multi([1])),
  "type 6, nobody": item(6, await multiOwner(2), multi([])),
  "type 6, threshold 0, nobody": item(6, await multiOwner(0), multi([])),
  "type 6, threshold 0, one": item(6, await multiOwner(0), multi([1])),
  "type 6, threshold 33": item(6, await multiOwner(33), multi([0, 1, 2])),
  "type 6, one is wrong": item(6, await multiOwner(2), multi([0, 1, 2], (signature) => {
    signature[70] ^= 1;
    return signature;
  })),
  "type 6, the others' signatures": item(6, await multiOwner(2), multi([0, 1], (signature) => Buffer.concat([
    signature.subarray(64, 128), signature.subarray(0, 64), signature.subarray(128),
  ]))),
  "type 6, a signature that does not count": item(6, await multiOwner(2), multi([0, 1, 2], (signature) => {
    signature[2048] = 0b1100_0000;
    return signature;
  })),
  "type 6, forged for empty slots": item(6, await multiOwner(2), multi([30, 31], async (signature, payload) => {
    const empty = Buffer.alloc(32); // y = 0: a point of order 4
    for (const slot of [30, 31]) {
      signature.set(await crafted(payload, empty, 0n, zero, (k) => k % 4n === 0n), slot * 64);
    }
    return signature;
  })),
  "type 7, plain": item(7, lower, ecdsa(typed(lower.toString()))),
  "type 7, v is 0 or 1": item(7, lower, ecdsa(typed(lower.toString()), withV((v) => v))),
  "type 7, v is 29 or 30": item(7, lower, ecdsa(typed(lower.toString()), withV((v) => v + 29))),
  "type 7, v is 2": item(7, lower, ecdsa(typed(lower.toString()), withV(() => 2))),
  "type 7, v is of the other key": item(7, lower, ecdsa(typed(lower.toString()), withV((v) => (v ^ 1) + 27))),
  "type 7, high s": item(7, lower, ecdsa(typed(lower.toString()), highS)),
  "type 7, checksum capitals": item(7, text(getAddress(lower.toString())), ecdsa(typed(lower.toString()))),
  "type 7, all capitals": item(7, text(`0x${address.toUpperCase()}`), ecdsa(typed(lower.toString()))),
  "type 7, wrong capitals": item(7, text(`0x${address.replace(/[a-f]/, (letter) => letter.toUpperCase())}`), ecdsa(typed(lower.toString()))),
  "type 7, 0X": item(7, text(`0X${address}`), ecdsa(typed(lower.toString()))),
  "type 7, another's address": item(7, text(`0x${"12".repeat(20)}`), ecdsa(typed(`0x${"12".repeat(20)}`))),
  "type 7, not an address": item(7, text("a".repeat(42)), ecdsa(typed(lower.toString()))),
  "type 7, a wallet message": item(7, lower, ecdsa(message)),
  "tags: one block": tagged(1, block(one), end),
  "tags: one block with its size": tagged(2, negative(two), end),
  "tags: two blocks": tagged(3, block(one), block(two), end),
  "tags: two blocks, the second with its size": tagged(3, block(one), negative(two), end),
  "tags: two blocks, the first with its size": tagged(3, negative(one), block(two), end),
  "tags: a size that is wrong": tagged(2, negative(two, 3), end),
  "tags: no end": tagged(1, block(one)),
  "tags: bytes after the end": tagged(1, block(one), end, text("x")),
  "tags: none, but an end": tagged(0, end),
  "tags: none, but bytes": tagged(0, text("junk")),
  "tags: none, but one": tagged(0, block(one), end),
  "tags: one, but no bytes": tagged(1),
  "tags: one more than there are": tagged(2, block(one), end),
  "tags: one fewer than there are": tagged(1, block(two), end),
  "tags: a number with a byte too many": tagged(1, Buffer.from([0x82, 0x00]), records(one), end),
  "tags: a negative length": tagged(1, Buffer.from([2, 1, 97, 2, 98, 0])),
  "tags: cut in a value": tagged(1, Buffer.from([2, 2, 97, 8, 98])),
  "tags: an empty name": tagged(1, block([["", "1"]]), end),
  "tags: an empty value": tagged(1, block([["a", ""]]), end),
  "tags: not UTF-8": tagged(1, block([[Buffer.from([0xff, 0xfe]), Buffer.from([0xc3])]]), end),
  "tags: 128": tagged(128, block(many(128)), end),
  "tags: 129": tagged(129, block(many(129)), end),
  "tags: 2046": tagged(2046, block(many(2046)), end),
  "tags: a name of 1025 bytes": tagged(1, block([["n".repeat(1025), ""]]), end),
  "tags: a value of 3073 bytes": tagged(1, block([["n", "v".repeat(3073)]]), end),
  "tags: 4096 bytes": tagged(1, block([["n", "v".repeat(4090)]]), end),
  "tags: 4097 bytes": tagged(1, block([["n", "v".repeat(4091)]]), end),
  "target flag of 2": item(2, edOwner, ed25519(), { flags: [2, 0] }),
  "anchor flag of 2": item(2, edOwner, ed25519(), { flags: [0, 2] }),
  "type 101": item(101, point, ecdsa(message)),
};

const bundles = {
  "bundle of none": bundle([]),
  "bundle of two": bundle([good, three]),
  "bundle in a bundle": nested,
  "bundle, an id of something else": bundle([good, three], { ids: { 0: Buffer.alloc(32, 7) } }),
  "bundle, bytes after the last item": bundle([good, three], { rest: Buffer.alloc(9) }),
  "bundle, one more than there are": bundle([good], { count: 2 }),
  "bundle, one fewer than there are": bundle([good, three], { count: 1 }),
  "bundle, an item of no bytes": bundle([good], { sizes: { 0: 0 } }),
  "bundle, an item cut": bundle([good], { sizes: { 0: good.length - 1 } }),
  "bundle, an item that is too long": bundle([good], { sizes: { 0: good.length + 1 } }),
  "bundle, the same item twice": bundle([good, good]),
};

const rows = [];
for (const [kind, list] of [["item", cases], ["bundle", bundles]]) {
  for (const [name, made] of Object.entries(list)) {
    const bytes = await made;
    rows.push({ name, kind, ...(await verdicts(kind, bytes)), bytes: bytes.toString("base64url") });
  }
}
const lines = rows.map((row) => `  ${JSON.stringify(row)}`);
writeFileSync(join(here, "../fixtures/ans104/edges.json"), `[\n${lines.join(",\n")}\n]\n`);
console.log(`${rows.length} cases`);
