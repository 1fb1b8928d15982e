import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { New } from "../../apimachinery/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import { Deployment, ReplicaSet } from "../../api/types/apps-v1.ts";
import { replicaSetController } from "../replicaset/index.ts";
import { Harness } from "../testing/harness.ts";
import { deploymentController } from "./deployment-controller.ts";
import { planRollingUpdate, planScaling } from "./scaling.ts";

const labels = { app: "web" };
const withImage = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "c", image }] } });

function deployment(spec: object = {}): New<Deployment> {
  return {
    metadata: { namespace: "default", name: "web" },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: withImage("one"),
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
    },
  };
}

describe("deployment controller", () => {
  let harness: Harness;
  beforeEach(() => {
    harness = new Harness();
    harness.start([deploymentController, replicaSetController]);
  });
  afterEach(() => harness.stop());

  const only = async () => (await harness.list(Deployment))[0]!;
  const sizes = async () => (await harness.list(ReplicaSet)).map(({ spec }) => spec.replicas);
  const conditions = async () =>
    ((await only()).status?.conditions ?? []).map(
      ({ type, status, reason }) => `${type}=${status} ${reason}`,
    );
  const rollOut = async () => {
    for (let round = 0; round < 12; round++) await harness.runPods();
  };

  it("rolls out, then rolls out a change step by step, and keeps history", async () => {
    await harness.create(Deployment, deployment());
    await harness.settle();
    const [set] = await harness.list(ReplicaSet);
    expect(set?.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2-9]+$/);
    expect(set?.metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "1",
      "deployment.kubernetes.io/desired-replicas": "3",
      "deployment.kubernetes.io/max-replicas": "4",
    });
    expect(await conditions()).toEqual([
      "Available=False MinimumReplicasUnavailable",
      "Progressing=True ReplicaSetUpdated",
    ]);
    await rollOut();
    expect((await only()).status).toMatchObject({ replicas: 3, updatedReplicas: 3, availableReplicas: 3 });
    expect(await conditions()).toEqual([
      "Available=True MinimumReplicasAvailable",
      "Progressing=True NewReplicaSetAvailable",
    ]);
    await harness.change(Deployment, await only(), { spec: { template: withImage("two") } });
    await harness.settle();
    expect(await sizes()).toEqual([3, 1]);
    await rollOut();
    expect(await sizes()).toEqual([0, 3]);
    expect((await only()).metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("2");
    await harness.change(Deployment, await only(), { spec: { template: withImage("one") } });
    await rollOut();
    expect(await sizes()).toEqual([3, 0]);
    const [first] = await harness.list(ReplicaSet);
    expect(first?.metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "3",
      "deployment.kubernetes.io/revision-history": "1",
    });
    const events = await harness.events();
    expect(events).toContain(
      `Normal ScalingReplicaSet Scaled up replica set ${first?.metadata.name} from 0 to 3`,
    );
    expect(events).toContain(
      `Normal ScalingReplicaSet Scaled down replica set ${first?.metadata.name} from 3 to 2`,
    );
  });

  it("recreates only after all old pods have gone", async () => {
    await harness.create(Deployment, deployment({ strategy: { type: "Recreate" } }));
    await rollOut();
    for (const pod of await harness.list(Pod))
      await harness.change(Pod, pod, { metadata: { finalizers: ["x"] } });
    await harness.change(Deployment, await only(), { spec: { template: withImage("two") } });
    await harness.settle();
    expect(await sizes()).toEqual([0]);
    for (const pod of await harness.list(Pod))
      await harness.change(Pod, pod, { metadata: { finalizers: null } });
    await rollOut();
    expect(await sizes()).toEqual([0, 3]);
  });

  it("says so when a rollout makes no progress", async () => {
    await harness.create(Deployment, deployment({ progressDeadlineSeconds: 30 }));
    await harness.settle(20_000);
    expect(await conditions()).toContain("Progressing=True ReplicaSetUpdated");
    await harness.settle(15_000);
    expect(await conditions()).toContain("Progressing=False ProgressDeadlineExceeded");
  });

  it("only scales while paused", async () => {
    await harness.create(Deployment, deployment());
    await rollOut();
    await harness.change(Deployment, await only(), { spec: { paused: true } });
    await harness.settle();
    expect(await conditions()).toContain("Progressing=Unknown DeploymentPaused");
    await harness.change(Deployment, await only(), { spec: { replicas: 5, template: withImage("two") } });
    await harness.settle();
    expect(await sizes()).toEqual([5]);
    await harness.change(Deployment, await only(), { spec: { paused: null } });
    await rollOut();
    expect(await sizes()).toEqual([0, 5]);
  });

  it("counts on from revisions that no double holds", async () => {
    await harness.create(Deployment, deployment());
    await rollOut();
    const annotations = { "deployment.kubernetes.io/revision": "3546343826724305832" };
    const [set] = await harness.list(ReplicaSet);
    await harness.change(ReplicaSet, set!, { metadata: { annotations } });
    await harness.change(Deployment, await only(), { spec: { template: withImage("two") } });
    await rollOut();
    expect((await only()).metadata.annotations).toMatchObject({
      "deployment.kubernetes.io/revision": "3546343826724305833",
    });
  });

  it("forgets history beyond its limit", async () => {
    await harness.create(Deployment, deployment({ revisionHistoryLimit: 1 }));
    await rollOut();
    for (const image of ["two", "three"]) {
      await harness.change(Deployment, await only(), { spec: { template: withImage(image) } });
      await rollOut();
    }
    expect(await sizes()).toEqual([0, 3]);
  });
});

describe("plans", () => {
  const set = (name: string, sizes: { spec: number; available: number; max?: number }): ReplicaSet =>
    ({
      metadata: {
        name,
        creationTimestamp: `2026-01-01T00:00:0${name}Z`,
        annotations: { "deployment.kubernetes.io/max-replicas": String(sizes.max ?? 13) },
      },
      spec: { replicas: sizes.spec },
      status: { replicas: sizes.spec, availableReplicas: sizes.available },
    }) as unknown as ReplicaSet;
  const of = (replicas: number, bounds: { maxSurge: number | string; maxUnavailable: number | string }) =>
    deployment({
      replicas,
      strategy: { type: "RollingUpdate", rollingUpdate: bounds },
    }) as unknown as Deployment;
  const text = (resizes: readonly { set: ReplicaSet; size: number }[]) =>
    resizes.map((resize) => `${resize.set.metadata.name}→${resize.size}`).join(" ");
  type Row = readonly [string, Deployment, { current: ReplicaSet; old: readonly ReplicaSet[] }, string];

  const rolling: readonly Row[] = [
    [
      "grows within the surge",
      of(10, { maxSurge: 3, maxUnavailable: 2 }),
      { current: set("2", { spec: 0, available: 0 }), old: [set("1", { spec: 10, available: 10 })] },
      "2→3",
    ],
    [
      "shrinks what may be missing",
      of(10, { maxSurge: 3, maxUnavailable: 2 }),
      { current: set("2", { spec: 3, available: 0 }), old: [set("1", { spec: 10, available: 10 })] },
      "1→8",
    ],
    [
      "takes away the unhealthy first",
      of(10, { maxSurge: 0, maxUnavailable: 2 }),
      { current: set("2", { spec: 2, available: 2 }), old: [set("1", { spec: 8, available: 6 })] },
      "1→6",
    ],
    [
      "waits while too few are available",
      of(10, { maxSurge: 0, maxUnavailable: 2 }),
      { current: set("2", { spec: 2, available: 0 }), old: [set("1", { spec: 8, available: 8 })] },
      "",
    ],
  ];
  it.each(rolling)("%s", (_, wanted, sets, expected) => {
    expect(text(planRollingUpdate(wanted, sets))).toBe(expected);
  });

  const scaling: readonly Row[] = [
    [
      "up in proportion",
      of(15, { maxSurge: 3, maxUnavailable: 2 }),
      { current: set("2", { spec: 5, available: 5 }), old: [set("1", { spec: 8, available: 8 })] },
      "1→11 2→7",
    ],
    [
      "down to zero",
      of(0, { maxSurge: 3, maxUnavailable: 2 }),
      { current: set("2", { spec: 5, available: 5 }), old: [set("1", { spec: 8, available: 8 })] },
      "1→0 2→0",
    ],
    [
      "the only one",
      of(4, { maxSurge: 3, maxUnavailable: 2 }),
      { current: set("2", { spec: 5, available: 5 }), old: [] },
      "2→4",
    ],
  ];
  it.each(scaling)("%s", (_, wanted, sets, expected) => {
    expect(text(planScaling(wanted, sets))).toBe(expected);
  });
});
