/** What a type is made of. */
export type Kind =
  | "dyn"
  | "error"
  | "null"
  | "bool"
  | "int"
  | "uint"
  | "double"
  | "string"
  | "bytes"
  | "timestamp"
  | "duration"
  | "list"
  | "map"
  | "object"
  | "opaque"
  | "type"
  | "parameter";

/** A CEL type. Types are compared by what they say, not by identity. */
export interface CelType {
  readonly kind: Kind;
  /** Its name at run time: what `string(type(x))` says. */
  readonly name: string;
  readonly parameters: readonly CelType[];
}

const simple = (kind: Kind, name: string = kind): CelType => ({ kind, name, parameters: [] });

export const dynType = simple("dyn");
export const errorType = simple("error", "!error!");
export const nullType = simple("null", "null_type");
export const boolType = simple("bool");
export const intType = simple("int");
export const uintType = simple("uint");
export const doubleType = simple("double");
export const stringType = simple("string");
export const bytesType = simple("bytes");
export const timestampType = simple("timestamp", "google.protobuf.Timestamp");
export const durationType = simple("duration", "google.protobuf.Duration");

/** A list of one kind of elements. */
export const listType = (element: CelType): CelType => ({
  kind: "list",
  name: "list",
  parameters: [element],
});

/** A map from one kind of keys to one kind of values. */
export const mapType = (key: CelType, value: CelType): CelType => ({
  kind: "map",
  name: "map",
  parameters: [key, value],
});

/** A type with fields, which the environment's type provider knows by name. */
export const objectType = (name: string): CelType => simple("object", name);

/** A type known by its functions only. */
export const opaqueType = (name: string, ...parameters: readonly CelType[]): CelType => ({
  kind: "opaque",
  name,
  parameters,
});

/** A value that may be absent. */
export const optionalType = (value: CelType): CelType => opaqueType("optional_type", value);

/** The type of a type; without a parameter that of any type. */
export const typeType = (of?: CelType): CelType => ({
  kind: "type",
  name: "type",
  parameters: of ? [of] : [],
});

/** A variable that stands for a type. */
export const parameterType = (name: string): CelType => simple("parameter", name);

export const isDyn = (type: CelType): boolean => type.kind === "dyn";

export const isDynOrError = (type: CelType): boolean => type.kind === "dyn" || type.kind === "error";

export const isOptional = (type: CelType): boolean => type.kind === "opaque" && type.name === "optional_type";

/** What an optional holds, or the type itself. */
export const withoutOptional = (type: CelType): CelType =>
  isOptional(type) ? (type.parameters[0] ?? dynType) : type;

/** Whether two types say the same. */
export function sameType(one: CelType, other: CelType): boolean {
  return (
    one === other ||
    (one.kind === other.kind &&
      one.name === other.name &&
      one.parameters.length === other.parameters.length &&
      one.parameters.every((parameter, index) => sameType(parameter, other.parameters[index] ?? errorType)))
  );
}

/** A type as messages show it: `list(int)`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case "null":
    case "timestamp":
    case "duration":
      return type.kind;
    default: {
      if (type.parameters.length === 0) return type.name;
      return `${type.name}(${type.parameters.map(formatType).join(", ")})`;
    }
  }
}

/** A type as it is named at run time, with its parameters: `list(google.protobuf.Timestamp)`. */
export function fullTypeName(type: CelType): string {
  if (type.parameters.length === 0) return type.name;
  return `${type.name}(${type.parameters.map(fullTypeName).join(", ")})`;
}
