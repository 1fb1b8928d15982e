import { expect, test } from "vitest";
import type { JsonObject } from "../json.ts";
import { fieldSets } from "./index.ts";

const { difference, intersection, leaves, parseFieldSet, pathsOf, recursiveDifference, setsEqual, union } =
  fieldSets;
const text = (set: JsonObject) => JSON.stringify(set);

const tree = parseFieldSet({
  "f:spec": {
    "f:ports": {
      'k:{"port":443,"protocol":"TCP"}': { ".": {}, "f:port": {} },
      'k:{"protocol":"TCP", "port":80}': { ".": {}, "f:port": {} },
    },
    "f:a": {},
  },
  "f:metadata": { "f:finalizers": { 'v:"x"': {}, ".": {} } },
});

test("sets from outside are put in order", () => {
  expect(text(tree)).toBe(
    '{"f:metadata":{"f:finalizers":{".":{},"v:\\"x\\"":{}}},"f:spec":{"f:a":{},"f:ports":{"k:{\\"port\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:port":{}},"k:{\\"port\\":443,\\"protocol\\":\\"TCP\\"}":{".":{},"f:port":{}}}}}',
  );
  expect(() => parseFieldSet({ "x:y": {} })).toThrow('unknown path element "x:y"');
  expect(() => parseFieldSet({ "f:y": 1 })).toThrow("fields must be an object");
});

test("paths as text", () => {
  expect(pathsOf(tree)).toEqual([
    ".metadata.finalizers",
    '.metadata.finalizers[="x"]',
    ".spec.a",
    '.spec.ports[port=80,protocol="TCP"]',
    '.spec.ports[port=443,protocol="TCP"]',
    '.spec.ports[port=80,protocol="TCP"].port',
    '.spec.ports[port=443,protocol="TCP"].port',
  ]);
});

type Operation = (one: JsonObject, other: JsonObject) => JsonObject;
test.each<[string, Operation, JsonObject, JsonObject, JsonObject]>([
  ["union", union, { "f:b": {} }, { "f:a": {} }, { "f:a": {}, "f:b": {} }],
  ["union", union, { "f:a": {} }, { "f:a": { "f:b": {} } }, { "f:a": { ".": {}, "f:b": {} } }],
  ["union", union, { "f:a": { "f:b": {} } }, { "f:a": {} }, { "f:a": { ".": {}, "f:b": {} } }],
  ["union", union, {}, { "f:a": {} }, { "f:a": {} }],
  ["difference", difference, { "f:a": { ".": {}, "f:b": {} } }, { "f:a": {} }, { "f:a": { "f:b": {} } }],
  ["difference", difference, { "f:a": { ".": {}, "f:b": {} } }, { "f:a": { "f:b": {} } }, { "f:a": {} }],
  ["difference", difference, { "f:a": { "f:b": {} } }, { "f:a": { "f:b": {} } }, {}],
  ["difference", difference, { "f:a": {}, "f:c": {} }, { "f:a": {} }, { "f:c": {} }],
  [
    "recursive difference",
    recursiveDifference,
    { "f:a": { "f:b": {} }, "f:c": {} },
    { "f:a": {} },
    { "f:c": {} },
  ],
  [
    "intersection",
    intersection,
    { "f:a": { ".": {}, "f:b": {}, "f:c": {} } },
    { "f:a": { "f:b": {}, "f:d": {} } },
    { "f:a": { "f:b": {} } },
  ],
  ["intersection", intersection, { "f:a": {} }, { "f:a": { ".": {}, "f:b": {} } }, { "f:a": {} }],
  ["intersection", intersection, { "f:a": {} }, { "f:a": { "f:b": {} } }, {}],
])("%s %#", (_, operation, one, other, result) => {
  expect(text(operation(one, other))).toBe(text(result));
});

test("what does not change is shared", () => {
  expect(union(tree, { "f:spec": { "f:a": {} } })).toBe(tree);
  expect(difference(tree, { "f:spec": { "f:b": {} } })).toBe(tree);
  const less = difference(tree, { "f:spec": { "f:a": {} } });
  expect(less["f:metadata"]).toBe(tree["f:metadata"]);
});

test("leaves and equality", () => {
  expect(leaves({ "f:a": { ".": {}, "f:b": {} }, "f:c": {} })).toEqual({ "f:a": { "f:b": {} }, "f:c": {} });
  expect(setsEqual({ "f:a": { ".": {}, "f:b": {} } }, { "f:a": { "f:b": {} } })).toBe(false);
  expect(setsEqual({ "f:a": {}, "f:b": {} }, { "f:b": {}, "f:a": {} })).toBe(true);
});
