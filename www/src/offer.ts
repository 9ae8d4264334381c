/** Lets the browser save a file. */
export function offer(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  // The browser may begin to read after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
