import { expect, test } from "vitest";
import type { AnyObject } from "../registry/entry.ts";
import { partialOf } from "./table.ts";

test.each<[object | undefined, object | undefined]>([
  [undefined, undefined],
  [{ mine: "a" }, { mine: "a" }],
  [{ mine: "a", field: "b" }, { mine: "a" }],
  [{ field: "b" }, undefined],
])("metadata alone is told without the annotations that stand for fields: %j", (annotations, told) => {
  const metadata = { name: "x", ...(annotations && { annotations }) };
  const object = { apiVersion: "v1", kind: "Thing", metadata } as unknown as AnyObject;
  expect(partialOf(object, { metaVersion: "v1", fieldAnnotations: ["field"] })).toEqual({
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: { name: "x", ...(told && { annotations: told }) },
  });
});
