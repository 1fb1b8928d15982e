import { describe, expect, test } from "vitest";
import type { PersistentVolume } from "../types/core-v1.ts";
import {
  created,
  creationProblems,
  defaulted,
  testNow,
  updateProblems,
  warningsOf,
} from "../testing/check.ts";
import { persistentVolumeDefinition } from "./persistent-volume.ts";

const volume = (spec: object = {}) => ({
  metadata: { name: "v" },
  spec: {
    capacity: { storage: "1Gi" },
    accessModes: ["ReadWriteOnce"],
    hostPath: { path: "/data" },
    ...spec,
  },
});
const local = { hostPath: undefined, local: { path: "/disk" } };
const affinity = (key: string, values: readonly string[] = ["a"]) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "In", values }] }] },
});

test("a new volume is pending, kept after its claim, and holds files", () => {
  expect(created(persistentVolumeDefinition, { ...volume(), status: { phase: "Bound" } })).toMatchObject({
    spec: {
      persistentVolumeReclaimPolicy: "Retain",
      volumeMode: "Filesystem",
      hostPath: { path: "/data", type: "" },
    },
    status: {
      phase: "Pending",
      lastPhaseTransitionTime: new Date(testNow).toISOString().replace(".000", ""),
    },
  });
});

test.each<[object, readonly string[]]>([
  [{}, []],
  [
    { accessModes: [], capacity: {} },
    [
      "spec.accessModes: Required value",
      "spec.capacity: Required value",
      'spec.capacity: Unsupported value: {}: supported values: "storage"',
    ],
  ],
  [{ capacity: { storage: "0" } }, ['spec.capacity[storage]: Invalid value: "0": must be greater than zero']],
  [
    { capacity: { storage: "-1" } },
    [
      "spec.capacity[storage]: Invalid value: -1: must be a valid resource quantity",
      'spec.capacity[storage]: Invalid value: "-1": must be greater than zero',
    ],
  ],
  [{ hostPath: undefined }, ["spec: Required value: must specify a volume type"]],
  [{ nfs: { server: "a", path: "/" } }, ["spec.nfs: Forbidden: may not specify more than 1 volume type"]],
  [local, ["spec.nodeAffinity: Required value: Local volume requires node affinity"]],
  [{ ...local, nodeAffinity: affinity("a") }, []],
  [
    { persistentVolumeReclaimPolicy: "Recycle", hostPath: { path: "/./" } },
    ["spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"],
  ],
  [
    { nodeAffinity: {} },
    ["spec.nodeAffinity.required: Required value: must specify required node constraints"],
  ],
  [
    { hostPath: undefined, csi: { driver: "d.io", volumeHandle: "", nodePublishSecretRef: { name: "a" } } },
    ["spec.csi.volumeHandle: Required value", "spec.csi.nodePublishSecretRef.namespace: Required value"],
  ],
  [
    { volumeAttributesClassName: "" },
    [
      "spec.volumeAttributesClassName: Required value: an empty string is disallowed",
      "spec.csi: Required value: has to be specified when using volumeAttributesClassName",
    ],
  ],
])("a new volume with %j", (spec, problems) =>
  expect(creationProblems(persistentVolumeDefinition, volume(spec))).toEqual(problems),
);

describe("a change", () => {
  const csi = { driver: "d.io", volumeHandle: "h" };
  const secret = { name: "s", namespace: "n" };
  test.each<[string, object, object, readonly string[]]>([
    ["of the size", {}, { capacity: { storage: "2Gi" } }, []],
    ["of the mode", {}, { volumeMode: "Block" }, ['volumeMode: Invalid value: "Block": field is immutable']],
    [
      "that gives a secret for growing",
      { hostPath: undefined, csi },
      { hostPath: undefined, csi: { ...csi, controllerExpandSecretRef: secret } },
      [],
    ],
    [
      "to the stable name of a label of nodes",
      { nodeAffinity: affinity("failure-domain.beta.kubernetes.io/zone") },
      { nodeAffinity: affinity("topology.kubernetes.io/zone") },
      [],
    ],
    ["that says which nodes reach the volume", {}, { nodeAffinity: affinity("a") }, []],
    [
      "of the nodes that reach the volume",
      { nodeAffinity: affinity("a") },
      { nodeAffinity: affinity("a", ["b"]) },
      [
        'nodeAffinity: Invalid value: {"Required":{"NodeSelectorTerms":[{"MatchExpressions":[{"Key":"a","Operator":"In","Values":["b"]}],"MatchFields":null}]}}: field is immutable, except for updating from beta label to GA',
      ],
    ],
    [
      "that drops the class of attributes",
      { hostPath: undefined, csi, volumeAttributesClassName: "a" },
      { hostPath: undefined, csi },
      ["spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden"],
    ],
  ])("%s", (_, old, next, problems) =>
    expect(updateProblems(persistentVolumeDefinition, { old: volume(old), next: volume(next) })).toEqual(
      problems,
    ),
  );

  test("of where the storage is", () => {
    const next = volume({ hostPath: { path: "/other" } });
    expect(updateProblems(persistentVolumeDefinition, { old: volume(), next })).toEqual([
      expect.stringMatching(
        /^spec\.persistentvolumesource: Forbidden: spec\.persistentvolumesource is immutable after creation\n/,
      ),
    ]);
  });

  test("checks the whole twice", () => {
    const next = volume({ accessModes: [] });
    expect(updateProblems(persistentVolumeDefinition, { old: volume(), next })).toEqual([
      "spec.accessModes: Required value",
      "spec.accessModes: Required value",
    ]);
  });
});

test.each<[PersistentVolume["status"], PersistentVolume["status"], string | undefined]>([
  [{ phase: "Pending", lastPhaseTransitionTime: "old" }, { phase: "Bound" }, "2026-01-01T00:00:00Z"],
  [
    { phase: "Pending", lastPhaseTransitionTime: "old" },
    { phase: "Bound", lastPhaseTransitionTime: "old" },
    "2026-01-01T00:00:00Z",
  ],
  [
    { phase: "Pending", lastPhaseTransitionTime: "old" },
    { phase: "Bound", lastPhaseTransitionTime: "own" },
    "own",
  ],
  [{ phase: "Bound", lastPhaseTransitionTime: "old" }, { phase: "Bound" }, "old"],
  [{ phase: "Bound" }, { phase: "Bound" }, undefined],
])("after %j, %j is since %s", (before, next, time) => {
  const [old, object] = [before, next].map((status) => ({
    ...defaulted(persistentVolumeDefinition, volume()),
    status,
  }));
  const context = { now: testNow, operation: "update", subresource: "status" } as const;
  const prepared = persistentVolumeDefinition.prepareForStatusUpdate?.(object!, old!, context);
  expect(prepared?.status?.lastPhaseTransitionTime).toBe(time);
});

test("warnings of what is on its way out", () => {
  const sketch = {
    ...volume({
      persistentVolumeReclaimPolicy: "Recycle",
      nodeAffinity: affinity("beta.kubernetes.io/os"),
    }),
    metadata: { name: "v", annotations: { "volume.beta.kubernetes.io/storage-class": "a" } },
  };
  expect(warningsOf(persistentVolumeDefinition, sketch)).toEqual([
    'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
    "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
    'spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
  ]);
});
