import { describe, expect, test } from "vitest";
import { statusProblems } from "../testing/check.ts";
import { jobDefinition } from "./job.ts";

const template = { spec: { containers: [{ name: "c", image: "busybox:1" }], restartPolicy: "Never" } };
const job = (spec: object) => ({ metadata: { name: "pi" }, spec: { template, ...spec } });

describe("updates of a job's status", () => {
  const startTime = "2026-01-01T00:00:00Z";
  const completionTime = "2026-01-01T00:01:00Z";
  const holds = (...types: string[]) => ({ conditions: types.map((type) => ({ type, status: "True" })) });
  const complete = { startTime, completionTime, ...holds("SuccessCriteriaMet", "Complete") };
  const conditions = (why: string) => `status.conditions: Invalid value: ${why}`;

  test.each<[string, object, object, string[], object?]>([
    ["progress", { active: 2 }, { startTime, active: 1, ready: 1, succeeded: 1 }, []],
    ["completion", { startTime, active: 1 }, complete, []],
    ["failure", { startTime }, { startTime, ...holds("FailureTarget", "Failed") }, []],
    [
      "counters",
      { failed: 2, succeeded: 2 },
      { failed: 1, succeeded: 1, active: -1, ready: 1 },
      [
        "status.active: Invalid value: -1: must be greater than or equal to 0",
        "status.ready: Invalid value: 1: cannot set more ready pods than active",
        "status.failed: Invalid value: 1: cannot decrease the failed counter",
        "status.succeeded: Invalid value: 1: cannot decrease the succeeded counter",
      ],
    ],
    [
      "a smaller indexed job",
      { succeeded: 2 },
      { succeeded: 1 },
      [],
      { completionMode: "Indexed", completions: 1, parallelism: 1 },
    ],
    [
      "both ends",
      {},
      { startTime, completionTime, ...holds("Complete", "Failed", "FailureTarget", "SuccessCriteriaMet") },
      [
        "cannot set Complete=True and Failed=true conditions",
        "cannot set Complete=True and FailureTarget=true conditions",
        "cannot set SuccessCriteriaMet=True and Failed=true conditions",
        "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
      ].map(conditions),
    ],
    [
      "an end without what leads to it",
      {},
      holds("Complete"),
      [
        "status.completionTime: Required value: completionTime is required for Complete jobs",
        conditions("cannot set Complete=True condition without the SuccessCriteriaMet=true condition"),
        "status.startTime: Required value: startTime is required for finished job",
      ],
    ],
    [
      "a time without an end",
      { startTime: completionTime },
      { startTime: completionTime, completionTime: startTime },
      [
        `status.completionTime: Invalid value: "${startTime}": cannot set completionTime when there is no Complete=True condition`,
        `status.completionTime: Invalid value: "${startTime}": must be equal to or after \`startTime\``,
      ],
    ],
    [
      "an end with pods",
      { startTime, active: 1 },
      { ...complete, active: 1, terminating: 1, uncountedTerminatedPods: { failed: ["a"] } },
      [
        "status.active: Invalid value: 1: active>0 is invalid for finished job",
        'status.uncountedTerminatedPods: Invalid value: {"Succeeded":null,"Failed":["a"]}: must be empty for finished job',
        "status.terminating: Invalid value: 1: terminating>0 is invalid for finished job",
      ],
    ],
    [
      "an end undone",
      complete,
      { startTime, completionTime },
      [
        `status.completionTime: Invalid value: "${completionTime}": cannot set completionTime when there is no Complete=True condition`,
        conditions("cannot disable the terminal Complete=True condition"),
        conditions("cannot disable the SuccessCriteriaMet=True condition"),
      ],
    ],
    [
      "another start",
      { startTime },
      {},
      ["status.startTime: Required value: startTime cannot be removed for unsuspended job"],
    ],
    ["no start of a suspended job", { startTime }, {}, [], { suspend: true }],
    [
      "a start again",
      { startTime, ...holds("Suspended") },
      { startTime: completionTime, conditions: [{ type: "Suspended", status: "False" }] },
      [],
    ],
    [
      "indexes of a job without",
      {},
      { completedIndexes: "0", failedIndexes: "1" },
      [
        'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
        'status.failedIndexes: Invalid value: "1": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
      ],
      { completions: 3 },
    ],
    [
      "indexes twice",
      {},
      { completedIndexes: "0,2", failedIndexes: "1-2" },
      ['status.failedIndexes: Invalid value: "1-2": failedIndexes and completedIndexes overlap at index: 2'],
      { completionMode: "Indexed", completions: 3, backoffLimitPerIndex: 1 },
    ],
    [
      "what was wrong before",
      { startTime, completionTime, active: 3 },
      { startTime, completionTime, active: 3, failed: 1 },
      [],
    ],
    [
      "uncounted pods",
      {},
      { uncountedTerminatedPods: { succeeded: ["a", ""], failed: ["a"] } },
      [
        'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
        'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
      ],
    ],
  ])("%s", (_, old, status, problems, spec = {}) => {
    const sketches = { old: { ...job(spec), status: old }, next: { ...job(spec), status } };
    expect(statusProblems(jobDefinition, sketches)).toEqual(problems);
  });
});
