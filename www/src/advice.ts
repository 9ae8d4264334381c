/** What a person can do about an error, by its code. The sentence of the error itself says what happened. */

const SOURCES = "Check the address, or add another source: the next one is asked when one fails. Sync again goes on from here.";
const FORGED = "Nothing after this point was accepted, and the state before it stands. Try another source; if all of them give the same bytes, the history itself is not what it claims.";

const ADVICE: { [code: string]: string } = {
  "no-source": "Add at least one scheduler and one gateway below.",
  "source-invalid": "Give the address as https://… or http://….",
  "source-unreachable": SOURCES,
  "source-timeout": SOURCES,
  "source-status": SOURCES,
  "source-garbled": "This address answers, but not as a scheduler or gateway does. Check it, or add another source.",
  "page-loop": "This scheduler's pages do not advance. Try another scheduler.",
  "not-found": "No source knows this id. Check it, or add a gateway that has it.",
  "message-missing": "Add a gateway that has this message.",
  "id-invalid": "An id is 43 characters: letters, digits, - and _. Copy it again.",
  "scheduler-mismatch": "Only accept the other signer if you know who it is: a scheduler decides the order of messages.",
  "signature-unsupported": "This version does not know how such signatures are made. It refuses them rather than pass them unchecked.",
  "module-format-unsupported": "This version does not run this kind of module.",
  "modules-too-many": "The process lists more Lua modules than this version runs together. Its history can be verified, not replayed.",
  "module-repeated": "The process lists a Lua module twice, which this version does not run. Its history can be verified.",
  "cron-unsupported": "Cron messages are not signed, so they cannot be proved. You may replay without them; the receipt then says so.",
  "anchor-missing": "This scheduler leaves out a signed field that proofs need. Try another scheduler.",
  "memory-limit": "The process wants more memory than this page gives it.",
  "engines-differ": "Save the report below: it holds what both engines made of the message. Then choose “wasmi only” above and sync again.",
  "engine-failed": "The browser's WebAssembly could not run the process to the end. Another browser may.",
  "gas-limit": "The process wants more gas than this page gives it.",
  "lua-out-of-fuel": "A message of this process takes more steps than this page gives it.",
  "lua-out-of-memory": "The process wants more memory than this page gives it.",
  "lua-unsupported": "The process uses something of Luerl that this version does not have. It stops rather than compute something else.",
  "cancelled": "What was stored stands. Sync again goes on from there.",
  "crashed": "This is a fault of Weft. What was stored stands; sync again goes on from there.",
  "store-failed": "Free some space, or allow this site to keep data, and try again.",
  "store-corrupt": "Forget this process and sync it again.",
  "snapshot-invalid": "Forget this process and sync it again.",
  "request-invalid": "Check what was entered.",
};

/** Codes of histories that do not prove: something was refused, not merely missing. */
export const UNPROVED = new Set([
  "id-mismatch", "signature-invalid", "data-root-mismatch", "not-a-process", "not-a-module", "not-an-assignment",
  "module-mismatch", "scheduler-mismatch", "message-missing", "anchor-missing", "process-mismatch", "message-mismatch", "slot-missing", "slot-repeated", "hash-chain-broken",
  "timestamp-backwards", "epoch-changed", "block-height-backwards", "item-truncated", "item-malformed", "tags-malformed",
  "bundle-malformed", "transaction-malformed", "page-malformed", "base64-invalid", "json-invalid", "too-large",
]);

/** What to do next about an error. */
export function advice(code: string): string {
  return ADVICE[code] ?? (UNPROVED.has(code) ? FORGED : "Try again; docs/errors.md explains every code.");
}
