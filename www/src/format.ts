/** Numbers, ids and times as a person reads them. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** 12 345 with the narrow spaces of the field's tables. */
export const count = (n: number | bigint): string => whole.format(n).replaceAll(",", "\u202f");

/** 12.3K, for narrow places. */
export const compact = (n: number): string => short.format(n);

/** 1.2 MB. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const units = ["kB", "MB", "GB"];
  let value = n;
  let unit = "B";
  for (const next of units) {
    if (value < 1000) break;
    value /= 1000;
    unit = next;
  }
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;
}

/** 340 ms, 2.4 s. */
export const duration = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** "12 seconds", "3 hours", "40 days": how old something is. */
export function age(ms: number): string {
  const units: [unit: string, ms: number][] = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1_000]];
  const [unit, size] = units.find(([, size]) => ms >= 2 * size) ?? ["second", 1_000];
  const value = Math.floor(ms / size);
  return `${count(value)} ${unit}${value === 1 ? "" : "s"}`;
}

/** The two ends of an id. The whole id belongs in a title beside it. */
export const clip = (id: string): string => (id.length <= 17 ? id : `${id.slice(0, 8)}…${id.slice(-6)}`);

/** A sentence with the ids in it clipped. */
export const clipIds = (text: string): string => text.replace(/(?<![\w-])[\w-]{43}(?![\w-])/g, clip);

/** A time in UTC, so that two people see the same text. */
export const instant = (ms: number): string => {
  const date = new Date(ms);
  return Number.isNaN(date.valueOf()) ? String(ms) : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
};

/** Terminal text without its colours: aos writes for terminals. */
export const plain = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, "");

/** "1 slot", "2 slots". */
export const slots = (n: number): string => `${count(n)} ${n === 1 ? "slot" : "slots"}`;

/** JSON for reading. */
export const pretty = (value: unknown): string => JSON.stringify(value, null, 2);
