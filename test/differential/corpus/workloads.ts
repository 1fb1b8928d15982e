import { get, namespace, patch, post, put, remove, tableOf, type Sequence, type Step } from "../step.ts";

const labels = { app: "web" };
const containers = [{ name: "web", image: "web:1" }];
const template = { metadata: { labels }, spec: { containers } };
const spec = { selector: { matchLabels: labels }, template };
const once = { spec: { containers, restartPolicy: "Never" } };

const apps = (rest: string) => `/apis/apps/v1/namespaces/${namespace}/${rest}`;
const batch = (rest: string) => `/apis/batch/v1/namespaces/${namespace}/${rest}`;
const core = (rest: string) => `/api/v1/namespaces/${namespace}/${rest}`;
const autoscalers = (rest = "") =>
  `/apis/autoscaling/v1/namespaces/${namespace}/horizontalpodautoscalers${rest}`;

const refusedAt = (collection: string, bodies: readonly object[]): readonly Step[] =>
  bodies.map((body) => post(`${collection}?dryRun=All`, { metadata: { name: "unfit" }, ...body }));
const specsAt = (collection: string, base: object, specs: readonly object[]): readonly Step[] =>
  refusedAt(
    collection,
    specs.map((fields) => ({ spec: { ...base, ...fields } })),
  );
const merged = (path: string, ...bodies: readonly object[]): readonly Step[] =>
  bodies.map((body) => patch(path, "merge", { body }));

const unfit = [
  { selector: null },
  { selector: {} },
  { selector: { matchLabels: { other: "b", app: "web" } } },
  { template: { spec: { containers } } },
  {
    template: {
      metadata: { labels },
      spec: { containers, restartPolicy: "Never", activeDeadlineSeconds: 3 },
    },
  },
];
const miscounted = [{ replicas: -1 }, { replicas: "three" }];

const deployments: Sequence = {
  name: "what deployments may hold",
  steps: [
    ...specsAt(apps("deployments"), spec, [
      ...unfit,
      ...miscounted,
      { minReadySeconds: -1 },
      { selector: { matchExpressions: [{ key: "a", operator: "Bad" }] } },
      { revisionHistoryLimit: -1, progressDeadlineSeconds: -1 },
      { progressDeadlineSeconds: 5, minReadySeconds: 5 },
      { strategy: { type: "Bad" } },
      { strategy: { type: "Recreate", rollingUpdate: {} } },
      { strategy: { rollingUpdate: { maxUnavailable: "abc", maxSurge: "0" } } },
      { strategy: { rollingUpdate: { maxUnavailable: "200%", maxSurge: "0%" } } },
      { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: "0%" } } },
      { strategy: { rollingUpdate: { maxUnavailable: -1, maxSurge: -1 } } },
    ]),
    post(apps("deployments"), { metadata: { name: "kept" }, spec: { ...spec, replicas: 0, paused: true } }),
    ...merged(
      apps("deployments/kept"),
      { spec: { selector: { matchLabels: { app: "other" } } } },
      { spec: { replicas: -1, minReadySeconds: -1 } },
      { spec: { template: { spec: { containers: [] } } } },
      { metadata: { annotations: { a: "b" } } },
      { spec: { paused: null } },
    ),
    ...merged(
      apps("deployments/kept/status"),
      { status: { replicas: -1, readyReplicas: -1, availableReplicas: -1, observedGeneration: -1 } },
      { status: { replicas: 1, readyReplicas: 2, updatedReplicas: 3, availableReplicas: 4 } },
      { status: { replicas: 1, unavailableReplicas: -1, collisionCount: -1 } },
      { status: { replicas: 2, collisionCount: 2 }, spec: { replicas: 7 } },
      { status: { collisionCount: 1 } },
    ),
    ...merged(apps("deployments/kept/scale"), { spec: { replicas: -1 } }, { spec: { replicas: 2 } }),
    get(apps("deployments?fieldSelector=spec.replicas%3D1")),
    remove(apps("deployments/kept")),
  ],
};

const replicaSets: Sequence = {
  name: "what replica sets may hold",
  steps: [
    ...specsAt(apps("replicasets"), spec, [...unfit, ...miscounted, { minReadySeconds: -1 }]),
    post(apps("replicasets"), { metadata: { name: "kept" }, spec: { ...spec, replicas: 0 } }),
    ...merged(
      apps("replicasets/kept"),
      { spec: { selector: { matchLabels: { app: "other" } } } },
      { spec: { replicas: -1, minReadySeconds: -1 } },
      { spec: { minReadySeconds: 3 } },
    ),
    ...merged(
      apps("replicasets/kept/status"),
      { status: { replicas: -1, readyReplicas: -1, fullyLabeledReplicas: -1, observedGeneration: -1 } },
      { status: { replicas: 1, readyReplicas: 2, fullyLabeledReplicas: 3, availableReplicas: 4 } },
    ),
    remove(apps("replicasets/kept")),
  ],
};

const daemonSets: Sequence = {
  name: "what daemon sets may hold",
  steps: [
    ...specsAt(apps("daemonsets"), spec, [
      ...unfit,
      { updateStrategy: { type: "Bad" } },
      { updateStrategy: { type: "OnDelete", rollingUpdate: {} } },
      { updateStrategy: { rollingUpdate: { maxUnavailable: "200%" } } },
      { revisionHistoryLimit: -1, minReadySeconds: -1 },
    ]),
    post(apps("daemonsets"), {
      metadata: { name: "kept" },
      spec: { ...spec, updateStrategy: { type: "OnDelete" } },
    }),
    ...merged(
      apps("daemonsets/kept"),
      { spec: { selector: { matchLabels: { app: "other" } } } },
      { metadata: { annotations: { "deprecated.daemonset.template.generation": "7" } } },
      { spec: { minReadySeconds: 3 } },
      { spec: { template: { metadata: { annotations: { a: "b" } } } } },
    ),
    ...merged(apps("daemonsets/kept/status"), {
      status: {
        currentNumberScheduled: -1,
        numberMisscheduled: -1,
        desiredNumberScheduled: -1,
        numberReady: -1,
        observedGeneration: -1,
        updatedNumberScheduled: -1,
        numberAvailable: -1,
        numberUnavailable: -1,
        collisionCount: -1,
      },
    }),
    remove(apps("daemonsets/kept")),
  ],
};

const statefulSets: Sequence = {
  name: "what stateful sets may hold",
  steps: [
    ...specsAt(apps("statefulsets"), { ...spec, serviceName: "web" }, [
      ...unfit,
      ...miscounted,
      { updateStrategy: { type: "Bad" } },
      { updateStrategy: { type: "OnDelete", rollingUpdate: {} } },
      { updateStrategy: { rollingUpdate: { partition: -1 } } },
      { podManagementPolicy: "Bad" },
    ]),
    post(apps("statefulsets"), {
      metadata: { name: "kept" },
      spec: { ...spec, serviceName: "web", replicas: 0 },
    }),
    ...merged(
      apps("statefulsets/kept"),
      { spec: { serviceName: "other" } },
      { spec: { replicas: -1 } },
      { spec: { podManagementPolicy: "Parallel" } },
      { spec: { template: { metadata: { annotations: { a: "b" } } } } },
    ),
    ...merged(
      apps("statefulsets/kept/status"),
      { status: { replicas: -1, readyReplicas: -1, currentReplicas: -1, updatedReplicas: -1 } },
      {
        status: { replicas: 1, readyReplicas: 2, currentReplicas: 3, updatedReplicas: 4, collisionCount: -1 },
      },
    ),
    remove(apps("statefulsets/kept")),
  ],
};

const revisions: Sequence = {
  name: "what controller revisions may hold",
  steps: [
    ...refusedAt(apps("controllerrevisions"), [
      { revision: -1 },
      { data: null },
      { data: {}, revision: -1 },
      { data: { a: { b: 1 } }, revision: 1 },
    ]),
    post(apps("controllerrevisions"), { metadata: { name: "kept" }, data: { a: { b: 1 } }, revision: 1 }),
    ...merged(apps("controllerrevisions/kept"), { data: { a: 2 } }, { revision: -1 }, { revision: 2 }),
    remove(apps("controllerrevisions/kept")),
  ],
};

const controllers: Sequence = {
  name: "what replication controllers and templates of pods may hold",
  steps: [
    ...specsAt(core("replicationcontrollers"), {}, [
      {},
      { template },
      { template, selector: { other: "b" } },
      { template, replicas: -1, minReadySeconds: -1 },
      { selector: labels },
      { template: { spec: { containers } } },
      { template: { metadata: { labels }, spec: { containers, restartPolicy: "Never" } } },
    ]),
    post(core("replicationcontrollers"), { metadata: { name: "kept" }, spec: { template, replicas: 0 } }),
    ...merged(
      core("replicationcontrollers/kept"),
      { spec: { selector: { app: "other" } } },
      { spec: { minReadySeconds: -1 } },
      { spec: { minReadySeconds: 2 } },
    ),
    ...merged(
      core("replicationcontrollers/kept/status"),
      { status: { replicas: -1, readyReplicas: -1, observedGeneration: -1 } },
      { status: { replicas: 1, readyReplicas: 2, fullyLabeledReplicas: 3, availableReplicas: 4 } },
    ),
    get(core("replicationcontrollers?fieldSelector=status.replicas%3D0,metadata.name%3Dkept"), tableOf),
    remove(core("replicationcontrollers/kept")),
    ...refusedAt(core("podtemplates"), [{}, { template: {} }, { template: { spec: { containers: [{}] } } }]),
    post(core("podtemplates"), { metadata: { name: "kept" }, template }),
    ...merged(
      core("podtemplates/kept"),
      { template: { spec: { containers: [] } } },
      { template: { metadata: { labels: { "a b": "c" } } } },
      { template: { metadata: { labels: { app: "other" } } } },
    ),
    put(core("podtemplates/none"), { metadata: { name: "none" }, template }),
    remove(core("podtemplates/kept")),
  ],
};

const jobs: Sequence = {
  name: "what jobs may hold",
  steps: [
    ...specsAt(batch("jobs"), { template: once }, [
      { parallelism: -1, completions: -1, activeDeadlineSeconds: -1, backoffLimit: -1 },
      { template: { spec: { containers } } },
      { template: { spec: { containers, restartPolicy: "Bad" } } },
      { template: {} },
      { manualSelector: true },
      { manualSelector: true, selector: { matchLabels: { a: "b" } } },
      { manualSelector: true, selector: { matchExpressions: [{ key: "a", operator: "Bad" }] } },
    ]),
    post(batch("jobs"), {
      metadata: { name: "kept" },
      spec: {
        manualSelector: true,
        selector: { matchLabels: labels },
        template: { ...once, metadata: { labels } },
        parallelism: 0,
        completions: 2,
      },
    }),
    ...merged(
      batch("jobs/kept"),
      { spec: { completions: 3 } },
      { spec: { selector: { matchLabels: { app: "other" } } } },
      { spec: { parallelism: -1 } },
      { spec: { backoffLimit: 2 } },
    ),
    get(batch("jobs?fieldSelector=status.successful%3D0,metadata.name%3Dkept")),
    get(batch("jobs?fieldSelector=spec.nothing%3D0")),
    remove(batch("jobs/kept"), { propagationPolicy: "Background" }),
  ],
};

const scaled = { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, maxReplicas: 3 };
const noted = (name: string, value: unknown) => ({
  annotations: { [`autoscaling.alpha.kubernetes.io/${name}`]: JSON.stringify(value) },
});

const firstAutoscalers: Sequence = {
  name: "what autoscalers may hold",
  steps: [
    ...specsAt(autoscalers(), scaled, [
      { minReplicas: 0 },
      { minReplicas: 5 },
      { maxReplicas: 0 },
      { scaleTargetRef: { apiVersion: "apps/v1", kind: "a/b", name: ".." } },
      { targetCPUUtilizationPercentage: 0 },
      { targetCPUUtilizationPercentage: -1 },
      {},
    ]),
    ...[
      noted("metrics", [{ type: "Bad" }]),
      noted("metrics", [{ type: "Pods", pods: { metricName: "", targetAverageValue: "0" } }]),
      noted("metrics", [{ type: "Object", object: {} }]),
      noted("metrics", "nonsense"),
      noted("metrics", [5]),
      noted("behavior", { ScaleUp: { SelectPolicy: "Bad", StabilizationWindowSeconds: -1 } }),
      noted("conditions", [{ type: "AbleToScale", status: "True" }]),
    ].map((metadata) =>
      post(`${autoscalers()}?dryRun=All`, { metadata: { name: "noted", ...metadata }, spec: scaled }),
    ),
    post(autoscalers(), {
      metadata: {
        name: "kept",
        ...noted("metrics", [
          { type: "External", external: { metricName: "queue", targetValue: "30" } },
          { type: "Resource", resource: { name: "memory", targetAverageValue: "100Mi" } },
        ]),
      },
      spec: { ...scaled, targetCPUUtilizationPercentage: 50 },
    }),
    ...merged(autoscalers("/kept"), { spec: { minReplicas: 5 } }, { spec: { minReplicas: 2 } }),
    ...merged(
      autoscalers("/kept/status"),
      { status: { currentReplicas: -1, desiredReplicas: -1 } },
      { status: { currentReplicas: 1, desiredReplicas: 2, currentCPUUtilizationPercentage: 10 } },
    ),
    remove(autoscalers("/kept")),
  ],
};

/** What the kinds that run pods may hold, how they may change, and what may be reported of them. */
export const workloadSequences: readonly Sequence[] = [
  deployments,
  replicaSets,
  daemonSets,
  statefulSets,
  revisions,
  controllers,
  jobs,
  firstAutoscalers,
];
