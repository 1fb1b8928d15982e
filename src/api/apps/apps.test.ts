import { describe, expect, test } from "vitest";
import { cells, creationProblems, defaulted, testNow, updateProblems } from "../testing/check.ts";
import { controllerRevisionDefinition } from "./controller-revision.ts";
import { daemonSetDefinition } from "./daemon-set.ts";
import { deploymentDefinition } from "./deployment.ts";
import { replicaSetDefinition } from "./replica-set.ts";
import { statefulSetDefinition } from "./stateful-set.ts";

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
    [{ selector: undefined }, ["spec.selector: Required value"]],
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

describe("updates of a stateful set", () => {
  test.each<[object, string[]]>([
    [{ replicas: 3, revisionHistoryLimit: 2 }, []],
    [
      { serviceName: "other" },
      [
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ],
    ],
  ])("%j", (spec, problems) => {
    expect(updateProblems(statefulSetDefinition, { old: workload(), next: workload(spec) })).toEqual(
      problems,
    );
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
});
