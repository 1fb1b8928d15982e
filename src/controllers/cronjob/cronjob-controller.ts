import { unlessMissing } from "../../api/index.ts";
import { ApiError, keyOf, timestampOf } from "../../apimachinery/index.ts";
import type { ObjectKey } from "../../apimachinery/index.ts";
import { referenceTo } from "../../client/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { CronJob, Job } from "../../api/types/batch-v1.ts";
import type { CronJobStatus } from "../../api/types/batch-v1.ts";
import {
  again,
  controllerKey,
  controllerOf,
  equalJson,
  indexByController,
  observed,
  ownedBy,
  settled,
  watch,
  watchItself,
} from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import { draftJob, planCleanup, planCronJob, planTracking, statusOf } from "./plan.ts";
import type { CronEvent } from "./plan.ts";

type Active = NonNullable<CronJobStatus["active"]>;

/** Starts jobs at the times of each CronJob's schedule, and deletes old ones. */
export function cronJobController(context: ControllerContext): Controller {
  return new CronJobController(context);
}

class CronJobController implements Controller {
  readonly name = "cronjob";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly cronJobs: SharedInformer<CronJob>;
  private readonly jobs: SharedInformer<Job>;

  constructor(context: ControllerContext) {
    this.context = context;
    this.cronJobs = context.informers.informer(CronJob);
    this.jobs = indexByController(context.informers.informer(Job));
    this.watches = [
      watchItself(this.cronJobs),
      watch(this.jobs, ({ object }, wake) => {
        const key = controllerKey(object, CronJob);
        if (key) wake(key);
      }),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const found = this.cronJobs.get(key);
    if (found === undefined) return settled;
    const { clock } = this.context;
    const jobs = ownedBy(this.jobs, found.metadata.uid);
    const tracked = planTracking(found, jobs);
    this.tell(found, tracked.events);
    let status = { ...tracked.status, active: await this.dropMissing(found, tracked.status, jobs) };
    const plan = planCronJob({ ...found, status }, clock.now());
    this.tell(found, plan.events);
    for (const { name = "" } of plan.replace ?? []) {
      await this.replaceJob(found, name);
      status = { ...status, active: status.active.filter((job) => job.name !== name) };
    }
    let failure: { readonly error: unknown } | undefined;
    let started: Job | undefined;
    if (plan.start !== undefined) {
      try {
        started = await this.startJob(found, { time: plan.start, active: status.active });
      } catch (error) {
        failure = { error };
      }
    }
    if (started && plan.start !== undefined) {
      const active = [...status.active, referenceTo(Job, started)];
      status = { ...status, active, lastScheduleTime: timestampOf(plan.start) };
    }
    const removed: Job[] = [];
    for (const job of planCleanup(found, jobs)) if (await this.deleteJob(found, job)) removed.push(job);
    const gone = new Set(removed.map(({ metadata }) => metadata.uid));
    status = { ...status, active: status.active.filter(({ uid = "" }) => !gone.has(uid)) };
    await this.write(found, status, signal);
    await observed(this.jobs, { stored: started ? [started] : [], deleted: removed }, { clock, signal });
    if (failure) throw failure.error;
    return again(plan.wakeIn);
  }

  private tell(cronJob: CronJob, events: readonly CronEvent[]): void {
    for (const event of events) this.context.events.event({ resource: CronJob, object: cronJob }, event);
  }

  /** Active jobs that neither the view nor the server knows are gone. */
  private async dropMissing(
    cronJob: CronJob,
    { active = [] }: CronJobStatus,
    jobs: readonly Job[],
  ): Promise<Active> {
    const known = new Set(jobs.map(({ metadata }) => metadata.uid));
    const kept: Active[number][] = [];
    for (const reference of active) {
      const { namespace, name = "", uid = "" } = reference;
      if (known.has(uid) || (await this.readJob({ namespace, name })) !== undefined) {
        kept.push(reference);
        continue;
      }
      const message = `Active job went missing: ${name}`;
      this.tell(cronJob, [{ type: "Normal", reason: "MissingJob", message }]);
    }
    return kept;
  }

  private readJob(key: ObjectKey): Promise<Job | undefined> {
    return unlessMissing(this.context.client.get<Job>(Job, key));
  }

  private async replaceJob(cronJob: CronJob, name: string): Promise<void> {
    const { namespace } = cronJob.metadata;
    const key: ObjectKey = { ...(namespace === undefined ? {} : { namespace }), name };
    try {
      const job = await this.context.client.get<Job>(Job, key);
      if (await this.deleteJob(cronJob, job)) return;
    } catch (error) {
      const message = `Get job: ${ApiError.from(error).message}`;
      this.tell(cronJob, [{ type: "Warning", reason: "FailedGet", message }]);
      throw error;
    }
    throw ApiError.internal(`could not replace job ${namespace}/${name}`);
  }

  private async deleteJob(cronJob: CronJob, job: Job): Promise<boolean> {
    try {
      await this.context.client.delete(Job, keyOf(job), { propagationPolicy: "Background" });
    } catch (error) {
      const message = `Deleted job: ${ApiError.from(error).message}`;
      this.tell(cronJob, [{ type: "Warning", reason: "FailedDelete", message }]);
      return false;
    }
    const message = `Deleted job ${job.metadata.name}`;
    this.tell(cronJob, [{ type: "Normal", reason: "SuccessfulDelete", message }]);
    return true;
  }

  /** The job of a time, unless another who made it accounts for it. */
  private async startJob(
    cronJob: CronJob,
    { time, active }: { readonly time: number; readonly active: Active },
  ): Promise<Job | undefined> {
    const draft = draftJob(cronJob, time);
    try {
      const created = await this.context.client.create<Job>(Job, draft);
      const message = `Created job ${created.metadata.name}`;
      this.tell(cronJob, [{ type: "Normal", reason: "SuccessfulCreate", message }]);
      return created;
    } catch (error) {
      if (ApiError.is(error, "AlreadyExists")) {
        const existing = await this.context.client.get<Job>(Job, keyOf(draft as Job));
        const { uid } = existing.metadata;
        const ours = controllerOf(existing)?.uid === cronJob.metadata.uid;
        return ours && !active.some((job) => job.uid === uid) ? existing : undefined;
      }
      const isTerminating =
        ApiError.is(error) &&
        (error.status.details?.causes ?? []).some(({ reason }) => reason === "NamespaceTerminating");
      if (!isTerminating) {
        const message = `Error creating job: ${ApiError.from(error).message}`;
        this.tell(cronJob, [{ type: "Warning", reason: "FailedCreate", message }]);
      }
      throw error;
    }
  }

  private async write(cronJob: CronJob, status: CronJobStatus, signal: AbortSignal): Promise<void> {
    const { active, lastScheduleTime, lastSuccessfulTime } = status;
    const next = statusOf({ active, lastScheduleTime, lastSuccessfulTime });
    if (equalJson(next, cronJob.status ?? {})) return;
    const { client, clock } = this.context;
    const object = { ...cronJob, status: next };
    const written = await client.update<CronJob>(CronJob, object, { subresource: "status" });
    await observed(this.cronJobs, { stored: [written] }, { clock, signal });
  }
}
