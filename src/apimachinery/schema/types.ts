/**
 * The shape of objects, derived from the facts (or from a custom resource's schema). Everything that works
 * on any kind walks these: codecs, pruning, strict validation, patches, server-side apply, OpenAPI.
 */
export type Type = ScalarType | StructType | ListType | MapType;

export type ScalarKind =
  | "string"
  | "boolean"
  | "int32"
  | "int64"
  | "uint64"
  | "float64"
  /** Base64 text in JSON. */
  | "bytes"
  /** Canonical decimal text; numbers are accepted. */
  | "quantity"
  /** RFC 3339 in whole seconds; or null. */
  | "time"
  /** RFC 3339 with six fractional digits. */
  | "microTime"
  /** Go duration text. */
  | "duration"
  | "intOrString"
  /** Any JSON object (RawExtension). */
  | "raw"
  /** Any JSON value. */
  | "json"
  | "fieldsV1";

export interface ScalarType {
  readonly kind: ScalarKind;
  /** The values of a closed enumeration. */
  readonly values?: readonly string[];
  /** Name of the Go type beneath where it has one, e.g. `io.k8s.api.core.v1.Protocol`. */
  readonly name?: string;
}

export interface ListType {
  readonly kind: "list";
  readonly element: Type;
  readonly listType: "atomic" | "set" | "map";
  /** Keys of an associative list: JSON names of fields of the element; empty unless `listType` is `map`. */
  readonly mapKeys: readonly string[];
}

export interface MapType {
  readonly kind: "map";
  readonly value: Type;
  readonly mapType: "granular" | "atomic";
  readonly name?: string;
}

export interface StructType {
  readonly kind: "struct";
  /** Model name, e.g. `io.k8s.api.core.v1.PodSpec`. */
  readonly name: string;
  /** JSON fields in declaration order, inlined structs flattened. Computed on first use: types refer to one another. */
  readonly fields: readonly Field[];
  /** The field of a JSON name. */
  field(name: string): Field | undefined;
  readonly structType: "granular" | "atomic";
  /** Whether unknown fields stay (custom resources). */
  readonly preserveUnknown: boolean;
}

export interface Field {
  /** JSON name. */
  readonly name: string;
  readonly type: Type;
  readonly required: boolean;
  /** Whether the zero value is left out when written. */
  readonly omitEmpty: boolean;
  /** An empty list that is sent means something else than none: it is decoded as such. */
  readonly keepsEmpty?: true;
  /** Whether absence differs from the zero value. */
  readonly pointer: boolean;
  /** Default by marker. */
  readonly default?: unknown;
  readonly patchStrategy: readonly ("merge" | "replace" | "retainKeys")[];
  readonly patchMergeKey?: string;
}
