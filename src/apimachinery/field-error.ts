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

/** A path to a field: `FieldPath.root("spec").child("containers").index(0)`. */
export class FieldPath {
  readonly text: string;
  private constructor(text: string) {
    this.text = text;
  }

  static readonly empty = new FieldPath("");

  static root(name: string): FieldPath {
    return new FieldPath(name);
  }

  child(...names: readonly string[]): FieldPath {
    return names.reduce<FieldPath>(
      (path, name) => new FieldPath(path.text === "" ? name : `${path.text}.${name}`),
      this,
    );
  }

  index(position: number): FieldPath {
    return new FieldPath(`${this.text}[${position}]`);
  }

  key(name: string): FieldPath {
    return new FieldPath(`${this.text}[${name}]`);
  }

  toString(): string {
    return this.text;
  }
}

/** `value` rendered as Go's `%v` or JSON would, as upstream's messages have it. */
function rendered(value: unknown): string {
  if (value === undefined || value === null) return "null";
  if (typeof value === "string") return JSON.stringify(value);
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
      valid.length === 0
        ? ""
        : `supported values: ${[...valid]
            .sort()
            .map((value) => JSON.stringify(value))
            .join(", ")}`,
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
  const head = withoutValue.has(error.type)
    ? titles[error.type]
    : `${titles[error.type]}: ${rendered(error.badValue)}`;
  return error.detail === "" ? head : `${head}: ${error.detail}`;
}
