/** A file that a person edits elsewhere: opened here, and read again whenever it was saved. */

/** How often a file is looked at. Browsers tell nobody when one changes. */
const EVERY_MS = 400;

interface Picker {
  showOpenFilePicker?(options: object): Promise<FileSystemFileHandle[]>;
}

/** Whether this browser lets a page read a file again after it was changed. */
export const canWatch = (): boolean => "showOpenFilePicker" in globalThis;

/** Asks the person for a file. `null` if none was chosen. */
export async function pick(): Promise<FileSystemFileHandle | null> {
  const types = [{ description: "Lua", accept: { "text/x-lua": [".lua"] } }];
  try {
    return (await (globalThis as Picker).showOpenFilePicker?.({ types }))?.[0] ?? null;
  } catch (thrown) {
    if (thrown instanceof DOMException && thrown.name === "AbortError") return null;
    throw thrown;
  }
}

/** Calls with the file's text whenever it was saved, until told to stop; `lost` when it cannot be read any more. */
export function watch(file: FileSystemFileHandle, saved: (text: string) => void, lost: (why: string) => void): () => void {
  let known = -1;
  let stopped = false;
  const look = async (): Promise<void> => {
    try {
      const now = await file.getFile();
      if (stopped) return;
      if (known !== -1 && now.lastModified !== known) saved(await now.text());
      known = now.lastModified;
    } catch (thrown) {
      // An editor may replace a file: for a moment it is not there.
      if (thrown instanceof DOMException && thrown.name === "NotFoundError" && known !== -1) return;
      stop();
      lost(String(thrown));
    }
  };
  const timer = setInterval(() => void look(), EVERY_MS);
  const stop = (): void => { stopped = true; clearInterval(timer); };
  void look();
  return stop;
}
