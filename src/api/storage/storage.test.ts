import { describe, expect, test } from "vitest";
import { cells, creationProblems, defaulted, updateProblems, type Sketch } from "../testing/check.ts";
import { csiDriverDefinition } from "./csi-driver.ts";
import { csiNodeDefinition } from "./csi-node.ts";
import { csiStorageCapacityDefinition } from "./csi-storage-capacity.ts";
import { storageClassDefinition } from "./storage-class.ts";
import { volumeAttachmentDefinition } from "./volume-attachment.ts";
import { volumeAttributesClassDefinition } from "./volume-attributes-class.ts";

const provisioner = "example.com/disk";

describe("storage classes", () => {
  const expression = (key: string, ...values: readonly string[]) => ({ key, values });
  const cases: readonly (readonly [string, Sketch, readonly string[]])[] = [
    ["a class", { provisioner, allowedTopologies: [{ matchLabelExpressions: [expression("a", "b")] }] }, []],
    ["no provisioner", { provisioner: "" }, ["provisioner: Required value"]],
    ["an empty policy is let through", { provisioner, reclaimPolicy: "" }, []],
    [
      "an empty mode is not",
      { provisioner, volumeBindingMode: "" },
      ['volumeBindingMode: Unsupported value: "": supported values: "Immediate", "WaitForFirstConsumer"'],
    ],
    [
      "terms that ask for the same",
      {
        provisioner,
        allowedTopologies: [
          { matchLabelExpressions: [expression("a", "b", "c")] },
          { matchLabelExpressions: [expression("a", "c", "b")] },
        ],
      },
      ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
    ],
    [
      "terms that ask for no value",
      { provisioner, allowedTopologies: [{ matchLabelExpressions: [expression("a")] }] },
      ["allowedTopologies[0].matchLabelExpressions[0].values: Required value"],
    ],
    [
      "terms that ask for nothing",
      { provisioner, allowedTopologies: [{}] },
      ['allowedTopologies[0].matchLabelExpressions: Duplicate value: ""'],
    ],
    [
      "terms that ask for nothing clear",
      {
        provisioner,
        allowedTopologies: [{ matchLabelExpressions: [expression("a"), expression("a", "b", "b")] }],
      },
      [
        "allowedTopologies[0].matchLabelExpressions[0].values: Required value",
        'allowedTopologies[0].matchLabelExpressions[1].values[1]: Duplicate value: "b"',
        'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "a"',
      ],
    ],
  ];
  test.each(cases)("%s", (_, sketch, problems) => {
    expect(creationProblems(storageClassDefinition, sketch)).toEqual(problems);
  });

  test("keep what their volumes were made with", () => {
    const old = { provisioner, parameters: { a: "1" } };
    const next = { provisioner: "x/y", parameters: { a: "2" }, reclaimPolicy: "Retain" };
    expect(updateProblems(storageClassDefinition, { old, next })).toEqual([
      "parameters: Forbidden: updates to parameters are forbidden.",
      "provisioner: Forbidden: updates to provisioner are forbidden.",
      "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.",
    ]);
    expect(
      updateProblems(storageClassDefinition, { old, next: { ...old, allowVolumeExpansion: true } }),
    ).toEqual([]);
  });

  test("warn of labels that should no longer be used", () => {
    const key = "beta.kubernetes.io/arch";
    const object = defaulted(storageClassDefinition, {
      provisioner,
      allowedTopologies: [{ matchLabelExpressions: [expression(key, "x")] }],
    });
    expect(storageClassDefinition.warnings?.(object, undefined)).toEqual([
      `allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.14; use "kubernetes.io/arch" instead`,
    ]);
  });
});

test("classes of volume attributes need a driver and parameters, and keep them", () => {
  expect(creationProblems(volumeAttributesClassDefinition, { driverName: "A B" })).toHaveLength(2);
  expect(creationProblems(volumeAttributesClassDefinition, {})).toEqual([
    "driverName: Required value",
    "parameters: Required value: must contain at least one key/value pair",
  ]);
  const old = { driverName: "d", parameters: { a: "1" } };
  const next = { driverName: "e", parameters: { a: "2" } };
  expect(updateProblems(volumeAttributesClassDefinition, { old, next })).toEqual([
    "driverName: Forbidden: updates to driverName are forbidden.",
    "parameters: Forbidden: updates to parameters are forbidden.",
  ]);
});

describe("drivers", () => {
  const cases: readonly (readonly [string, Sketch, readonly string[]])[] = [
    ["a driver", { tokenRequests: [{ audience: "" }], serviceAccountTokenInSecrets: true }, []],
    [
      "no such policies",
      { fsGroupPolicy: "", volumeLifecycleModes: ["Always"] },
      [
        'spec.fsGroupPolicy: Unsupported value: "": supported values: "File", "None", "ReadWriteOnceWithFSType"',
        'spec.volumeLifecycleModes: Unsupported value: "Always": supported values: "Persistent", "Ephemeral"',
      ],
    ],
    [
      "tokens that live too short or too long, or are for the same",
      {
        tokenRequests: [
          { audience: "a", expirationSeconds: 599 },
          { audience: "a", expirationSeconds: 1 },
          { audience: "b", expirationSeconds: 4294967297 },
        ],
      },
      [
        "spec.tokenRequests[0].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
        'spec.tokenRequests[1].audience: Duplicate value: "a"',
        "spec.tokenRequests[2].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds",
      ],
    ],
    [
      "updates too often, tokens that nobody asks for",
      { nodeAllocatableUpdatePeriodSeconds: 9, serviceAccountTokenInSecrets: false },
      [
        "spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds",
        "spec.serviceAccountTokenInSecrets: Invalid value: false: serviceAccountTokenInSecrets is set but no tokenRequests are specified",
      ],
    ],
  ];
  test.each(cases)("%s", (_, spec, problems) => {
    expect(creationProblems(csiDriverDefinition, { spec })).toEqual(problems);
  });

  test("keep how volumes are attached and how they live", () => {
    const next = {
      spec: { attachRequired: false, volumeLifecycleModes: ["Ephemeral"], fsGroupPolicy: "File" },
    };
    expect(updateProblems(csiDriverDefinition, { old: { spec: {} }, next })).toEqual([
      "spec.attachedRequired: Invalid value: false: field is immutable",
      'spec.volumeLifecycleModes: Invalid value: ["Ephemeral"]: field is immutable',
    ]);
  });

  test("are shown with the audiences of their tokens", () => {
    expect(
      cells(csiDriverDefinition, { spec: { tokenRequests: [{ audience: "a" }, { audience: "b" }] } }),
    ).toMatchObject({ TokenRequests: "a,b", AttachRequired: true, Modes: "<none>" });
    expect(cells(csiDriverDefinition, { spec: {} })["TokenRequests"]).toBe("<unset>");
  });
});

test("nodes name each driver once, and keep who it is", () => {
  const driver = { name: "d.example.com", nodeID: "one", topologyKeys: ["zone"] };
  const problems = (...drivers: readonly object[]) =>
    creationProblems(csiNodeDefinition, { spec: { drivers } });
  expect(problems(driver)).toEqual([]);
  expect(
    problems(driver, { ...driver, nodeID: "", allocatable: { count: -1 }, topologyKeys: ["a", "a", ""] }),
  ).toEqual([
    "spec.drivers[1].nodeID: Required value",
    "spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0",
    'spec.drivers[1].name: Duplicate value: "d.example.com"',
    'spec.drivers[1]: Duplicate value: "a"',
    "spec.drivers[1]: Required value",
    'spec.drivers[1]: Invalid value: "": name part must be non-empty',
    `spec.drivers[1]: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  ]);
  const old = { spec: { drivers: [driver] } };
  const grown = { spec: { drivers: [{ ...driver, allocatable: { count: 3 } }] } };
  expect(updateProblems(csiNodeDefinition, { old, next: grown })).toEqual([]);
  const moved = { spec: { drivers: [{ ...driver, nodeID: "two" }] } };
  expect(updateProblems(csiNodeDefinition, { old, next: moved })).toEqual([
    'spec.drivers: Invalid value: {"Name":"d.example.com","NodeID":"two","TopologyKeys":["zone"],"Allocatable":null}: field is immutable',
  ]);
});

test("records of capacity keep what was asked, and are never negative", () => {
  const old = { storageClassName: "fast", nodeTopology: { matchLabels: { a: "1" } }, capacity: "1Gi" };
  expect(creationProblems(csiStorageCapacityDefinition, { ...old, capacity: "-1" })).toEqual([
    'capacity: Invalid value: "-1": must be greater than or equal to 0',
  ]);
  expect(updateProblems(csiStorageCapacityDefinition, { old, next: { storageClassName: "slow" } })).toEqual([
    'nodeTopology: Invalid value: "null": field is immutable',
    'storageClassName: Invalid value: "slow": field is immutable',
  ]);
});

describe("attachments", () => {
  const spec = { attacher: "example.com", nodeName: "one", source: { persistentVolumeName: "pv" } };
  const one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  const cases: readonly (readonly [string, Sketch, readonly string[]])[] = [
    ["an attachment", spec, []],
    ["of nothing", { ...spec, source: {} }, [`spec.source: Required value: ${one}`]],
    [
      "of two volumes",
      { ...spec, source: { persistentVolumeName: "pv", inlineVolumeSpec: {} } },
      [`spec.source: Forbidden: ${one}`],
    ],
    [
      "of a volume that is somebody's",
      {
        ...spec,
        source: {
          inlineVolumeSpec: {
            accessModes: ["ReadWriteOnce"],
            claimRef: {},
            csi: { driver: "d" },
            volumeMode: "Block",
          },
        },
      },
      [
        "spec.source.inlineVolumeSpec.claimRef: Forbidden: may not be specified in the context of inline volumes",
        "spec.source.inlineVolumeSpec.csi.volumeHandle: Required value",
        "spec.source.inlineVolumeSpec.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes",
      ],
    ],
    [
      "by nobody",
      { ...spec, attacher: "" },
      [
        "spec.attacher: Required value",
        "spec.attacher: Required value",
        expect.stringMatching(/^spec.attacher: Inv/),
      ],
    ],
  ];
  test.each(cases)("%s", (_, given, problems) => {
    expect(creationProblems(volumeAttachmentDefinition, { spec: given })).toEqual(problems);
  });

  test("stay as they are, and errors are told twice as upstream does", () => {
    const next = { spec: { ...spec, nodeName: "two" }, status: { attachError: { errorCode: -1 } } };
    const wrong =
      "status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive";
    expect(updateProblems(volumeAttachmentDefinition, { old: { spec }, next })).toEqual([
      wrong,
      wrong,
      'spec: Invalid value: {"Attacher":"example.com","Source":{"PersistentVolumeName":"pv","InlineVolumeSpec":null},"NodeName":"two"}: field is immutable',
    ]);
  });

  test("a report of status changes no metadata", () => {
    const metadata = { name: "x", labels: { a: "1" } };
    const old = defaulted(volumeAttachmentDefinition, { spec, metadata });
    const next = defaulted(volumeAttachmentDefinition, {
      spec: {},
      metadata: { name: "x", labels: { a: "2" }, annotations: { b: "3" }, resourceVersion: "5" },
      status: { attached: true },
    });
    expect(
      volumeAttachmentDefinition.prepareForStatusUpdate?.(next, old, { now: 0, operation: "update" }),
    ).toEqual({
      metadata: { ...metadata, resourceVersion: "5" },
      spec,
      status: { attached: true },
    });
  });
});
