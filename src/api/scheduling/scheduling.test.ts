import { describe, expect, test } from "vitest";
import { created, creationProblems, statusProblems, testNow, updateProblems } from "../testing/check.ts";
import type { Sketch } from "../testing/check.ts";
import { priorityClassDefinition } from "./priority-class.ts";
import { podGroupDefinition, workloadDefinition } from "./workload.ts";

const template = (change: Sketch = {}): Sketch => ({ name: "a", schedulingPolicy: { basic: {} }, ...change });
const workload = (...podGroupTemplates: readonly Sketch[]): Sketch => ({ spec: { podGroupTemplates } });
const group = (spec: Sketch = {}): Sketch => ({
  spec: { schedulingPolicy: { gang: { minCount: 2 } }, ...spec },
});
const dropped = { priority: 5, disruptionMode: "Pod", schedulingConstraints: { topology: [] } };

describe("workloads", () => {
  const at = "spec.podGroupTemplates[0]";
  const cases: readonly (readonly [string, Sketch, readonly string[]])[] = [
    ["a good one", workload(template(), template({ name: "b" })), []],
    ["nothing", workload(), ["spec.podGroupTemplates: Required value"]],
    [
      "too many",
      workload(...Array.from({ length: 9 }, (_, index) => template({ name: `t${index}` }))),
      ["spec.podGroupTemplates: Too many: 9: must have at most 8 items"],
    ],
    [
      "one twice",
      workload(template(), template()),
      ['spec.podGroupTemplates[1]: Duplicate value: {"name":"a","schedulingPolicy":{"basic":{}}}'],
    ],
    [
      "a faulty one and one twice",
      workload({ name: "a" }, template()),
      [
        'spec.podGroupTemplates[1]: Duplicate value: {"name":"a","schedulingPolicy":{"basic":{}}}',
        `${at}.schedulingPolicy: Invalid value: "": must specify one of: \`basic\`, \`gang\``,
      ],
    ],
    [
      "no policy, no name",
      workload({}),
      [
        `${at}.name: Required value`,
        `${at}.schedulingPolicy: Invalid value: "": must specify one of: \`basic\`, \`gang\``,
      ],
    ],
    [
      "two policies",
      workload(template({ schedulingPolicy: { basic: {}, gang: { minCount: 1 } } })),
      [
        `${at}.schedulingPolicy: Invalid value: "{basic, gang}": must specify exactly one of: \`basic\`, \`gang\``,
      ],
    ],
    [
      "a gang of none",
      workload(template({ schedulingPolicy: { gang: { minCount: 0 } } })),
      [`${at}.schedulingPolicy.gang.minCount: Required value`],
    ],
    [
      "an odd controller",
      { spec: { controllerRef: { kind: "a/b" }, podGroupTemplates: [template()] } },
      [
        "spec.controllerRef.kind: Invalid value: \"a/b\": may not contain '/'",
        "spec.controllerRef.name: Required value",
      ],
    ],
  ];
  test.each(cases)("%s", (_, sketch, problems) => {
    expect(creationProblems(workloadDefinition, sketch)).toEqual(problems);
  });
  test("stay as they are", () => {
    const sketches = { old: workload(template()), next: workload(template({ name: "b" })) };
    expect(updateProblems(workloadDefinition, sketches)).toEqual([
      'spec.podGroupTemplates: Invalid value: [{"name":"b","schedulingPolicy":{"basic":{}}}]: field is immutable',
    ]);
  });
  test("do without features that are off", () => {
    expect(created(workloadDefinition, workload(template(dropped))).spec.podGroupTemplates).toEqual([
      template(),
    ]);
  });
});

describe("groups of pods", () => {
  const cases: readonly (readonly [string, Sketch, readonly string[]])[] = [
    [
      "a good one",
      group({ podGroupTemplateRef: { workload: { workloadName: "w", podGroupTemplateName: "a" } } }),
      [],
    ],
    [
      "a gang below none",
      { spec: { schedulingPolicy: { gang: { minCount: -1 } } } },
      ["spec.schedulingPolicy.gang.minCount: Invalid value: -1: must be greater than or equal to 1"],
    ],
    [
      "a template of nothing",
      group({ podGroupTemplateRef: {} }),
      ['spec.podGroupTemplateRef: Invalid value: "": must specify one of: `workload`'],
    ],
    [
      "a template without names",
      group({ podGroupTemplateRef: { workload: {} } }),
      [
        "spec.podGroupTemplateRef.workload.workloadName: Required value",
        "spec.podGroupTemplateRef.workload.podGroupTemplateName: Required value",
      ],
    ],
  ];
  test.each(cases)("%s", (_, sketch, problems) => {
    expect(creationProblems(podGroupDefinition, sketch)).toEqual(problems);
  });
  test("stay as they are; features that are off are dropped", () => {
    const next = group({ ...dropped, schedulingPolicy: { basic: {} } });
    expect(updateProblems(podGroupDefinition, { old: group(), next })).toEqual([
      'spec.schedulingPolicy: Invalid value: {"basic":{}}: field is immutable',
    ]);
  });
  test("report complete conditions", () => {
    const condition = {
      type: "A",
      status: "True",
      reason: "R",
      lastTransitionTime: new Date(testNow).toISOString(),
    };
    const problems = (conditions: readonly Sketch[]) =>
      statusProblems(podGroupDefinition, { old: group(), next: { ...group(), status: { conditions } } });
    expect(problems([condition])).toEqual([]);
    expect(problems([{ ...condition, reason: "" }])).toEqual([
      "status.conditions[0].reason: Required value: must be set",
    ]);
  });
});

describe("priority classes", () => {
  const system = "priority class names with 'system-' prefix are reserved for system use only";
  test("are below those of the system", () => {
    const high = "maximum allowed value of a user defined priority is 1000000000";
    expect(creationProblems(priorityClassDefinition, { value: 1_000_000_001 })[0]).toContain(high);
    const [problem] = creationProblems(priorityClassDefinition, { metadata: { name: "system-x" }, value: 1 });
    expect(problem).toContain(system);
  });
  test("keep their value", () => {
    const sketches = { old: { value: 1 }, next: { value: 2 } };
    expect(updateProblems(priorityClassDefinition, sketches)).toEqual([
      "value: Forbidden: may not be changed in an update.",
    ]);
  });
});
