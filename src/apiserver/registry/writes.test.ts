import { PodDisruptionBudget } from "../../api/types/policy-v1.ts";
import { describe, expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import { Deployment } from "../../api/types/apps-v1.ts";
import { HorizontalPodAutoscaler as OldAutoscaler } from "../../api/types/autoscaling-v1.ts";
import { HorizontalPodAutoscaler } from "../../api/types/autoscaling-v2.ts";
import { ConfigMap, Event, Namespace, Pod } from "../../api/types/core-v1.ts";
import { Role } from "../../api/types/rbac-v1.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";

async function setUp() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const store = createMemoryStore({ clock });
  const server = await createApiServer({
    store,
    clock,
    random: seededRandom(1),
    authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
  });
  return { clock, store, server, client: server.client({ name: "tester", groups: [] }) };
}

const at = (name: string) => ({ namespace: "default", name });
const configMap = (name: string, data: Record<string, string> = {}) => ({ metadata: at(name), data });
const pod = (name: string) => ({ metadata: at(name), spec: { containers: [{ name: "c", image: "i" }] } });
const deployment = (name: string) => ({
  metadata: at(name),
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "c", image: "i" }] } },
  },
});

test("empty lists that the store loses are shown lost by dry runs, and are no change", async () => {
  const { client } = await setUp();
  const role = { metadata: at("r"), rules: [] };
  expect(await client.create(Role, role, { dryRun: true })).toMatchObject({ rules: null });
  const made = await client.create(Role, role);
  expect(made.rules).toBeNull();
  const again = await client.update(Role, { ...made, rules: [] });
  expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  const labelled = { ...made, rules: [], metadata: { ...made.metadata, labels: { a: "b" } } };
  expect(await client.update(Role, labelled, { dryRun: true })).toMatchObject({ rules: null });
});

describe("names", () => {
  test("are made from generateName", async () => {
    const { client } = await setUp();
    const metadata = { generateName: "web-", namespace: "default" };
    const [one, two] = await Promise.all([
      client.create(ConfigMap, { metadata }),
      client.create(ConfigMap, { metadata }),
    ]);
    expect(one.metadata.name).toMatch(/^web-[a-z0-9]{5}$/);
    expect(two.metadata.name).not.toBe(one.metadata.name);
  });

  test("beside a base that are taken are told as if they had been generated", async () => {
    const { client } = await setUp();
    const object = { metadata: { ...at("x"), generateName: "y" } };
    await client.create(ConfigMap, object);
    await expect(client.create(ConfigMap, object)).rejects.toMatchObject({
      message:
        'configmaps "x" already exists, the server was not able to generate a unique name for the object',
      code: 409,
    });
  });

  test("that are invalid are refused", async () => {
    const { client } = await setUp();
    await expect(client.create(ConfigMap, configMap("Not_Valid"))).rejects.toMatchObject({ code: 422 });
  });

  test("and a version of another object do not go into a create", async () => {
    const { client } = await setUp();
    const object = { metadata: { ...at("x"), resourceVersion: "7" } };
    await expect(client.create(ConfigMap, object)).rejects.toThrow(
      "resourceVersion should not be set on objects to be created",
    );
  });
});

describe("generation and status", () => {
  test("a change of the intent raises the generation, one of the status does not", async () => {
    const { client } = await setUp();
    const made = await client.create(Deployment, deployment("web"));
    expect(made.metadata.generation).toBe(1);
    const scaled = await client.update(Deployment, { ...made, spec: { ...made.spec, replicas: 3 } });
    expect(scaled.metadata.generation).toBe(2);
    const status = { ...scaled.status, replicas: 3 };
    const reported = await client.update(Deployment, { ...scaled, status }, { subresource: "status" });
    expect(reported).toMatchObject({ metadata: { generation: 2 }, status: { replicas: 3 } });
    const spec = { ...reported.spec, replicas: 9 };
    const kept = await client.update(Deployment, { ...reported, spec }, { subresource: "status" });
    expect(kept.spec?.replicas).toBe(3);
    const cleared = await client.update(Deployment, { ...kept, status: {} });
    expect(cleared.status).toMatchObject({ replicas: 3 });
  });

  test("the scale is a view of the object", async () => {
    const { client } = await setUp();
    await client.create(Deployment, deployment("web"));
    const scale = { type: "merge", body: { spec: { replicas: 4 } } } as const;
    const answer: object = await client.patch(Deployment, at("web"), scale, { subresource: "scale" });
    expect(answer).toMatchObject({ kind: "Scale", spec: { replicas: 4 }, status: { selector: "app=web" } });
    expect((await client.get(Deployment, at("web"))).spec?.replicas).toBe(4);
  });
});

describe("patches", () => {
  test("of every type change the object", async () => {
    const { client } = await setUp();
    await client.create(ConfigMap, configMap("x", { a: "1" }));
    const key = at("x");
    await client.patch(ConfigMap, key, { type: "merge", body: { data: { b: "2" } } });
    await client.patch(ConfigMap, key, { type: "json", body: [{ op: "remove", path: "/data/a" }] });
    await client.patch(ConfigMap, key, { type: "strategic", body: { data: { c: "3" } } });
    const applied = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: { d: "4" } };
    await client.patch(ConfigMap, key, { type: "apply", body: applied }, { fieldManager: "me" });
    const { data, metadata } = await client.get(ConfigMap, key);
    expect(data).toEqual({ b: "2", c: "3", d: "4" });
    expect(metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toEqual([
      "me Apply",
      "tester Update",
    ]);
  });

  test("at the same time are all made; one for an old version is not", async () => {
    const { client } = await setUp();
    const { metadata } = await client.create(ConfigMap, configMap("x"));
    const names = ["a", "b", "c", "d"];
    const change = (name: string) => ({ type: "merge", body: { data: { [name]: "1" } } }) as const;
    await Promise.all(names.map((name) => client.patch(ConfigMap, at("x"), change(name))));
    expect(Object.keys((await client.get(ConfigMap, at("x"))).data ?? {}).sort()).toEqual(names);
    const { resourceVersion } = metadata;
    const old = { type: "merge", body: { metadata: { resourceVersion }, data: { e: "1" } } } as const;
    await expect(client.patch(ConfigMap, at("x"), old)).rejects.toMatchObject({ reason: "Conflict" });
  });

  test("an apply creates what is not there, and conflicts over what others own", async () => {
    const { client } = await setUp();
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: at("x"), data: { a: "1" } };
    await client.patch(ConfigMap, at("x"), { type: "apply", body }, { fieldManager: "one" });
    const other = { ...body, data: { a: "2" } };
    const two = { fieldManager: "two" };
    await expect(client.patch(ConfigMap, at("x"), { type: "apply", body: other }, two)).rejects.toMatchObject(
      { reason: "Conflict" },
    );
    await client.patch(ConfigMap, at("x"), { type: "apply", body: other, force: true }, two);
    expect((await client.get(ConfigMap, at("x"))).data).toEqual({ a: "2" });
  });
});

describe("dry runs", () => {
  test("answer what would be and write nothing", async () => {
    const { client, store } = await setUp();
    const before = store.revision;
    const made = await client.create(ConfigMap, configMap("x", { a: "b" }), { dryRun: true });
    expect(made).toMatchObject({ metadata: { name: "x" }, data: { a: "b" } });
    expect(store.revision).toBe(before);
  });
});

describe("deletes", () => {
  test("the last finalizer's removal ends the object", async () => {
    const { client } = await setUp();
    const { metadata, ...rest } = await client.create(ConfigMap, {
      ...configMap("x"),
      metadata: { ...at("x"), finalizers: ["example.com/wait"] },
    });
    await client.delete(ConfigMap, at("x"));
    const marked = await client.get(ConfigMap, at("x"));
    expect(marked.metadata.deletionTimestamp).toBe("2026-01-01T00:00:00Z");
    const { finalizers: _, ...bare } = marked.metadata;
    await client.update(ConfigMap, { ...rest, metadata: bare });
    await expect(client.get(ConfigMap, at("x"))).rejects.toMatchObject({ reason: "NotFound" });
    expect(metadata.finalizers).toEqual(["example.com/wait"]);
  });

  test("preconditions hold", async () => {
    const { client } = await setUp();
    await client.create(ConfigMap, configMap("x"));
    await expect(client.delete(ConfigMap, at("x"), { preconditions: { uid: "other" } })).rejects.toThrow(
      "the UID in the precondition (other) does not match the UID in record (",
    );
  });

  test("a namespace terminates, and goes when it is finalized", async () => {
    const { client } = await setUp();
    await client.create(Namespace, { metadata: { name: "n" } });
    await client.delete(Namespace, { name: "n" });
    const dying = await client.get(Namespace, { name: "n" });
    expect(dying.status?.phase).toBe("Terminating");
    await client.update(Namespace, { ...dying, spec: { finalizers: [] } }, { subresource: "finalize" });
    await expect(client.get(Namespace, { name: "n" })).rejects.toMatchObject({ reason: "NotFound" });
  });

  test("a collection goes by selector; an eviction ends a pod", async () => {
    const { client } = await setUp();
    await client.create(ConfigMap, { ...configMap("a"), metadata: { ...at("a"), labels: { x: "y" } } });
    await client.create(ConfigMap, configMap("b"));
    await client.deleteCollection(ConfigMap, { namespace: "default", labelSelector: "x=y" });
    expect((await client.list(ConfigMap)).items.map(({ metadata }) => metadata.name)).toEqual(["b"]);
    await client.create(Pod, pod("p"));
    await client.post(Pod, at("p"), "eviction", { metadata: at("p") });
    await expect(client.get(Pod, at("p"))).rejects.toMatchObject({ reason: "NotFound" });
  });

  test("an eviction names its pod and may only try", async () => {
    const { client } = await setUp();
    await client.create(Pod, pod("p"));
    const evict = (body: object) => client.post(Pod, at("p"), "eviction", body);
    const misnamed = { code: 400, message: "name in URL does not match name in Eviction object" };
    await expect(evict({})).rejects.toMatchObject(misnamed);
    await expect(evict({ metadata: { name: "q" } })).rejects.toMatchObject(misnamed);
    await expect(evict({ metadata: { ...at("p"), namespace: "other" } })).rejects.toMatchObject({
      code: 400,
    });
    const withOptions = (deleteOptions: object) => evict({ metadata: at("p"), deleteOptions });
    await expect(withOptions({ dryRun: ["x"] })).rejects.toMatchObject({ code: 422 });
    await expect(withOptions({ preconditions: { resourceVersion: "1" } })).rejects.toMatchObject({
      code: 409,
      message: expect.stringContaining(
        "the ResourceVersion in the precondition (1) does not match",
      ) as string,
    });
    await withOptions({ dryRun: ["All"] });
    expect((await client.get(Pod, at("p"))).status?.conditions ?? []).toEqual([]);
  });

  test("an eviction takes from the pod's disruption budget, and is refused when nothing is left", async () => {
    const { client } = await setUp();
    const running = async (name: string) => {
      const made = await client.create(Pod, { ...pod(name), metadata: { ...at(name), labels: { x: "y" } } });
      const conditions = [{ type: "Ready", status: "True" }];
      const status = { phase: "Running", conditions } as Pod["status"];
      await client.update(Pod, { ...made, status }, { subresource: "status" });
    };
    const evict = (name: string) => client.post(Pod, at(name), "eviction", { metadata: at(name) });
    const refused = (code: number, message: string) => ({
      status: {
        code,
        message: expect.any(String) as string,
        details: { causes: [{ reason: "DisruptionBudget", message }] },
      },
    });
    await running("p");
    await running("q");
    const budget = await client.create(PodDisruptionBudget, {
      metadata: at("b"),
      spec: { minAvailable: 1, selector: { matchLabels: { x: "y" } } },
    });
    await expect(evict("p")).rejects.toMatchObject(
      refused(429, "The disruption budget b is still being processed by the server."),
    );
    const status = {
      observedGeneration: 1,
      disruptionsAllowed: 1,
      currentHealthy: 2,
      desiredHealthy: 1,
      expectedPods: 2,
    };
    await client.update(PodDisruptionBudget, { ...budget, status }, { subresource: "status" });
    await evict("p");
    const { status: after } = await client.get(PodDisruptionBudget, at("b"));
    expect(after).toMatchObject({
      disruptionsAllowed: 0,
      disruptedPods: { p: expect.any(String) as string },
    });
    await expect(evict("q")).rejects.toMatchObject(
      refused(429, "The disruption budget b needs 1 healthy pods and has 2 currently"),
    );
  });
});

describe("what a body says of itself", () => {
  type Metadata = Partial<ConfigMap["metadata"]>;
  const cases: readonly (readonly [metadata: Metadata, code: number, message: string])[] = [
    [
      { namespace: "other" },
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [{ resourceVersion: "x" }, 500, 'strconv.ParseUint: parsing "x": invalid syntax'],
    [{ resourceVersion: "1" }, 409, "the object has been modified"],
    [{ uid: "other" }, 409, "Precondition failed: UID in precondition: other, UID in object meta: "],
  ];
  test.each(cases)("%j is refused", async (metadata, code, message) => {
    const { client } = await setUp();
    await client.create(ConfigMap, configMap("x"));
    const refusal = { code, message: expect.stringContaining(message) as string };
    const change = { metadata: { ...at("x"), ...metadata } } as unknown as ConfigMap;
    if (metadata.namespace === undefined) {
      await expect(client.update(ConfigMap, change)).rejects.toMatchObject(refusal);
    }
    if (metadata.uid === undefined) {
      const patch = client.patch(ConfigMap, at("x"), { type: "merge", body: { metadata } });
      await expect(patch).rejects.toMatchObject(refusal);
    }
  });

  test("a version of none is no version", async () => {
    const { client } = await setUp();
    await client.create(ConfigMap, configMap("x"));
    const data = { a: "1" };
    const metadata = { ...at("x"), resourceVersion: "0" };
    expect((await client.update(ConfigMap, { metadata, data } as unknown as ConfigMap)).data).toEqual(data);
  });

  test("namespaces name the metadata that a deletion is not for", async () => {
    const { client } = await setUp();
    await client.create(Namespace, { metadata: { name: "gone" } });
    const refused = client.delete(Namespace, { name: "gone" }, { preconditions: { resourceVersion: "1" } });
    await expect(refused).rejects.toThrow(
      /^Operation cannot be fulfilled on namespaces "gone": Precondition failed: ResourceVersion in precondition: 1, ResourceVersion in object meta: \d+$/,
    );
  });
});

describe("versions of one resource", () => {
  test("show the same object", async () => {
    const { client } = await setUp();
    const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
    const spec = { maxReplicas: 3, targetCPUUtilizationPercentage: 50, scaleTargetRef };
    const old = await client.create(OldAutoscaler, { metadata: at("h"), spec });
    const { metadata, spec: now, apiVersion } = await client.get(HorizontalPodAutoscaler, at("h"));
    expect(apiVersion).toBe("autoscaling/v2");
    expect(now.metrics?.[0]?.resource?.target.averageUtilization).toBe(50);
    expect(metadata.resourceVersion).toBe(old.metadata.resourceVersion);
  });
});

test("an event lives for an hour from its last change on", async () => {
  const { client, clock } = await setUp();
  const involvedObject = { kind: "Pod", name: "p", namespace: "default" };
  const made = await client.create(Event, { metadata: at("e"), involvedObject, count: 1 });
  await clock.advance(40 * 60_000);
  await client.update(Event, { ...made, count: 2 });
  await clock.advance(40 * 60_000);
  expect((await client.get(Event, at("e"))).count).toBe(2);
  await clock.advance(25 * 60_000);
  await expect(client.get(Event, at("e"))).rejects.toMatchObject({ code: 404 });
});
