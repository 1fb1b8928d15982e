import { expect, test } from "vitest";
import { creationProblems, defaulted, updateProblems } from "../testing/check.ts";
import type { RequestContext } from "../definition.ts";
import type { Namespace } from "../types/core-v1.ts";
import { namespaceDefinition } from "./namespace.ts";

const namespace = (rest: object = {}) => ({ metadata: { name: "n" }, ...rest });
const update: RequestContext = { now: 0, operation: "update" };
const unqualified = "name is neither a standard finalizer name nor is it fully qualified";

test.each<[readonly string[], readonly string[]]>([
  [["example.com/a"], []],
  [["nonsense"], [`spec.finalizers: Invalid value: "nonsense": ${unqualified}`]],
])("a new namespace with the finalizers %j", (finalizers, problems) => {
  expect(creationProblems(namespaceDefinition, namespace({ spec: { finalizers } }))).toEqual(problems);
});

test("finalizers of a namespace are changed by finalizing it only", () => {
  const old = namespaceDefinition.prepareForCreate!(
    defaulted(namespaceDefinition, namespace({ spec: { finalizers: ["example.com/a"] } })),
    { now: 0, operation: "create" },
  );
  const next = defaulted(namespaceDefinition, namespace({ spec: { finalizers: [] } }));
  expect(namespaceDefinition.prepareForUpdate?.(next, old, update).spec?.finalizers).toEqual([
    "example.com/a",
    "kubernetes",
  ]);
  const finalize = { ...update, subresource: "finalize" };
  expect(namespaceDefinition.prepareForUpdate?.(next, old, finalize).spec?.finalizers).toEqual([]);
});

test.each<[string, string | undefined, readonly string[]]>([
  ["Active", undefined, []],
  ["Terminating", "2026-01-01T00:00:00Z", []],
  ["Terminating", undefined, ["status.Phase: may only be 'Active' if `deletionTimestamp` is empty"]],
  [
    "Active",
    "2026-01-01T00:00:00Z",
    ["status.Phase: may only be 'Terminating' if `deletionTimestamp` is not empty"],
  ],
])("a namespace that is %s and was deleted at %s", (phase, deletionTimestamp, problems) => {
  const object = {
    ...defaulted(namespaceDefinition, namespace()),
    status: { phase },
  } as Namespace;
  const next = deletionTimestamp
    ? { ...object, metadata: { ...object.metadata, deletionTimestamp } }
    : object;
  const errors = namespaceDefinition.validateUpdate?.(next, object, { ...update, subresource: "status" });
  expect(errors?.map(({ field, detail }) => `${field}: ${detail}`)).toEqual(problems);
});

test("a namespace has no time to go in", () => {
  const object = defaulted(namespaceDefinition, namespace());
  const going = { ...object, metadata: { ...object.metadata, deletionGracePeriodSeconds: 0 } };
  const prepared = namespaceDefinition.prepareForDeletion?.(going);
  expect(prepared?.metadata).not.toHaveProperty("deletionGracePeriodSeconds");
  expect(prepared?.status?.phase).toBe("Terminating");
});

test("the label of its name comes back", () => {
  const next = namespace({ metadata: { name: "n", labels: { a: "b" } } });
  expect(updateProblems(namespaceDefinition, { old: namespace(), next })).toEqual([]);
  expect(defaulted(namespaceDefinition, next).metadata.labels).toEqual({
    a: "b",
    "kubernetes.io/metadata.name": "n",
  });
});
