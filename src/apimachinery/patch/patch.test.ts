import { expect, test } from "vitest";
import { schemas } from "../../api/index.ts";
import { ApiError } from "../api-error.ts";
import type { JsonObject } from "../json.ts";
import { applyJsonPatch, applyMergePatch, performJsonPatch, strategicMergePatch } from "./index.ts";

const typeOf = (group: string, kind: string) =>
  schemas.typeOf({ group, version: "v1", kind }) ?? expect.fail(`no type of ${kind}`);

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

test.each<[JsonObject, unknown, JsonObject]>([
  [{ a: 1 }, [{ op: "add", path: "/b", value: [1] }], { a: 1, b: [1] }],
  [{ a: [1, 3] }, [{ op: "add", path: "/a/1", value: 2 }], { a: [1, 2, 3] }],
  [{ a: [1] }, [{ op: "add", path: "/a/-", value: 2 }], { a: [1, 2] }],
  [{ a: [1, 2] }, [{ op: "remove", path: "/a/-1" }], { a: [1] }],
  [{ a: { b: 1 } }, [{ op: "remove", path: "/a/b" }], { a: {} }],
  [{ "a/b": 1, "m~n": 2 }, [{ op: "replace", path: "/a~1b", value: 3 }], { "a/b": 3, "m~n": 2 }],
  [{ a: { b: 1 } }, [{ op: "move", from: "/a/b", path: "/c" }], { a: {}, c: 1 }],
  [
    { a: { b: [1] } },
    [
      { op: "copy", from: "/a", path: "/c" },
      { op: "add", path: "/c/b/-", value: 2 },
    ],
    { a: { b: [1] }, c: { b: [1, 2] } },
  ],
  [
    { a: {} },
    [
      { op: "add", path: "/a/x", value: { y: 1 } },
      { op: "copy", from: "/a/x", path: "/a/z" },
      { op: "replace", path: "/a/x/y", value: 2 },
    ],
    { a: { x: { y: 2 }, z: { y: 1 } } },
  ],
  [{ a: { b: 1, c: 2 } }, [{ op: "test", path: "/a", value: { c: 2, b: 1 } }], { a: { b: 1, c: 2 } }],
  [{}, [{ op: "test", path: "/missing", value: null }], {}],
  [{ a: [1, 2] }, [{ op: "remove", path: "/a/01" }], { a: [1] }],
  [{ a: 1 }, [{ op: "add", path: "/b" }], { a: 1, b: null }],
  [{ a: 1 }, [{ op: "add", path: "x/b", value: 2 }], { a: 1, b: 2 }],
  [{ a: 1 }, [{ op: "replace", path: "/b", value: 2 }], { a: 1, b: 2 }],
  [{ a: 1 }, [{ op: "replace", path: "", value: { b: 2 } }], { b: 2 }],
  [{ a: 1 }, [{ op: "copy", from: "/b", path: "/c" }], { a: 1, c: null }],
  [{ a: 1 }, null, { a: 1 }],
])("JSON patch %#", (object, operations, result) => {
  expect(applyJsonPatch(frozen(object), operations)).toEqual(result);
});

test.each<[unknown]>([
  [[{ op: "remove", path: "/b" }]],
  [[{ op: "replace", path: "/a/1", value: 1 }]],
  [[{ op: "add", path: "/b/c", value: 1 }]],
  [[{ op: "add", path: "/a/5", value: 1 }]],
  [[{ op: "add", path: "/a/x", value: 1 }]],
  [[{ op: "replace", path: "", value: 1 }]],
  [[{ op: "move", from: "/b", path: "/c" }]],
  [[{ op: "test", path: "/a/0", value: 2 }]],
  [[{ op: "frob", path: "/a" }]],
  [[{ op: "move", from: "/a", path: "/a/0" }]],
  [[{ op: "add", path: "", value: 1 }]],
  [[{ op: "remove", path: "/toString" }]],
])("JSON patch %j is refused", (operations) => {
  expect(() => applyJsonPatch(frozen({ a: [1] }), operations)).toThrow(
    "the server rejected our request due to an error in our request",
  );
});

test("JSON patches are bounded", () => {
  const many = Array.from({ length: 10_001 }, () => ({ op: "remove", path: "/a" }));
  expect(() => applyJsonPatch({}, many)).toThrow(
    "The allowed maximum operations in a JSON patch is 10000, got 10001",
  );
  const doubling = Array.from({ length: 40 }, (_, index) => ({ op: "copy", from: "", path: `/${index}` }));
  expect(() => applyJsonPatch({ a: "x" }, doubling)).toThrow(ApiError);
  const front = { op: "add", path: "/a/0", value: 0 };
  const moving = [
    { op: "add", path: "/a", value: Array(100_000).fill(0) },
    ...Array.from({ length: 1_000 }, () => front),
  ];
  expect(() => performJsonPatch({}, moving as JsonObject[])).toThrow(
    "Unable to move more than 20000000 elements of lists",
  );
  expect(() => applyJsonPatch({}, {})).toThrow(
    "json: cannot unmarshal object into Go value of type jsonpatch.Patch",
  );
});

test.each<[JsonObject, JsonObject, JsonObject]>([
  [
    { a: { b: 1, c: 2 }, d: [1] },
    { a: { b: null }, d: [2] },
    { a: { c: 2 }, d: [2] },
  ],
  [{}, { a: { b: null, c: { d: null } } }, { a: { c: {} } }],
  [{ a: 1 }, { a: { b: 1 } }, { a: { b: 1 } }],
  [{ a: 1 }, JSON.parse('{"__proto__": {"x": 1}}'), JSON.parse('{"a": 1, "__proto__": {"x": 1}}')],
])("merge patch %#", (object, patch, result) => {
  expect(applyMergePatch(frozen(object), frozen(patch))).toEqual(result);
});

const container = (name: string, rest: JsonObject = {}) => ({ name, ...rest });
const podOf = (...containers: readonly JsonObject[]): JsonObject => ({ spec: { containers } });

test.each<[string, JsonObject, JsonObject, JsonObject]>([
  [
    "merges lists by key",
    podOf(container("a", { image: "1", tty: true }), container("b")),
    podOf(container("b", { image: "2" }), container("c")),
    podOf(container("a", { image: "1", tty: true }), container("b", { image: "2" }), container("c")),
  ],
  [
    "deletes elements",
    podOf(container("a"), container("b")),
    podOf({ name: "a", $patch: "delete" }),
    podOf(container("b")),
  ],
  [
    "replaces lists",
    podOf(container("a"), container("b")),
    podOf(container("c"), { $patch: "replace" }),
    podOf(container("c")),
  ],
  [
    "replaces maps",
    { spec: { securityContext: { runAsUser: 1, runAsGroup: 2 } } },
    { spec: { securityContext: { $patch: "replace", runAsUser: 3 } } },
    { spec: { securityContext: { runAsUser: 3 } } },
  ],
  ["deletes maps", { spec: { a: 1 } }, { spec: { $patch: "delete" } }, { spec: {} }],
  [
    "orders elements",
    podOf(container("a"), container("b"), container("server")),
    {
      spec: {
        "$setElementOrder/containers": [{ name: "b" }, { name: "new" }, { name: "a" }],
        containers: [container("new", { image: "n" })],
      },
    },
    podOf(container("b"), container("new", { image: "n" }), container("a"), container("server")),
  ],
  [
    "orders and prunes primitives",
    { metadata: { finalizers: ["a", "b", "c"] } },
    {
      metadata: {
        "$deleteFromPrimitiveList/finalizers": ["b"],
        "$setElementOrder/finalizers": ["d", "a"],
        finalizers: ["d"],
      },
    },
    { metadata: { finalizers: ["d", "a", "c"] } },
  ],
  [
    "deletes primitives",
    { metadata: { finalizers: ["a", "b"] } },
    { metadata: { "$deleteFromPrimitiveList/finalizers": ["a"] } },
    { metadata: { finalizers: ["b"] } },
  ],
  [
    "merges primitives",
    { metadata: { finalizers: ["a", "b"] } },
    { metadata: { finalizers: ["c", "a"] } },
    { metadata: { finalizers: ["c", "a", "b"] } },
  ],
  [
    "replaces atomic lists",
    podOf(container("a", { args: ["1", "2"] })),
    podOf(container("a", { args: ["3"] })),
    podOf(container("a", { args: ["3"] })),
  ],
  [
    "nulls remove, and vanish from new values",
    { metadata: { labels: { a: "1", b: "2" } } },
    { metadata: { labels: { a: null, c: null }, annotations: { x: null, y: "1" } } },
    { metadata: { labels: { b: "2" }, annotations: { y: "1" } } },
  ],
  [
    "retains keys",
    { spec: { volumes: [{ name: "v", hostPath: { path: "/" } }] } },
    { spec: { volumes: [{ name: "v", $retainKeys: ["name", "emptyDir"], emptyDir: {} }] } },
    { spec: { volumes: [{ name: "v", emptyDir: {} }] } },
  ],
  [
    "drops directives from new values",
    { spec: {} },
    {
      spec: {
        volumes: [
          { name: "v", $retainKeys: ["name"] },
          { name: "w", $patch: "delete" },
          { name: "x", $patch: "replace", emptyDir: {} },
          { name: "y", emptyDir: { $patch: "delete", medium: "m" } },
        ],
      },
    },
    { spec: { volumes: [{ name: "v" }, { name: "y" }] } },
  ],
  [
    "leaves out what would replace or delete a map that is not there",
    { metadata: { labels: "x" } },
    { metadata: { labels: { a: "b", $patch: "replace" }, annotations: { $patch: "delete" } } },
    { metadata: {} },
  ],
])("strategic merge patch %s", (_, object, patch, result) => {
  expect(strategicMergePatch(frozen(object), frozen(patch), typeOf("", "Pod"))).toEqual(result);
});

test("strategic merge patch of a Deployment replaces its strategy's other member", () => {
  const live = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } };
  const patch = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
  expect(strategicMergePatch(live, patch, typeOf("apps", "Deployment"))).toEqual({
    spec: { strategy: { type: "Recreate" } },
  });
});

test.each<[JsonObject, string]>([
  [podOf({ image: "x" }), "map: map[image:x] does not contain declared merge key: name"],
  [podOf({ name: "a", $patch: "merge" }), "merging lists cannot yet be specified in the patch"],
  [{ spec: { $patch: "frob" } }, "unknown patch type: frob in map: map[$patch:frob]"],
  [{ spec: { $retainKeys: ["a"], b: 1 } }, "invalid patch format of retainKeys"],
  [
    { spec: { "$setElementOrder/containers": [{ name: "b" }], containers: [{ name: "c" }] } },
    "The order in patch list:\n[map[name:c]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
  ],
  [{ spec: { containers: ["x"] } }, "list element types are not identical: [[map[name:a]] [x]]"],
  [{ spec: { "$setElementOrder/containers": "x" } }, "expected a []interface {}, but received a string"],
])("strategic merge patch %j is refused", (patch, message) => {
  expect(() => strategicMergePatch(podOf(container("a")), patch, typeOf("", "Pod"))).toThrow(message);
});
