/** Reads a token's balances out of its answer to a `Balances` message. */

import type { Json, SlotResult } from "../../web/js/client.js";

export interface Balance {
  holder: string;
  amount: bigint;
}

/** The dry run that asks for them, by somebody whom the process may answer. */
export const question = (owner: string): Json => ({ Tags: [{ name: "Action", value: "Balances" }], Data: "", Owner: owner });

/** The balances, largest first; `null` if the answer holds none. */
export function read(result: SlotResult): Balance[] | null {
  for (const message of result.messages) {
    const data = (message as { Data?: unknown } | null)?.Data;
    if (typeof data !== "string") continue;
    const balances = table(data);
    if (balances) return balances;
  }
  return typeof result.output === "string" ? table(result.output) : null;
}

function table(text: string): Balance[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const balances: Balance[] = [];
  for (const [holder, amount] of Object.entries(value)) {
    if (!/^\d+$/.test(String(amount))) return null;
    balances.push({ holder, amount: BigInt(String(amount)) });
  }
  balances.sort((a, b) => (a.amount < b.amount ? 1 : a.amount > b.amount ? -1 : a.holder < b.holder ? -1 : 1));
  return balances;
}
