/** Values that belong to an error, by name: `slot`, `signer`, … docs/errors.md lists them. */
export interface ErrorFields {
  readonly [name: string]: string | undefined;
}

/**
 * An error with a code and fields for programs, a sentence for people, and a cause for both.
 *
 * The codes are those of docs/errors.md. One is of this side alone: `crashed`, the node's worker ended by a fault of its
 * own. What was stored stands, and the next call starts a new worker.
 */
export class WeftError extends Error {
  /** The stable code. */
  readonly code: string;
  /** What the sentence speaks of, for programs: sentences may change. */
  readonly fields: ErrorFields;

  constructor(code: string, sentence: string, cause?: string, fields: ErrorFields = {}) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.name = "WeftError";
    this.code = code;
    this.fields = fields;
  }
}

/** An error as it crosses between worker and page: structured clones keep no properties of an `Error`. */
export interface PlainError {
  code: string;
  message: string;
  fields: ErrorFields;
  cause?: string;
}

/** What was thrown, ready to cross. */
export function toPlain(thrown: unknown): PlainError {
  if (thrown instanceof Error) {
    const { code, cause, fields } = thrown as { code?: unknown; cause?: unknown; fields?: unknown };
    const plain: PlainError = { code: typeof code === "string" ? code : "crashed", message: thrown.message, fields: texts(fields) };
    if (cause !== undefined) plain.cause = String(cause);
    return plain;
  }
  return { code: "crashed", message: String(thrown), fields: {} };
}

function texts(fields: unknown): ErrorFields {
  if (typeof fields !== "object" || fields === null) return {};
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
}

/** The error that crossed. */
export function fromPlain(plain: PlainError): WeftError {
  return new WeftError(plain.code, plain.message, plain.cause, plain.fields);
}
