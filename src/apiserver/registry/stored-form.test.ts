import { expect, onTestFinished, test } from "vitest";
import { seededRandom, silentLogger, VirtualClock } from "../../base/index.ts";
import type { Logger } from "../../base/index.ts";
import { CustomResourceDefinition } from "../../api/types/apiextensions-v1.ts";
import { HorizontalPodAutoscaler } from "../../api/types/autoscaling-v2.ts";
import { ConfigMap, Pod } from "../../api/types/core-v1.ts";
import { PodDisruptionBudget } from "../../api/types/policy-v1.ts";
import { Role } from "../../api/types/rbac-v1.ts";
import { schemas } from "../../api/index.ts";
import { decodeProtobuf, encodeProtobuf } from "../../apimachinery/codec/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import type { MemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";
import type { StorageMediaType } from "./stored-form.ts";
import { createValueMarker, withoutMark } from "./unique-values.ts";

const protobuf = "application/vnd.kubernetes.protobuf";

async function serverOn(
  store: MemoryStore,
  storageMediaType: StorageMediaType,
  logger: Logger = silentLogger,
) {
  const server = await createApiServer({
    store,
    storageMediaType,
    logger,
    clock: new VirtualClock(),
    random: seededRandom(1),
    authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
  });
  onTestFinished(() => server.close());
  return server.client({ name: "tester", groups: [] });
}

const at = (name: string) => ({ namespace: "default", name });
const startOf = async (store: MemoryStore, key: string) =>
  Buffer.from((await store.get(key))!.value)
    .toString("latin1")
    .slice(0, 4);
const crd = {
  metadata: { name: "lamps.example.org" },
  spec: {
    group: "example.org",
    names: { plural: "lamps", kind: "Lamp" },
    scope: "Namespaced",
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
  },
};

test("built-in kinds are stored in the form that is set, and read in either", async () => {
  const store = createMemoryStore({ clock: new VirtualClock() });
  const [binary, textual] = [await serverOn(store, protobuf), await serverOn(store, "application/json")];
  const spec = { containers: [{ name: "c", image: "i" }] };
  const written = await binary.create(Pod, { metadata: at("binary"), spec });
  const shown = await textual.get(Pod, at("binary"));
  expect(shown).toEqual(written);
  expect(shown.spec?.containers[0]?.terminationMessagePath).toBe("/dev/termination-log");
  await textual.create(ConfigMap, { metadata: at("textual"), data: { a: "ü" } });
  const read = await binary.get(ConfigMap, at("textual"));
  await binary.update(ConfigMap, { ...read, data: { a: "b" } });
  expect((await textual.get(ConfigMap, at("textual"))).data).toEqual({ a: "b" });
  await binary.create(CustomResourceDefinition, crd);
  expect(await startOf(store, "/registry/pods/default/binary")).toBe("k8s\0");
  expect(await startOf(store, "/registry/configmaps/default/textual")).toBe("k8s\0");
  const custom = "/registry/apiextensions.k8s.io/customresourcedefinitions/lamps.example.org";
  expect(await startOf(store, custom)).toBe('{"ki');
});

test("no two values are the same where answers may get lost, and nobody sees what makes them differ", async () => {
  const mark = createValueMarker(seededRandom(1));
  const object = { kind: "ConfigMap", apiVersion: "v1", metadata: { name: "a" }, data: { a: "b" } };
  const json = new TextEncoder().encode(JSON.stringify(object));
  const envelope = encodeProtobuf(object, schemas.typeOf({ group: "", version: "v1", kind: "ConfigMap" })!);
  for (const value of [json, envelope]) expect(Buffer.compare(mark(value), mark(value))).not.toBe(0);
  expect(Buffer.compare(withoutMark(mark(json)), json)).toBe(0);
  expect(decodeProtobuf(mark(envelope), schemas)).toEqual(object);
  const memory = createMemoryStore({ clock: new VirtualClock() });
  const store = Object.assign(memory, { currentRevision: async () => memory.revision });
  const client = await serverOn(store, "application/json");
  const made = await client.create(ConfigMap, { metadata: at("a"), data: { a: "b" } });
  expect(Buffer.from((await store.get("/registry/configmaps/default/a"))!.value).toString()).toMatch(
    /}[ \t]{64}$/,
  );
  expect(await client.get(ConfigMap, at("a"))).toEqual(made);
});

test("versions that others store are turned into the own", async () => {
  const store = createMemoryStore({ clock: new VirtualClock() });
  const put = (
    key: string,
    object: { apiVersion: string; kind: string },
    as: { group: string; version: string },
  ) => {
    const type = schemas.typeOf({ ...as, kind: object.kind })!;
    return store.commit({ type: "create", key, value: encodeProtobuf(object, type) });
  };
  const spec = {
    maxReplicas: 3,
    scaleTargetRef: { kind: "Deployment", name: "d" },
    targetCPUUtilizationPercentage: 50,
  };
  await put(
    "/registry/horizontalpodautoscalers/default/old",
    { apiVersion: "autoscaling/v1", kind: "HorizontalPodAutoscaler", metadata: at("old"), spec } as never,
    { group: "autoscaling", version: "v1" },
  );
  await put(
    "/registry/poddisruptionbudgets/default/older",
    {
      apiVersion: "policy/v1beta1",
      kind: "PodDisruptionBudget",
      metadata: at("older"),
      spec: { minAvailable: 1 },
    } as never,
    { group: "policy", version: "v1" },
  );
  const client = await serverOn(store, protobuf);
  const [scaler] = (await client.list(HorizontalPodAutoscaler, { namespace: "default" })).items;
  expect(scaler).toMatchObject({
    apiVersion: "autoscaling/v2",
    spec: { metrics: [{ type: "Resource", resource: { name: "cpu", target: { averageUtilization: 50 } } }] },
  });
  expect(await client.get(PodDisruptionBudget, at("older"))).toMatchObject({
    apiVersion: "policy/v1",
    spec: { minAvailable: 1 },
  });
});

test("what cannot be read is left out, and the log says why", async () => {
  const store = createMemoryStore({ clock: new VirtualClock() });
  const value = new TextEncoder().encode("k8s\0\n\u0012\n\u0006foo/v1\u0012\u0003Bar");
  await store.commit({ type: "create", key: "/registry/roles/default/odd", value });
  const errors: unknown[] = [];
  const logger: Logger = {
    ...silentLogger,
    error: (message, fields) => void errors.push([message, fields]),
    named: () => logger,
  };
  const client = await serverOn(store, protobuf, logger);
  expect((await client.list(Role)).items).toEqual([]);
  expect(errors).toEqual([
    [
      "An object in the store cannot be read and is left out",
      expect.objectContaining({ key: "/registry/roles/default/odd" }),
    ],
  ]);
});
