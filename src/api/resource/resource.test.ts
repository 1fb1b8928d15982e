import { describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../apimachinery/index.ts";
import type { RequestContext, ResourceDefinition } from "../definition.ts";
import type { Sketch } from "../testing/check.ts";
import { cells, created, creationProblems, defaulted, updateProblems } from "../testing/check.ts";
import { fromFirstBeta, toFirstBeta } from "./conversion.ts";
import { dynamicResourceDefinitions } from "./definitions.ts";

const definitionOf = (kind: string, version = "v1") =>
  dynamicResourceDefinitions.find(
    ({ resource }) => resource.kind === kind && resource.version === version,
  ) as unknown as ResourceDefinition;
const problemsOf = (kind: string, spec: object, version = "v1") =>
  creationProblems(definitionOf(kind, version), { spec });

const statusUpdate: RequestContext = { now: 0, operation: "update", subresource: "status" };

function statusProblems(kind: string, objects: { old?: Sketch; next: Sketch }, version = "v1") {
  const complete = (object: Sketch) => ({ metadata: {}, spec: {}, ...object }) as unknown as KubernetesObject;
  const errors = definitionOf(kind, version).validateUpdate?.(
    complete(objects.next),
    complete(objects.old ?? {}),
    statusUpdate,
  );
  return (errors ?? []).map(({ field, type, detail }) => `${field}: ${type}: ${detail}`);
}

describe("conversion between v1beta1 and v1", () => {
  const flat = {
    name: "r",
    deviceClassName: "c",
    count: 2,
    adminAccess: true,
    tolerations: [{ operator: "Exists" }],
    capacity: { requests: { memory: "1Gi" } },
  };
  const { name: _, ...exactly } = flat;
  const alternatives = [{ name: "a", deviceClassName: "c" }];

  test.each<[kind: string, first: object, current: object]>([
    [
      "ResourceClaim",
      { spec: { devices: { requests: [flat] } } },
      { spec: { devices: { requests: [{ name: "r", exactly }] } } },
    ],
    [
      "ResourceClaimTemplate",
      { spec: { spec: { devices: { requests: [{ name: "r", firstAvailable: alternatives }] } } } },
      { spec: { spec: { devices: { requests: [{ name: "r", firstAvailable: alternatives }] } } } },
    ],
    [
      "ResourceClaim",
      { spec: { devices: { requests: [{ ...flat, firstAvailable: alternatives }] } } },
      { spec: { devices: { requests: [{ name: "r", exactly, firstAvailable: alternatives }] } } },
    ],
    ["ResourceClaim", { spec: { devices: {} } }, { spec: { devices: {} } }],
    [
      "ResourceClaim",
      { spec: { devices: { requests: [{ name: "r" }] } } },
      { spec: { devices: { requests: [{ name: "r" }] } } },
    ],
    [
      "ResourceSlice",
      { spec: { devices: [{ name: "d", basic: { attributes: { a: { int: 1 } }, bindsToNode: true } }] } },
      { spec: { devices: [{ name: "d", attributes: { a: { int: 1 } }, bindsToNode: true }] } },
    ],
    [
      "ResourceSlice",
      { spec: { devices: [{ name: "d", basic: {} }] } },
      { spec: { devices: [{ name: "d" }] } },
    ],
    ["DeviceClass", { spec: { selectors: [] } }, { spec: { selectors: [] } }],
  ])("of a %s loses nothing: %j", (kind, first, current) => {
    expect(fromFirstBeta(kind, first as never)).toEqual(current);
    expect(toFirstBeta(kind, current as never)).toEqual(first);
  });
});

describe("claims", () => {
  const request = { name: "r", exactly: { deviceClassName: "c" } };
  const claim = (...requests: object[]) => ({ devices: { requests } });

  test.each<[object, readonly string[]]>([
    [claim(request), []],
    [claim({ name: "r" }), ["[0]: Required value: exactly one of `exactly` or `firstAvailable` is required"]],
    [
      claim({ ...request, firstAvailable: [{ name: "a", deviceClassName: "c" }] }),
      [
        '[0]: Invalid value: "null": exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
      ],
    ],
    [claim(request, request), ['[1]: Duplicate value: "r"']],
    [
      claim({ name: "r", exactly: { allocationMode: "All", count: 1, selectors: [{}] } }),
      [
        "[0].exactly.deviceClassName: Required value",
        "[0].exactly.selectors[0].cel: Required value",
        "[0].exactly.count: Invalid value: 1: must not be specified when allocationMode is 'All'",
      ],
    ],
    [
      claim({ name: "r", exactly: { deviceClassName: "c", allocationMode: "x" } }),
      ['[0].exactly.allocationMode: Unsupported value: "x": supported values: "All", "ExactCount"'],
    ],
    [
      claim({
        name: "r",
        exactly: {
          deviceClassName: "c",
          tolerations: [{ operator: "Exists", value: "v", effect: "x" }, { operator: "x" }],
        },
      }),
      [
        '[0].exactly.tolerations[0].value: Invalid value: "v": must be empty for operator `Exists`',
        '[0].exactly.tolerations[0].effect: Unsupported value: "x": supported values: "NoExecute", "NoSchedule", "None"',
        '[0].exactly.tolerations[1].operator: Unsupported value: "x": supported values: "Equal", "Exists"',
      ],
    ],
    [claim(...Array.from({ length: 33 }, () => request)), [": Too many: 33: must have at most 32 items"]],
  ])("%j", (spec, problems) => {
    expect(problemsOf("ResourceClaim", spec)).toEqual(
      problems.map((problem) => `spec.devices.requests${problem}`),
    );
  });

  test("constraints and configurations name requests and attributes", () => {
    const devices = {
      requests: [request],
      constraints: [{ requests: ["x"], matchAttribute: "a" }, { requests: ["r", "r"] }],
      config: [{ requests: ["r/x/y"] }, { opaque: { driver: "d", parameters: "text" } }],
    };
    const unknown =
      "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
    expect(problemsOf("ResourceClaim", { devices })).toEqual([
      `spec.devices.constraints[0].requests[0]: Invalid value: "x": ${unknown}`,
      'spec.devices.constraints[0].matchAttribute: Invalid value: "a": a fully qualified name must be a domain and a name separated by a slash',
      'spec.devices.constraints[1].requests[1]: Duplicate value: "r"',
      'spec.devices.constraints[1]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
      `spec.devices.config[0].requests[0]: Invalid value: "r/x/y": ${unknown}`,
      "spec.devices.config[0].opaque: Required value",
      'spec.devices.config[1].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
    ]);
  });

  test("the first beta's are checked in the shape of v1", () => {
    const flat = { devices: { requests: [{ name: "r", deviceClassName: "C" }] } };
    expect(problemsOf("ResourceClaim", flat, "v1beta1")[0]).toMatch(
      /^spec.devices.requests\[0\].exactly.deviceClassName: Invalid value: "C"/,
    );
    expect(defaulted(definitionOf("ResourceClaim", "v1beta1"), { spec: flat })).toMatchObject({
      spec: { devices: { requests: [{ allocationMode: "ExactCount", count: 1 }] } },
    });
  });

  test("their spec is final", () => {
    const sketches = { old: { spec: claim(request) }, next: { spec: claim({ ...request, name: "s" }) } };
    expect(updateProblems(definitionOf("ResourceClaim"), sketches)).toEqual([
      'spec: Invalid value: {"Devices":{"Requests":[{"Name":"s","Exactly":{"DeviceClassName":"c","Selectors":null,"AllocationMode":"ExactCount","Count":1,"AdminAccess":null,"Tolerations":null,"Capacity":null},"FirstAvailable":null}],"Constraints":null,"Config":null}}: field is immutable',
    ]);
    expect(
      updateProblems(definitionOf("ResourceClaimTemplate"), {
        old: { spec: { spec: claim(request) } },
        next: { spec: {} },
      })[0],
    ).toMatch(/field is immutable$/);
  });

  const results = [{ request: "r", driver: "d", pool: "p", device: "x" }];
  const allocation = { devices: { results } };
  const spec = claim(request);

  test.each<[what: string, objects: { old?: Sketch; next: Sketch }, problems: readonly string[]]>([
    ["a first allocation", { next: { spec, status: { allocation } } }, []],
    [
      "users without devices",
      { next: { status: { reservedFor: [{ resource: "pods", name: "p", uid: "u" }] } } },
      ["status.reservedFor: FieldValueForbidden: may not be specified when `allocated` is not set"],
    ],
    [
      "another allocation",
      { old: { status: { allocation } }, next: { status: { allocation: { devices: {} } } } },
      ["status.allocation: FieldValueInvalid: field is immutable"],
    ],
    [
      "new users of what is being deleted",
      {
        old: { status: { allocation } },
        next: {
          metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" },
          status: { allocation, reservedFor: [{ resource: "pods", name: "p", uid: "u" }] },
        },
      },
      [
        "status.reservedFor: FieldValueForbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set",
      ],
    ],
    [
      "the state of devices",
      {
        old: { status: { allocation } },
        next: {
          status: {
            allocation,
            devices: [
              { ...results[0], data: [], networkData: { ips: ["10.0.0.1", "10.0.0.1/8", "2001:DB8::1/64"] } },
              { driver: "d", pool: "p", device: "y", shareID: "x" },
            ],
          },
        },
      },
      [
        "status.devices[0].data: FieldValueInvalid: must be a valid JSON object",
        "status.devices[0].networkData.ips[0]: FieldValueInvalid: must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)",
        'status.devices[0].networkData.ips[2]: FieldValueInvalid: must be in canonical form ("2001:db8::1/64")',
        "status.devices[1].shareID: FieldValueInvalid: error validating uid: invalid UUID length: 1",
        "status.devices[1]: FieldValueInvalid: must be an allocated device in the claim",
      ],
    ],
  ])("a status with %s", (_, objects, problems) => {
    expect(statusProblems("ResourceClaim", objects)).toEqual(problems);
  });

  test("devices that are freed lose their state", () => {
    const old = { metadata: {}, spec, status: { allocation, devices: results } } as never;
    const next = { metadata: {}, spec, status: { devices: results } } as never;
    expect(definitionOf("ResourceClaim").prepareForStatusUpdate?.(next, old, statusUpdate)).toMatchObject({
      status: {},
    });
    expect(cells(definitionOf("ResourceClaim"), { status: { allocation, reservedFor: [{}] } })["State"]).toBe(
      "allocated,reserved",
    );
  });
});

describe("slices", () => {
  const pool = { name: "p", generation: 1, resourceSliceCount: 1 };
  const slice = (change: object) => ({ driver: "d", pool, nodeName: "n", ...change });
  const device = (change: object) => slice({ devices: [{ name: "d", ...change }] });
  const shared = (requestPolicy: object) =>
    device({
      allowMultipleAllocations: true,
      capacity: { memory: { value: "10Gi", requestPolicy } },
    });

  test.each<[object, readonly string[]]>([
    [slice({}), []],
    [
      slice({ nodeName: undefined }),
      [
        "Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required",
      ],
    ],
    [
      slice({ allNodes: true }),
      [
        'Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set',
      ],
    ],
    [
      slice({ pool: { name: "p//q", generation: -1, resourceSliceCount: 0 } }),
      ["pool.name", "pool.resourceSliceCount", "pool.generation"],
    ],
    [slice({ devices: [], sharedCounters: [] }), ["only one of `sharedCounters` or `devices` is allowed"]],
    [
      slice({ sharedCounters: [{ name: "c", counters: {} }] }),
      ["sharedCounters[0].counters: Required value"],
    ],
    [device({ attributes: { a: {} } }), ['attributes[a]: Invalid value: "": exactly one value']],
    [
      device({ attributes: { a: { version: "1" }, "a/b/c": { int: 1 }, "1": { bool: true } } }),
      ["attributes: Invalid value", "attributes[a].version", "attributes: Invalid value"],
    ],
    [device({ taints: [{ key: "k", effect: "x" }] }), ['taints[0].effect: Unsupported value: "x"']],
    [
      device({ nodeName: "n" }),
      ['Invalid value: "null": `nodeName`, `nodeSelector` and `allNodes` can only'],
    ],
    [
      device({ bindingConditions: ["a", "a"] }),
      ["bindingConditions[1]: Duplicate", "bindingFailureConditions: Invalid value: null: "],
    ],
    [
      device({ capacity: { memory: { value: "1", requestPolicy: {} } } }),
      ["capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true"],
    ],
    [shared({ validValues: ["1Gi"] }), ["default: Required value: required when validValues is defined"]],
    [
      shared({ default: "3Gi", validValues: ["2Gi", "1Gi", "20Gi"] }),
      ["values must be sorted", "option is larger than capacity value: 10Gi", "default value is not valid"],
    ],
    [
      shared({ default: "3Gi", validRange: { min: "1Gi", max: "4Gi", step: "2Gi" } }),
      ["value is not a multiple of a given step (2Gi) from (1Gi)"],
    ],
    [shared({ default: "1Gi", validRange: { min: "1Gi", step: "0" } }), ["must be greater than zero"]],
    [
      slice({ devices: Array.from({ length: 129 }, (_, index) => ({ name: `d${index}` })) }),
      ["devices: Too many: 129: must have at most 128 items"],
    ],
  ])("%j", (spec, problems) => {
    const found = problemsOf("ResourceSlice", spec);
    expect(found).toHaveLength(problems.length);
    for (const problem of problems) expect(found.join("\n")).toContain(problem);
  });

  test("say where they are once and for all", () => {
    expect(
      updateProblems(definitionOf("ResourceSlice"), {
        old: { spec: slice({}) },
        next: { spec: slice({ driver: "e", nodeName: "m" }) },
      }),
    ).toEqual([
      'spec.driver: Invalid value: "e": field is immutable',
      'spec.nodeName: Invalid value: "m": field is immutable',
    ]);
  });

  test("get times of taints, and lose what belongs to closed gates", () => {
    const spec = device({
      taints: [{ key: "k", effect: "None" }],
      attributes: { a: { int: 1, ints: [1] } },
      nodeAllocatableResourceMappings: { cpu: {} },
    });
    const expected = {
      name: "d",
      taints: [{ key: "k", effect: "None", timeAdded: "2026-01-01T00:00:00Z" }],
      attributes: { a: { int: 1 } },
    };
    expect(created(definitionOf("ResourceSlice"), { spec })).toMatchObject({ spec: { devices: [expected] } });
    const { name, ...basic } = expected;
    const { devices, ...rest } = spec as unknown as { devices: readonly { name: string }[] };
    const first = {
      ...rest,
      devices: devices.map(({ name: own, ...others }) => ({ name: own, basic: others })),
    };
    expect(created(definitionOf("ResourceSlice", "v1beta1"), { spec: first })).toMatchObject({
      spec: { devices: [{ name, basic }] },
    });
  });

  test("warn of drivers in capitals", () => {
    const object = { metadata: {}, spec: { driver: "D" } } as unknown as KubernetesObject;
    expect(definitionOf("ResourceSlice").warnings?.(object, undefined)).toEqual([
      'spec.driver: driver names should be lowercase; "D" contains uppercase characters',
    ]);
  });
});

describe("classes", () => {
  test("name extended resources", () => {
    expect(problemsOf("DeviceClass", { extendedResourceName: "cpu", config: [{}] })).toEqual([
      "spec.config[0].opaque: Required value",
      'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
    ]);
  });
});

describe("taint rules", () => {
  const rule = (effect: string, timeAdded?: string) => ({
    spec: {
      deviceSelector: { driver: "d" },
      taint: { key: "k", effect, ...(timeAdded ? { timeAdded } : {}) },
    },
  });

  test.each(["v1beta2", "v1alpha3"])("of %s are timed anew with their effect", (version) => {
    const definition = definitionOf("DeviceTaintRule", version);
    const old = { metadata: {}, ...rule("None", "2020-01-01T00:00:00Z") } as unknown as KubernetesObject;
    const next = {
      metadata: {},
      ...rule("NoExecute", "2020-01-01T00:00:00Z"),
    } as unknown as KubernetesObject;
    const context: RequestContext = { now: Date.UTC(2026, 0, 1), operation: "update" };
    expect(definition.prepareForUpdate?.(next, old, context)).toMatchObject(
      rule("NoExecute", "2026-01-01T00:00:00Z"),
    );
    expect(definition.prepareForUpdate?.(old, old, context)).toMatchObject(old);
    expect(creationProblems(definition, rule("x"))).toEqual([
      'spec.taint.effect: Unsupported value: "x": supported values: "NoExecute", "NoSchedule", "None"',
    ]);
  });
});

describe("questions for the state of pools", () => {
  test("are asked once and answered once", () => {
    const kind = "ResourcePoolStatusRequest";
    expect(problemsOf(kind, { limit: 1001, poolName: "" }, "v1alpha3")).toEqual([
      "spec.driver: Required value",
      "spec.poolName: Required value",
      "spec.limit: Invalid value: 1001: must be less than or equal to 1000",
    ]);
    const sketches = { old: { spec: { driver: "d" } }, next: { spec: { driver: "e" } } };
    expect(updateProblems(definitionOf(kind, "v1alpha3"), sketches)).toEqual([
      'spec: Invalid value: "null": field is immutable',
    ]);
    const answer = { status: { poolCount: 1 } };
    expect(statusProblems(kind, { next: { status: {} } }, "v1alpha3")).toEqual([
      "status.poolCount: FieldValueRequired: ",
    ]);
    expect(statusProblems(kind, { old: answer, next: { status: { poolCount: 2 } } }, "v1alpha3")).toEqual([
      "status: FieldValueInvalid: field is immutable",
    ]);
  });
});

describe("expressions that select devices", () => {
  const ten = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
  const nested = ["x", "y", "z", "u", "v", "w"].reduceRight(
    (inner, variable) => `${ten}.all(${variable}, ${inner})`,
    "int('1'.find('[0-9]*')) < 100",
  );
  test.each<[expression: string, problems: readonly string[]]>([
    ["device.driver == 'd.example.com' && device.attributes['d.example.com'].fast", []],
    ["device.attributes['d.example.com'].fast", []],
    ["cel.bind(own, device.capacity['d.example.com'], own.memory.isGreaterThan(quantity('1Gi')))", []],
    ["device.attributes['d.example.com'].version.isLessThan(semver('2.0.0'))", []],
    [" ", ["spec.selectors[0].cel.expression: Required value"]],
    [
      "device.driver",
      [
        'spec.selectors[0].cel.expression: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string',
      ],
    ],
    [
      "noSuchVar",
      [
        "spec.selectors[0].cel.expression: Invalid value: \"noSuchVar\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'noSuchVar' (in container '')\n | noSuchVar\n | ^",
      ],
    ],
    [nested, ["spec.selectors[0].cel.expression: Forbidden: too complex, exceeds cost limit"]],
    ["x".repeat(10241), ["spec.selectors[0].cel.expression: Too long: may not be more than 10240 bytes"]],
  ])("%s", (expression, problems) => {
    expect(problemsOf("DeviceClass", { selectors: [{ cel: { expression } }] })).toEqual(problems);
  });
});
