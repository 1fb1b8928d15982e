import { afterEach, expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../base/index.ts";
import { ApiError, type New } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import { Event, Node, PersistentVolume, PersistentVolumeClaim, Pod } from "../api/types/core-v1.ts";
import { StorageClass } from "../api/types/storage-v1.ts";
import { PriorityClass } from "../api/types/scheduling-v1.ts";
import { startCluster, type TestCluster } from "../testing/index.ts";

const namespace = "default";
let running: TestCluster[] = [];

afterEach(async () => {
  await Promise.all(running.map((cluster) => cluster.stop()));
  running = [];
});

async function start(nodes: readonly string[] = ["a"], capacity?: Record<string, string>) {
  const clock = new VirtualClock();
  const cluster = await startCluster({
    clock,
    random: seededRandom(1),
    nodes: { names: nodes, ...(capacity ? { capacity } : {}) },
  });
  running.push(cluster);
  await clock.advance(2000);
  return { client: cluster.client, clock };
}

const newPod = (name: string, spec: New<Pod["spec"]> | object = {}): New<Pod> => ({
  metadata: { name, namespace },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "c", image: "i" }], ...spec },
});

const asking = (requests: Record<string, string>, more: object = {}) => ({
  containers: [{ name: "c", image: "i", resources: { requests, limits: requests } }],
  ...more,
});

/** Where the pod is, or what its condition says. */
async function fateOf(client: Client, name: string): Promise<string> {
  const pod = await client.get(Pod, { namespace, name });
  if (pod.spec.nodeName) return `on ${pod.spec.nodeName}`;
  const condition = pod.status.conditions?.find(({ type }) => type === "PodScheduled");
  return condition === undefined ? "untouched" : `${condition.reason}: ${condition.message}`;
}

async function eventsOf(client: Client, name: string): Promise<string[]> {
  const { items } = await client.list(Event, { namespace });
  return items
    .filter(({ involvedObject }) => involvedObject.name === name)
    .map(({ type, reason, message, source }) => `${type} ${reason} ${source?.component}: ${message}`);
}

const noHelp = "no new claims to deallocate, preemption: 0/1 nodes are available: 1";
const tooBig = `0/1 nodes are available: 1 Insufficient cpu. ${noHelp} Preemption is not helpful for scheduling.`;

test("a pod that fits is bound, and an event says where", async () => {
  const { client, clock } = await start();
  await client.create(Pod, newPod("p"));
  await clock.advance(1000);
  expect(await fateOf(client, "p")).toBe("on a");
  expect(await eventsOf(client, "p")).toEqual([
    "Normal Scheduled default-scheduler: Successfully assigned default/p to a",
  ]);
});

test("a pod that fits nowhere says why, and is bound when a node is added that it fits on", async () => {
  const { client, clock } = await start();
  await client.create(Pod, newPod("p", asking({ cpu: "9" })));
  await clock.advance(1000);
  expect(await fateOf(client, "p")).toBe(`Unschedulable: ${tooBig}`);
  expect(await eventsOf(client, "p")).toEqual([`Warning FailedScheduling default-scheduler: ${tooBig}`]);
  await client.create(Node, { metadata: { name: "b" } });
  const ready = { type: "Ready", status: "True", reason: "KubeletReady" };
  const allocatable = { cpu: "10", memory: "1Gi", pods: "10" };
  await client.patch(
    Node,
    { name: "b" },
    { type: "merge", body: { status: { allocatable, capacity: allocatable, conditions: [ready] } } },
    { subresource: "status" },
  );
  await client.patch(Node, { name: "b" }, { type: "merge", body: { spec: { taints: null } } });
  await clock.advance(2000);
  expect(await fateOf(client, "p")).toBe("on b");
});

test("without any node a pod waits for the first", async () => {
  const { client, clock } = await start([]);
  await client.create(Pod, newPod("p"));
  await clock.advance(60_000);
  expect(await fateOf(client, "p")).toBe("Unschedulable: no nodes available to schedule pods");
  expect(await eventsOf(client, "p")).toHaveLength(1);
});

test("a pod is bound when another one makes room", async () => {
  const { client, clock } = await start();
  await client.create(Pod, newPod("first", asking({ cpu: "8" })));
  await clock.advance(1000);
  await client.create(Pod, newPod("second", asking({ cpu: "1" })));
  await clock.advance(1000);
  expect(await fateOf(client, "second")).toContain(
    `1 Insufficient cpu. ${noHelp} No preemption victims found`,
  );
  await client.delete(Pod, { namespace, name: "first" });
  await clock.advance(2000);
  expect(await fateOf(client, "second")).toBe("on a");
});

test("a pod is bound when the taint that kept it off is removed", async () => {
  const { client, clock } = await start();
  const taint = (taints: object | null) =>
    client.patch(Node, { name: "a" }, { type: "merge", body: { spec: { taints } } });
  await taint([{ key: "k", effect: "NoSchedule" }]);
  await client.create(Pod, newPod("p"));
  await clock.advance(1000);
  expect(await fateOf(client, "p")).toBe(
    `Unschedulable: 0/1 nodes are available: 1 node(s) had untolerated taint(s). ${noHelp} Preemption is not helpful for scheduling.`,
  );
  await taint(null);
  await clock.advance(1000);
  expect(await fateOf(client, "p")).toBe("on a");
});

test("a gated pod waits until its gates are gone", async () => {
  const { client, clock } = await start();
  await client.create(Pod, newPod("p", { schedulingGates: [{ name: "example.com/hold" }] }));
  await clock.advance(1000);
  expect(await fateOf(client, "p")).toBe(
    "SchedulingGated: Scheduling is blocked due to non-empty scheduling gates",
  );
  expect(await eventsOf(client, "p")).toEqual([]);
  await client.patch(
    Pod,
    { namespace, name: "p" },
    { type: "json", body: [{ op: "remove", path: "/spec/schedulingGates" }] },
  );
  await clock.advance(1000);
  expect(await fateOf(client, "p")).toBe("on a");
});

test("pods of other schedulers are left alone", async () => {
  const { client, clock } = await start();
  await client.create(Pod, newPod("p", { schedulerName: "another" }));
  await clock.advance(10_000);
  expect(await fateOf(client, "p")).toBe("untouched");
});

test("a deleted pod frees what it held, and a waiting one that is deleted stays gone", async () => {
  const { client, clock } = await start();
  for (let round = 0; round < 3; round++) {
    await client.create(Pod, newPod("big", asking({ cpu: "8" })));
    await client.create(Pod, newPod("waits", asking({ cpu: "8" })));
    await clock.advance(1000);
    expect(await fateOf(client, "big")).toBe("on a");
    await client.delete(Pod, { namespace, name: "waits" });
    await client.delete(Pod, { namespace, name: "big" });
    await clock.advance(2000);
    await expect(client.get(Pod, { namespace, name: "big" })).rejects.toThrow(ApiError);
  }
});

test("extended resources and ports of the host are counted", async () => {
  const { client, clock } = await start(["a"], {
    cpu: "8",
    memory: "32Gi",
    pods: "110",
    "example.com/gpu": "2",
  });
  const port = (hostIP: string, protocol = "TCP") => ({
    containers: [{ name: "c", image: "i", ports: [{ containerPort: 80, hostPort: 8080, hostIP, protocol }] }],
  });
  await client.create(Pod, newPod("gpus", asking({ "example.com/gpu": "2" })));
  await client.create(Pod, newPod("local", port("127.0.0.1")));
  await client.create(Pod, newPod("local-udp", port("127.0.0.1", "UDP")));
  await client.create(Pod, newPod("other", port("127.0.0.2")));
  await clock.advance(1000);
  await client.create(Pod, newPod("more", asking({ "example.com/gpu": "1" })));
  await client.create(Pod, newPod("every", port("0.0.0.0")));
  await clock.advance(1000);
  const names = ["gpus", "local", "local-udp", "other"];
  expect(await Promise.all(names.map((name) => fateOf(client, name)))).toEqual(names.map(() => "on a"));
  expect(await fateOf(client, "more")).toContain("1 Insufficient example.com/gpu.");
  expect(await fateOf(client, "every")).toContain(
    "1 node(s) didn't have free ports for the requested pod ports.",
  );
});

test("a more important pod takes the place of a less important one", async () => {
  const { client, clock } = await start();
  await client.create(PriorityClass, { metadata: { name: "high" }, value: 1000 });
  const victim = asking({ cpu: "6" }, { terminationGracePeriodSeconds: 30 });
  await client.create(Pod, newPod("victim", victim));
  await client.create(Pod, newPod("bystander", asking({ cpu: "1" })));
  await clock.advance(1000);
  const urgent = await client.create<Pod>(
    Pod,
    newPod("urgent", asking({ cpu: "5" }, { priorityClassName: "high" })),
  );
  await clock.advance(5000);
  expect(await fateOf(client, "urgent")).toBe("on a");
  expect(await fateOf(client, "bystander")).toBe("on a");
  await expect(client.get(Pod, { namespace, name: "victim" })).rejects.toThrow('pods "victim" not found');
  expect(await eventsOf(client, "victim")).toContain(
    `Normal Preempted default-scheduler: Preempted by pod ${urgent.metadata.uid} on node a`,
  );
  expect(await eventsOf(client, "urgent")).toContain(
    "Warning FailedScheduling default-scheduler: 0/1 nodes are available: 1 Insufficient cpu.",
  );
});

test("the victim shows why it goes and the pod where it waits; nobody less important takes the place", async () => {
  const { client, clock } = await start();
  await client.create(PriorityClass, { metadata: { name: "high" }, value: 1000 });
  const held = { ...newPod("victim", asking({ cpu: "8" })) };
  await client.create(Pod, {
    ...held,
    metadata: { ...held.metadata, finalizers: ["example.com/hold"] },
  });
  await clock.advance(1000);
  await client.create(Pod, newPod("urgent", asking({ cpu: "8" }, { priorityClassName: "high" })));
  await clock.advance(1000);
  const victim = await client.get(Pod, { namespace, name: "victim" });
  expect(victim.metadata.deletionTimestamp).toBeDefined();
  expect(victim.status.conditions).toContainEqual(
    expect.objectContaining({
      type: "DisruptionTarget",
      status: "True",
      reason: "PreemptionByScheduler",
      message: "default-scheduler: preempting to accommodate a higher priority pod",
    }),
  );
  expect((await client.get(Pod, { namespace, name: "urgent" })).status.nominatedNodeName).toBe("a");
  await client.create(Pod, newPod("late", asking({ cpu: "8" })));
  await client.patch(
    Pod,
    { namespace, name: "victim" },
    { type: "merge", body: { metadata: { finalizers: null } } },
  );
  await clock.advance(5000);
  expect(await fateOf(client, "urgent")).toBe("on a");
  expect(await fateOf(client, "late")).toContain("Insufficient cpu");
});

test("with the policy Never a pod waits for its place", async () => {
  const { client, clock } = await start();
  await client.create(PriorityClass, {
    metadata: { name: "polite" },
    value: 1000,
    preemptionPolicy: "Never",
  });
  await client.create(Pod, newPod("first", asking({ cpu: "8" })));
  await clock.advance(1000);
  await client.create(Pod, newPod("second", asking({ cpu: "8" }, { priorityClassName: "polite" })));
  await clock.advance(5000);
  expect(await fateOf(client, "first")).toBe("on a");
  expect(await fateOf(client, "second")).toBe(
    "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
  );
});

test("a missing or unbound claim keeps the pod waiting", async () => {
  const { client, clock } = await start();
  await client.create(
    Pod,
    newPod("p", { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] }),
  );
  await clock.advance(1000);
  expect(await fateOf(client, "p")).toBe(
    `Unschedulable: 0/1 nodes are available: persistentvolumeclaim "data" not found. ${noHelp} Preemption is not helpful for scheduling.`,
  );
});

test("a claim that waits for its pod is bound to a volume of the pod's node first", async () => {
  const { client, clock } = await start(["a", "b"]);
  const storageClassName = "local";
  await client.create(StorageClass, {
    metadata: { name: storageClassName },
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode: "WaitForFirstConsumer",
  });
  const onB = { key: "kubernetes.io/hostname", operator: "In" as const, values: ["b"] };
  await client.create(PersistentVolume, {
    metadata: { name: "disk" },
    spec: {
      storageClassName,
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      local: { path: "/disk" },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onB] }] } },
    },
  });
  await client.create(PersistentVolumeClaim, {
    metadata: { name: "data", namespace },
    spec: { storageClassName, accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });
  await clock.advance(1000);
  await client.create(
    Pod,
    newPod("p", { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] }),
  );
  await clock.advance(5000);
  expect(await fateOf(client, "p")).toBe("on b");
  expect((await client.get(PersistentVolumeClaim, { namespace, name: "data" })).spec.volumeName).toBe("disk");
});
