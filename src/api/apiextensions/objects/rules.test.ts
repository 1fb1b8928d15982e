import { expect, test } from "vitest";
import { fieldErrorMessage } from "../../../apimachinery/index.ts";
import type { JSONSchemaProps, ValidationRule } from "../../types/apiextensions-v1.ts";
import { prepareSchema, validateByRules } from "./index.ts";

const nodeOf = (schema: JSONSchemaProps) => prepareSchema({ type: "object", properties: { spec: schema } });

interface Case {
  readonly schema?: JSONSchemaProps;
  readonly spec: unknown;
  readonly old?: unknown;
  readonly errors: readonly string[];
  readonly warnings?: readonly string[];
}

const failing = (more: Omit<ValidationRule, "rule">): JSONSchemaProps => ({
  type: "object",
  properties: {
    a: { type: "string" },
    "b.c": { type: "string" },
    map: { type: "object", additionalProperties: { type: "string" } },
  },
  "x-kubernetes-validations": [{ rule: "false", ...more }],
});
const transition = (mapType: string): JSONSchemaProps => ({
  type: "object",
  "x-kubernetes-map-type": mapType,
  properties: { a: { type: "string", "x-kubernetes-validations": [{ rule: "self == oldSelf" }] } },
});
const positive: JSONSchemaProps = {
  type: "object",
  properties: {
    note: { type: "string" },
    size: { type: "integer", "x-kubernetes-validations": [{ rule: "self > 0" }] },
  },
};
const optional: JSONSchemaProps = {
  type: "string",
  "x-kubernetes-validations": [{ rule: "oldSelf.hasValue() ? true : self == 'new'", optionalOldSelf: true }],
};

test.each<[name: string, given: Case]>([
  [
    "a message is trimmed",
    { schema: failing({ message: " no " }), spec: {}, errors: ['spec: Invalid value: "object": no'] },
  ],
  [
    "a message that is made",
    {
      schema: failing({ messageExpression: "'is ' + self.a" }),
      spec: { a: "x" },
      errors: ['spec: Invalid value: "object": is x'],
    },
  ],
  [
    "a message that cannot be made gives way to the other",
    {
      schema: failing({ message: "no", messageExpression: "self.a" }),
      spec: {},
      errors: ['spec: Invalid value: "object": no'],
    },
  ],
  ...["' '", "'a\\nb'", `'${"x".repeat(5_121)}'`].map((messageExpression): [string, Case] => [
    `a message of no use: ${messageExpression.slice(0, 9)}`,
    {
      schema: failing({ messageExpression }),
      spec: {},
      errors: ['spec: Invalid value: "object": failed rule: false'],
    },
  ]),
  [
    "a longest message",
    {
      schema: failing({ messageExpression: `'${"x".repeat(5_120)}'` }),
      spec: {},
      errors: [`spec: Invalid value: "object": ${"x".repeat(5_120)}`],
    },
  ],
  [
    "a field",
    {
      schema: failing({ fieldPath: ".a", message: "no" }),
      spec: {},
      errors: ['spec.a: Invalid value: "object": no'],
    },
  ],
  [
    "a quoted field",
    {
      schema: failing({ fieldPath: "['b.c']", message: "no" }),
      spec: {},
      errors: ['spec.b.c: Invalid value: "object": no'],
    },
  ],
  [
    "a key of a map",
    {
      schema: failing({ fieldPath: ".map['x.y']", message: "no", reason: "FieldValueRequired" }),
      spec: {},
      errors: ["spec.map[x.y]: Required value: no"],
    },
  ],
  [
    "a value that is twice there",
    {
      schema: failing({ reason: "FieldValueDuplicate" }),
      spec: {},
      errors: ['spec: Duplicate value: "object"'],
    },
  ],
  ...["granular", "atomic"].map((mapType): [string, Case] => [
    `what was in an ${mapType} object is known`,
    {
      schema: transition(mapType),
      spec: { a: "x" },
      old: { a: "y" },
      errors: ['spec.a: Invalid value: "string": failed rule: self == oldSelf'],
    },
  ]),
  [
    "a transition from nothing is none",
    { schema: transition("granular"), spec: { a: "x" }, old: {}, errors: [] },
  ],
  [
    "nothing may be what was before",
    {
      schema: optional,
      spec: "old",
      errors: [`spec: Invalid value: "string": failed rule: oldSelf.hasValue() ? true : self == 'new'`],
    },
  ],
  ["anything may follow what was before", { schema: optional, spec: "old", old: "new", errors: [] }],
  [
    "what was wrong before is warned of",
    {
      schema: positive,
      spec: { size: 0, note: "x" },
      old: { size: 0 },
      errors: [],
      warnings: ['spec.size: Invalid value: "integer": failed rule: self > 0'],
    },
  ],
  [
    "what becomes wrong is refused",
    {
      schema: positive,
      spec: { size: -1 },
      old: { size: 0 },
      errors: ['spec.size: Invalid value: "integer": failed rule: self > 0'],
    },
  ],
])("%s", (_, { schema = positive, spec, old, errors, warnings = [] }) => {
  const text = ({ field, ...error }: Parameters<typeof fieldErrorMessage>[0]) =>
    `${field}: ${fieldErrorMessage({ field, ...error })}`;
  const warned: string[] = [];
  const found = validateByRules({ spec }, nodeOf(schema), {
    ...(old === undefined ? {} : { old: { spec: old } }),
    warn: (error) => void warned.push(text(error)),
  });
  expect([found.map(text), warned]).toEqual([errors, warnings]);
});
