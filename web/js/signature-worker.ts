/** A thread that checks signatures and does nothing else: packed claims in, verdicts out. */

import { check } from "./rsa.js";

const scope = self as unknown as {
  postMessage(verdicts: Uint8Array<ArrayBuffer>, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Uint8Array<ArrayBuffer>>) => void): void;
};

scope.addEventListener("message", ({ data }) => {
  void check(data).then((verdicts) => scope.postMessage(verdicts, [verdicts.buffer]));
});
