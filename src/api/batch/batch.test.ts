import { describe, expect, test } from "vitest";
import {
  cells,
  created,
  creationProblems,
  defaulted,
  testNow,
  updateProblems,
  warningsOf,
} from "../testing/check.ts";
import { cronJobDefinition } from "./cron-job.ts";
import { countIndexes } from "./indexes.ts";
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
      ["spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`"],
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

describe("what a job may ask for", () => {
  const spec = (fields: object) => ({ completionMode: "Indexed", completions: 3, ...fields });
  const rule = (fields: object) => ({ podFailurePolicy: { rules: [{ action: "FailJob", ...fields }] } });
  const at = "spec.podFailurePolicy.rules[0]";
  const success = (fields: object) => spec({ successPolicy: { rules: [fields] } });
  const successAt = "spec.successPolicy.rules[0]";
  const failIndex = { rules: [{ action: "FailIndex", onPodConditions: [{ type: "A" }] }] };

  test.each<[object, string[]]>([
    [spec({ backoffLimitPerIndex: 1, maxFailedIndexes: 2, podFailurePolicy: failIndex }), []],
    [{ managedBy: "example.com/queue" }, []],
    [
      { managedBy: "queue" },
      ['spec.managedBy: Invalid value: "queue": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
    [
      { managedBy: `example.com/${"a".repeat(60)}` },
      ["spec.managedBy: Too long: may not be more than 63 bytes"],
    ],
    [
      { completionMode: "Bad" },
      ['spec.completionMode: Unsupported value: "Bad": supported values: "NonIndexed", "Indexed"'],
    ],
    [
      { maxFailedIndexes: 1 },
      [
        "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode",
      ],
    ],
    [
      spec({ backoffLimitPerIndex: 1, maxFailedIndexes: 4, parallelism: 100_001 }),
      [
        "spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed",
        "spec.maxFailedIndexes: Invalid value: 4: must be less than or equal to completions",
      ],
    ],
    [
      spec({ completions: 100_001, backoffLimitPerIndex: 1, parallelism: 10_001 }),
      [
        "spec.maxFailedIndexes: Required value: must be specified when completions is above 100000",
        "spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index",
      ],
    ],
    [
      { completionMode: "" },
      ['spec.completionMode: Unsupported value: "": supported values: "NonIndexed", "Indexed"'],
    ],
    [
      { podReplacementPolicy: "Bad" },
      [
        'spec.podReplacementPolicy: Unsupported value: "Bad": supported values: "Failed", "TerminatingOrFailed"',
      ],
    ],
    [rule({ onExitCodes: { operator: "In", containerName: "c", values: [1, 2] } }), []],
    [rule({}), [`${at}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`]],
    [
      rule({ action: "", onPodConditions: [{ type: "a b" }] }),
      [
        `${at}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`,
        `${at}.onPodConditions[0].type: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      ],
    ],
    [
      rule({ action: "FailIndex", onPodConditions: [{ type: "A", status: "Bad" }] }),
      [
        `${at}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`,
        `${at}.onPodConditions[0].status: Unsupported value: "Bad": supported values: "False", "True", "Unknown"`,
      ],
    ],
    [
      rule({ onExitCodes: { operator: "In", containerName: "d", values: [2, 0, 2] } }),
      [
        `${at}.onExitCodes.containerName: Invalid value: "d": must be one of the container or initContainer names in the pod template`,
        `${at}.onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator`,
        `${at}.onExitCodes.values[2]: Duplicate value: 2`,
        `${at}.onExitCodes.values: Invalid value: [2,0,2]: must be ordered`,
      ],
    ],
    [success({ succeededIndexes: "0,2", succeededCount: 1 }), []],
    [
      { successPolicy: { rules: [{ succeededCount: 1 }] } },
      [
        'spec.successPolicy: Invalid value: {"Rules":[{"SucceededIndexes":null,"SucceededCount":1}]}: requires indexed completion mode',
      ],
    ],
    [
      success({}),
      [`${successAt}: Required value: at least one of succeededCount or succeededIndexes must be specified`],
    ],
    [
      success({ succeededIndexes: "0-5" }),
      [
        `${successAt}.succeededIndexes: Invalid value: "0-5": error parsing succeededIndexes: too large index: "5"`,
      ],
    ],
    [
      success({ succeededIndexes: "0-1", succeededCount: 3 }),
      [
        `${successAt}.succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)`,
      ],
    ],
    [
      { template: { metadata: { labels: { "job-name": "other" } }, ...template } },
      [
        'spec.template.metadata.labels[job-name]: Invalid value: {"batch.kubernetes.io/controller-uid":"u-1","batch.kubernetes.io/job-name":"pi","controller-uid":"u-1","job-name":"other"}: must be \'pi\'',
      ],
    ],
  ])("%j", (fields, problems) => expect(creationProblems(jobDefinition, job(fields))).toEqual(problems));

  test("pods of indexed jobs must be able to have names", () => {
    const name = "a".repeat(62);
    expect(
      creationProblems(jobDefinition, { metadata: { ...metadata, name }, spec: { template, ...spec({}) } }),
    ).toEqual([
      `metadata.name: Invalid value: "${name}": will not able to create pod with invalid DNS label: ${name}-2`,
    ]);
  });
});

test.each<[text: string, count: number, problem?: string]>([
  ["", 0],
  ["0,2-4", 4],
  ["4-2", 0, "non-increasing order, previous: 4, current: 2"],
  ["2,2", 0, "non-increasing order, previous: 2, current: 2"],
  ["a", 0, 'cannot convert string to integer for index: "a"'],
  ["9", 0, 'too large index: "9"'],
  [
    "1-2-3",
    0,
    `the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by '-'`,
  ],
])("indexes %j", (text, count, problem) => {
  expect(countIndexes(text, 8)).toEqual({ count, ...(problem === undefined ? {} : { problem }) });
});

describe("updates of a job", () => {
  const started = { startTime: "2026-01-01T00:00:00Z" };
  const suspended = { conditions: [{ type: "Suspended", status: "True" }] };
  const withSpec = (fields: object) => ({ template: { spec: { ...template.spec, ...fields } } });
  const affinity = (nodes: object, others: object = {}) => ({ affinity: { nodeAffinity: nodes, ...others } });
  const resources = (cpu: string) => ({
    containers: [{ name: "c", image: "busybox:1", resources: { requests: { cpu } } }],
  });
  const indexed = (fields: object) => ({
    completionMode: "Indexed",
    completions: 3,
    parallelism: 3,
    ...fields,
  });

  /** Which fields a change of the spec may not touch. */
  const refused = (old: object, next: object, status: object = {}) => {
    const before = created(jobDefinition, job(old));
    const labels = { labels: before.spec.template.metadata.labels };
    const after = job({ ...old, ...next });
    const wanted = {
      ...after,
      spec: {
        ...after.spec,
        selector: before.spec.selector,
        template: { metadata: labels, ...after.spec.template },
      },
    };
    const problems = updateProblems(jobDefinition, {
      old: { ...before, status },
      next: wanted,
    });
    return problems.map((problem) => problem.replace(/: Invalid value: \{.*\}: /, ": "));
  };

  test.each<[string, object, object, object, string[]]>([
    ["parallelism", { completions: 1 }, { parallelism: 3 }, {}, []],
    ["completions in tandem", indexed({}), { completions: 5, parallelism: 5 }, {}, []],
    [
      "completions alone",
      indexed({}),
      { completions: 5 },
      {},
      ["spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism"],
    ],
    [
      "completion mode",
      indexed({}),
      { completionMode: "NonIndexed" },
      {},
      ['spec.completionMode: Invalid value: "NonIndexed": field is immutable'],
    ],
    [
      "manager",
      {},
      { managedBy: "a.b/c" },
      {},
      ['spec.managedBy: Invalid value: "a.b/c": field is immutable'],
    ],
    ["resources", {}, withSpec(resources("1")), {}, ["spec.template: field is immutable"]],
    ["resources at rest", { suspend: true }, withSpec(resources("1")), {}, []],
    [
      "resources while pods run",
      { suspend: true },
      withSpec(resources("1")),
      { active: 1 },
      ["spec.template: field is immutable"],
    ],
    [
      "resources once started",
      { suspend: true },
      withSpec(resources("1")),
      started,
      ["spec.template: field is immutable"],
    ],
    ["resources when stopped", { suspend: true }, withSpec(resources("1")), { ...started, ...suspended }, []],
    [
      "nodes at rest",
      { suspend: true },
      withSpec({ nodeSelector: { a: "b" }, tolerations: [{ key: "a" }] }),
      {},
      [],
    ],
    ["affinity to nodes at rest", { suspend: true }, withSpec(affinity({})), {}, []],
    [
      "affinity to pods",
      { suspend: true },
      withSpec({
        affinity: {
          podAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, podAffinityTerm: { topologyKey: "a", labelSelector: {} } },
            ],
          },
        },
      }),
      {},
      ["spec.template: field is immutable"],
    ],
    [
      "deadline at rest",
      { suspend: true },
      withSpec({ activeDeadlineSeconds: 3 }),
      {},
      ["spec.template: field is immutable"],
    ],
  ])("%s", (_, old, next, status, problems) => expect(refused(old, next, status)).toEqual(problems));
});

test("a vast job brings a warning, as does a name that pods cannot have", () => {
  const vast = job({ completionMode: "Indexed", completions: 100_001, parallelism: 10_001 });
  const warning =
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail";
  expect(warningsOf(jobDefinition, vast)).toEqual([`spec: ${warning}`]);
  expect(warningsOf(cronJobDefinition, cronJob({ jobTemplate: { spec: vast.spec } }))).toEqual([
    `spec.jobTemplate.spec: ${warning}`,
  ]);
  expect(warningsOf(jobDefinition, { ...job(), metadata: { name: "a.b" } })).toEqual([
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
  ]);
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
      { timeZone: "europe/berlin" },
      ['spec.timeZone: Invalid value: "europe/berlin": unknown time zone europe/berlin'],
    ],
    [{ timeZone: "+01:00" }, ['spec.timeZone: Invalid value: "+01:00": unknown time zone +01:00']],
    [{ timeZone: "" }, ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string']],
    [
      { timeZone: "Local" },
      [
        'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ],
    ],
    [
      { schedule: "TZ=UTC * * * * *" },
      [
        'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
    ],
    [
      { schedule: "CRON_TZ=Mars/Base * * * * *" },
      [
        'spec.schedule: Invalid value: "CRON_TZ=Mars/Base * * * * *": provided bad location Mars/Base: unknown time zone Mars/Base',
        'spec.schedule: Invalid value: "CRON_TZ=Mars/Base * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
    ],
    [
      { jobTemplate: {} },
      [
        "spec.jobTemplate.spec.template.spec.containers: Required value",
        'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
      ],
    ],
    [
      { jobTemplate: { spec: { template, selector: { matchLabels: { a: "b" } }, manualSelector: true } } },
      [
        'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
        'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
      ],
    ],
    [
      { concurrencyPolicy: "x" },
      ['spec.concurrencyPolicy: Unsupported value: "x": supported values: "Allow", "Forbid", "Replace"'],
    ],
  ])("%j", (spec, problems) => expect(creationProblems(cronJobDefinition, cronJob(spec))).toEqual(problems));
});

test("the name of a cron job is measured when it is new; zones in old schedules stay", () => {
  const name = "a".repeat(53);
  const sketch = { metadata: { name }, ...cronJob() };
  expect(creationProblems(cronJobDefinition, sketch)).toEqual([
    `metadata.name: Invalid value: "${name}": must be no more than 52 characters`,
  ]);
  expect(updateProblems(cronJobDefinition, { old: sketch, next: sketch })).toEqual([]);
  const zoned = cronJob({ schedule: "TZ=UTC * * * * *" });
  expect(updateProblems(cronJobDefinition, { old: zoned, next: zoned })).toEqual([]);
  const both = cronJob({ schedule: "TZ=UTC * * * * *", timeZone: "UTC" });
  expect(updateProblems(cronJobDefinition, { old: zoned, next: both })).toEqual([
    'spec.schedule: Invalid value: "TZ=UTC * * * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
  ]);
});
