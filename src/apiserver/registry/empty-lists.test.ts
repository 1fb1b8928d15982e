import { expect, test } from "vitest";
import { schemas } from "../../api/index.ts";
import type { StructType } from "../../apimachinery/index.ts";
import { EndpointSlice } from "../../api/types/discovery-v1.ts";
import { Ingress } from "../../api/types/networking-v1.ts";
import { Role } from "../../api/types/rbac-v1.ts";
import type { Resource } from "../../apimachinery/index.ts";
import { withoutEmptyLists } from "./empty-lists.ts";
import type { AnyObject } from "./entry.ts";

function stored(resource: Resource, fields: object): object {
  const type = schemas.typeOf(resource) as StructType;
  const object = { kind: resource.kind, apiVersion: "v1", metadata: {}, ...fields } as unknown as AnyObject;
  const { kind: _, apiVersion: __, metadata: ___, ...rest } = withoutEmptyLists(object, type);
  return rest;
}

test.each<readonly [string, Resource, object, object]>([
  ["a list that is always written", Role, { rules: [] }, { rules: null }],
  [
    "one that is not",
    EndpointSlice,
    { endpoints: [{ addresses: [] }] },
    { endpoints: [{ addresses: null }] },
  ],
  [
    "one far down",
    Ingress,
    { spec: { rules: [{ http: { paths: [] } }, { host: "a" }] } },
    { spec: { rules: [{ http: { paths: null } }, { host: "a" }] } },
  ],
])("%s", (_, resource, given, kept) => expect(stored(resource, given)).toEqual(kept));

test("what has no empty lists stays the same object", () => {
  const spec = { rules: [{ host: "a" }] };
  expect(stored(Ingress, { spec })).toHaveProperty("spec", spec);
  const object = { kind: "Ingress", apiVersion: "v1", metadata: {}, spec } as unknown as AnyObject;
  expect(withoutEmptyLists(object, schemas.typeOf(Ingress) as StructType)).toBe(object);
});
