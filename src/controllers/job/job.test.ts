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
