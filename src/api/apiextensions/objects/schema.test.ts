import { describe, expect, test } from "vitest";
import { fieldErrorMessage, updateManagedFields } from "../../../apimachinery/index.ts";
import type { FieldError } from "../../../apimachinery/index.ts";
import { schemas } from "../../schema.ts";
import type { JSONSchemaProps } from "../../types/apiextensions-v1.ts";
import {
  prepareSchema,
  pruned,
  structOf,
  unknownFields,
  validateByRules,
  validateBySchema,
  validateEmbedded,
  validateLists,
  withDefaults,
} from "./index.ts";

const fieldErrorText = (error: FieldError) => `${error.field}: ${fieldErrorMessage(error)}`;

/** The schema of objects whose spec has one. */
const withSpec = (spec: JSONSchemaProps) => prepareSchema({ type: "object", properties: { spec } });

const metadata = { name: "one" };

describe("validation", () => {
  const check = (schema: JSONSchemaProps, spec: unknown, old?: unknown): readonly string[] => {
    const node = withSpec(schema);
    return [
      ...validateBySchema({ spec }, node, old === undefined ? {} : { old: { spec: old } }),
      ...validateEmbedded({ spec }, { node, path: undefined }),
      ...validateLists({ spec }, node),
    ].map(fieldErrorText);
  };

  test.each<[JSONSchemaProps, unknown, readonly string[]]>([
    [
      { type: "string" },
      1,
      ['spec: Invalid value: "integer": spec in body must be of type string: "integer"'],
    ],
    [{ type: "string" }, null, ['spec: Invalid value: "null": spec in body must be of type string: "null"']],
    [{ type: "string", nullable: true }, null, []],
    [{ type: "number" }, 3, []],
    [
      { "x-kubernetes-int-or-string": true },
      true,
      ['spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"'],
    ],
    [{ type: "string", enum: ["a", "b"] }, "c", ['spec: Unsupported value: "c": supported values: "a", "b"']],
    [
      { type: "string", pattern: "^(a+)+$" },
      "aaab",
      ["spec: Invalid value: \"aaab\": spec in body should match '^(a+)+$'"],
    ],
    [{ type: "string", maxLength: 2 }, "abc", ["spec: Too long: may not be more than 2 bytes"]],
    [
      { type: "string", minLength: 2 },
      "😀",
      ['spec: Invalid value: "😀": spec in body should be at least 2 chars long'],
    ],
    [
      { type: "string", format: "date-time" },
      "soon",
      ['spec: Invalid value: "soon": spec in body must be of type date-time: "soon"'],
    ],
    [
      { type: "integer", minimum: 1 },
      0,
      ["spec: Invalid value: 0: spec in body should be greater than or equal to 1"],
    ],
    [
      { type: "integer", maximum: 10, exclusiveMaximum: true },
      10,
      ["spec: Invalid value: 10: spec in body should be less than 10"],
    ],
    [
      { type: "integer", multipleOf: 3 },
      4,
      ["spec: Invalid value: 4: spec in body should be a multiple of 3"],
    ],
    [{ type: "object", required: ["a"] }, {}, ["spec.a: Required value"]],
    [
      { type: "array", items: { type: "string" }, minItems: 3 },
      ["a", 1],
      [
        'spec[1]: Invalid value: "integer": spec[1] in body must be of type string: "integer"',
        "spec: Invalid value: 2: spec in body should have at least 3 items",
      ],
    ],
    [
      { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
      ["a", "b", "a", "a"],
      ['spec[2]: Duplicate value: "a"'],
    ],
    [
      {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["n"],
        items: { type: "object", properties: { n: { type: "string" } } },
      },
      [{ n: "x" }, { n: "x" }],
      ['spec[1]: Duplicate value: {"n":"x"}'],
    ],
    [
      { type: "string", oneOf: [{ minLength: 1 }, { maxLength: 5 }] },
      "abc",
      [
        '<nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
    [
      { type: "string", not: { enum: ["a"] } },
      "a",
      ['<nil>: Invalid value: "": "spec" must not validate the schema (not)'],
    ],
    [
      { type: "object", "x-kubernetes-embedded-resource": true },
      { kind: "Pod" },
      ["spec.apiVersion: Required value: must not be empty"],
    ],
  ])("%j: %j", (schema, value, errors) => {
    expect(check(schema, value)).toEqual(errors);
  });

  test.each([
    ["ipv4", "10.0.0.1", "10.0.0.256"],
    ["ipv6", "fe80::1", "fe80:::1"],
    ["cidr", "10.0.0.0/8", "10.0.0.0/33"],
    ["uuid", "00000000-0000-4000-8000-000000000000", "0000"],
    ["date", "2024-02-29", "2023-02-29"],
    ["date-time", "2026-01-01T00:00:00Z", "2026-01-01"],
    ["byte", "YQ==", "Y"],
    ["duration", "1m30s", "1x"],
    ["email", "a@b.c", "a"],
    ["uri", "https://a/b", "a b"],
    ["hostname", "a.example.com", "-a"],
    ["k8s-short-name", "abc", "ABC"],
    ["unheard-of", "x", undefined],
  ])("format %s", (format, good, bad) => {
    expect(check({ type: "string", format }, good)).toEqual([]);
    if (bad !== undefined) expect(check({ type: "string", format }, bad)).toHaveLength(1);
  });

  test("what was wrong before and has not changed is left alone", () => {
    const schema: JSONSchemaProps = {
      type: "object",
      properties: { a: { type: "string", maxLength: 1 }, b: { type: "string", maxLength: 1 } },
    };
    expect(check(schema, { a: "long", b: "long" }, { a: "long", b: "b" })).toEqual([
      "spec.b: Too long: may not be more than 1 bytes",
    ]);
  });

  test("a pattern that would take forever elsewhere does not", () => {
    expect(check({ type: "string", pattern: "^(a|a)*(a|a)*b$" }, "a".repeat(20_000))).toHaveLength(1);
  });
});

describe("pruning and defaults", () => {
  const node = withSpec({
    type: "object",
    properties: {
      size: { type: "integer", default: 3 },
      note: { type: "string", nullable: true, default: "none" },
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
      list: { type: "array", items: { type: "object", properties: { a: { type: "string", default: "x" } } } },
      map: { type: "object", additionalProperties: { type: "string" } },
      inner: { type: "object", "x-kubernetes-embedded-resource": true },
    },
  });
  const object = {
    metadata,
    extra: 1,
    spec: {
      size: null,
      note: null,
      free: { any: { thing: 1 } },
      list: [{ b: 1 }],
      map: { k: "v" },
      inner: { kind: "K", apiVersion: "v1", metadata: { name: "n" }, spec: {} },
      unknown: true,
    },
  };

  test("fields without a schema go, and are told", () => {
    expect(pruned(object, node)).toEqual({
      metadata,
      spec: {
        size: null,
        note: null,
        free: { any: { thing: 1 } },
        list: [{}],
        map: { k: "v" },
        inner: { kind: "K", apiVersion: "v1", metadata: { name: "n" } },
      },
    });
    expect(unknownFields(object, node)).toEqual([
      'unknown field "extra"',
      'unknown field "spec.inner.spec"',
      'unknown field "spec.list[0].b"',
      'unknown field "spec.unknown"',
    ]);
  });

  test("defaults fill what is absent, and null where that is no value", () => {
    const filled = withDefaults({ metadata, spec: { size: null, note: null, list: [{}] } }, node);
    expect(filled).toEqual({ metadata, spec: { size: 3, note: null, list: [{ a: "x" }] } });
    expect(withDefaults(filled, node)).toBe(filled);
    expect(pruned(filled, node)).toBe(filled);
  });
});

describe("rules", () => {
  const schema: JSONSchemaProps = {
    type: "object",
    "x-kubernetes-validations": [
      { rule: "self.min <= self.max", messageExpression: "'min is ' + string(self.min)", fieldPath: ".min" },
      { rule: "self.max >= oldSelf.max", message: "may not shrink", reason: "FieldValueForbidden" },
    ],
    properties: { min: { type: "integer" }, max: { type: "integer" }, note: { type: "string" } },
  };
  const check = (spec: unknown, old?: unknown) =>
    validateByRules(
      { metadata, spec },
      withSpec(schema),
      old === undefined ? {} : { old: { spec: old } },
    ).map(fieldErrorText);

  test("hold for new objects and for changes", () => {
    expect(check({ min: 1, max: 2 })).toEqual([]);
    expect(check({ min: 3, max: 2 })).toEqual(['spec.min: Invalid value: "object": min is 3']);
    expect(check({ min: 1, max: 2 }, { min: 1, max: 5 })).toEqual(["spec: Forbidden: may not shrink"]);
    expect(check({ min: 3, max: 2 }, { min: 3, max: 2 })).toEqual([]);
    expect(check({ min: 3, max: 2, note: "n" }, { min: 3, max: 2 })).toHaveLength(1);
  });

  test("end when they cost too much", () => {
    const costly = prepareSchema({
      type: "object",
      properties: {
        list: {
          type: "array",
          items: { type: "integer" },
          "x-kubernetes-validations": [{ rule: "self.all(a, self.all(b, self.all(c, a + b + c >= 0)))" }],
        },
      },
    });
    const list = Array.from({ length: 1_000 }, (_, index) => index);
    const [error] = validateByRules({ list }, costly).map(fieldErrorText);
    expect(error).toContain(
      "no further validation rules will be run due to call cost exceeds limit for rule",
    );
  });
});

test("managers own elements of lists with keys, and nulls that are values", () => {
  const metadataType = schemas.typeOf({ group: "", version: "v1", kind: "Pod" })?.field("metadata")?.type;
  if (metadataType?.kind !== "struct") throw new Error("metadata is a struct");
  const node = withSpec({
    type: "object",
    properties: {
      parts: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        items: { type: "object", properties: { name: { type: "string" }, size: { type: "integer" } } },
      },
      tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
      note: { type: "string", nullable: true },
    },
  });
  const [entry] =
    updateManagedFields({
      old: undefined,
      object: { metadata, spec: { parts: [{ name: "a", size: 1 }], tags: ["x"], note: null } },
      type: structOf(node, { name: "Part", metadata: metadataType }),
      manager: "tester",
      apiVersion: "example.com/v1",
      subresource: "",
      now: 0,
      convert: () => undefined,
      resetFields: undefined,
    }) ?? [];
  expect(entry?.fieldsV1).toMatchObject({
    "f:spec": {
      "f:parts": { 'k:{"name":"a"}': { "f:name": {}, "f:size": {} } },
      "f:tags": { 'v:"x"': {} },
      "f:note": {},
    },
  });
});
