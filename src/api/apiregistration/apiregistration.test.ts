import { describe, expect, test } from "vitest";
import { cells, created, creationProblems, statusProblems } from "../testing/check.ts";
import type { Sketch } from "../testing/check.ts";
import { apiServiceDefinition as definition } from "./api-service.ts";

const service = { name: "n", namespace: "m" };
const registered = (spec: Sketch, name = "v1.a.b"): Sketch => ({
  metadata: { name },
  spec: { group: "a.b", version: "v1", groupPriorityMinimum: 1, versionPriority: 1, ...spec },
});

describe("registered groups", () => {
  const cases: readonly (readonly [string, Sketch, readonly string[]])[] = [
    ["served elsewhere", registered({ service, caBundle: "AAEC" }), []],
    ["served here", registered({}), []],
    [
      "another name",
      registered({}, "x"),
      ['metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.a.b"'],
    ],
    [
      "too important",
      registered({ groupPriorityMinimum: 20_001, versionPriority: 0 }),
      [
        "spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000",
        "spec.versionPriority: Invalid value: 0: must be positive and less than 1000",
      ],
    ],
    [
      "no group",
      registered({ group: "", version: "v2" }, "v2."),
      ["spec.group: Required value: only v1 may have an empty group and it better be legacy kube"],
    ],
    [
      "nobody serves",
      registered({ service: {} }),
      ["spec.service.namespace: Required value", "spec.service.name: Required value"],
    ],
    [
      "no port",
      registered({ service: { ...service, port: 0 } }),
      ["spec.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive"],
    ],
    [
      "trust of one's own",
      registered({ caBundle: "AAEC", insecureSkipTLSVerify: true }),
      [
        'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
        "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify",
      ],
    ],
    [
      "trust and none",
      registered({ service, caBundle: "AAEC", insecureSkipTLSVerify: true }),
      ["spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present"],
    ],
  ];
  test.each(cases)("%s", (_, sketch, problems) => {
    expect(creationProblems(definition, sketch)).toEqual(problems);
  });
  test("that are served here are there at once", () => {
    const made = created(definition, registered({}));
    expect(made.status?.conditions).toMatchObject([{ type: "Available", status: "True", reason: "Local" }]);
    expect(cells(definition, made as unknown as Sketch)).toMatchObject({
      Service: "Local",
      Available: "True",
    });
    expect(created(definition, registered({ service })).spec.service?.port).toBe(443);
  });
  test("report conditions that are true, false or unknown", () => {
    const conditions = [{ type: "Available", status: "Maybe" }];
    const sketches = {
      old: registered({ service }),
      next: { ...registered({ service }), status: { conditions } },
    };
    expect(statusProblems(definition, sketches)).toEqual([
      'status.conditions[0].status: Unsupported value: "Maybe": supported values: "True", "False", "Unknown"',
    ]);
  });
});
