/** RSA-PSS signatures by WebCrypto. Claims come packed by `web/src/signatures.rs`; each gives one byte, 1 if it holds. */

/** Keys kept ready. A history has one scheduler and few frequent senders. */
const KEPT_KEYS = 256;
/** Bytes before a claim's key: the hash, and the lengths of key and message. */
const HEAD = 9;

/** One claim as views into the packed bytes. */
interface Claim {
  hash: "SHA-256" | "SHA-512";
  key: Uint8Array<ArrayBuffer>;
  message: Uint8Array<ArrayBuffer>;
  signature: Uint8Array<ArrayBuffer>;
}

/** A key that is ready, and the length of salt its signer took last. */
interface Ready {
  key: CryptoKey;
  salt: number;
}

/** A key by its bytes. */
interface Kept {
  hash: Claim["hash"];
  modulus: Uint8Array;
  ready: Promise<Ready | null>;
}

const keys: Kept[] = [];

/** Where each claim begins and ends. */
export function ranges(packed: Uint8Array<ArrayBuffer>): [number, number][] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const found: [number, number][] = [];
  for (let start = 0; start < packed.length;) {
    const end = start + HEAD + 2 * view.getUint32(start + 1, true) + view.getUint32(start + 5, true);
    found.push([start, end]);
    start = end;
  }
  return found;
}

/** The verdicts, in order. Zero says only that WebCrypto did not find the claim to hold. */
export async function check(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const claims = ranges(packed).map(([start, end]) => claimOf(packed.subarray(start, end)));
  const verdicts = await Promise.all(claims.map((claim) => holds(claim).catch(() => false)));
  return Uint8Array.from(verdicts, Number);
}

function claimOf(packed: Uint8Array<ArrayBuffer>): Claim {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const key = HEAD + view.getUint32(1, true);
  const message = key + view.getUint32(5, true);
  return {
    hash: packed[0] === 0 ? "SHA-256" : "SHA-512",
    key: packed.subarray(HEAD, key),
    message: packed.subarray(key, message),
    signature: packed.subarray(message),
  };
}

/** No signature says how long its salt is: the last one's length is tried first, then those that signers take. */
async function holds({ hash, key, message, signature }: Claim): Promise<boolean> {
  const ready = await prepared(hash, key);
  if (!ready) return false;
  const digest = hash === "SHA-256" ? 32 : 64;
  for (const saltLength of new Set([ready.salt, digest, key.length - digest - 2, 0])) {
    if (saltLength < 0) continue;
    if (await crypto.subtle.verify({ name: "RSA-PSS", saltLength }, ready.key, signature, message)) {
      ready.salt = saltLength;
      return true;
    }
  }
  return false;
}

function prepared(hash: Claim["hash"], modulus: Uint8Array<ArrayBuffer>): Promise<Ready | null> {
  const known = keys.find((key) => key.hash === hash && same(key.modulus, modulus));
  if (known) return known.ready;
  if (keys.length >= KEPT_KEYS) keys.shift();
  const jwk = { kty: "RSA", n: base64url(modulus), e: "AQAB", ext: true };
  const ready = crypto.subtle
    .importKey("jwk", jwk, { name: "RSA-PSS", hash }, false, ["verify"])
    .then((key) => ({ key, salt: hash === "SHA-256" ? 32 : 64 }), () => null);
  keys.push({ hash, modulus: modulus.slice(), ready });
  return ready;
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
