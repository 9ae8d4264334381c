/**
 * An error with a code for programs, a sentence for people, and a cause for both.
 *
 * The codes are those of docs/errors.md. One is of this side alone: `crashed`, the node's worker ended by a fault of its
 * own. What was stored stands, and the next call starts a new worker.
 */
export class WeftError extends Error {
  /** The stable code. */
  readonly code: string;

  constructor(code: string, sentence: string, cause?: string) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = "WeftError";
    this.code = code;
  }
}

/** An error as it crosses between worker and page: structured clones keep no properties of an `Error`. */
export interface PlainError {
  code: string;
  message: string;
  cause?: string;
}

/** What was thrown, ready to cross. */
export function toPlain(thrown: unknown): PlainError {
  if (thrown instanceof Error) {
    const { code, cause } = thrown as { code?: unknown; cause?: unknown };
    const plain: PlainError = { code: typeof code === "string" ? code : "crashed", message: thrown.message };
    if (cause !== undefined) plain.cause = String(cause);
    return plain;
  }
  return { code: "crashed", message: String(thrown) };
}

/** The error that crossed. */
export function fromPlain(plain: PlainError): WeftError {
  return new WeftError(plain.code, plain.message, plain.cause);
}
