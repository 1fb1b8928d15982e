import { describe, expect, test } from "vitest";
import {
  Event,
  LimitRange,
  Namespace,
  PersistentVolumeClaim,
  Secret,
  Service,
} from "../../api/types/core-v1.ts";
import { RoleBinding } from "../../api/types/rbac-v1.ts";
import { Event as NewEvent } from "../../api/types/events-v1.ts";
import type { ApiError } from "../../apimachinery/index.ts";
import { seededRandom, VirtualClock } from "../../base/index.ts";
import { createMemoryStore } from "../../store/index.ts";
import { createApiServer } from "../server/server.ts";

async function setUp() {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1));
  const server = await createApiServer({
    store: createMemoryStore({ clock }),
    clock,
    random: seededRandom(1),
    authorizer: { authorize: () => ({ type: "allow", reason: "" }) },
  });
  return server.client({ name: "tester", groups: [] });
}

const at = (name: string) => ({ namespace: "default", name });
const noDomain = "name is neither a standard finalizer name nor is it fully qualified";

/** What a request is refused for, as a client is told of it. */
async function causesOf(request: Promise<unknown>): Promise<readonly string[]> {
  const error = await request.then(
    () => undefined,
    (reason: unknown) => reason as ApiError,
  );
  return (error?.status.details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
}

describe("finalizers", () => {
  test.each<[readonly string[], readonly string[]]>([
    [["example.com/a", "kubernetes", "orphan"], []],
    [["nonsense"], [`metadata.finalizers[0]: Invalid value: "nonsense": ${noDomain}`]],
  ])("%j of a new object", async (finalizers, causes) => {
    const client = await setUp();
    const created = client.create(LimitRange, { metadata: { ...at("l"), finalizers }, spec: { limits: [] } });
    expect(await causesOf(created)).toEqual(causes);
  });

  test("without a domain are refused as often as upstream checks them", async () => {
    const client = await setUp();
    const claim = await client.create(PersistentVolumeClaim, {
      metadata: at("c"),
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1" } } },
    });
    const metadata = { ...claim.metadata, finalizers: ["nonsense"] };
    const causes = await causesOf(client.update(PersistentVolumeClaim, { ...claim, metadata }));
    expect(causes).toEqual(
      Array.from({ length: 3 }, () => `metadata.finalizers[0]: Invalid value: "nonsense": ${noDomain}`),
    );
  });

  test("of events need no domain", async () => {
    const client = await setUp();
    const metadata = { ...at("e"), finalizers: ["nonsense"] };
    const created = client.create(Event, { metadata, involvedObject: { namespace: "default" } });
    expect(await causesOf(created)).toEqual([]);
  });
});

test("what is wrong with a label is told by each check", async () => {
  const client = await setUp();
  const secret = await client.create(Secret, { metadata: at("s") });
  const labels = { "a b": "" };
  const causes = await causesOf(
    client.update(Secret, { ...secret, metadata: { ...secret.metadata, labels } }),
  );
  expect(causes).toHaveLength(4);
  expect(new Set(causes).size).toBe(1);
});

test("what is wrong with a binding as a whole is told twice, and then what may not change", async () => {
  const client = await setUp();
  const subjects = [{ kind: "User", name: "u" }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" };
  const binding = await client.create(RoleBinding, { metadata: at("b"), roleRef, subjects });
  const update = client.update(RoleBinding, { ...binding, roleRef: { ...roleRef, name: "" } });
  expect(await causesOf(update)).toEqual([
    "roleRef.name: Required value",
    "roleRef.name: Required value",
    'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":""}: cannot change roleRef',
  ]);
});

test("a limit range without a name gets one", async () => {
  const client = await setUp();
  const range = await client.create(LimitRange, { metadata: { namespace: "default" }, spec: { limits: [] } });
  expect(range.metadata.name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-/);
});

test("objects of the cluster have no namespace, whatever they say", async () => {
  const client = await setUp();
  const namespace = await client.create(Namespace, { metadata: { name: "n" } });
  const metadata = { ...namespace.metadata, namespace: "x", labels: { a: "b" } };
  const updated = await client.update(Namespace, { ...namespace, metadata });
  expect(updated.metadata.namespace).toBeUndefined();
  expect(updated.metadata.labels).toMatchObject({ a: "b" });
});

test("a namespace that is deleted has no time to go in", async () => {
  const client = await setUp();
  await client.create(Namespace, { metadata: { name: "n" } });
  await client.delete(Namespace, { name: "n" });
  const going = await client.get(Namespace, { name: "n" });
  expect(going.status?.phase).toBe("Terminating");
  expect(going.metadata.deletionTimestamp).toBe("2026-01-01T00:00:00Z");
  expect(going.metadata).not.toHaveProperty("deletionGracePeriodSeconds");
});

test("events of either version are one object, and what is wrong is told of the stored one", async () => {
  const client = await setUp();
  await client.create(Event, { metadata: at("e"), involvedObject: { namespace: "default" }, message: "m" });
  const event = await client.get(NewEvent, at("e"));
  expect(event).toMatchObject({ note: "m", regarding: { namespace: "default" } });
  const refused = client.create(NewEvent, { metadata: at("f"), type: "Odd" });
  await expect(refused).rejects.toMatchObject({
    code: 422,
    message: expect.stringMatching(
      /^Event "f" is invalid: .*type: Invalid value: "": has invalid value: Odd/,
    ) as unknown,
  });
});

test("a service loses its load balancer with its type", async () => {
  const client = await setUp();
  const spec = { type: "LoadBalancer", ports: [{ port: 80 }] } as const;
  const service = await client.create(Service, { metadata: at("s"), spec });
  const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }] } } as const;
  const balanced = await client.update(Service, { ...service, status }, { subresource: "status" });
  expect(balanced.status).toEqual(status);
  const turned = await client.update(Service, { ...balanced, spec: { ...balanced.spec, type: "ClusterIP" } });
  expect(turned.status).toEqual({ loadBalancer: {} });
  expect(turned.spec).not.toHaveProperty("externalTrafficPolicy");
});
