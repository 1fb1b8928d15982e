import { describe, expect, test } from "vitest";
import {
  cells,
  created,
  creationProblems,
  defaulted,
  statusProblems,
  updateProblems,
  warningsOf,
} from "../testing/check.ts";
import { nodeDefinition } from "./node.ts";

const node = (spec: object = {}, status: object = {}) => ({ metadata: { name: "n" }, spec, status });
const taint = (key: string, effect = "NoSchedule", rest: object = {}) => ({ key, effect, ...rest });
const immutableRange = `spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid`;

test.each<[object, object]>([
  [{ podCIDR: "10.0.0.0/24" }, { podCIDR: "10.0.0.0/24", podCIDRs: ["10.0.0.0/24"] }],
  [
    { podCIDRs: ["10.0.0.0/24", "fd00::/64"] },
    { podCIDR: "10.0.0.0/24", podCIDRs: ["10.0.0.0/24", "fd00::/64"] },
  ],
  [
    { podCIDR: "10.1.0.0/24", podCIDRs: ["10.0.0.0/24"] },
    { podCIDR: "10.1.0.0/24", podCIDRs: ["10.1.0.0/24"] },
  ],
  [
    { podCIDR: "", podCIDRs: [] },
    { podCIDR: "", podCIDRs: [] },
  ],
])("ranges %j are kept as %j", (given, kept) =>
  expect(defaulted(nodeDefinition, node(given)).spec).toEqual(kept),
);

test("what can be given to pods is all there is, unless the node says otherwise", () => {
  const capacity = { cpu: "2" };
  expect(defaulted(nodeDefinition, node({}, { capacity })).status).toEqual({
    capacity,
    allocatable: capacity,
  });
});

test("a kubelet's configuration is not taken from the cluster any more", () => {
  const configMap = { namespace: "a", name: "b", kubeletConfigKey: "c" };
  const sketch = node({ configSource: { configMap } }, { config: { error: "x" } });
  expect(created(nodeDefinition, sketch)).toEqual(node());
  expect(warningsOf(nodeDefinition, sketch)).toEqual(["spec.configSource: the feature is removed"]);
});

describe("a new node", () => {
  test.each<[object, readonly string[]]>([
    [{ taints: [taint("a"), taint("a", "NoExecute")], podCIDRs: ["10.0.0.0/24", "fd00::/64"] }, []],
    [
      { taints: [taint("a", "Never"), taint("b", "NoSchedule", { value: "c d" })] },
      [
        'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        "metadata.taints[1].value: Invalid value: \"c d\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      ],
    ],
    [
      { taints: [taint("a"), taint("a", "NoSchedule", { value: "b" })] },
      [
        'metadata.taints[1]: Duplicate value: {"Key":"a","Value":"b","Effect":"NoSchedule","TimeAdded":null}: taints must be unique by key and effect pair',
      ],
    ],
    [
      { podCIDRs: ["10.0.0.0/24", "10.0.1.0/24"] },
      [
        'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family',
      ],
    ],
    [
      { podCIDR: "a" },
      [
        'spec.podCIDRs[0]: Invalid value: "a": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
  ])("with %j", (spec, problems) => expect(creationProblems(nodeDefinition, node(spec))).toEqual(problems));

  test("with amounts that are none", () => {
    expect(creationProblems(nodeDefinition, node({}, { capacity: { pods: "1500m", cpu: "-1" } }))).toEqual([
      'status.capacity.pods: Invalid value: "1500m": must be an integer',
      'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
      'status.allocatable.pods: Invalid value: "1500m": must be an integer',
      'status.allocatable.cpu: Invalid value: "-1": must be greater than or equal to 0',
    ]);
  });
});

describe("annotations of nodes", () => {
  const annotated = (annotations: object) => ({ metadata: { name: "n", annotations } });
  const taints = "scheduler.alpha.kubernetes.io/taints";
  const avoid = "scheduler.alpha.kubernetes.io/preferAvoidPods";
  const entry = (controller: object) => ({ preferAvoidPods: [{ podSignature: controller }] });
  const ofTaints = (why: string) => [`metadata.annotations: Invalid value: "${taints}": ${why}`];
  const ofAvoidance = (why: string) => [`metadata.annotations.AvoidPods: Invalid value: "${avoid}": ${why}`];

  test.each<[string, readonly string[]]>([
    ["", []],
    ["null", []],
    ['[{"Key":"a","effect":"NoSchedule"}]', []],
    ["{", ofTaints("unexpected end of JSON input")],
    ["{}", ofTaints("json: cannot unmarshal object into Go value of type []core.Taint")],
    ["[1]", ofTaints("json: cannot unmarshal number into Go value of type core.Taint")],
    ['[{"key":1}]', ofTaints("json: cannot unmarshal number into Go struct field Taint.Key of type string")],
    [
      '[{"key":"a","effect":"No"}]',
      [
        `metadata.annotations.${taints}[0].effect: Unsupported value: "No": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"`,
      ],
    ],
  ])("that taint: %s", (text, problems) => {
    expect(creationProblems(nodeDefinition, annotated({ [taints]: text }))).toEqual(problems);
  });

  test.each<[string, readonly string[]]>([
    [JSON.stringify(entry({ podController: { controller: true } })), []],
    ["[]", ofAvoidance("json: cannot unmarshal array into Go value of type v1.AvoidPods")],
    [
      '{"preferAvoidPods":{}}',
      ofAvoidance(
        "json: cannot unmarshal object into Go struct field AvoidPods.preferAvoidPods of type []v1.PreferAvoidPodsEntry",
      ),
    ],
    [JSON.stringify(entry({})), [`metadata.annotations.${avoid}[0].PodSignature: Required value`]],
    [
      JSON.stringify(entry({ podController: { controller: false } })),
      [
        `metadata.annotations.${avoid}[0].PodSignature.PodController.Controller: Invalid value: false: must point to a controller`,
      ],
    ],
  ])("that say which pods to avoid: %s", (text, problems) => {
    const next = annotated({ [avoid]: text });
    expect(creationProblems(nodeDefinition, next)).toEqual(problems);
    const errors = nodeDefinition.validateUpdate?.(
      defaulted(nodeDefinition, next),
      defaulted(nodeDefinition, annotated({})),
      { now: 0, operation: "update" },
    );
    expect(errors).toHaveLength(problems.length);
  });
});

describe("a change", () => {
  test.each<[object, object, readonly string[]]>([
    [{}, { podCIDR: "10.0.0.0/24", providerID: "a://b", unschedulable: true }, []],
    [{ podCIDR: "10.0.0.0/24" }, { podCIDR: "10.1.0.0/24" }, [immutableRange]],
    [{ podCIDR: "10.0.0.0/24" }, {}, [immutableRange]],
    [
      { providerID: "a://b" },
      { providerID: "a://c" },
      ['spec.providerID: Forbidden: node updates may not change providerID except from "" to valid'],
    ],
    [{ externalID: "a" }, { externalID: "b" }, ["spec.externalID: Forbidden: may not be updated"]],
  ])("from %j to %j", (old, next, problems) => {
    const errors = updateProblems(nodeDefinition, { old: node(old), next: node(next) });
    expect(errors).toEqual(problems);
  });

  test("of the status tells each address once", () => {
    const addresses = [
      { type: "InternalIP", address: "10.0.0.1" },
      { type: "InternalIP", address: "10.0.0.1" },
    ];
    expect(statusProblems(nodeDefinition, { old: node(), next: node({}, { addresses }) })).toEqual([
      'status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"10.0.0.1"}',
    ]);
  });
});

test("warnings of ranges and addresses that are written as they should not be", () => {
  const addresses = [
    { type: "InternalIP", address: "FD00::1" },
    { type: "Hostname", address: "FD00::1" },
  ];
  expect(
    warningsOf(nodeDefinition, node({ podCIDRs: ["10.0.0.1/24"], externalID: "a" }, { addresses })),
  ).toEqual([
    "spec.externalID: this field is deprecated, and is unused by Kubernetes",
    'spec.podCIDRs[0]: CIDR value "10.0.0.1/24" is ambiguous in this context (should be "10.0.0.0/24" or "10.0.0.1/32"?)',
    'status.addresses[0].address: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
  ]);
});

test("roles come from labels", () => {
  const labels = {
    "node-role.kubernetes.io/b": "",
    "kubernetes.io/role": "a",
    "node-role.kubernetes.io/": "",
  };
  expect(cells(nodeDefinition, { metadata: { name: "n", labels } })["Roles"]).toBe("a,b");
});
