/**
 * The API as data: what `facts/*.json` hold for one group version. Keys are short because there are
 * thousands of rows; this file is their legend.
 */
export interface GroupVersionFacts {
  /** Model package as in OpenAPI names, e.g. `io.k8s.api.apps.v1`. */
  readonly package: string;
  readonly group: string;
  readonly version: string;
  /** Protobuf package, e.g. `k8s.io.api.apps.v1`; null where the types have no protobuf form. */
  readonly protoPackage: string | null;
  readonly kinds: Readonly<Record<string, KindFacts>>;
  readonly enums: Readonly<Record<string, EnumFacts>>;
  readonly types: Readonly<Record<string, TypeFacts>>;
}

export interface KindFacts {
  readonly introduced?: string;
  readonly deprecated?: string;
  readonly removed?: string;
  /** What replaces a deprecated kind, as `group/version Kind`. */
  readonly repl?: string;
  /** The kind of its lists. */
  readonly list?: string;
  /** 1 when namespaced. */
  readonly ns?: 1;
  /** 1 when it has a status subresource. */
  readonly st?: 1;
  readonly sub?: readonly string[];
}

export interface EnumFacts {
  /** Go type beneath. */
  readonly t: string;
  /** 1 when the enumeration is closed: other values are invalid. */
  readonly e?: 1;
  readonly v: readonly string[];
}

/** `[name, number, protobuf type, label]`. */
export type ProtoField = readonly [string, number, string, string];

export interface TypeFacts {
  /** `struct`; `named` or `alias` for another definition of the Go type `t`. */
  readonly k: "struct" | "named" | "alias";
  readonly t?: string;
  readonly f?: readonly FieldFacts[];
  /** How server-side apply treats the struct where its fields do not say. */
  readonly structType?: "granular" | "atomic";
  /** Declarative validation markers of the type. */
  readonly val?: readonly string[];
  readonly union?: unknown;
  /** The whole protobuf form where it differs from the fields. */
  readonly proto?: readonly ProtoField[];
  readonly protoOnly?: readonly ProtoField[];
  /** 1 when the type has no protobuf form. */
  readonly noProto?: 1;
}

export interface FieldFacts {
  /** JSON name; absent for inlined fields, `-` or empty for fields that JSON has not. */
  readonly j?: string;
  /** Go name. */
  readonly n: string;
  /** Go type: `*` pointer, `[]` list, `map[…]`, `.Name` of the same package, else package-qualified. */
  readonly t: string;
  /** 1 when inlined in JSON (in protobuf a nested message). */
  readonly in?: 1;
  /** Protobuf number, type, and name where it differs. */
  readonly p?: number;
  readonly pt?: string;
  readonly pn?: string;
  /** omitempty, omitzero, optional marker, required marker. */
  readonly oe?: 1;
  readonly oz?: 1;
  readonly o?: 1;
  readonly r?: 1;
  /** Default by marker; `of`: how an optional field is represented. */
  readonly d?: unknown;
  readonly of?: unknown;
  /** List type, list map keys, map type, struct type: for server-side apply. */
  readonly lt?: "atomic" | "set" | "map";
  readonly lk?: readonly string[];
  readonly mt?: "granular" | "atomic";
  readonly st?: "granular" | "atomic";
  /** Patch strategy (comma separated) and merge key: for strategic merge patch. */
  readonly ps?: string;
  readonly pk?: string;
  /** 1 when immutable by marker, 2 when only prose hints at it. */
  readonly im?: 1 | 2;
  /** 1 when an empty list that is sent means something else than none. */
  readonly ke?: 1;
  readonly val?: readonly string[];
  /** Union discriminator. */
  readonly ud?: unknown;
  /** Feature gate. */
  readonly fg?: string;
}

/** One row of `api/facts/resources.json`: a resource that the API server serves. */
export interface ResourceFacts {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortnames?: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources?: readonly SubresourceFacts[];
  readonly categories?: readonly string[];
  readonly stability: "GA" | "beta" | "alpha";
  readonly introduced?: string;
  readonly deprecated?: string;
  readonly removed?: string;
  /** storageVersionHash of the row's own group, version and kind. */
  readonly gvk_hash?: string;
}

export interface SubresourceFacts {
  readonly name: string;
  /** Group and version of the subresource's kind where they are not the resource's own. */
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  /** Former versions of the subresource's kind that are still taken, as `policy/v1beta1`. */
  readonly accepts?: readonly string[];
}
