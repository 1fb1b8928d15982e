import { expect, test } from "vitest";
import { customColumns } from "./columns.ts";

const metadata = {
  name: "one",
  uid: "u",
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
};
const object = {
  apiVersion: "example.com/v1",
  kind: "Foo",
  metadata,
  spec: {
    text: "a b",
    whole: 3,
    real: 1.5,
    truth: true,
    list: ["a", 1, { b: "<" }],
    items: [{ name: "a", value: 1 }, { name: "b", value: 2, on: true }, { name: "c" }],
    map: { "a.b": "c", z: 1, a: { y: 1, x: 2 } },
    nothing: null,
  },
};
const now = Date.parse("2026-01-01T01:00:00Z");

test.each<[type: string, jsonPath: string, cell: unknown]>([
  ["string", ".spec.text", "a b"],
  ["string", ".spec.whole", "3"],
  ["string", ".spec.truth", "true"],
  ["string", ".spec.nothing", "<no value>"],
  ["string", ".spec.absent", null],
  ["string", ".spec.text.more", null],
  ["string", ".spec.list", '["a",1,{"b":"\\u003c"}]'],
  ["string", ".spec.map.a", '{"x":2,"y":1}'],
  ["string", ".spec.list[1]", "1"],
  ["string", ".spec.list[-1:]", '{"b":"\\u003c"}'],
  ["string", ".spec.list[0:2]", "a"],
  ["string", ".spec.list[5]", null],
  ["string", ".spec.list[*]", "a"],
  ["string", ".spec.items[*].name", "a"],
  ["string", '.spec.items[?(@.name=="b")].value', "2"],
  ["string", ".spec.items[?(@.value>1)].name", "b"],
  ["string", ".spec.items[?(@.on)].name", "b"],
  ["string", ".spec.items[?(@.on==true)].name", "b"],
  ["string", '.spec.items[?(@.value=="x")].name', null],
  ["string", ".spec.map.a\\.b", "c"],
  ["string", ".spec.map['a.b']", null],
  ["string", ".spec['text','whole']", "a b"],
  ["string", "..value", "1"],
  ["integer", ".spec.real", 1],
  ["integer", ".spec.text", null],
  ["number", ".spec.real", 1.5],
  ["boolean", ".spec.truth", true],
  ["boolean", ".spec.text", null],
  ["date", ".metadata.creationTimestamp", "60m"],
  ["date", ".spec.text", "<invalid>"],
  ["date", ".spec.nothing", null],
])("%s at %s", (type, jsonPath, expected) => {
  const [, column] = customColumns([{ name: "X", type, jsonPath, priority: 5 }]);
  expect([column?.value(object, now), column?.priority]).toEqual([expected, 5]);
});

test("columns end where a path cannot be read, and there is one for the age where none is named", () => {
  const named = ["A", "B", "C"].map((name, index) => ({
    name,
    type: "string",
    jsonPath: index === 1 ? ".a[" : ".a",
  }));
  expect(customColumns(named).map(({ name }) => name)).toEqual(["Name", "A"]);
  expect(customColumns([]).map(({ name }) => name)).toEqual(["Name", "Age"]);
});
