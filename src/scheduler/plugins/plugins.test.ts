import { expect, test } from "vitest";
import { seededRandom } from "../../base/index.ts";
import type { New } from "../../apimachinery/index.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import { emptyCluster, SchedulerCache } from "../cache.ts";
import { place, unplacedMessage } from "../cycle.ts";
import type { ClusterView } from "../framework.ts";
import { defaultPlugins } from "./index.ts";

/** `a` and `b` are in zone one, `c` is in zone two, `x` in none. */
const zones: Record<string, string> = { a: "one", b: "one", c: "two" };

const node = (name: string, more: { taints?: object[]; images?: object[] } = {}): Node =>
  ({
    metadata: {
      name,
      labels: { "kubernetes.io/hostname": name, ...(zones[name] ? { zone: zones[name] } : {}) },
    },
    spec: { taints: more.taints },
    status: { allocatable: { cpu: "8", memory: "8Gi", pods: "100" }, images: more.images },
  }) as New<Node> as Node;

const pod = (name: string, labels: Record<string, string> = {}, spec: object = {}, namespace = "n"): Pod =>
  ({
    metadata: { name, namespace, uid: `${namespace}/${name}`, labels },
    spec: { containers: [{ name: "c", image: "web", resources: {} }], ...spec },
    status: {},
  }) as New<Pod> as Pod;

const web = { app: "web" };
const term = (topologyKey: string, more: object = {}) => ({
  topologyKey,
  labelSelector: { matchLabels: web },
  ...more,
});
const near = (...terms: object[]) => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const far = (...terms: object[]) => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const preferring = (kind: "podAffinity" | "podAntiAffinity", podAffinityTerm: object) => ({
  affinity: {
    [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] },
  },
});
const spread = (topologyKey: string, more: object = {}) => ({
  topologySpreadConstraints: [
    {
      topologyKey,
      maxSkew: 1,
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: web },
      ...more,
    },
  ],
});
const claiming = (claimName: string) => ({ volumes: [{ name: "v", persistentVolumeClaim: { claimName } }] });

interface Case {
  readonly title: string;
  readonly nodes?: readonly Node[];
  readonly running?: readonly (readonly [Pod, string])[];
  readonly cluster?: Partial<ClusterView>;
  readonly pod: Pod;
  /** A node, several where any is right, or the message. */
  readonly gives: string | readonly string[];
}

function check({
  nodes = [node("a"), node("b"), node("c")],
  running = [],
  cluster,
  pod,
  gives,
}: Omit<Case, "title">) {
  const cache = new SchedulerCache({ ...emptyCluster, ...cluster });
  for (const one of nodes) cache.setNode(one);
  for (const [one, where] of running) cache.assume(one, where);
  const random = seededRandom(1);
  const placements = Array.from({ length: 40 }, () => {
    const placement = place(pod, {
      snapshot: cache,
      plugins: defaultPlugins,
      random,
      start: 0,
    });
    return placement.type === "placed"
      ? placement.node.name
      : unplacedMessage(placement.diagnosis, { nodeCount: nodes.length });
  });
  expect([...new Set(placements)].sort()).toEqual([gives].flat());
}

const running = (...names: string[]) => names.map((name, index) => [pod(`r${index}`, web), name] as const);
const noAffinity = "node(s) didn't match pod affinity rules";
const noSpread = "node(s) didn't match pod topology spread constraints";
const available = (count: number, why: string) => `0/${count} nodes are available: ${why}.`;

test.each<Case>([
  { title: "near a pod, by zone", running: running("c"), pod: pod("p", {}, near(term("zone"))), gives: "c" },
  {
    title: "near a pod, by host",
    running: running("b"),
    pod: pod("p", {}, near(term("kubernetes.io/hostname"))),
    gives: "b",
  },
  { title: "near nobody", pod: pod("p", {}, near(term("zone"))), gives: available(3, `3 ${noAffinity}`) },
  { title: "the first of its kind", pod: pod("p", web, near(term("zone"))), gives: ["a", "b", "c"] },
  {
    title: "pods of another namespace do not count",
    running: [[pod("r", web, {}, "other"), "c"]],
    pod: pod("p", {}, near(term("zone"))),
    gives: available(3, `3 ${noAffinity}`),
  },
  {
    title: "unless it is named",
    running: [[pod("r", web, {}, "other"), "c"]],
    pod: pod("p", {}, near(term("zone", { namespaces: ["other"] }))),
    gives: "c",
  },
  {
    title: "or chosen by its labels",
    running: [[pod("r", web, {}, "other"), "c"]],
    cluster: { namespacesMatching: () => ["other"] },
    pod: pod("p", {}, near(term("zone", { namespaceSelector: { matchLabels: { team: "x" } } }))),
    gives: "c",
  },
  {
    title: "far from a pod, by zone",
    running: running("a"),
    pod: pod("p", {}, far(term("zone"))),
    gives: "c",
  },
  {
    title: "far from pods everywhere",
    running: running("a", "c"),
    pod: pod("p", {}, far(term("zone"))),
    gives: available(3, "3 node(s) didn't match pod anti-affinity rules"),
  },
  {
    title: "a pod there does not want it near",
    running: [[pod("r", {}, far(term("zone"))), "a"]],
    pod: pod("p", web),
    gives: "c",
  },
  {
    title: "pods everywhere do not want it near",
    running: [
      [pod("r", {}, far(term("zone"))), "a"],
      [pod("s", {}, far(term("zone"))), "c"],
    ],
    pod: pod("p", web),
    gives: available(3, "3 node(s) didn't satisfy existing pods anti-affinity rules"),
  },
  {
    title: "rather near",
    running: running("c"),
    pod: pod("p", {}, preferring("podAffinity", term("zone"))),
    gives: "c",
  },
  {
    title: "rather far",
    running: running("a"),
    pod: pod("p", {}, preferring("podAntiAffinity", term("zone"))),
    gives: "c",
  },
  {
    title: "a pod there would rather have it near",
    running: [[pod("r", {}, preferring("podAffinity", term("zone"))), "c"]],
    pod: pod("p", web),
    gives: "c",
  },
])("affinity to pods: $title", check);

test.each<Case>([
  { title: "to the emptier zone", running: running("a"), pod: pod("p", web, spread("zone")), gives: "c" },
  {
    title: "within the skew",
    running: running("a"),
    pod: pod("p", web, spread("zone", { maxSkew: 2 })),
    gives: ["b", "c"],
  },
  {
    title: "a node without the label",
    nodes: [node("x")],
    pod: pod("p", web, spread("zone")),
    gives: available(1, `1 ${noSpread} (missing required label)`),
  },
  {
    title: "the emptier zone is full of taints, which do not count",
    nodes: [node("a"), node("c", { taints: [{ key: "k", effect: "NoSchedule" }] })],
    running: running("a"),
    pod: pod("p", web, spread("zone")),
    gives: available(2, `1 ${noSpread}, 1 node(s) had untolerated taint(s)`),
  },
  {
    title: "unless they shall",
    nodes: [node("a"), node("c", { taints: [{ key: "k", effect: "NoSchedule" }] })],
    running: running("a"),
    pod: pod("p", web, spread("zone", { nodeTaintsPolicy: "Honor" })),
    gives: "a",
  },
  {
    title: "zones that the pod's selector leaves out do not count",
    running: running("a"),
    pod: pod("p", web, { ...spread("zone"), nodeSelector: { zone: "one" } }),
    gives: "b",
  },
  {
    title: "unless they shall",
    running: running("a"),
    pod: pod("p", web, {
      ...spread("zone", { nodeAffinityPolicy: "Ignore" }),
      nodeSelector: { zone: "one" },
    }),
    gives: available(3, `1 node(s) didn't match Pod's node affinity/selector, 2 ${noSpread}`),
  },
  {
    title: "fewer zones than wanted count as empty ones",
    running: running("a", "c"),
    pod: pod("p", web, spread("zone", { minDomains: 3 })),
    gives: available(3, `3 ${noSpread}`),
  },
  {
    title: "only pods with the same label value count",
    running: [
      [pod("old", { ...web, hash: "1" }), "a"],
      [pod("new", { ...web, hash: "2" }), "c"],
    ],
    pod: pod("p", { ...web, hash: "2" }, spread("zone", { matchLabelKeys: ["hash"] })),
    gives: "b",
  },
  {
    title: "rather to the emptier zone",
    running: running("a"),
    pod: pod("p", web, spread("zone", { whenUnsatisfiable: "ScheduleAnyway" })),
    gives: "c",
  },
  {
    title: "pods of one service spread by themselves",
    running: running("a", "b"),
    cluster: {
      spreadSelector: () => ({
        type: "requirements",
        requirements: [{ key: "app", operator: "=", values: ["web"] }],
      }),
    },
    pod: pod("p", web),
    gives: "c",
  },
])("spreading: $title", check);

const volume = (name: string, more: object = {}) =>
  ({
    metadata: { name },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "local",
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: ["two"] }] }],
        },
      },
      ...more,
    },
    status: { phase: "Available" },
  }) as New<PersistentVolume> as PersistentVolume;
const claim = (more: { bound?: boolean; storage?: string } = {}) =>
  ({
    metadata: {
      name: "data",
      namespace: "n",
      annotations: more.bound ? { "pv.kubernetes.io/bind-completed": "yes" } : {},
    },
    spec: {
      storageClassName: "local",
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: more.storage ?? "1Gi" } },
      ...(more.bound ? { volumeName: "one" } : {}),
    },
    status: {},
  }) as New<PersistentVolumeClaim> as PersistentVolumeClaim;
const storageClass = (volumeBindingMode: string, provisioner = "kubernetes.io/no-provisioner") =>
  (() => ({ volumeBindingMode, provisioner })) as unknown as ClusterView["storageClass"];
const usesClaim = pod("p", {}, claiming("data"));

test.each<Case>([
  { title: "no claim", pod: usesClaim, gives: available(3, 'persistentvolumeclaim "data" not found') },
  {
    title: "not bound yet",
    cluster: { claim: () => claim(), storageClass: storageClass("Immediate") },
    pod: usesClaim,
    gives: available(3, "pod has unbound immediate PersistentVolumeClaims"),
  },
  {
    title: "bound to a volume of a zone",
    cluster: { claim: () => claim({ bound: true }), volume: () => volume("one") },
    pod: usesClaim,
    gives: "c",
  },
  {
    title: "bound to a volume of another zone",
    nodes: [node("a")],
    cluster: { claim: () => claim({ bound: true }), volume: () => volume("one") },
    pod: usesClaim,
    gives: available(1, "1 node(s) didn't match PersistentVolume's node affinity"),
  },
  {
    title: "to be bound where a volume is",
    cluster: {
      claim: () => claim(),
      storageClass: storageClass("WaitForFirstConsumer"),
      volumes: () => [volume("one")],
    },
    pod: usesClaim,
    gives: "c",
  },
  {
    title: "to be bound, but no volume is large enough",
    cluster: {
      claim: () => claim({ storage: "2Gi" }),
      storageClass: storageClass("WaitForFirstConsumer"),
      volumes: () => [volume("one")],
    },
    pod: usesClaim,
    gives: available(3, "3 node(s) didn't find available persistent volumes to bind"),
  },
  {
    title: "to be made anywhere",
    cluster: {
      claim: () => claim(),
      storageClass: storageClass("WaitForFirstConsumer", "example.com/disks"),
    },
    pod: usesClaim,
    gives: ["a", "b", "c"],
  },
])("volumes: $title", check);

test.each<Case>([
  {
    title: "a large image draws",
    nodes: [node("a"), node("b", { images: [{ names: ["web:latest"], sizeBytes: 900 * 2 ** 20 }] })],
    pod: pod("p"),
    gives: "b",
  },
  {
    title: "a DaemonSet's pod looks at its node only",
    pod: pod(
      "p",
      {},
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["b"] }] }],
            },
          },
        },
        containers: [{ name: "c", resources: { requests: { cpu: "9" } } }],
      },
    ),
    gives: available(3, "1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]"),
  },
])("nodes: $title", check);
