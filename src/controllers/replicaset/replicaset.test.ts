import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ApiError } from "../../apimachinery/index.ts";
import type { New } from "../../apimachinery/index.ts";
import { Pod, ReplicationController } from "../../api/types/core-v1.ts";
import { ReplicaSet } from "../../api/types/apps-v1.ts";
import { Harness } from "../testing/harness.ts";
import { planReplicas } from "./plan.ts";
import { rankForDeletion } from "./ranking.ts";
import { replicaSetController, replicationController } from "./replicaset-controller.ts";

const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
const replicaSet = (replicas: number): New<ReplicaSet> => ({
  metadata: { namespace: "default", name: "web" },
  spec: { replicas, selector: { matchLabels: labels }, template },
});

describe("replica set controller", () => {
  let harness: Harness;
  beforeEach(() => {
    harness = new Harness();
    harness.start([replicaSetController, replicationController]);
  });
  afterEach(() => harness.stop());

  const status = async () => (await harness.list(ReplicaSet))[0]?.status;

  it("creates as many pods as wanted, never more, and reports them", async () => {
    await harness.create(ReplicaSet, replicaSet(20));
    await harness.settle();
    const pods = await harness.list(Pod);
    expect(pods).toHaveLength(20);
    expect(pods[0]?.metadata).toMatchObject({
      labels,
      ownerReferences: [{ kind: "ReplicaSet", apiVersion: "apps/v1", name: "web", controller: true }],
    });
    expect(await status()).toMatchObject({ replicas: 20, fullyLabeledReplicas: 20, readyReplicas: 0 });
    await harness.runPods();
    expect(await status()).toMatchObject({ readyReplicas: 20, availableReplicas: 20, observedGeneration: 1 });
    expect(await harness.events()).toContain(
      `Normal SuccessfulCreate Created pod: ${pods[0]?.metadata.name}`,
    );
  });

  it("scales down, replaces what vanishes, adopts and releases", async () => {
    const set = await harness.create(ReplicaSet, replicaSet(3));
    await harness.settle();
    await harness.change(ReplicaSet, set, { spec: { replicas: 1 } });
    await harness.settle();
    const [last] = await harness.list(Pod);
    expect(await harness.list(Pod)).toHaveLength(1);
    await harness.change(Pod, last!, { metadata: { labels: { app: "other" } } });
    await harness.settle();
    const [released, replacement] = await harness.list(Pod);
    expect(released?.metadata.ownerReferences).toBeUndefined();
    expect(replacement?.metadata.ownerReferences).toHaveLength(1);
    await harness.change(Pod, released!, { metadata: { labels } });
    await harness.settle();
    expect(await harness.list(Pod)).toHaveLength(1);
  });

  it("tells why it cannot create, and tries again", async () => {
    const quota = ApiError.forbidden({ group: "", resource: "pods" }, "web-x", "exceeded quota");
    harness.refuse((verb, resource) => verb === "create" && resource === "pods", quota);
    await harness.create(ReplicaSet, replicaSet(4));
    await harness.settle(1);
    expect(harness.client.calls.filter(({ resource }) => resource === "pods").length).toBeLessThan(4);
    expect((await status())?.conditions).toMatchObject([
      { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: quota.message },
    ]);
    harness.refuse(() => false, quota);
    await harness.settle(1000);
    expect(await harness.list(Pod)).toHaveLength(4);
    expect((await status())?.conditions).toBeUndefined();
  });

  it("counts a pod available only after minReadySeconds", async () => {
    const set = replicaSet(1);
    await harness.create(ReplicaSet, {
      ...set,
      spec: { ...set.spec, minReadySeconds: 30 },
    } as New<ReplicaSet>);
    await harness.settle();
    await harness.runPods();
    expect(await status()).toMatchObject({ readyReplicas: 1, availableReplicas: 0 });
    await harness.settle(31_000);
    expect(await status()).toMatchObject({ readyReplicas: 1, availableReplicas: 1 });
  });

  it("serves replication controllers alike", async () => {
    await harness.create(ReplicationController, {
      metadata: { namespace: "default", name: "old" },
      spec: { replicas: 2, selector: labels, template },
    } as New<ReplicationController>);
    await harness.settle();
    expect((await harness.list(Pod))[0]?.metadata.ownerReferences).toMatchObject([
      { kind: "ReplicationController", apiVersion: "v1" },
    ]);
    expect((await harness.list(ReplicationController))[0]?.status).toMatchObject({ replicas: 2 });
  });
});

describe("ranking", () => {
  const now = Date.UTC(2026, 0, 1);
  const pod = (
    name: string,
    options: { node?: string; phase?: string; ready?: number; cost?: string } = {},
  ): Pod =>
    ({
      metadata: {
        name,
        uid: name,
        creationTimestamp: new Date(now - 3_600_000).toISOString(),
        annotations: options.cost ? { "controller.kubernetes.io/pod-deletion-cost": options.cost } : {},
      },
      spec: { nodeName: options.node },
      status: {
        phase: options.phase ?? "Running",
        conditions:
          options.ready === undefined
            ? []
            : [
                {
                  type: "Ready",
                  status: "True",
                  lastTransitionTime: new Date(now - options.ready).toISOString(),
                },
              ],
      },
    }) as unknown as Pod;
  const rows: readonly [string, readonly Pod[], string][] = [
    ["unassigned first", [pod("a", { node: "n" }), pod("b")], "b a"],
    ["pending before running", [pod("a", { node: "n" }), pod("b", { node: "n", phase: "Pending" })], "b a"],
    ["not ready first", [pod("a", { node: "n", ready: 9 }), pod("b", { node: "n" })], "b a"],
    [
      "cheap first",
      [pod("a", { node: "n", ready: 9 }), pod("b", { node: "n", ready: 9, cost: "-5" })],
      "b a",
    ],
    [
      "crowded nodes first",
      [
        pod("a", { node: "m", ready: 9 }),
        pod("b", { node: "n", ready: 9 }),
        pod("c", { node: "n", ready: 9 }),
      ],
      "b c a",
    ],
    ["newly ready first", [pod("a", { node: "n", ready: 9_000 }), pod("b", { node: "n", ready: 10 })], "b a"],
  ];
  it.each(rows)("%s", (_, pods, order) => {
    const ranked = rankForDeletion(pods, { related: pods, now });
    expect(ranked.map(({ metadata }) => metadata.name).join(" ")).toBe(order);
  });
  it("plans at most a burst", () => {
    const plan = planReplicas(2000, { pods: [], related: () => [], now });
    expect(plan).toEqual({ type: "create", count: 500 });
  });
});
