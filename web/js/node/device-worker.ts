/** The worker of one device in JavaScript: loads its module, and calls the functions that it exports. */

export type ToDevice = { load: string } | { id: number; key: string; base: string; request: string };
export type FromDevice =
  | { keys: string[] }
  | { unloaded: string }
  | { id: number; value: string }
  | { id: number; failed: string; status?: number };

type Key = (base: unknown, request: unknown) => unknown;

const scope = self as unknown as {
  postMessage(message: FromDevice): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToDevice>) => void): void;
};

let keys = new Map<string, Key>();

async function load(script: string): Promise<void> {
  try {
    const module = (await import(script)) as { [name: string]: unknown };
    keys = new Map(Object.entries(module).filter((entry): entry is [string, Key] => typeof entry[1] === "function"));
    scope.postMessage({ keys: [...keys.keys()] });
  } catch (thrown) {
    scope.postMessage({ unloaded: said(thrown) });
  }
}

async function answer(id: number, key: string, base: string, request: string): Promise<void> {
  try {
    const value = await keys.get(key)?.(JSON.parse(base), JSON.parse(request));
    scope.postMessage({ id, value: JSON.stringify(value ?? null) });
  } catch (thrown) {
    const status = (thrown as { status?: unknown } | null)?.status;
    scope.postMessage({ id, failed: said(thrown), ...(typeof status === "number" ? { status } : {}) });
  }
}

const said = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

scope.addEventListener("message", ({ data }) => void ("load" in data ? load(data.load) : answer(data.id, data.key, data.base, data.request)));
