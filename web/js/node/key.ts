/**
 * The node's own key: RSA-4096, made once, kept by the browser in IndexedDB. WebCrypto signs with it; after it was made nobody can
 * take it out again, this script neither.
 */

import { WeftError } from "../error.js";

/** What is kept. WebCrypto binds a key to one hash, so it is there twice. */
interface Kept {
  modulus: Uint8Array<ArrayBuffer>;
  /** It signs data items. */
  key: CryptoKey;
  /** It signs messages over HTTP. Keys of before that did have none. */
  messages?: CryptoKey;
}

/** The hashes a key signs with: data items have the first, messages over HTTP the second. */
export type SignedHash = "SHA-256" | "SHA-512";

/** What signs. */
export interface NodeKey {
  modulus: Uint8Array<ArrayBuffer>;
  /** RSA-PSS with SHA-256 unless told otherwise, and a salt of 32 bytes, as Arweave has it. */
  sign(bytes: Uint8Array<ArrayBuffer>, hash?: SignedHash): Promise<Uint8Array<ArrayBuffer>>;
}

const ALGORITHM = { name: "RSA-PSS", hash: "SHA-256" };
const STORE = "keys";

/** The key of a database, made if there is none. Error: `store-failed` where the browser keeps no key for this site. */
export async function nodeKey(database: string): Promise<NodeKey> {
  if (!globalThis.crypto?.subtle) {
    throw new WeftError("store-failed", "The browser gives no keys to this page: it needs https, or localhost.");
  }
  const keys = await openKeys(`${database}-key`);
  try {
    const kept = (await request<Kept | undefined>(keys.transaction(STORE).objectStore(STORE).get("node"))) ?? (await make(keys));
    return {
      modulus: kept.modulus,
      sign: async (bytes, hash = "SHA-256") => {
        const key = hash === "SHA-512" ? kept.messages : kept.key;
        if (!key) throw new WeftError("signature-missing", "This node's key was made by a Weft that did not sign answers.");
        return new Uint8Array(await crypto.subtle.sign({ name: "RSA-PSS", saltLength: 32 }, key, bytes));
      },
    };
  } finally {
    keys.close();
  }
}

async function make(keys: IDBDatabase): Promise<Kept> {
  const parameters = { ...ALGORITHM, modulusLength: 4096, publicExponent: new Uint8Array([1, 0, 1]) };
  const pair = await crypto.subtle.generateKey(parameters, true, ["sign"]);
  // Out once, to be put in twice. What is kept cannot be taken out again.
  const secret = await crypto.subtle.exportKey("pkcs8", pair.privateKey);
  const bound = (hash: SignedHash) => crypto.subtle.importKey("pkcs8", secret, { name: "RSA-PSS", hash }, false, ["sign"]);
  const [key, messages] = await Promise.all([bound("SHA-256"), bound("SHA-512")]);
  new Uint8Array(secret).fill(0);
  const { n } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const made: Kept = { modulus: fromBase64url(n ?? ""), key, messages };
  // Another tab may have made one meanwhile: the first one counts. One transaction looks and writes.
  const store = keys.transaction(STORE, "readwrite").objectStore(STORE);
  const kept = await request<Kept | undefined>(store.get("node"));
  if (kept) return kept;
  await request(store.put(made, "node"));
  return made;
}

/** The address of a key: the SHA-256 of its modulus, in base64url. */
export async function addressOf(modulus: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", modulus));
  return btoa(String.fromCharCode(...hash)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const fromBase64url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (byte) => byte.charCodeAt(0));

function openKeys(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return request(opening);
}

function request<T>(asked: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(new WeftError("store-failed", "The browser keeps no key for this site.", asked.error?.message));
  });
}
