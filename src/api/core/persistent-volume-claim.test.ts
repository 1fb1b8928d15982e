import { describe, expect, test } from "vitest";
import {
  created,
  creationProblems,
  defaulted,
  statusProblems,
  updateProblems,
  warningsOf,
} from "../testing/check.ts";
import { persistentVolumeClaimDefinition } from "./persistent-volume-claim.ts";

const size = (storage: string) => ({ requests: { storage } });
const claim = (spec: object = {}, rest: object = {}) => ({
  spec: { accessModes: ["ReadWriteOnce"], resources: size("1Gi"), ...spec },
  ...rest,
});
const snapshot = { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "s" };
const other = { apiGroup: "example.com", kind: "Disk", name: "d" };
const classAnnotation = "volume.beta.kubernetes.io/storage-class";
const ofClass = (name: string) => ({ metadata: { name: "x", annotations: { [classAnnotation]: name } } });

test.each<[string, object, object]>([
  [
    "what the older field says is said again",
    { dataSource: snapshot },
    { dataSource: snapshot, dataSourceRef: snapshot },
  ],
  ["and the other way round", { dataSourceRef: other }, { dataSource: other, dataSourceRef: other }],
  ["kinds that the older field never took are dropped", { dataSource: other }, {}],
  ["sources in other namespaces are dropped", { dataSourceRef: { ...other, namespace: "a" } }, {}],
])("of sources, %s", (_, spec, sources) => {
  const { dataSource, dataSourceRef } = created(persistentVolumeClaimDefinition, claim(spec)).spec;
  expect(JSON.parse(JSON.stringify({ dataSource, dataSourceRef }))).toEqual(sources);
});

test.each<[object, readonly string[]]>([
  [{}, []],
  [
    { accessModes: ["ReadWriteOncePod", "ReadWriteOnce"] },
    ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
  ],
  [{ resources: size("0") }, ['spec.resources[storage]: Invalid value: "0": must be greater than zero']],
  [
    { volumeMode: "Tape" },
    ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
  ],
  [{ volumeMode: "" }, ['spec.volumeMode: Unsupported value: "": supported values: "Block", "Filesystem"']],
])("a new claim with %j", (spec, problems) =>
  expect(creationProblems(persistentVolumeClaimDefinition, claim(spec))).toEqual(problems),
);

describe("a change", () => {
  const bound = { status: { phase: "Bound", capacity: { storage: "2Gi" } } };
  const frozen =
    /^spec: Forbidden: spec is immutable after creation except resources\.requests and volumeAttributesClassName for bound claims\n/;
  /** A change of a claim with a status that its registry kept. */
  const changed = (old: object, next: object) => {
    const [before, after] = [old, next].map((sketch) =>
      defaulted(persistentVolumeClaimDefinition, { ...sketch }),
    );
    const errors = persistentVolumeClaimDefinition.validateUpdate?.(after!, before!, {
      now: 0,
      operation: "update",
    });
    return (errors ?? []).map(({ field, type, detail }) => `${field}: ${type} ${detail}`);
  };

  test.each<[string, object, object, readonly unknown[]]>([
    ["that names the volume", claim(), claim({ volumeName: "v" }), []],
    [
      "that names another volume",
      claim({ volumeName: "v" }),
      claim({ volumeName: "w" }),
      [expect.stringMatching(frozen)],
    ],
    [
      "of the size before there is a volume",
      claim(),
      claim({ resources: size("2Gi") }),
      [expect.stringMatching(frozen)],
    ],
    [
      "that moves the class from the annotation",
      claim({}, ofClass("a")),
      claim({ storageClassName: "a" }),
      [],
    ],
    ["that gives a class", claim(), claim({ storageClassName: "a" }), []],
    [
      "of the class",
      claim({ storageClassName: "a" }),
      claim({ storageClassName: "b" }),
      [expect.stringMatching(frozen)],
    ],
    [
      "of the class in the annotation",
      claim({}, ofClass("a")),
      claim({}, ofClass("b")),
      [
        'metadata.annotations.volume.beta.kubernetes.io/storage-class: Invalid value: "b": field is immutable',
      ],
    ],
  ])("%s", (_, old, next, problems) =>
    expect(updateProblems(persistentVolumeClaimDefinition, { old: { ...old }, next: { ...next } })).toEqual(
      problems,
    ),
  );

  test("of the size of a bound claim", () => {
    const grown = claim({ resources: size("3Gi") }, bound);
    expect(changed(claim({}, bound), grown)).toEqual([]);
    expect(changed(grown, claim({ resources: size("2.5Gi") }, bound))).toEqual([]);
    expect(changed(grown, claim({}, bound))).toEqual([
      "spec.resources.requests.storage: FieldValueForbidden field can not be less than status.capacity",
    ]);
  });

  test("of the class of attributes of a bound claim", () => {
    const old = claim({ volumeAttributesClassName: "a" }, bound);
    expect(changed(old, claim({ volumeAttributesClassName: "b" }, bound))).toEqual([]);
    expect(changed(old, claim({}, bound))).toEqual([
      expect.stringMatching(/^spec: FieldValueForbidden spec is immutable/),
      "spec.volumeAttributesClassName: FieldValueForbidden update from non-nil value to nil is forbidden",
    ]);
  });
});

test.each<[object, readonly string[]]>([
  [{ capacity: { storage: "1Gi" }, allocatedResources: { storage: "1Gi" } }, []],
  [
    { capacity: { storage: "-1" } },
    ["status.capacity[storage]: Invalid value: -1: must be a valid resource quantity"],
  ],
  [
    { allocatedResources: { cpu: "1" } },
    ['status.allocatedResources: Unsupported value: "cpu": supported values: "storage"'],
  ],
  [
    { allocatedResourceStatuses: { storage: "Growing" } },
    [
      'status.allocatedResourceStatus: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
    ],
  ],
])("a status of %j", (status, problems) =>
  expect(
    statusProblems(persistentVolumeClaimDefinition, { old: claim(), next: claim({}, { status }) }),
  ).toEqual(problems),
);

test("warnings", () => {
  const sketch = { ...claim({ resources: size("1500m") }), ...ofClass("a") };
  expect(warningsOf(persistentVolumeClaimDefinition, sketch)).toEqual([
    `metadata.annotations[${classAnnotation}]: deprecated since v1.8; use "storageClassName" attribute instead`,
    'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
  ]);
});
