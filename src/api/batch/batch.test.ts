import { describe, expect, test } from "vitest";
import { cells, created, creationProblems, defaulted, testNow, updateProblems } from "../testing/check.ts";
import { cronJobDefinition } from "./cron-job.ts";
import { jobDefinition } from "./job.ts";

const template = { spec: { containers: [{ name: "c", image: "busybox:1" }], restartPolicy: "Never" } };
const metadata = { name: "pi", namespace: "default", uid: "u-1" };
const job = (spec: object = {}) => ({ metadata, spec: { template, ...spec } });
const cronJob = (spec: object = {}) => ({
  spec: { schedule: "*/5 * * * *", jobTemplate: { spec: { template } }, ...spec },
});

test("defaults of a job", () => {
  expect(defaulted(jobDefinition, job()).spec).toMatchObject({
    parallelism: 1,
    completions: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    suspend: false,
    podReplacementPolicy: "TerminatingOrFailed",
  });
  expect(defaulted(jobDefinition, job({ parallelism: 2 })).spec).not.toHaveProperty("completions");
  expect(defaulted(jobDefinition, job({ backoffLimitPerIndex: 1 })).spec.backoffLimit).toBe(2147483647);
});

test("a new job gets its selector and labels", () => {
  const { spec } = created(jobDefinition, job());
  expect(spec.selector).toEqual({ matchLabels: { "batch.kubernetes.io/controller-uid": "u-1" } });
  expect(spec.template.metadata.labels).toEqual({
    "batch.kubernetes.io/controller-uid": "u-1",
    "batch.kubernetes.io/job-name": "pi",
    "controller-uid": "u-1",
    "job-name": "pi",
  });
});

describe("validation of a job", () => {
  test.each<[object, string[]]>([
    [{}, []],
    [
      { template: { spec: { ...template.spec, restartPolicy: "Always" } } },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      { completionMode: "Indexed", parallelism: 1 },
      ["spec.completions: Required value: when completion mode is Indexed"],
    ],
    [
      { manualSelector: true, selector: { matchLabels: { a: "b" } } },
      ["spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`"],
    ],
  ])("%j", (spec, problems) => expect(creationProblems(jobDefinition, job(spec))).toEqual(problems));

  test("completions stay", () => {
    const old = job({ manualSelector: true, selector: { matchLabels: {} }, completions: 1 });
    const next = job({ manualSelector: true, selector: { matchLabels: {} }, completions: 2 });
    expect(updateProblems(jobDefinition, { old, next })).toEqual([
      "spec.completions: Invalid value: 2: field is immutable",
    ]);
  });
});

test.each<[object, string]>([
  [{ conditions: [{ type: "Complete", status: "True" }] }, "Complete"],
  [{ conditions: [{ type: "Failed", status: "True" }] }, "Failed"],
  [{ conditions: [{ type: "Suspended", status: "True" }] }, "Suspended"],
  [{}, "Running"],
])("state of a job with %j is %s", (status, expected) => {
  const startTime = new Date(testNow - 30_000).toISOString();
  expect(
    cells(jobDefinition, { ...job({ completions: 3 }), status: { startTime, succeeded: 1, ...status } }),
  ).toMatchObject({
    Status: expected,
    Completions: "1/3",
    Duration: "30s",
  });
});

test("defaults of a cron job leave the jobs' own to the jobs", () => {
  const { spec } = defaulted(cronJobDefinition, cronJob());
  expect(spec).toMatchObject({
    concurrencyPolicy: "Allow",
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  });
  expect(spec.jobTemplate.spec).not.toHaveProperty("backoffLimit");
  expect(spec.jobTemplate.spec.template.spec.dnsPolicy).toBe("ClusterFirst");
});

describe("validation of a cron job", () => {
  test.each<[object, string[]]>([
    [{}, []],
    [{ schedule: "@hourly" }, []],
    [{ schedule: "" }, ["spec.schedule: Required value"]],
    [{ schedule: "* *" }, ['spec.schedule: Invalid value: "* *": expected exactly 5 fields, found 2: [* *]']],
    [{ timeZone: "Europe/Berlin" }, []],
    [{ timeZone: "Mars/Base" }, ['spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base']],
    [
      { concurrencyPolicy: "x" },
      ['spec.concurrencyPolicy: Unsupported value: "x": supported values: "Allow", "Forbid", "Replace"'],
    ],
  ])("%j", (spec, problems) => expect(creationProblems(cronJobDefinition, cronJob(spec))).toEqual(problems));
});
