import { afterEach, beforeEach, expect, it } from "vitest";
import type { New } from "../../apimachinery/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import { Job } from "../../api/types/batch-v1.ts";
import { Harness } from "../testing/harness.ts";
import { formatIndexes, parseIndexes } from "./indexes.ts";
import { jobController, ttlAfterFinishedController } from "./job-controller.ts";

let harness: Harness;
beforeEach(() => {
  harness = new Harness();
  harness.start([jobController, ttlAfterFinishedController]);
});
afterEach(() => harness.stop());

const create = (spec: object) =>
  harness.create(Job, {
    metadata: { namespace: "n", name: "job" },
    spec: {
      selector: { matchLabels: { job: "job" } },
      template: {
        metadata: { labels: { job: "job" } },
        spec: { restartPolicy: "Never", containers: [{ name: "c" }] },
      },
      backoffLimit: 6,
      ...spec,
    },
  } as unknown as New<Job>);

async function end(phase: "Succeeded" | "Failed"): Promise<void> {
  for (const pod of await harness.list(Pod)) {
    if (pod.status?.phase === undefined) await harness.change(Pod, pod, { status: { phase } });
  }
  await harness.settle();
}

const status = async () => (await harness.list(Job))[0]?.status;
const conditions = async () => (await status())?.conditions?.map(({ type, reason }) => `${type} ${reason}`);

it("runs pods side by side until enough have succeeded", async () => {
  await create({ completions: 5, parallelism: 2, ttlSecondsAfterFinished: 60 });
  await harness.settle();
  expect(await harness.list(Pod)).toHaveLength(2);
  expect((await harness.list(Pod))[0]?.metadata.finalizers).toEqual(["batch.kubernetes.io/job-tracking"]);
  await end("Succeeded");
  expect(await status()).toMatchObject({ active: 2, succeeded: 2 });
  await end("Succeeded");
  await end("Succeeded");
  expect(await harness.list(Pod)).toHaveLength(5);
  expect((await harness.list(Pod)).flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
  expect(await status()).toMatchObject({
    active: 0,
    succeeded: 5,
    completionTime: expect.any(String) as string,
  });
  expect(await conditions()).toEqual([
    "SuccessCriteriaMet CompletionsReached",
    "Complete CompletionsReached",
  ]);
  expect(await harness.events()).toContain("Normal Completed Job completed");
  await harness.settle(61_000);
  expect((await harness.list(Job)).filter(({ metadata }) => !metadata.deletionTimestamp)).toEqual([]);
});

it("gives up after too many failures, each waited for longer", async () => {
  await create({ backoffLimit: 1 });
  await harness.settle();
  await end("Failed");
  expect(await harness.list(Pod)).toHaveLength(1);
  await harness.settle(10_000);
  expect(await harness.list(Pod)).toHaveLength(2);
  await end("Failed");
  expect(await status()).toMatchObject({ failed: 2 });
  expect(await conditions()).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
  expect(await harness.events()).toContain(
    "Warning BackoffLimitExceeded Job has reached the specified backoff limit",
  );
});

it("gives each pod of an indexed job its index", async () => {
  await create({ completions: 3, parallelism: 3, completionMode: "Indexed" });
  await harness.settle();
  const pods = await harness.list(Pod);
  expect(pods.map(({ spec }) => spec?.hostname)).toEqual(["job-0", "job-1", "job-2"]);
  expect(pods[1]?.metadata.labels).toMatchObject({ "batch.kubernetes.io/job-completion-index": "1" });
  await end("Succeeded");
  expect(await status()).toMatchObject({ succeeded: 3, completedIndexes: "0-2" });
});

it("stops while suspended, and at its deadline", async () => {
  const job = await create({ suspend: true, activeDeadlineSeconds: 30 });
  await harness.settle();
  expect([await conditions(), await harness.list(Pod)]).toEqual([["Suspended JobSuspended"], []]);
  await harness.change(Job, job, { spec: { suspend: false } });
  await harness.settle();
  expect(await harness.list(Pod)).toHaveLength(1);
  await harness.settle(31_000);
  expect(await conditions()).toContain("FailureTarget DeadlineExceeded");
});

it("writes indexes short", () => {
  expect(formatIndexes([5, 0, 2, 3, 4, 7, 8])).toBe("0,2-5,7,8");
  expect([...parseIndexes("0,2-5,7,8")]).toEqual([0, 2, 3, 4, 5, 7, 8]);
});

/** Ends the pods without a phase, each by its index. */
async function endEach(how: (index: number) => object | undefined): Promise<void> {
  for (const pod of await harness.list(Pod)) {
    if (pod.status?.phase !== undefined) continue;
    const index = Number(pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"]);
    const end = how(index);
    if (end) await harness.change(Pod, pod, { status: end });
  }
  await harness.settle();
}

const exited = (exitCode: number) => ({
  phase: "Failed",
  containerStatuses: [{ name: "c", state: { terminated: { exitCode } } }],
});

it("fails, ignores or counts pods as its failure policy says", async () => {
  await create({
    backoffLimit: 0,
    podReplacementPolicy: "Failed",
    podFailurePolicy: {
      rules: [
        { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
        { action: "FailJob", onExitCodes: { containerName: "c", operator: "In", values: [42] } },
      ],
    },
  });
  await harness.settle();
  await endEach(() => ({ ...exited(42), conditions: [{ type: "DisruptionTarget", status: "True" }] }));
  await harness.settle(11_000);
  expect(await harness.list(Pod)).toHaveLength(2);
  expect((await status())?.failed ?? 0).toBe(0);
  await endEach(() => exited(42));
  expect(await conditions()).toEqual(["FailureTarget PodFailurePolicy", "Failed PodFailurePolicy"]);
  expect((await status())?.conditions?.[0]?.message).toMatch(
    /^Container c for pod n\/job-.* failed with exit code 42 matching FailJob rule at index 1$/,
  );
});

it("counts failures by index where that has a limit", async () => {
  await create({
    completions: 2,
    parallelism: 2,
    completionMode: "Indexed",
    backoffLimit: 2 ** 31 - 1,
    backoffLimitPerIndex: 1,
  });
  await harness.settle();
  await endEach((index) => (index === 0 ? { phase: "Failed" } : undefined));
  await harness.settle(11_000);
  const counts = (await harness.list(Pod)).map(
    ({ metadata }) => metadata.annotations?.["batch.kubernetes.io/job-index-failure-count"],
  );
  expect(counts).toEqual(["0", "0", "1"]);
  await endEach((index) => (index === 0 ? { phase: "Failed" } : undefined));
  expect(await status()).toMatchObject({ failedIndexes: "0", failed: 2 });
  expect(await conditions()).toBeUndefined();
  await endEach(() => ({ phase: "Succeeded" }));
  expect(await conditions()).toEqual(["FailureTarget FailedIndexes", "Failed FailedIndexes"]);
  expect(await status()).toMatchObject({ completedIndexes: "1", failedIndexes: "0" });
});

it("stops at too many failed indexes", async () => {
  await create({
    completions: 4,
    parallelism: 4,
    completionMode: "Indexed",
    backoffLimitPerIndex: 0,
    maxFailedIndexes: 1,
    backoffLimit: 2 ** 31 - 1,
  });
  await harness.settle();
  await endEach((index) => (index < 2 ? { phase: "Failed" } : undefined));
  expect(await conditions()).toContain("FailureTarget MaxFailedIndexesExceeded");
});

it("is done when its success policy is met", async () => {
  await create({
    completions: 3,
    parallelism: 3,
    completionMode: "Indexed",
    successPolicy: { rules: [{ succeededIndexes: "0-1", succeededCount: 1 }] },
  });
  await harness.settle();
  await endEach((index) => (index === 2 ? { phase: "Succeeded" } : undefined));
  expect(await conditions()).toBeUndefined();
  await endEach((index) => (index === 1 ? { phase: "Succeeded" } : undefined));
  expect(await conditions()).toEqual(["SuccessCriteriaMet SuccessPolicy", "Complete SuccessPolicy"]);
});

it("leaves jobs of other controllers alone", async () => {
  await create({ managedBy: "example.com/custom" });
  await harness.settle();
  expect(await harness.list(Pod)).toEqual([]);
});
