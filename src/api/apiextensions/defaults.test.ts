import { expect, test } from "vitest";
import { creationProblems, updateProblems, type Sketch } from "../testing/check.ts";
import { customResourceDefinitionDefinition } from "./custom-resource-definition.ts";

const text = { type: "string" };
const schemaPath = "spec.validation.openAPIV3Schema";
const sketch = (properties: object): Sketch => ({
  metadata: { name: "foos.example.com" },
  spec: {
    group: "example.com",
    names: { kind: "Foo", plural: "foos" },
    scope: "Namespaced",
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", properties } },
      },
    ],
  },
});
const embedded = (more: object) => ({ type: "object", "x-kubernetes-embedded-resource": true, ...more });
const unknown = { a: { type: "object", properties: { b: text }, default: { b: "x", c: 1 } } };

test.each<[properties: object, problems: readonly string[]]>([
  [{ a: { ...text, default: "x" }, b: { ...text, default: null } }, []],
  [
    { a: { ...text, default: 1 } },
    ['properties[a].default: Invalid value: "integer":  in body must be of type string: "integer"'],
  ],
  [unknown, ['properties[a].default: Invalid value: {"b":"x","c":1}: must not have unknown fields']],
  [
    { a: { type: "object", properties: { b: text }, required: ["b"], default: {} } },
    ["properties[a].default.b: Required value"],
  ],
  [
    { a: { type: "array", items: { type: "object", properties: { b: { ...text, default: 1 } } } } },
    [
      'properties[a].items.properties[b].default: Invalid value: "integer":  in body must be of type string: "integer"',
    ],
  ],
  [
    { a: embedded({ properties: { b: text }, default: { b: "x" } }) },
    [
      "properties[a].default.apiVersion: Required value: must not be empty",
      "properties[a].default.kind: Required value: must not be empty",
    ],
  ],
  [
    { a: embedded({ properties: { b: text }, default: { apiVersion: "v1", kind: 1 } }) },
    ["properties[a].default.kind: Invalid value: 1: must be a string"],
  ],
  [
    {
      a: embedded({
        properties: { metadata: { type: "object", properties: { name: { ...text, default: "a/b" } } } },
      }),
    },
    [
      `properties[a].properties[metadata].properties[name].default: Invalid value: "a/b": must result in valid metadata: metadata.name: Invalid value: "a/b": may not contain '/'`,
    ],
  ],
  [
    { a: { ...text, maxLength: 9, default: "x", "x-kubernetes-validations": [{ rule: "self == 'y'" }] } },
    [`properties[a].default: Invalid value: "string": failed rule: self == 'y'`],
  ],
])("%j", (properties, problems) => {
  expect(creationProblems(customResourceDefinitionDefinition, sketch(properties))).toEqual(
    problems.map((problem) => `${schemaPath}.${problem}`),
  );
});

test("defaults that had unknown fields before may keep them", () => {
  const [old, next] = [sketch(unknown), sketch({ ...unknown, d: text })];
  expect(updateProblems(customResourceDefinitionDefinition, { old, next })).toEqual([]);
  const before = sketch({ d: text });
  expect(updateProblems(customResourceDefinitionDefinition, { old: before, next })).toHaveLength(1);
});
