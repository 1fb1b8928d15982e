import { beforeAll, describe, expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import type { Client, Patch } from "../../api/index.ts";
import { ConfigMap, ResourceQuota } from "../../api/types/core-v1.ts";
import { ReplicaSet } from "../../api/types/apps-v1.ts";
import { HorizontalPodAutoscaler as Autoscaler1 } from "../../api/types/autoscaling-v1.ts";
import { HorizontalPodAutoscaler as Autoscaler2 } from "../../api/types/autoscaling-v2.ts";
import { Lease } from "../../api/types/coordination-v1.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";
import { decodePatchBody, type JsonPatchType } from "./patch-body.ts";

let client: Client;
const key = { namespace: "default", name: "c" };

beforeAll(async () => {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const server = await createApiServer({
    store: createMemoryStore({ clock }),
    clock,
    random: seededRandom(1),
    authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
  });
  client = server.client({ name: "tester", groups: [] });
  await client.create(ConfigMap, { metadata: key, data: { a: "1" } });
  await client.create(ResourceQuota, { metadata: key, spec: { hard: { pods: "1" } } });
});

const apply = (body: object): Patch => ({ type: "apply", body });
const configMap = (rest: object = {}) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: key, ...rest });

describe("a patch is refused", () => {
  test.each<[Patch, number, string]>([
    [
      { type: "merge", body: { data: "x" } },
      422,
      "into Go struct field ConfigMap.data of type map[string]string",
    ],
    [{ type: "merge", body: { kind: "Secret" } }, 422, "converting (v1.Secret) to (core.ConfigMap): unknown"],
    [{ type: "merge", body: { kind: "Other" } }, 422, 'no kind "Other" is registered for version "v1"'],
    [
      { type: "merge", body: { apiVersion: "v2" } },
      422,
      'no kind "ConfigMap" is registered for version "v2"',
    ],
    [{ type: "merge", body: { apiVersion: null } }, 400, "(c based on URL) was undeterminable"],
    [{ type: "merge", body: { metadata: null } }, 400, "(c based on URL) was undeterminable"],
    [{ type: "merge", body: { metadata: { uid: "u" } } }, 422, "metadata.uid: Invalid value"],
    [
      { type: "strategic", body: { data: "x" } },
      422,
      ' "" is invalid: patch: Invalid value: "map[data:x]": cannot restore map from string',
    ],
    [{ type: "strategic", body: { immutable: 1 } }, 422, "unrecognized type: bool"],
    [apply({}), 400, "invalid object type: /, Kind="],
  ])("%j", async (patch, code, message) => {
    const patched = client.patch(ConfigMap, key, patch, { fieldManager: "me" });
    await expect(patched).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test("when what is applied is no object of the kind", async () => {
    const body = { apiVersion: "v1", kind: "ResourceQuota", metadata: key, spec: { hard: { pods: "x" } } };
    const applied = client.patch(ResourceQuota, key, apply(body), {
      fieldManager: "me",
      force: true,
    } as object);
    await expect(applied).rejects.toMatchObject({ code: 409 });
    const forced = client.patch(
      ResourceQuota,
      key,
      { type: "apply", body, force: true },
      { fieldManager: "me" },
    );
    await expect(forced).rejects.toMatchObject({
      code: 500,
      message: expect.stringMatching(
        /^failed to convert new object \(default\/c; \/v1, Kind=ResourceQuota\) to proper version: .*: quantities must/,
      ),
    });
  });
});

test("an empty list of managed fields forgets them all, one left out does not", async () => {
  const name = { namespace: "default", name: "forgetful" };
  const managersOf = async (patch: Patch) =>
    (await client.patch(ConfigMap, name, patch)).metadata.managedFields ?? [];
  await client.create(ConfigMap, { metadata: name, data: { a: "1" } });
  expect(await managersOf({ type: "merge", body: { metadata: { managedFields: null } } })).toHaveLength(1);
  expect(await managersOf({ type: "merge", body: { metadata: { managedFields: [] } } })).toEqual([]);
});

test("what only the server sets stays as it is", async () => {
  const before = await client.get(ConfigMap, key);
  const metadata = { generation: 7, creationTimestamp: "2001-01-01T00:00:00Z", annotations: { a: "b" } };
  const after = await client.patch(ConfigMap, key, { type: "merge", body: { metadata } });
  expect(after.metadata).toMatchObject({ creationTimestamp: before.metadata.creationTimestamp });
  expect(after.metadata.generation).toBeUndefined();
});

test("a patch that changes nothing writes nothing", async () => {
  const before = await client.get(ConfigMap, key);
  const patches: readonly Patch[] = [
    { type: "json", body: [] },
    { type: "merge", body: { data: { a: "1", b: null } } },
    { type: "strategic", body: {} },
  ];
  for (const patch of patches) {
    const after = await client.patch(ConfigMap, key, patch);
    expect(after.metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  }
});

test("an apply creates whatever version it names, but not under another's identity", async () => {
  const named = (name: string, rest: object) => configMap({ metadata: { ...key, name, ...rest } });
  const created = await client.patch(
    ConfigMap,
    { ...key, name: "versioned" },
    apply(named("versioned", { resourceVersion: "5" })),
    { fieldManager: "me" },
  );
  expect(created.metadata.name).toBe("versioned");
  const other = client.patch(ConfigMap, { ...key, name: "other" }, apply(named("other", { uid: "u" })), {
    fieldManager: "me",
  });
  await expect(other).rejects.toThrow(
    "uid mismatch: the provided object specified uid u, and no existing object was found",
  );
  await expect(client.update(Lease, { metadata: { ...key, uid: "u" } } as Lease)).rejects.toThrow(
    "Key: /registry/leases/default/c, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: u",
  );
});

test.each<[JsonPatchType, string, boolean, string]>([
  [
    "json",
    "{}",
    true,
    "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
  ],
  [
    "json",
    "[1]",
    true,
    "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp",
  ],
  [
    "json",
    '[{"op":1}]',
    true,
    "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
  ],
  ["json", "[", false, "unexpected end of JSON input"],
  [
    "merge",
    "[]",
    true,
    "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
  ],
  ["merge", "x", true, "error decoding patch: invalid character 'x' looking for beginning of value"],
  ["merge", "x", false, "Invalid JSON Patch"],
  ["merge", "null", true, "Invalid JSON Patch"],
  ["strategic", "1", true, "json: cannot unmarshal number into Go value of type map[string]interface {}"],
])("a %s patch %j is no patch", (type, text, strict, message) => {
  const bytes = new TextEncoder().encode(text);
  expect(() => decodePatchBody(type, bytes, { strict })).toThrow(message);
});

test.each<[JsonPatchType, string, readonly string[]]>([
  [
    "json",
    '[{"op":"test","op":"test","path":"/a","x":1}]',
    ['json patch unknown field "[0].x"', 'json patch duplicate field "[0].op"'],
  ],
  ["merge", '{"a":{"b":1,"b":2}}', ['duplicate field "a.b"']],
  ["strategic", "null", []],
])("strict decoding of a %s patch %j finds problems", (type, text, problems) => {
  const patch = decodePatchBody(type, new TextEncoder().encode(text), { strict: true });
  expect(patch).toMatchObject({ problems });
});

test("managers of another version own what they wrote as of that version", async () => {
  const name = { namespace: "default", name: "scaler" };
  const target = { kind: "Deployment", name: "web", apiVersion: "apps/v1" };
  const version = (apiVersion: string, spec: object): Patch =>
    apply({
      apiVersion,
      kind: "HorizontalPodAutoscaler",
      metadata: name,
      spec: { scaleTargetRef: target, maxReplicas: 3, ...spec },
    });
  const utilization = (percent: number) => [
    {
      type: "Resource",
      resource: { name: "cpu", target: { type: "Utilization", averageUtilization: percent } },
    },
  ];
  const old = { fieldManager: "old" };
  await client.patch(
    Autoscaler1,
    name,
    version("autoscaling/v1", { targetCPUUtilizationPercentage: 50 }),
    old,
  );
  const taken = client.patch(Autoscaler2, name, version("autoscaling/v2", { metrics: utilization(60) }), {
    fieldManager: "new",
  });
  await expect(taken).rejects.toThrow('conflict with "old": .spec.targetCPUUtilizationPercentage');
  const given = await client.patch(Autoscaler2, name, version("autoscaling/v2", {}), old);
  expect(given.spec?.minReplicas).toBe(1);
  expect(given.metadata.managedFields).toMatchObject([{ manager: "old", apiVersion: "autoscaling/v2" }]);
});

describe("the scale", () => {
  const web = { namespace: "default", name: "web" };
  const scale = (patch: Patch, fieldManager: string) =>
    client.patch(ReplicaSet, web, patch, { subresource: "scale", fieldManager }) as Promise<unknown>;
  const scaled = (replicas: number, force = false): Patch => ({
    type: "apply",
    body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "web" }, spec: { replicas } },
    force,
  });

  beforeAll(async () => {
    const template = {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "c", image: "i" }] },
    };
    const spec = { replicas: 0, selector: { matchLabels: { app: "web" } }, template };
    const body = { apiVersion: "apps/v1", kind: "ReplicaSet", metadata: web, spec };
    await client.patch(ReplicaSet, web, apply(body), { fieldManager: "owner" });
  });

  test("leaves zero replicas out", async () => {
    await expect(scale({ type: "merge", body: {} }, "me")).resolves.toMatchObject({
      kind: "Scale",
      spec: {},
    });
  });

  test("is patched as an object of its own", async () => {
    const renamed: Patch = { type: "merge", body: { metadata: { name: "other" } } };
    await expect(scale(renamed, "me")).rejects.toThrow(
      "the name of the object (other) does not match the name on the URL (web)",
    );
    await expect(scale({ type: "merge", body: { spec: { replicas: "x" } } }, "me")).rejects.toThrow(
      'is invalid: patch: Invalid value: "{',
    );
  });

  test("is checked, and of the object which its identity names", async () => {
    const metadata = { ...web, uid: "other", labels: { "a b": "c" } };
    const put = (fields: object) =>
      client.update(ReplicaSet, { apiVersion: "autoscaling/v1", kind: "Scale", ...fields } as never, {
        subresource: "scale",
      });
    const precondition = "Precondition failed: UID in precondition: other, UID in object meta: ";
    await expect(put({ metadata, spec: { replicas: -1 } })).rejects.toThrow(
      /\[metadata.labels: .*, spec.replicas: /,
    );
    await expect(put({ metadata: { ...web, uid: "other" }, spec: {} })).rejects.toThrow(
      `Msg: ${precondition}`,
    );
    const patch: Patch = { type: "merge", body: { metadata: { uid: "other" } } };
    await expect(scale(patch, "me")).rejects.toThrow(
      `Operation cannot be fulfilled on replicasets/scale.apps "web": ${precondition}`,
    );
  });

  test("is applied to, with the owners of the replicas", async () => {
    await expect(scale(scaled(2), "scaler")).rejects.toThrow('conflict with "owner": .spec.replicas');
    await expect(scale(scaled(2, true), "scaler")).resolves.toMatchObject({ spec: { replicas: 2 } });
    const { metadata } = await client.get(ReplicaSet, web);
    expect(metadata.managedFields).toMatchObject([
      { manager: "owner", operation: "Apply" },
      { manager: "scaler", subresource: "scale", fieldsV1: { "f:spec": { "f:replicas": {} } } },
    ]);
  });
});

test.each([
  ["1", true],
  ["-5", true],
  ["1.0", false],
  ["1e0", false],
  ["[1.0]", false],
  ['{"a":10e-1}', false],
])("a test of %s compares the text: %s", async (value, passes) => {
  const present = JSON.stringify(JSON.parse(value));
  const text = `[{"op":"add","path":"/data","value":{"a":"1"}},{"op":"add","path":"/x","value":${present}},{"op":"test","path":"/x","value":${value}},{"op":"remove","path":"/x"}]`;
  const patch = decodePatchBody("json", new TextEncoder().encode(text), { strict: true });
  const patched = client.patch(ConfigMap, key, patch, { fieldManager: "me" });
  if (passes) expect((await patched).data).toEqual({ a: "1" });
  else
    await expect(patched).rejects.toMatchObject({ code: 422, message: expect.stringContaining("rejected") });
});
