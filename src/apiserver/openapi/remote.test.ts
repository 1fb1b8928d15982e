import { expect, test } from "vitest";
import { swaggerBelow, withRemote } from "./remote.ts";

const to = (name: string) => ({ $ref: `#/definitions/${name}` });
const theirs = {
  swagger: "2.0",
  paths: {
    "/apis/a.b/v1/": { get: { responses: { 200: { schema: to("List") } } } },
    "/apis/a.b/v2/": { get: { responses: { 200: { schema: to("Other") } } } },
    "/version/": {},
  },
  definitions: {
    List: { type: "object", properties: { items: { type: "array", items: to("Thing") } } },
    Thing: { properties: { metadata: to("Meta"), self: to("Thing"), time: to("Time") } },
    Meta: { description: "theirs" },
    Time: { format: "date-time", type: "string" },
    Other: {},
  },
};

test("of a document stays what a group version needs", () => {
  const { paths, definitions } = swaggerBelow(theirs, "/apis/a.b/v1/");
  expect(Object.keys(paths)).toEqual(["/apis/a.b/v1/"]);
  expect(Object.keys(definitions).sort()).toEqual(["List", "Meta", "Thing", "Time"]);
  expect(swaggerBelow("garbage", "/")).toEqual({ paths: {}, definitions: {} });
});

test("definitions that say something else under a known name get another name", () => {
  const time = { type: "string", format: "date-time", "x-kubernetes-group-version-kind": [] };
  const ours = {
    info: {},
    paths: { "/apis/": {} },
    definitions: { Meta: { description: "ours" }, Meta_v2: { description: "a third" }, Time: time },
  };
  const merged = withRemote(ours, swaggerBelow(theirs, "/apis/a.b/v1/"));
  expect(merged).toEqual({
    info: {},
    paths: { "/apis/": {}, "/apis/a.b/v1/": theirs.paths["/apis/a.b/v1/"] },
    definitions: {
      ...ours.definitions,
      List: theirs.definitions.List,
      Meta_v3: { description: "theirs" },
      Thing: { properties: { metadata: to("Meta_v3"), self: to("Thing"), time: to("Time") } },
    },
  });
  expect(withRemote(merged, swaggerBelow(theirs, "/apis/a.b/v1/"))).toEqual(merged);
});
