import type {
  SerializedIncrementalTest,
  SerializedIncrementalTestSuite,
} from "@bufbuild/cel-spec/testdata/tests.js";
import type { FunctionDeclaration } from "../check/declarations.ts";
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  nullType,
  opaqueType,
  parameterType,
  stringType,
  timestampType,
  typeType,
  uintType,
  type CelType,
} from "../check/types.ts";
import { mapOf } from "../values/maps.ts";
import { parseDuration, parseTimestamp } from "../values/time.ts";
import { Double, TypeValue, Uint, intOf, type Value } from "../values/value.ts";

/** A type in the JSON of the specification's messages. */
interface TypeJson {
  readonly primitive?: string;
  readonly wellKnown?: string;
  readonly messageType?: string;
  readonly listType?: { readonly elemType?: TypeJson };
  readonly mapType?: { readonly keyType?: TypeJson; readonly valueType?: TypeJson };
  readonly abstractType?: { readonly name: string; readonly parameterTypes?: readonly TypeJson[] };
  readonly typeParam?: string;
  readonly dyn?: object;
  readonly null?: unknown;
  readonly type?: TypeJson;
}

/** A value in the JSON of the specification's messages. */
interface ValueJson {
  readonly int64Value?: string;
  readonly uint64Value?: string;
  readonly doubleValue?: number | string;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly nullValue?: null;
  readonly bytesValue?: string;
  readonly listValue?: { readonly values?: readonly ValueJson[] };
  readonly mapValue?: {
    readonly entries?: readonly { readonly key: ValueJson; readonly value: ValueJson }[];
  };
  readonly typeValue?: string;
  readonly objectValue?: { readonly "@type": string; readonly value: string };
}

interface DeclarationJson {
  readonly name: string;
  readonly ident?: { readonly type: TypeJson };
  readonly function?: {
    readonly overloads: readonly {
      readonly overloadId: string;
      readonly params?: readonly TypeJson[];
      readonly resultType: TypeJson;
      readonly isInstanceFunction?: boolean;
    }[];
  };
}

interface TestJson {
  readonly name?: string;
  readonly expr: string;
  readonly container?: string;
  readonly typeEnv?: readonly DeclarationJson[];
  readonly bindings?: Readonly<Record<string, { readonly value: ValueJson }>>;
  readonly value?: ValueJson;
  readonly typedResult?: { readonly result?: ValueJson };
  readonly evalError?: { readonly errors?: readonly { readonly message: string }[] };
  readonly disableCheck?: boolean;
  readonly checkOnly?: boolean;
}

/** A test of the specification. */
export interface ConformanceTest {
  readonly suite: string;
  readonly expression: string;
  readonly container: string;
  readonly variables: Readonly<Record<string, CelType>>;
  readonly functions: readonly FunctionDeclaration[];
  readonly bindings: Readonly<Record<string, Value>>;
  /** What comes of it; nothing where it is only checked. */
  readonly expected:
    | { readonly type: "value"; readonly value: Value }
    | { readonly type: "error" }
    | undefined;
  readonly resultType: string | undefined;
  /** The tree that cel-go makes of it. */
  readonly tree: string | undefined;
}

/** Why a test is not run. */
const outside: readonly {
  readonly reason: string;
  readonly matches: (suite: string, json: string) => boolean;
}[] = [
  {
    reason: "protobuf messages: Kubernetes' objects are JSON",
    matches: (suite, json) =>
      ["proto2", "proto3", "proto2_ext", "enums", "wrappers", "dynamic"].includes(suite) ||
      /TestAllTypes|google\.protobuf\.(?!Timestamp|Duration)|\.proto\b|google\.protobuf\.(?:Timestamp|Duration)\{/.test(
        json,
      ),
  },
  {
    reason: "libraries that Kubernetes does not have: block, encoders, math",
    matches: (suite) => ["block_ext", "encoders_ext", "math_ext"].includes(suite),
  },
  {
    reason: "fields in backquotes, a syntax that Kubernetes leaves off",
    matches: (suite, json) => suite === "fields" && json.includes("`"),
  },
  {
    reason: "milliseconds of a duration: cel-go, and so Kubernetes, counts those of all of it",
    matches: (_, json) => json.includes("getMilliseconds") && json.includes("google.protobuf.Duration"),
  },
  {
    reason: "expressions that are not checked: Kubernetes checks all",
    matches: (_, json) => json.includes('"disableCheck":true'),
  },
];

/** Tests by suite, and how many were left out for which reason. */
export function readSuite(root: SerializedIncrementalTestSuite): {
  readonly tests: readonly ConformanceTest[];
  readonly leftOut: Readonly<Record<string, number>>;
} {
  const tests: ConformanceTest[] = [];
  const leftOut: Record<string, number> = {};
  const walk = (
    { suites = [], tests: own = [], name }: SerializedIncrementalTestSuite,
    suite?: string,
  ): void => {
    for (const inner of suites) walk(inner, suite ?? inner.name);
    for (const test of own) {
      const json = JSON.stringify(test.original);
      const reason = outside.find(({ matches }) => matches(suite ?? name, json))?.reason;
      if (reason === undefined) tests.push(readTest(test, suite ?? name));
      else leftOut[reason] = (leftOut[reason] ?? 0) + 1;
    }
  };
  walk(root);
  return { tests, leftOut };
}

function readTest({ original, ast, type }: SerializedIncrementalTest, suite: string): ConformanceTest {
  const json = original as unknown as TestJson;
  const declarations = json.typeEnv ?? [];
  const variables = declarations.flatMap(({ name, ident }) =>
    ident ? [[name, readType(ident.type)] as const] : [],
  );
  const functions = declarations.flatMap(({ name, function: declared }) =>
    declared
      ? [
          {
            name,
            overloads: declared.overloads.map((overload) => ({
              id: overload.overloadId,
              member: overload.isInstanceFunction ?? false,
              parameters: (overload.params ?? []).map(readType),
              result: readType(overload.resultType),
            })),
          },
        ]
      : [],
  );
  const bindings = Object.entries(json.bindings ?? {}).map(
    ([name, { value }]) => [name, readValue(value)] as const,
  );
  return {
    suite,
    expression: json.expr,
    container: json.container ?? "",
    variables: Object.fromEntries(variables),
    functions,
    bindings: Object.fromEntries(bindings),
    expected: expectedOf(json),
    resultType: type,
    tree: ast,
  };
}

function expectedOf(json: TestJson): ConformanceTest["expected"] {
  if (json.checkOnly) return undefined;
  if (json.evalError) return { type: "error" };
  const value = json.value ?? json.typedResult?.result;
  return { type: "value", value: value ? readValue(value) : true };
}

const simpleTypes: Readonly<Record<string, CelType>> = {
  BOOL: boolType,
  INT64: intType,
  UINT64: uintType,
  DOUBLE: doubleType,
  STRING: stringType,
  BYTES: bytesType,
  TIMESTAMP: timestampType,
  DURATION: durationType,
  "google.protobuf.Timestamp": timestampType,
  "google.protobuf.Duration": durationType,
};

function readType(json: TypeJson | undefined): CelType {
  if (!json) return dynType;
  const simple = simpleTypes[json.primitive ?? json.wellKnown ?? json.messageType ?? ""];
  if (simple) return simple;
  if (json.listType) return listType(readType(json.listType.elemType));
  if (json.mapType) return mapType(readType(json.mapType.keyType), readType(json.mapType.valueType));
  if (json.abstractType) {
    return opaqueType(json.abstractType.name, ...(json.abstractType.parameterTypes ?? []).map(readType));
  }
  if (json.typeParam !== undefined) return parameterType(json.typeParam);
  if (json.type) return typeType(readType(json.type));
  return "null" in json ? nullType : dynType;
}

function readValue(json: ValueJson): Value {
  if (json.int64Value !== undefined) return intOf(BigInt(json.int64Value));
  if (json.uint64Value !== undefined) return new Uint(BigInt(json.uint64Value));
  if (json.doubleValue !== undefined) return new Double(Number(json.doubleValue));
  if (json.stringValue !== undefined) return json.stringValue;
  if (json.boolValue !== undefined) return json.boolValue;
  if (json.bytesValue !== undefined) {
    return Uint8Array.from(atob(json.bytesValue), (character) => character.charCodeAt(0));
  }
  if (json.listValue) return (json.listValue.values ?? []).map(readValue);
  if (json.mapValue) {
    return mapOf(
      (json.mapValue.entries ?? []).map(({ key, value }) => [readValue(key), readValue(value)] as const),
    );
  }
  if (json.typeValue !== undefined) return new TypeValue(json.typeValue);
  if (json.objectValue?.["@type"].endsWith("Timestamp")) return parseTimestamp(json.objectValue.value);
  if (json.objectValue) return parseDuration(json.objectValue.value);
  return null;
}
