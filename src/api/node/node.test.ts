import { describe, expect, test } from "vitest";
import { creationProblems, updateProblems, warningsOf } from "../testing/check.ts";
import type { Sketch } from "../testing/check.ts";
import { runtimeClassDefinition as definition } from "./runtime-class.ts";

describe("runtime classes", () => {
  const toleration = { key: "a", operator: "Exists" };
  const cases: readonly (readonly [string, Sketch, readonly string[]])[] = [
    [
      "a good one",
      {
        overhead: { podFixed: { cpu: "1" } },
        scheduling: { nodeSelector: { a: "b" }, tolerations: [toleration] },
      },
      [],
    ],
    [
      "a toleration twice",
      {
        scheduling: {
          tolerations: [toleration, { ...toleration, tolerationSeconds: 5, effect: "NoExecute" }, toleration],
        },
      },
      [
        'scheduling.tolerations[2]: Duplicate value: {"Key":"a","Operator":"Exists","Value":"","Effect":"","TolerationSeconds":null}',
      ],
    ],
    [
      "a negative overhead",
      { overhead: { podFixed: { cpu: "-1" } } },
      ['overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ],
  ];
  test.each(cases)("%s", (_, change, problems) => {
    expect(creationProblems(definition, { handler: "h", ...change })).toEqual(problems);
  });
  test("have a handler, and keep it", () => {
    expect(creationProblems(definition, {})[0]).toMatch(
      /^handler: Invalid value: "": a lowercase RFC 1123 label/,
    );
    expect(updateProblems(definition, { old: { handler: "h" }, next: { handler: "i" } })).toEqual([
      'handler: Invalid value: "i": field is immutable',
    ]);
  });
  test("labels of nodes that are deprecated are warned of", () => {
    const nodeSelector = { "beta.kubernetes.io/os": "linux" };
    expect(warningsOf(definition, { handler: "h", scheduling: { nodeSelector } })[0]).toMatch(
      /^scheduling.nodeSelector: deprecated since/,
    );
  });
});
