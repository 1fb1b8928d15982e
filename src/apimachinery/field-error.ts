import { goQuote } from "./go-quote.ts";

/** Machine-readable cause of a validation failure, as in `Status.details.causes[].reason`. */
export type FieldErrorType =
  | "FieldValueNotFound"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "InternalError"
  | "FieldValueTypeInvalid";

export interface FieldError {
  readonly type: FieldErrorType;
  /** Path from the object's root, e.g. `spec.containers[0].image`. */
  readonly field: string;
  readonly badValue?: unknown;
  readonly detail: string;
}

/**
 * A path to a field: `FieldPath.root("spec").child("containers").index(0)`. Its text is made when somebody asks for
 * it, so that checks which find nothing wrong pay next to nothing for their paths.
 */
export class FieldPath {
  readonly #parent: FieldPath | undefined;
  readonly #step: string | number;
  readonly #kind: "child" | "index" | "key";
  #text: string | undefined;
  private constructor(
    parent: FieldPath | undefined,
    step: string | number,
    kind: "child" | "index" | "key" = "child",
  ) {
    this.#parent = parent;
    this.#step = step;
    this.#kind = kind;
    this.#text = undefined;
  }

  static readonly empty = new FieldPath(undefined, "");

  static root(name: string): FieldPath {
    return new FieldPath(undefined, name);
  }

  child(name: string, ...more: readonly string[]): FieldPath {
    let path = new FieldPath(this, name);
    for (const further of more) path = new FieldPath(path, further);
    return path;
  }

  index(position: number): FieldPath {
    return new FieldPath(this, position, "index");
  }

  key(name: string): FieldPath {
    return new FieldPath(this, name, "key");
  }

  get text(): string {
    this.#text ??= this.#render();
    return this.#text;
  }

  #render(): string {
    const before = this.#parent?.text ?? "";
    if (this.#kind !== "child") return `${before}[${this.#step}]`;
    return before === "" ? String(this.#step) : `${before}.${this.#step}`;
  }

  toString(): string {
    return this.text;
  }
}

/** Stands for a list or map that is not there: upstream shows it as a bare `null`, unlike an absent single value. */
export const nilList: unknown = Object.freeze({ toJSON: () => null });

/** Stands for a value that is not shown: only what is wrong is told. */
export const omittedValue: unknown = Object.freeze({ toJSON: () => undefined });

/** `value` rendered as Go's `%v` or JSON would, as upstream's messages have it. */
function rendered(value: unknown): string {
  // Upstream puts the word in place of the value, and then quotes it like any text.
  if (value === undefined || value === null) return '"null"';
  if (typeof value === "string") return goQuote(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return JSON.stringify(value);
}

const required = (path: FieldPath, detail = ""): FieldError => ({
  type: "FieldValueRequired",
  field: path.text,
  detail,
  badValue: "",
});

/** Makers of field errors, named as upstream's. */
export const fieldErrors = {
  required,
  notFound: (path: FieldPath, badValue: unknown): FieldError => ({
    type: "FieldValueNotFound",
    field: path.text,
    badValue,
    detail: "",
  }),
  duplicate: (path: FieldPath, badValue: unknown): FieldError => ({
    type: "FieldValueDuplicate",
    field: path.text,
    badValue,
    detail: "",
  }),
  invalid: (path: FieldPath, badValue: unknown, detail: string): FieldError => ({
    type: "FieldValueInvalid",
    field: path.text,
    badValue,
    detail,
  }),
  typeInvalid: (path: FieldPath, badValue: unknown, detail: string): FieldError => ({
    type: "FieldValueTypeInvalid",
    field: path.text,
    badValue,
    detail,
  }),
  notSupported: (path: FieldPath, badValue: unknown, valid: readonly string[]): FieldError => ({
    type: "FieldValueNotSupported",
    field: path.text,
    badValue,
    detail:
      valid.length === 0 ? "" : `supported values: ${valid.map((value) => JSON.stringify(value)).join(", ")}`,
  }),
  forbidden: (path: FieldPath, detail: string): FieldError => ({
    type: "FieldValueForbidden",
    field: path.text,
    badValue: "",
    detail,
  }),
  tooLong: (path: FieldPath, maximum: number): FieldError => ({
    type: "FieldValueTooLong",
    field: path.text,
    badValue: "",
    detail: `may not be more than ${maximum} bytes`,
  }),
  tooMany: (path: FieldPath, actual: number, maximum: number): FieldError => ({
    type: "FieldValueTooMany",
    field: path.text,
    badValue: actual,
    detail: `must have at most ${maximum} ${maximum === 1 ? "item" : "items"}`,
  }),
} as const;

const titles: Readonly<Record<FieldErrorType, string>> = {
  FieldValueNotFound: "Not found",
  FieldValueRequired: "Required value",
  FieldValueDuplicate: "Duplicate value",
  FieldValueInvalid: "Invalid value",
  FieldValueNotSupported: "Unsupported value",
  FieldValueForbidden: "Forbidden",
  FieldValueTooLong: "Too long",
  FieldValueTooMany: "Too many",
  InternalError: "Internal error",
  FieldValueTypeInvalid: "Invalid value",
};
const withoutValue = new Set<FieldErrorType>([
  "FieldValueRequired",
  "FieldValueForbidden",
  "FieldValueTooLong",
  "InternalError",
]);

/** `Invalid value: "x": why`: the error without its field. */
export function fieldErrorMessage(error: FieldError): string {
  const isHidden = withoutValue.has(error.type) || error.badValue === omittedValue;
  const head = isHidden ? titles[error.type] : `${titles[error.type]}: ${rendered(error.badValue)}`;
  return error.detail === "" ? head : `${head}: ${error.detail}`;
}
