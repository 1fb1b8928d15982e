import { expect, test } from "vitest";
import { schemas } from "../../api/index.ts";
import type { ManagedFieldsEntry } from "../generated/meta-v1.ts";
import type { ApiError } from "../api-error.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { applyPatch, fieldSets, statusFields, updateManagedFields } from "./index.ts";

const typeOf = (group: string, kind: string) =>
  schemas.typeOf({ group, version: "v1", kind }) ?? expect.fail(`no type of ${kind}`);
const start = Date.UTC(2026, 0, 1);

const groupOf = (object: JsonObject) => {
  const [group, version] = (object["apiVersion"] as string).split("/");
  return version === undefined ? "" : (group ?? "");
};

interface Options {
  readonly manager?: string;
  readonly force?: boolean;
  readonly at?: number;
}

function apply(live: JsonObject | undefined, applied: JsonObject, options: Options = {}) {
  return applyPatch({
    live,
    applied,
    type: typeOf(groupOf(applied), applied["kind"] as string),
    manager: options.manager ?? "me",
    force: options.force,
    apiVersion: applied["apiVersion"] as string,
    kind: applied["kind"] as string,
    now: start + (options.at ?? 0) * 1000,
    resetFields: statusFields,
  }).object;
}

function write(old: JsonObject | undefined, object: JsonObject, manager: string): JsonObject {
  const managedFields = updateManagedFields({
    old,
    object,
    type: typeOf(groupOf(object), object["kind"] as string),
    manager,
    apiVersion: object["apiVersion"] as string,
    now: start,
    resetFields: statusFields,
  });
  const entries = managedFields as unknown as JsonValue;
  return { ...object, metadata: { ...(object["metadata"] as JsonObject), managedFields: entries } };
}

const entriesOf = (object: JsonObject) =>
  ((object["metadata"] as JsonObject)["managedFields"] ?? []) as unknown as readonly ManagedFieldsEntry[];
const owners = (object: JsonObject) =>
  Object.fromEntries(
    entriesOf(object).map((entry) => [
      `${entry.manager} ${entry.operation}`,
      fieldSets.pathsOf(entry.fieldsV1 ?? {}),
    ]),
  );

const deployment = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default", ...metadata },
  spec,
});
const configMap = (data: JsonValue, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c", namespace: "default", ...metadata },
  data,
});
const template = (...containers: readonly JsonObject[]): JsonObject => ({
  template: { spec: { containers } },
});

function failure(action: () => unknown): ApiError {
  try {
    action();
  } catch (error) {
    return error as ApiError;
  }
  return expect.fail("did not fail");
}

test("apply creates, and owns what it says", () => {
  const object = apply(undefined, deployment({ replicas: 1, ...template({ name: "a", image: "x" }) }));
  expect(entriesOf(object)).toEqual([
    {
      manager: "me",
      operation: "Apply",
      apiVersion: "apps/v1",
      time: "2026-01-01T00:00:00Z",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:spec": {
          "f:replicas": {},
          "f:template": {
            "f:spec": {
              "f:containers": { 'k:{"name":"a"}': { ".": {}, "f:image": {}, "f:name": {} } },
            },
          },
        },
      },
    },
  ]);
});

test("applying the same again changes nothing, not even the time", () => {
  const applied = configMap({ a: "1" });
  const live = apply(undefined, applied);
  expect(apply(live, applied, { at: 100 })).toBe(live);
});

test("a conflict says who owns what", () => {
  const live = apply(undefined, deployment({ replicas: 1, ...template({ name: "a", image: "x" }) }));
  const scaled = write(live, { ...live, spec: { ...(live["spec"] as JsonObject), replicas: 3 } }, "hpa");
  const error = failure(() =>
    apply(scaled, deployment({ replicas: 2, ...template({ name: "a", image: "x" }) })),
  );
  expect(error.status).toMatchObject({
    code: 409,
    reason: "Conflict",
    message: 'Apply failed with 1 conflict: conflict with "hpa" using apps/v1: .spec.replicas',
    details: {
      causes: [
        {
          reason: "FieldManagerConflict",
          message: 'conflict with "hpa" using apps/v1',
          field: ".spec.replicas",
        },
      ],
    },
  });
  const several = failure(() =>
    apply(scaled, deployment({ replicas: 2, ...template({ name: "a", image: "y" }) }), { manager: "other" }),
  );
  expect(several.message).toBe(
    'Apply failed with 2 conflicts: conflicts with "hpa" using apps/v1:\n- .spec.replicas\nconflicts with "me":\n- .spec.template.spec.containers[name="a"].image',
  );
});

test("force takes fields over; the same value is shared", () => {
  const live = apply(undefined, configMap({ a: "1", b: "1" }));
  const shared = apply(live, configMap({ a: "1" }), { manager: "other" });
  expect(owners(shared)).toEqual({ "me Apply": [".data.a", ".data.b"], "other Apply": [".data.a"] });
  const forced = apply(shared, configMap({ a: "2" }), { manager: "other", force: true });
  expect(forced["data"]).toEqual({ a: "2", b: "1" });
  expect(owners(forced)).toEqual({ "me Apply": [".data.b"], "other Apply": [".data.a"] });
});

test("what is no longer applied goes, unless another owns it", () => {
  const live = apply(undefined, configMap({ a: "1", b: "1", c: "1" }));
  const shared = apply(live, configMap({ b: "1" }), { manager: "other" });
  const result = apply(shared, configMap({ c: "1" }));
  expect(result["data"]).toEqual({ b: "1", c: "1" });
  expect(owners(result)).toEqual({ "me Apply": [".data.c"], "other Apply": [".data.b"] });
  const updated = write(result, { ...result, data: { b: "1", c: "1", d: "1" } }, "updater");
  expect(apply(updated, configMap({}))["data"]).toEqual({ b: "1", d: "1" });
});

test("list elements come and go by key, defaults included", () => {
  const ports = (...list: readonly JsonObject[]) => deployment(template({ name: "a", ports: list }));
  const live = apply(undefined, ports({ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }));
  const defaulted = structuredClone(live) as {
    spec: { template: { spec: { containers: { ports: { protocol?: string }[] }[] } } };
  };
  const first = defaulted.spec.template.spec.containers[0]?.ports[0];
  if (first !== undefined) first.protocol = "TCP";
  const result = apply(defaulted, ports({ containerPort: 80, name: "http" }));
  expect(result["spec"]).toEqual(
    template({ name: "a", ports: [{ containerPort: 80, protocol: "TCP", name: "http" }] }),
  );
});

test("applied elements keep the applied order, live ones their place", () => {
  const names = (...list: readonly string[]) => deployment(template(...list.map((name) => ({ name }))));
  const order = (live: JsonObject, applied: JsonObject) =>
    (
      apply(live, applied, { manager: "other" })["spec"] as {
        template: { spec: { containers: { name: string }[] } };
      }
    ).template.spec.containers
      .map(({ name }) => name)
      .join("");
  const live = apply(undefined, names("a", "b", "c"));
  expect(order(live, names("x", "y"))).toBe("abcxy");
  expect(order(live, names("c", "a"))).toBe("bca");
  expect(order(live, names("a", "x", "c"))).toBe("abxc");
});

test("an untracked object's fields belong to before-first-apply", () => {
  const live = configMap({ a: "1" }, { uid: "u", resourceVersion: "5" });
  const result = apply(live, configMap({ b: "1" }));
  expect(owners(result)).toEqual({
    "me Apply": [".data.b"],
    "before-first-apply Update": [".data", ".data.a"],
  });
  expect(failure(() => apply(live, configMap({ a: "2" }))).message).toBe(
    'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.a',
  );
});

test("kubectl takes over what its client-side apply left unchanged", () => {
  const annotation = "kubectl.kubernetes.io/last-applied-configuration";
  const text = JSON.stringify(configMap({ a: "1", b: "1" }));
  const live = write(
    undefined,
    configMap({ a: "1", b: "2" }, { annotations: { [annotation]: text } }),
    "kubectl-client-side-apply",
  );
  const result = apply(live, configMap({ a: "2" }), { manager: "kubectl" });
  expect(result["data"]).toEqual({ a: "2", b: "2" });
  expect(owners(result)["kubectl Apply"]).toEqual([".data.a"]);
  const annotations = (result["metadata"] as { annotations: Record<string, string> }).annotations;
  expect(annotations[annotation]).toBe(
    '{"apiVersion":"v1","data":{"a":"2"},"kind":"ConfigMap","metadata":{"name":"c","namespace":"default"}}\n',
  );
  expect(failure(() => apply(live, configMap({ a: "2", b: "3" }), { manager: "kubectl" })).message).toBe(
    'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.b',
  );
  expect(failure(() => apply(live, configMap({ a: "2" }))).message).toContain("Apply failed with 1 conflict");
});

test("the status is not applied to through the main resource", () => {
  const object = apply(undefined, { ...deployment({ replicas: 1 }), status: { replicas: 5 } });
  expect(owners(object)).toEqual({ "me Apply": [".spec.replicas"] });
});

test.each<[JsonObject, number, string]>([
  [configMap({}, { managedFields: [] }), 400, "metadata.managedFields must be nil"],
  [
    deployment({ replica: 1 }),
    500,
    "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema",
  ],
  [
    deployment(template({ name: "a" }, { name: "a" })),
    500,
    'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: duplicate entries for key [name="a"]',
  ],
  [
    deployment(template({ image: "a" })),
    500,
    'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.template.spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
  ],
  [
    deployment({ replicas: "1", paused: 1 }),
    500,
    "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): errors:\n  .spec.replicas: expected numeric (int or float), got string\n  .spec.paused: expected boolean, got &{1}",
  ],
])("refused %#", (applied, code, message) => {
  const error = failure(() => apply(undefined, applied));
  expect([error.code, error.message]).toEqual([code, message]);
});

test.each<[JsonObject, string]>([
  [deployment({}), "apps/v1, Kind=Deployment"],
  [{ ...deployment({}), apiVersion: "apps/v1beta1", kind: "Scale" }, "apps/v1beta1, Kind=Scale"],
  [{ apiVersion: "v1" }, "/v1, Kind="],
  [{}, "/, Kind="],
])("another kind or version is refused %#", (applied, shown) => {
  const type = typeOf("apps", "Deployment");
  const kind = { apiVersion: "apps/v1beta1", kind: "Deployment" };
  const error = failure(() => applyPatch({ applied, type, manager: "me", ...kind, now: start }));
  expect([error.code, error.message]).toEqual([400, `invalid object type: ${shown}`]);
});

test("a kind of which nothing is known: maps merge, lists are one value", () => {
  const widget = (spec: JsonObject): JsonObject => ({
    apiVersion: "x/v1",
    kind: "W",
    metadata: { name: "w" },
    spec,
  });
  const request = { type: undefined, apiVersion: "x/v1", kind: "W", now: start };
  const live = applyPatch({
    ...request,
    manager: "a",
    applied: widget({ list: [1, 2], map: { x: 1 } }),
  }).object;
  const result = applyPatch({ ...request, manager: "b", live, applied: widget({ map: { y: 2 } }) }).object;
  expect(result["spec"]).toEqual({ list: [1, 2], map: { x: 1, y: 2 } });
  expect(owners(result)["b Apply"]).toContain(".spec.map.y");
});
