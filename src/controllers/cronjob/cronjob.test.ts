import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { New } from "../../apimachinery/index.ts";
import { CronJob, Job } from "../../api/types/batch-v1.ts";
import { Harness } from "../testing/harness.ts";
import { cronJobController } from "./index.ts";
import { planCleanup, planCronJob } from "./plan.ts";

describe("plan", () => {
  const created = "2024-01-01T00:00:30Z";
  const at = (time: string) => Date.parse(`2024-01-01T${time}Z`);
  const cron = (spec: object, status: object = {}): CronJob =>
    ({
      metadata: { name: "c", namespace: "n", creationTimestamp: created },
      spec: { schedule: "*/5 * * * *", jobTemplate: {}, ...spec },
      status,
    }) as unknown as CronJob;
  const active = [{ name: "c-1", namespace: "n", uid: "u" }];
  const check = (given: CronJob, time: string) => {
    const { start, events, wakeIn, replace } = planCronJob(given, at(time));
    return [
      start === undefined ? undefined : new Date(start).toISOString().slice(11, 19),
      events.map(({ reason }) => reason).join(),
      wakeIn,
      replace?.length,
    ];
  };
  const cases: readonly (readonly [string, CronJob, string, readonly unknown[]])[] = [
    ["waits for the first time", cron({}), "00:01:00", [undefined, "", 240_100, 0]],
    ["starts when it has come", cron({}), "00:05:01", ["00:05:00", "", 299_100, 0]],
    [
      "starts once",
      cron({}, { lastScheduleTime: "2024-01-01T00:05:00Z" }),
      "00:06:00",
      [undefined, "", 240_100, 0],
    ],
    ["after missed times only for the last", cron({}), "00:17:00", ["00:15:00", "", 180_100, 0]],
    [
      "warns when many were missed",
      cron({ schedule: "* * * * *" }),
      "02:00:00",
      ["02:00:00", "TooManyMissedTimes", 60_100, 0],
    ],
    ["too late is too late", cron({ startingDeadlineSeconds: 10 }), "00:05:30", [undefined, "", 270_100, 0]],
    ["in time is in time", cron({ startingDeadlineSeconds: 40 }), "00:05:30", ["00:05:00", "", 270_100, 0]],
    ["not while suspended", cron({ suspend: true }), "00:06:00", [undefined, "", undefined, 0]],
    [
      "not beside another if that is forbidden",
      cron({ concurrencyPolicy: "Forbid" }, { active }),
      "00:05:01",
      [undefined, "JobAlreadyActive", 299_100, 0],
    ],
    [
      "in place of another",
      cron({ concurrencyPolicy: "Replace" }, { active }),
      "00:05:01",
      ["00:05:00", "", 299_100, 1],
    ],
    [
      "in its time zone",
      cron({ schedule: "0 6 * * *", timeZone: "Asia/Kolkata" }),
      "00:31:00",
      ["00:30:00", "", 86_340_100, 0],
    ],
    [
      "in no unknown zone",
      cron({ timeZone: "Nowhere" }),
      "00:31:00",
      [undefined, "UnknownTimeZone", undefined, 0],
    ],
    [
      "nor by no schedule",
      cron({ schedule: "x" }),
      "00:31:00",
      [undefined, "UnparseableSchedule", undefined, 0],
    ],
    [
      "nor by one that never comes",
      cron({ schedule: "0 0 31 2 *" }),
      "00:31:00",
      [undefined, "InvalidSchedule", undefined, 0],
    ],
  ];
  for (const [name, given, time, expected] of cases) {
    it(name, () => expect(check(given, time)).toEqual(expected));
  }

  it("keeps the last of the finished", () => {
    const job = (name: string, end: string, minute: number) =>
      ({
        metadata: { name },
        status: {
          startTime: `2024-01-01T00:0${minute}:00Z`,
          conditions: [{ type: end, status: "True" }],
        },
      }) as unknown as Job;
    const jobs = [
      job("a", "Complete", 3),
      job("b", "Complete", 1),
      job("c", "Failed", 2),
      job("d", "Failed", 0),
    ];
    const surplus = planCleanup(cron({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 }), jobs);
    expect(surplus.map(({ metadata }) => metadata.name)).toEqual(["b", "d", "c"]);
  });
});

describe("controller", () => {
  let harness: Harness;
  beforeEach(() => {
    harness = new Harness();
    harness.start([cronJobController]);
  });
  afterEach(() => harness.stop());

  const create = (spec: object) =>
    harness.create(CronJob, {
      metadata: { namespace: "n", name: "tick" },
      spec: {
        schedule: "* * * * *",
        successfulJobsHistoryLimit: 1,
        jobTemplate: { metadata: { labels: { a: "b" } }, spec: { template: {} } },
        ...spec,
      },
    } as unknown as New<CronJob>);
  const status = async () => (await harness.list(CronJob))[0]?.status;
  const finish = async () => {
    const completionTime = new Date(harness.clock.now()).toISOString().replace(/\.\d+Z/, "Z");
    for (const job of await harness.list(Job)) {
      if (job.status?.conditions) continue;
      const conditions = [{ type: "Complete", status: "True" }];
      await harness.change(Job, job, { status: { startTime: completionTime, completionTime, conditions } });
    }
    await harness.settle();
  };

  it("starts a job each minute, follows it and forgets old ones", async () => {
    await create({});
    await harness.settle(61_000);
    const [first] = await harness.list(Job);
    expect(first?.metadata).toMatchObject({
      name: expect.stringMatching(/^tick-\d+$/) as string,
      labels: { a: "b" },
      ownerReferences: [{ kind: "CronJob", name: "tick", controller: true }],
    });
    expect(first?.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"]).toMatch(/:00Z$/);
    expect((await status())?.active).toMatchObject([{ kind: "Job", name: first?.metadata.name }]);
    await finish();
    expect(await status()).toMatchObject({ lastSuccessfulTime: expect.any(String) as string });
    expect((await status())?.active).toBeUndefined();
    await harness.settle(60_000);
    await finish();
    expect((await harness.list(Job)).map(({ metadata }) => metadata.name)).not.toContain(
      first?.metadata.name,
    );
    expect(await harness.events()).toEqual(
      expect.arrayContaining([
        `Normal SuccessfulCreate Created job ${first?.metadata.name}`,
        `Normal SawCompletedJob Saw completed job: ${first?.metadata.name}, condition: Complete`,
        `Normal SuccessfulDelete Deleted job ${first?.metadata.name}`,
      ]),
    );
  });

  it("replaces what runs, and notes what went missing", async () => {
    await create({ concurrencyPolicy: "Replace" });
    await harness.settle(61_000);
    const [first] = await harness.list(Job);
    await harness.settle(60_000);
    const [second, ...others] = await harness.list(Job);
    expect(others).toEqual([]);
    expect(second?.metadata.name).not.toBe(first?.metadata.name);
    expect((await status())?.active).toHaveLength(1);
    await harness.client.delete(Job, { namespace: "n", name: second?.metadata.name ?? "" });
    await harness.settle();
    expect(await harness.events()).toContain(
      `Normal MissingJob Active job went missing: ${second?.metadata.name}`,
    );
  });
});
