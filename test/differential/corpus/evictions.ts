import {
  get,
  inNamespace,
  ownNamespace,
  patch,
  post,
  put,
  remove,
  type Sequence,
  type Step,
} from "../step.ts";

const own = "evictions";
const pods = inNamespace("pods", own);
const budgetsOf = (version: string) => `/apis/policy/${version}/namespaces/${own}/poddisruptionbudgets`;
const eviction = { apiVersion: "policy/v1beta1", kind: "Eviction" };

/** A pod that stays, whoever deletes it, with a status. */
const running = (name: string, { phase = "Running", ready = "True", app = name } = {}): readonly Step[] => [
  post(
    pods,
    {
      metadata: { name, labels: { app }, finalizers: ["example.com/stays"] },
      spec: { nodeName: "none", containers: [{ name: "c", image: "i" }] },
    },
    { silent: true },
  ),
  patch(`${pods}/${name}/status`, "strategic", {
    body: { status: { phase, conditions: [{ type: "Ready", status: ready }] } },
    silent: true,
  }),
];

/** A budget in whichever version a server has, as its controller reports it. */
const budget = (name: string, { app = name, status }: { app?: string; status?: object }): readonly Step[] =>
  ["v1beta1", "v1"].flatMap((version): Step[] => {
    const object = {
      apiVersion: `policy/${version}`,
      kind: "PodDisruptionBudget",
      metadata: { name },
      spec: { minAvailable: 1, selector: { matchLabels: { app } } },
    };
    const budgets = budgetsOf(version);
    return [
      post(budgets, object, { silent: true }),
      ...(status ? [patch(`${budgets}/${name}/status`, "merge", { body: { status }, silent: true })] : []),
    ];
  });
const counted = {
  observedGeneration: 1,
  disruptionsAllowed: 0,
  currentHealthy: 1,
  desiredHealthy: 1,
  expectedPods: 1,
};

const evicting = (name: string, more: object = {}) => post(`${pods}/${name}/eviction`, named(name, more));
const named = (name: string, more: object = {}) => ({ ...eviction, metadata: { name }, ...more });
const end = (name: string): readonly Step[] => [
  patch(`${pods}/${name}`, "merge", { body: { metadata: { finalizers: null } }, silent: true }),
  remove(`${pods}/${name}`, { gracePeriodSeconds: 0 }, { silent: true }),
  ...["v1beta1", "v1"].map((version) => remove(`${budgetsOf(version)}/${name}`, undefined, { silent: true })),
];

const bodies: Sequence = {
  name: "evictions and what they carry",
  steps: [
    ...ownNamespace(own),
    ...running("one"),
    ...[
      "",
      "{}",
      "null",
      eviction,
      named("two"),
      { kind: "Pod", apiVersion: "v1", metadata: { name: "one" } },
    ].map((body) => post(`${pods}/one/eviction`, body)),
    post(`${pods}/one/eviction`, { ...eviction, apiVersion: "policy/v2", metadata: { name: "one" } }),
    evicting("none"),
    evicting("one", { deleteOptions: { dryRun: ["x"] } }),
    evicting("one", { deleteOptions: { propagationPolicy: "X" } }),
    evicting("one", { deleteOptions: { propagationPolicy: "Orphan", orphanDependents: true } }),
    evicting("one", { deleteOptions: { preconditions: { uid: "x" } } }),
    evicting("one", { deleteOptions: { preconditions: { resourceVersion: "1" } } }),
    evicting("one", { deleteOptions: { dryRun: ["All"] } }),
    post(`${pods}/one/eviction?dryRun=All`, named("one")),
    post(`${pods}/one/eviction?dryRun=x`, named("one")),
    post(`${pods}/one/eviction?dryRun=All`, named("one", { deleteOptions: { dryRun: ["All"] } })),
    post(`${pods}/one/eviction?dryRun=All`, named("one", { deleteOptions: { dryRun: ["x"] } })),
    get(`${pods}/one/eviction`),
    put(`${pods}/one/eviction`, named("one")),
    patch(`${pods}/one/eviction`, "merge", { body: {} }),
    patch(`${pods}/one`, "json", {
      body: [{ op: "test", path: "/metadata/deletionTimestamp", value: null }],
    }),
    evicting("one", { deleteOptions: { gracePeriodSeconds: 7 } }),
    evicting("one"),
    ...end("one"),
  ],
};

const budgets: Sequence = {
  name: "evictions and disruption budgets",
  steps: [
    ...ownNamespace(own),
    ...running("twice"),
    ...budget("twice", {}),
    evicting("twice"),
    ...budget("again", { app: "twice" }),
    evicting("twice"),
    ...end("again"),
    ...end("twice"),
    ...running("spent"),
    ...budget("spent", { status: counted }),
    evicting("spent"),
    post(`${pods}/spent/eviction?dryRun=All`, named("spent")),
    ...end("spent"),
    ...running("unready", { ready: "False" }),
    ...budget("unready", { status: counted }),
    evicting("unready"),
    ...end("unready"),
    ...running("short", { ready: "False" }),
    ...budget("short", { status: { ...counted, currentHealthy: 0 } }),
    evicting("short"),
    ...end("short"),
    ...running("pending", { phase: "Pending", ready: "False" }),
    ...budget("pending", { status: counted }),
    evicting("pending"),
    ...end("pending"),
    ...running("allowed"),
    ...budget("allowed", { status: { ...counted, disruptionsAllowed: 1 } }),
    post(`${pods}/allowed/eviction?dryRun=All`, named("allowed")),
    evicting("allowed"),
    evicting("allowed"),
    ...end("allowed"),
  ],
};

/** Evictions: what they carry, and how budgets hold them back. */
export const evictionSequences: readonly Sequence[] = [bodies, budgets];
