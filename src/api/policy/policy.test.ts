import { describe, expect, test } from "vitest";
import { cells, creationProblems, statusProblems, updateProblems } from "../testing/check.ts";
import { podDisruptionBudgetDefinition as definition } from "./pod-disruption-budget.ts";

const budget = (spec: object) => ({ spec: { selector: { matchLabels: { app: "a" } }, ...spec } });
const values = (value: string) => ({
  selector: { matchExpressions: [{ key: "app", operator: "In", values: [value] }] },
});

describe("validation of a disruption budget", () => {
  test.each<[object, string[]]>([
    [{ minAvailable: "50%", unhealthyPodEvictionPolicy: "AlwaysAllow" }, []],
    [
      { minAvailable: 1, maxUnavailable: 1 },
      [
        'spec: Invalid value: {"MinAvailable":1,"Selector":{"matchLabels":{"app":"a"}},"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
      ],
    ],
    [{ minAvailable: "101%" }, ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%']],
    [
      { maxUnavailable: "a" },
      [
        "spec.maxUnavailable: Invalid value: \"a\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ],
    ],
    [
      { unhealthyPodEvictionPolicy: "Bad" },
      [
        'spec.unhealthyPodEvictionPolicy: Unsupported value: "Bad": supported values: "AlwaysAllow", "IfHealthyBudget"',
      ],
    ],
  ])("%j", (spec, problems) => expect(creationProblems(definition, budget(spec))).toEqual(problems));

  test("lets values of its selector be as wrong as they were, and no more", () => {
    const [good, bad] = [budget(values("a")), budget(values("a b"))];
    expect(creationProblems(definition, bad)).toHaveLength(1);
    expect(updateProblems(definition, { old: good, next: bad })).toHaveLength(1);
    expect(updateProblems(definition, { old: bad, next: bad })).toEqual([]);
  });

  test("of its status", () => {
    const status = { disruptionsAllowed: -1, conditions: [{ type: "A", status: "True", reason: "R" }] };
    expect(statusProblems(definition, { old: budget({}), next: { ...budget({}), status } })).toEqual([
      "status.conditions[0].lastTransitionTime: Required value: must be set",
      "status.disruptionsAllowed: Invalid value: -1: must be greater than or equal to 0",
    ]);
  });
});

test("columns of a disruption budget", () => {
  expect(cells(definition, { metadata: { name: "x" }, ...budget({ minAvailable: "50%" }) })).toEqual({
    Name: "x",
    "Min Available": "50%",
    "Max Unavailable": "N/A",
    "Allowed Disruptions": 0,
    Age: "<unknown>",
  });
});
