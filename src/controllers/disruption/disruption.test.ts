import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { New } from "../../apimachinery/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import { ReplicaSet } from "../../api/types/apps-v1.ts";
import { PodDisruptionBudget } from "../../api/types/policy-v1.ts";
import { Harness } from "../testing/harness.ts";
import { disruptionController, stalePodDisruptionController } from "./index.ts";
import { failedStatus, planBudget, selectorText } from "./plan.ts";
import type { PodScale } from "./plan.ts";

const start = "2020-01-01T00:00:00Z";
const now = Date.parse(start);

describe("plan", () => {
  const pod = (name: string, ready = true, rest: object = {}): Pod =>
    ({
      metadata: { name, namespace: "n", uid: name, ...rest },
      status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
    }) as unknown as Pod;
  const budget = (spec: object, status: object = {}): PodDisruptionBudget =>
    ({
      metadata: { name: "b", namespace: "n", generation: 3 },
      spec,
      status,
    }) as unknown as PodDisruptionBudget;
  const of = (scale: number) => (): PodScale => ({ type: "controller", uid: "u", scale });
  const three = [pod("a"), pod("b"), pod("c", false)];
  const counts = (
    given: PodDisruptionBudget,
    { pods = three, scaleOf = of(3) }: { pods?: readonly Pod[]; scaleOf?: () => PodScale } = {},
  ) => {
    const plan = planBudget(given, { pods, scaleOf, now, timestamp: start });
    if (plan.type === "failed") return plan.why;
    const { currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed } = plan.status;
    return [currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed];
  };
  const cases: readonly (readonly [string, ReturnType<typeof counts>, ReturnType<typeof counts>])[] = [
    [
      "minAvailable counts pods",
      counts(budget({ minAvailable: 1 }), { scaleOf: () => ({ type: "unmanaged" }) }),
      [2, 1, 3, 1],
    ],
    ["a share of them is rounded up", counts(budget({ minAvailable: "50%" })), [2, 2, 3, 0]],
    [
      "maxUnavailable counts from the scale",
      counts(budget({ maxUnavailable: 2 }), { scaleOf: of(4) }),
      [2, 2, 4, 0],
    ],
    ["its share is rounded up too", counts(budget({ maxUnavailable: "34%" })), [2, 1, 3, 1]],
    ["never less than none", counts(budget({ maxUnavailable: 9 })), [2, 0, 3, 2]],
    ["nothing may go of nothing", counts(budget({ minAvailable: 0 }), { pods: [] }), [0, 0, 0, 0]],
    [
      "pods that go are not healthy",
      counts(budget({ minAvailable: 1 }), { pods: [pod("a"), pod("b", true, { deletionTimestamp: start })] }),
      [1, 1, 2, 0],
    ],
    [
      "nor are evicted ones",
      counts(budget({ minAvailable: 1 }, { disruptedPods: { a: start } })),
      [1, 1, 3, 0],
    ],
    [
      "unless that was long ago",
      counts(budget({ minAvailable: 1 }, { disruptedPods: { a: "2019-12-31T23:57:00Z" } })),
      [2, 1, 3, 1],
    ],
    [
      "a controller must be known",
      counts(budget({ maxUnavailable: 1 }), { scaleOf: () => ({ type: "unknown", why: "no" }) }),
      "no",
    ],
  ];
  for (const [name, got, expected] of cases) it(name, () => expect(got).toEqual(expected));

  it("says why in a condition", () => {
    const given = budget({ minAvailable: 1 });
    const plan = planBudget(given, { pods: three, scaleOf: of(3), now, timestamp: start });
    const condition = {
      type: "DisruptionAllowed",
      status: "True",
      reason: "SufficientPods",
      message: "",
      observedGeneration: 3,
      lastTransitionTime: start,
    };
    expect(plan).toMatchObject({ status: { observedGeneration: 3, conditions: [condition] } });
    const failed = failedStatus(given, { why: "no", timestamp: start });
    expect(failed).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ reason: "SyncFailed", message: "no" }],
    });
  });

  it("writes selectors as upstream does", () =>
    expect(selectorText({ matchLabels: { a: "b" } })).toBe(
      "&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},}",
    ));
});

describe("controller", () => {
  let harness: Harness;
  beforeEach(() => {
    harness = new Harness();
    harness.start([disruptionController, stalePodDisruptionController]);
  });
  afterEach(() => harness.stop());

  const labels = { app: "web" };
  const budget = (spec: object) =>
    harness.create(PodDisruptionBudget, {
      metadata: { namespace: "n", name: "b" },
      spec: { selector: { matchLabels: labels }, ...spec },
    } as unknown as New<PodDisruptionBudget>);
  const status = async () => (await harness.list(PodDisruptionBudget))[0]?.status;

  it("follows the pods of a replica set", async () => {
    const set = await harness.create(ReplicaSet, {
      metadata: { namespace: "n", name: "web" },
      spec: { replicas: 2, selector: { matchLabels: labels } },
    } as New<ReplicaSet>);
    await budget({ maxUnavailable: 1 });
    await harness.settle();
    expect(await status()).toMatchObject({ expectedPods: 0, disruptionsAllowed: 0 });
    expect(await harness.events()).toContain("Normal NoPods No matching pods found");
    const ownerReferences = [
      { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: set.metadata.uid, controller: true },
    ];
    for (const name of ["x", "y"]) {
      await harness.create(Pod, { metadata: { namespace: "n", name, labels, ownerReferences } });
    }
    await harness.runPods();
    expect(await status()).toMatchObject({
      expectedPods: 2,
      desiredHealthy: 1,
      currentHealthy: 2,
      disruptionsAllowed: 1,
    });
    await harness.change(ReplicaSet, set, { spec: { replicas: 3 } });
    await harness.settle();
    expect(await status()).toMatchObject({ expectedPods: 3, desiredHealthy: 2, disruptionsAllowed: 0 });
  });

  it("tells of pods without a controller", async () => {
    await harness.create(Pod, { metadata: { namespace: "n", name: "x", labels } });
    await budget({ maxUnavailable: 1 });
    await harness.settle();
    expect((await harness.events()).join()).toContain("Warning UnmanagedPods Pods selected by this");
  });

  it("takes back a disruption that did not come", async () => {
    const lastTransitionTime = new Date(harness.clock.now()).toISOString();
    const conditions = [{ type: "DisruptionTarget", status: "True", lastTransitionTime }];
    await harness.create(Pod, {
      metadata: { namespace: "n", name: "x" },
      status: { conditions },
    } as New<Pod>);
    await harness.settle(100_000);
    const shown = async () => (await harness.list(Pod))[0]?.status?.conditions?.[0]?.status;
    expect(await shown()).toBe("True");
    await harness.settle(21_000);
    expect(await shown()).toBe("False");
  });
});
