import { describe, expect, test } from "vitest";
import { creationProblems, defaulted, statusProblems, updateProblems, warningsOf } from "../testing/check.ts";
import { limitRangeDefinition } from "./limit-range.ts";
import { resourceQuotaDefinition } from "./resource-quota.ts";

describe("a limit range", () => {
  const limits = (...list: object[]) => ({ spec: { limits: list } });

  test.each<[readonly object[], readonly string[]]>([
    [
      [
        { type: "Container", max: { cpu: "1" } },
        { type: "Pod", max: { "example.com/a": "1" } },
      ],
      [],
    ],
    [
      [{ type: "Node" }],
      ['spec.limits[0].type: Invalid value: "Node": must be a standard limit type or fully qualified'],
    ],
    [[{ type: "example.com/a" }], []],
    [[{ type: "Pod" }, { type: "Pod" }], ['spec.limits[1].type: Duplicate value: "Pod"']],
    [
      [{ type: "Container", max: { pods: "1" } }],
      [
        'spec.limits[0].max[pods]: Invalid value: "pods": must be a standard resource for containers',
        'spec.limits[0].default[pods]: Invalid value: "pods": must be a standard resource for containers',
        'spec.limits[0].defaultRequest[pods]: Invalid value: "pods": must be a standard resource for containers',
      ],
    ],
    [
      [{ type: "Pod", default: { cpu: "1" }, defaultRequest: { cpu: "1" } }],
      [
        "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
        "spec.limits[0].defaultRequest: Forbidden: may not be specified when `type` is 'Pod'",
      ],
    ],
    [
      [{ type: "PersistentVolumeClaim" }],
      [
        "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
      ],
    ],
    [
      [{ type: "Container", min: { cpu: "3" }, max: { cpu: "2" }, defaultRequest: { cpu: "1" } }],
      [
        'spec.limits[0].min[cpu]: Invalid value: "3": min value 3 is greater than max value 2',
        'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": min value 3 is greater than default request value 1',
        'spec.limits[0].default[cpu]: Invalid value: "3": min value 3 is greater than default value 2',
      ],
    ],
    [
      [
        {
          type: "Container",
          maxLimitRequestRatio: { cpu: "500m", memory: "3" },
          min: { memory: "1" },
          max: { memory: "2" },
        },
      ],
      [
        'spec.limits[0].maxLimitRequestRatio[memory]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000',
        'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
      ],
    ],
    [
      [{ type: "Container", default: { "example.com/a": "2" }, defaultRequest: { "example.com/a": "1" } }],
      [
        'spec.limits[0].defaultRequest[example.com/a]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in example.com/a',
      ],
    ],
  ])("of %j", (list, problems) =>
    expect(creationProblems(limitRangeDefinition, limits(...list))).toEqual(problems),
  );

  test("of pods has no defaults", () => {
    const sketch = limits({ type: "Pod", max: { cpu: "1" } });
    expect(defaulted(limitRangeDefinition, sketch).spec).toEqual(sketch.spec);
  });
});

describe("a quota", () => {
  const quota = (spec: object, rest: object = {}) => ({ spec, ...rest });
  const expression = (scopeName: string, operator: string, ...values: string[]) => ({
    scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values.length > 0 ? { values } : {}) }] },
  });

  test.each<[object, readonly string[]]>([
    [{ hard: { pods: "1", "count/deployments.apps": "1", "requests.example.com/a": "1" } }, []],
    [
      { hard: { toasters: "1", pods: "-1" } },
      [
        'spec.hard[toasters]: Invalid value: "toasters": must be a standard resource type or fully qualified',
        'spec.hard[toasters]: Invalid value: "toasters": must be a standard resource for quota',
        'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0',
      ],
    ],
    [{ hard: { cpu: "1" }, scopes: ["Terminating"] }, []],
    [{ hard: { "requests.storage": "1" }, scopes: ["VolumeAttributesClass"] }, []],
    [{ scopes: ["Nowhere"] }, ['spec.scopes: Invalid value: ["Nowhere"]: unsupported scope']],
    [
      { hard: { cpu: "1", services: "1" }, scopes: ["BestEffort"] },
      [
        'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
        'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource',
      ],
    ],
    [
      { scopes: ["Terminating", "NotTerminating"] },
      ['spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
    ],
    [expression("PriorityClass", "In", "a"), []],
    [
      expression("PriorityClass", "In"),
      [
        "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ],
    ],
    [
      expression("PriorityClass", "Exists", "a"),
      [
        "spec.scopeSelector.matchExpressions.values: Invalid value: [\"a\"]: must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
      ],
    ],
    [
      expression("BestEffort", "Is"),
      [
        "spec.scopeSelector.matchExpressions.operator: Invalid value: \"Is\": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        'spec.scopeSelector.matchExpressions.operator: Invalid value: "Is": not a valid selector operator',
      ],
    ],
  ])("of %j", (spec, problems) =>
    expect(creationProblems(resourceQuotaDefinition, quota(spec))).toEqual(problems),
  );

  test("keeps its scopes, in any order", () => {
    const old = quota({ scopes: ["BestEffort", "Terminating"] });
    const turned = quota({ scopes: ["Terminating", "BestEffort"] });
    expect(updateProblems(resourceQuotaDefinition, { old, next: turned })).toEqual([]);
    expect(updateProblems(resourceQuotaDefinition, { old, next: quota({}) })).toEqual([
      "spec.scopes: Invalid value: null: field is immutable",
    ]);
  });

  test("counts only what can be counted", () => {
    const next = quota({}, { status: { hard: { cpu: "1" }, used: { toasters: "1" } } });
    expect(statusProblems(resourceQuotaDefinition, { old: quota({}), next })).toEqual([
      'status.used[toasters]: Invalid value: "toasters": must be a standard resource type or fully qualified',
      'status.used[toasters]: Invalid value: "toasters": must be a standard resource for quota',
    ]);
  });

  test.each<[object, readonly string[]]>([
    [{ cpu: "1", "limits.cpu": "1" }, []],
    [{ cpu: "2", "limits.cpu": "1" }, ["ResourceQuota cpu (2) should be less than limits.cpu (1)"]],
    [
      { memory: "1", "requests.memory": "2", "limits.memory": "1" },
      ["ResourceQuota requests.memory (2) should be less than limits.memory (1)"],
    ],
  ])("of %j warns", (hard, warnings) => {
    expect(warningsOf(resourceQuotaDefinition, quota({ hard }))).toEqual(warnings);
    expect(warningsOf(resourceQuotaDefinition, quota({ hard }), quota({}))).toEqual([]);
  });
});
