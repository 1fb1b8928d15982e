import { describe, expect, test } from "vitest";
import type { ResourceDefinition } from "../definition.ts";
import {
  cells,
  created,
  creationProblems,
  defaulted,
  statusProblems,
  testNow,
  updateProblems,
  warningsOf,
} from "../testing/check.ts";
import { controllerRevisionDefinition } from "./controller-revision.ts";
import { daemonSetDefinition } from "./daemon-set.ts";
import { deploymentDefinition } from "./deployment.ts";
import { replicaSetDefinition } from "./replica-set.ts";
import { statefulSetDefinition } from "./stateful-set.ts";

const definitions = [
  daemonSetDefinition,
  deploymentDefinition,
  replicaSetDefinition,
  statefulSetDefinition,
] as unknown as readonly ResourceDefinition[];
const labels = { app: "a" };
const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "nginx:1" }] } };
const workload = (spec: object = {}) => ({ spec: { selector: { matchLabels: labels }, template, ...spec } });

describe("defaults", () => {
  test("of a deployment", () => {
    const { spec } = defaulted(deploymentDefinition, workload());
    expect(spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      template: { spec: { restartPolicy: "Always", schedulerName: "default-scheduler" } },
    });
    expect(spec.template.spec).not.toHaveProperty("enableServiceLinks");
  });

  test("of a deployment of no replicas keep it at none", () => {
    expect(defaulted(deploymentDefinition, workload({ replicas: 0 })).spec.replicas).toBe(0);
  });

  test("of a replica set", () => expect(defaulted(replicaSetDefinition, workload()).spec.replicas).toBe(1));

  test("of a daemon set", () => {
    expect(defaulted(daemonSetDefinition, workload()).spec).toMatchObject({
      revisionHistoryLimit: 10,
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    });
  });

  test("of a stateful set", () => {
    const claims = { volumeClaimTemplates: [{ metadata: { name: "v" }, spec: {} }] };
    expect(defaulted(statefulSetDefinition, workload(claims)).spec).toMatchObject({
      replicas: 1,
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0, maxUnavailable: 1 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      volumeClaimTemplates: [
        {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          spec: { volumeMode: "Filesystem" },
          status: { phase: "Pending" },
        },
      ],
    });
  });
});

describe("validation of a deployment", () => {
  test.each<[object, string[]]>([
    [{}, []],
    [{ replicas: -1 }, ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]],
    [
      { selector: null },
      [
        "spec.selector: Required value",
        'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
      ],
    ],
    [
      { selector: { matchExpressions: [{ key: "a", operator: "Bad" }] } },
      [
        'spec.selector.matchExpressions[0].operator: Invalid value: "Bad": not a valid selector operator',
        'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Bad"}]}: invalid label selector',
      ],
    ],
    [
      { template: { spec: template.spec } },
      ["spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`"],
    ],
    [
      { strategy: { type: "Bad" } },
      [
        'spec.strategy: Unsupported value: {"Type":"Bad","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
      ],
    ],
    [{ selector: {} }, ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"]],
    [
      { selector: { matchLabels: { app: "b" } } },
      [
        'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
      ],
    ],
    [
      { template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      { strategy: { type: "Recreate", rollingUpdate: {} } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
      ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    ],
    [
      { progressDeadlineSeconds: 10, minReadySeconds: 10 },
      ["spec.progressDeadlineSeconds: Invalid value: 10: must be greater than minReadySeconds"],
    ],
  ])("%j", (spec, problems) =>
    expect(creationProblems(deploymentDefinition, workload(spec))).toEqual(problems),
  );

  test("the selector stays", () => {
    const other = { app: "b" };
    const next = workload({
      selector: { matchLabels: other },
      template: { ...template, metadata: { labels: other } },
    });
    expect(updateProblems(deploymentDefinition, { old: workload(), next })).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: field is immutable',
    ]);
  });
});

describe("validation of a daemon set", () => {
  const rolling = (rollingUpdate: object) => ({ updateStrategy: { rollingUpdate } });
  const at = "spec.updateStrategy.rollingUpdate";
  test.each<[object, string[]]>([
    [{}, []],
    [
      { selector: null },
      [
        'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
      ],
    ],
    [{ selector: {} }, ["spec.selector: Invalid value: {}: empty selector is invalid for daemonset"]],
    [
      { template: { ...template, spec: { ...template.spec, activeDeadlineSeconds: 3 } } },
      [
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported",
      ],
    ],
    [
      { updateStrategy: { type: "Bad" } },
      [
        'spec.updateStrategy: Unsupported value: {"Type":"Bad","RollingUpdate":null}: supported values: "RollingUpdate", "OnDelete"',
      ],
    ],
    [rolling({ maxUnavailable: 0, maxSurge: "10%" }), []],
    [
      rolling({ maxUnavailable: "0%" }),
      [`${at}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`],
    ],
    [
      rolling({ maxUnavailable: "" }),
      [
        `${at}.maxUnavailable: Invalid value: "": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
        `${at}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`,
      ],
    ],
    [
      rolling({ maxSurge: 1 }),
      [`${at}.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero`],
    ],
    [
      rolling({ maxUnavailable: "101%" }),
      [`${at}.maxUnavailable: Invalid value: "101%": must not be greater than 100%`],
    ],
  ])("%j", (spec, problems) =>
    expect(creationProblems(daemonSetDefinition, workload(spec))).toEqual(problems),
  );
});

test("a daemon set tells how often its template has changed, whatever clients say", () => {
  const key = "deprecated.daemonset.template.generation";
  const generation = (object: { metadata: { annotations?: Readonly<Record<string, string>> } } | undefined) =>
    object?.metadata.annotations?.[key];
  const old = created(daemonSetDefinition, workload());
  expect(generation(old)).toBe("1");
  const context = { now: testNow, operation: "update" } as const;
  const next = (spec: object) =>
    defaulted(daemonSetDefinition, {
      metadata: { name: "x", annotations: { [key]: "7" } },
      ...workload(spec),
    });
  const prepare = (spec: object) => daemonSetDefinition.prepareForUpdate?.(next(spec), old, context);
  expect(generation(prepare({ minReadySeconds: 3 }))).toBe("1");
  const other = { ...template, spec: { containers: [{ name: "c", image: "nginx:2" }] } };
  expect(generation(prepare({ template: other }))).toBe("2");
  expect(generation(daemonSetDefinition.prepareForStatusUpdate?.(next({}), old, context))).toBe("1");
});

describe("validation of a stateful set", () => {
  const rolling = (rollingUpdate: object) => ({ updateStrategy: { rollingUpdate } });
  const claim = (storage: string) => ({
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
  });
  const mounting = {
    ...template,
    spec: {
      containers: [{ name: "c", image: "nginx:1", volumeMounts: [{ name: "data", mountPath: "/data" }] }],
    },
  };
  test.each<[object, string[]]>([
    [{}, []],
    [{ revisionHistoryLimit: -1, serviceName: "web" }, []],
    [{ template: mounting, volumeClaimTemplates: [claim("1Gi")] }, []],
    [{ template: mounting }, ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"']],
    [
      { podManagementPolicy: "Bad" },
      [`spec.podManagementPolicy: Invalid value: "Bad": must be 'OrderedReady' or 'Parallel'`],
    ],
    [
      { persistentVolumeClaimRetentionPolicy: { whenScaled: "Bad" } },
      [
        'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Bad": supported values: "Retain", "Delete"',
      ],
    ],
    [
      { ordinals: { start: -1 } },
      ["spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0"],
    ],
    [
      rolling({ partition: -1, maxUnavailable: 0 }),
      [
        "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
      ],
    ],
    [
      { updateStrategy: { type: "OnDelete", rollingUpdate: {} } },
      [
        `spec.updateStrategy.rollingUpdate: Invalid value: {"Partition":0,"MaxUnavailable":null}: only allowed for updateStrategy 'RollingUpdate'`,
      ],
    ],
    [
      { selector: { matchExpressions: [{ key: "a", operator: "Bad" }] } },
      [
        'spec.selector.matchExpressions[0].operator: Invalid value: "Bad": not a valid selector operator',
        'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Bad"}]}',
      ],
    ],
  ])("%j", (spec, problems) =>
    expect(creationProblems(statefulSetDefinition, workload(spec))).toEqual(problems),
  );

  test("warns of what is not what it seems", () => {
    const spec = { volumeClaimTemplates: [claim("1500m")], revisionHistoryLimit: -1 };
    expect(warningsOf(statefulSetDefinition, workload(spec))).toEqual([
      'spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
      "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended",
    ]);
  });
});

describe("updates of a stateful set", () => {
  test.each<[object, object, string[]]>([
    [{}, { replicas: 3, revisionHistoryLimit: 2, minReadySeconds: 1, ordinals: { start: 2 } }, []],
    [
      {},
      { serviceName: "other" },
      [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ],
    ],
    [{ serviceName: "Not_A_Label" }, { serviceName: "Not_A_Label", replicas: 2 }, []],
    [
      {},
      { template: { ...template, spec: { containers: [] } } },
      ["spec.template.spec.containers: Required value"],
    ],
    [
      { template: { ...template, spec: { containers: [] } } },
      { template: { ...template, spec: { containers: [] } }, replicas: 2 },
      [],
    ],
  ])("%j to %j", (old, next, problems) => {
    const sketches = { old: workload(old), next: workload(next) };
    expect(updateProblems(statefulSetDefinition, sketches)).toEqual(problems);
  });
});

test("a change that is wrong is told as often as upstream looks at it", () => {
  const sketches = { old: workload(), next: workload({ replicas: -1 }) };
  const problem = "spec.replicas: Invalid value: -1: must be greater than or equal to 0";
  expect(updateProblems(replicaSetDefinition, sketches)).toEqual([problem, problem]);
  expect(updateProblems(deploymentDefinition, sketches)).toEqual([problem]);
});

test("an annotation of a deployment counts as intent", () => {
  const metadata = { name: "x", generation: 4 };
  const old = defaulted(deploymentDefinition, { metadata, ...workload() });
  const next = { ...old, metadata: { ...old.metadata, annotations: { a: "b" } } };
  const context = { now: testNow, operation: "update" } as const;
  expect(deploymentDefinition.prepareForUpdate?.(next, old, context).metadata.generation).toBe(5);
  expect(deploymentDefinition.prepareForUpdate?.(old, old, context).metadata.generation).toBe(4);
});

test("names that are no labels bring a warning, where they become part of pods' names", () => {
  const named = { metadata: { name: "a.b", generation: 1 }, ...workload() };
  const warning =
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]";
  for (const definition of definitions.slice(1, 3)) {
    expect(warningsOf(definition, named)).toEqual([warning]);
    expect(warningsOf(definition, named, named)).toEqual([]);
  }
  expect(warningsOf(daemonSetDefinition, named)).toEqual([]);
});

describe("updates of a status", () => {
  const negative = (field: string) =>
    `status.${field}: Invalid value: -1: must be greater than or equal to 0`;
  const exceeds = (field: string, name: string) =>
    `status.${field}: Invalid value: 2: cannot be greater than ${name}`;

  test.each<[string, object, object, string[]]>([
    ["Deployment", {}, { replicas: 2, readyReplicas: 2, availableReplicas: 2 }, []],
    ["Deployment", {}, { terminatingReplicas: -1 }, [negative("terminatingReplicas")]],
    [
      "Deployment",
      {},
      { replicas: 1, availableReplicas: 2 },
      [exceeds("availableReplicas", "status.replicas"), exceeds("availableReplicas", "readyReplicas")],
    ],
    [
      "Deployment",
      { collisionCount: 2 },
      { collisionCount: 1 },
      ["status.collisionCount: Invalid value: 1: cannot be decremented"],
    ],
    [
      "ReplicaSet",
      {},
      { replicas: 1, fullyLabeledReplicas: 2 },
      [exceeds("fullyLabeledReplicas", "status.replicas")],
    ],
    ["DaemonSet", {}, { numberReady: -1 }, [negative("numberReady")]],
    [
      "DaemonSet",
      { collisionCount: 2 },
      {},
      ["status.collisionCount: Invalid value: 0: cannot be decremented"],
    ],
    [
      "StatefulSet",
      {},
      { replicas: 3, readyReplicas: 1, availableReplicas: 2, updatedReplicas: -1 },
      [negative("updatedReplicas"), exceeds("availableReplicas", "status.readyReplicas")],
    ],
  ])("%s: %j to %j", (kind, old, status, problems) => {
    const sketches = { old: { ...workload(), status: old }, next: { ...workload(), status } };
    const definition = definitions.find(({ resource }) => resource.kind === kind);
    expect(definition && statusProblems(definition, sketches)).toEqual(problems);
  });
});

test("columns of a deployment", () => {
  const creationTimestamp = new Date(testNow - 90_000).toISOString();
  const status = { readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1 };
  expect(
    cells(deploymentDefinition, {
      metadata: { name: "x", creationTimestamp },
      ...workload({ replicas: 2 }),
      status,
    }),
  ).toEqual({
    Name: "x",
    Ready: "1/2",
    "Up-to-date": 2,
    Available: 1,
    Age: "90s",
    Containers: "c",
    Images: "nginx:1",
    Selector: "app=a",
  });
});

test("the owner of a controller revision", () => {
  const ownerReferences = [
    { apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "1", controller: true },
  ];
  const row = cells(controllerRevisionDefinition, { metadata: { name: "x", ownerReferences }, revision: 4 });
  expect(row).toMatchObject({ Controller: "statefulset.apps/web", Revision: 4 });
  expect(creationProblems(controllerRevisionDefinition, { revision: -1 })).toEqual([
    "data: Required value: data is mandatory",
    "revision: Invalid value: -1: must be greater than or equal to 0",
  ]);
});
