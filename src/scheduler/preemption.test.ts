import { expect, test } from "vitest";
import { seededRandom } from "../base/index.ts";
import type { New } from "../apimachinery/index.ts";
import type { Node, Pod } from "../api/types/core-v1.ts";
import type { PodDisruptionBudget } from "../api/types/policy-v1.ts";
import { SchedulerCache } from "./cache.ts";
import { place } from "./cycle.ts";
import { defaultPlugins } from "./plugins/index.ts";
import { planPreemption } from "./preemption.ts";

const node = (name: string, taints: object[] = []): Node =>
  ({
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    spec: { taints },
    status: { allocatable: { cpu: "4", memory: "4Gi", pods: "10" } },
  }) as New<Node> as Node;

/** `name cpu priority` with what differs from a plain pod. */
function pod(text: string, more: { start?: string; app?: string; spec?: object } = {}): Pod {
  const [name = "", cpu = "0", priority = "0"] = text.split(" ");
  return {
    metadata: { name, namespace: "n", uid: name, labels: { app: more.app ?? name } },
    spec: {
      priority: Number(priority),
      containers: [{ name: "c", resources: { requests: { cpu } } }],
      ...more.spec,
    },
    status: { startTime: `2026-01-01T00:00:${more.start ?? "00"}Z` },
  } as New<Pod> as Pod;
}

const budget = (app: string, disruptionsAllowed: number): PodDisruptionBudget =>
  ({
    metadata: { name: app, namespace: "n" },
    spec: { selector: { matchLabels: { app } } },
    status: { disruptionsAllowed },
  }) as New<PodDisruptionBudget> as PodDisruptionBudget;

const notNear = (app: string) => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app } } },
      ],
    },
  },
});

interface Case {
  readonly title: string;
  readonly running: Readonly<Record<string, readonly Pod[]>>;
  readonly tainted?: readonly string[];
  readonly budgets?: readonly PodDisruptionBudget[];
  readonly pod?: Pod;
  readonly gives: string;
}

function check({
  running,
  tainted = [],
  budgets = [],
  pod: given = pod("p 4 100"),
  gives,
}: Omit<Case, "title">) {
  const cache = new SchedulerCache();
  for (const [name, pods] of Object.entries(running)) {
    cache.setNode(node(name, tainted.includes(name) ? [{ key: "k", effect: "NoSchedule" }] : []));
    for (const one of pods) cache.assume(one, name);
  }
  const random = seededRandom(1);
  const placement = place(given, { snapshot: cache, plugins: defaultPlugins, random, start: 0 });
  if (placement.type === "placed") throw new Error("placed without preemption");
  const plans = [1, 2].map(() => {
    const plan = planPreemption(given, placement.diagnosis, { snapshot: cache, budgets, random });
    if (plan.type === "none") return plan.message;
    return `${plan.node.name}: ${plan.victims.map(({ metadata }) => metadata.name).join(" ")}`;
  });
  // The second plan sees the cluster as the first did: trials leave no trace.
  expect(plans).toEqual([gives, gives]);
}

test.each<Case>([
  {
    title: "only as many as needed",
    running: { a: [pod("x 2"), pod("y 1"), pod("z 1")] },
    pod: pod("p 1 100"),
    gives: "a: z",
  },
  {
    title: "the least important",
    running: { a: [pod("x 2 5"), pod("y 2 1")] },
    pod: pod("p 2 100"),
    gives: "a: y",
  },
  {
    title: "the youngest of equals",
    running: { a: [pod("x 2", { start: "09" }), pod("y 2", { start: "01" })] },
    pod: pod("p 2 100"),
    gives: "a: x",
  },
  {
    title: "equals are no victims",
    running: { a: [pod("x 4 100")] },
    gives: "0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  },
  {
    title: "not enough room even without the victims",
    running: { a: [pod("x 2 100"), pod("y 2")] },
    gives: "0/1 nodes are available: 1 Insufficient cpu.",
  },
  {
    title: "what removal cannot change",
    running: { a: [pod("x 4")], b: [pod("y 4 100")] },
    tainted: ["a"],
    gives:
      "0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
  },
  {
    title: "the fewest broken budgets first",
    running: { a: [pod("x 4 1")], b: [pod("y 4 9")] },
    budgets: [budget("x", 0)],
    gives: "b: y",
  },
  {
    title: "within a node those that break no budget",
    running: { a: [pod("x 2"), pod("y 2", { start: "09" })] },
    budgets: [budget("y", 0)],
    pod: pod("p 2 100"),
    gives: "a: x",
  },
  {
    title: "a budget's allowance is used up",
    running: { a: [pod("x 2", { app: "w" }), pod("y 2", { app: "w" })], b: [pod("z 4 9")] },
    budgets: [budget("w", 1)],
    gives: "b: z",
  },
  {
    title: "then the lowest of the highest priorities",
    running: { a: [pod("x 4 9")], b: [pod("y 4 5")] },
    gives: "b: y",
  },
  {
    title: "then the smallest sum",
    running: { a: [pod("x 2 9"), pod("y 2 5")], b: [pod("v 2 9"), pod("w 2 2")] },
    gives: "b: v w",
  },
  { title: "then the fewest", running: { a: [pod("x 2"), pod("y 2")], b: [pod("z 4")] }, gives: "b: z" },
  {
    title: "then the latest start",
    running: { a: [pod("x 4", { start: "01" })], b: [pod("y 4", { start: "02" })] },
    gives: "b: y",
  },
  {
    title: "a pod that must not be near goes",
    running: { a: [pod("x 1"), pod("web 1")] },
    pod: pod("p 1 100", { spec: notNear("web") }),
    gives: "a: web",
  },
  {
    title: "a pod that does not want this one near goes",
    running: { a: [pod("x 1"), pod("loner 1", { spec: notNear("p") })] },
    pod: pod("p 1 100"),
    gives: "a: loner",
  },
  {
    title: "never by policy",
    running: { a: [pod("x 4")] },
    pod: pod("p 4 100", { spec: { preemptionPolicy: "Never" } }),
    gives: "not eligible due to preemptionPolicy=Never.",
  },
])("preemption: $title", check);

test("while its victims are on their way out a pod preempts nobody else", () => {
  const going = {
    ...pod("x 4"),
    metadata: { ...pod("x 4").metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
    status: { conditions: [{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" }] },
  } as Pod;
  check({
    running: { a: [going], b: [pod("y 4")] },
    pod: { ...pod("p 4 100"), status: { nominatedNodeName: "a" } },
    gives: "not eligible due to a terminating pod on the nominated node.",
  });
});
