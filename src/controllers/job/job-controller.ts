import { ignoreMissing } from "../../api/index.ts";
import { keyOf, timestampOf } from "../../apimachinery/index.ts";
import type { New, ObjectKey } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import { Pod } from "../../api/types/core-v1.ts";
import type { Container } from "../../api/types/core-v1.ts";
import { Job } from "../../api/types/batch-v1.ts";
import {
  again,
  allAtOnce,
  claimOwned,
  controllerKey,
  controllerReference,
  createPodFor,
  equalJson,
  indexByController,
  matchesSelector,
  observed,
  podFromTemplate,
  settled,
  slowStart,
  timeOf,
  wakeOwners,
  watch,
  watchItself,
  withoutZeros,
} from "../framework/index.ts";
import type { Controller, ControllerContext, Outcome } from "../framework/index.ts";
import { indexAnnotation, isJobFinished, lastFailed, planJob, trackingFinalizer } from "./plan.ts";
import { failureCounts } from "./policies.ts";

const ownName = "kubernetes.io/job-controller";

/** Runs each Job's pods until enough have succeeded or too many failed. */
export function jobController(context: ControllerContext): Controller {
  return new JobController(context);
}

class JobController implements Controller {
  readonly name = "job";
  readonly watches;
  private readonly context: ControllerContext;
  private readonly jobs: SharedInformer<Job>;
  private readonly pods: SharedInformer<Pod>;

  constructor(context: ControllerContext) {
    this.context = context;
    this.jobs = context.informers.informer(Job);
    this.pods = indexByController(context.informers.informer(Pod));
    this.watches = [
      watchItself(this.jobs),
      watch(this.pods, (change, wake) => {
        const { object } = change;
        const owned = wakeOwners(change, wake, {
          resource: Job,
          owners: this.jobs,
          selectorOf: ({ spec }) => spec.selector,
        });
        // A pod whose job is gone must not be held by our finalizer.
        const held = object.metadata.finalizers?.includes(trackingFinalizer);
        if (held && !owned) wake(keyOf(object));
      }),
    ];
  }

  async reconcile(key: ObjectKey, signal: AbortSignal): Promise<Outcome> {
    const job = this.jobs.get(key);
    if (job === undefined) return this.releasePods(key);
    // Another controller's job.
    if ((job.spec.managedBy ?? ownName) !== ownName) return settled;
    const { clock } = this.context;
    const pods = await this.claim(job);
    if (isJobFinished(job) || job.metadata.deletionTimestamp !== undefined) {
      await this.untrack(pods);
      return settled;
    }
    const now = clock.now();
    const plan = planJob(job, pods, { now, timestamp: timestampOf(now) });
    const removed = await allAtOnce(plan.delete, (pod) => this.deletePod(job, pod));
    const { done, failed, failure } = await slowStart(plan.create, (index) => {
      const failed = index === undefined ? undefined : lastFailed(job, pods, index);
      const draft = draftPod(job, { index, failed });
      return createPodFor({ resource: Job, object: job }, { draft, context: this.context });
    });
    const missing = plan.create.length - done.length;
    const status = { ...plan.status, active: (plan.status.active ?? 0) - missing };
    if (!equalJson(withoutZeros(status), withoutZeros(job.status))) {
      const written = await this.context.client.update<Job>(
        Job,
        { ...job, status },
        { subresource: "status" },
      );
      for (const event of plan.events) this.context.events.event({ resource: Job, object: job }, event);
      await observed(this.jobs, { stored: [written] }, { clock, signal });
    }
    await this.untrack(plan.untrack);
    await observed(this.pods, { stored: done, deleted: removed.done }, { clock, signal });
    if (failed) throw failure;
    if (removed.failed) throw removed.failure;
    return again(plan.wakeIn);
  }

  private claim(job: Job): Promise<readonly Pod[]> {
    return claimOwned(job, {
      client: this.context.client,
      informer: this.pods,
      resource: Pod,
      ownerResource: Job,
      matches: ({ metadata }) => matchesSelector(job.spec.selector, metadata.labels),
    });
  }

  private async deletePod(job: Job, pod: Pod): Promise<Pod> {
    await ignoreMissing(this.context.client.delete(Pod, keyOf(pod)));
    const message = `Deleted pod: ${pod.metadata.name}`;
    this.context.events.event(
      { resource: Job, object: job },
      { type: "Normal", reason: "SuccessfulDelete", message },
    );
    return pod;
  }

  private async untrack(pods: readonly Pod[]): Promise<void> {
    for (const pod of pods) {
      const { finalizers = [], uid, resourceVersion } = pod.metadata;
      if (!finalizers.includes(trackingFinalizer)) continue;
      const kept = finalizers.filter((finalizer) => finalizer !== trackingFinalizer);
      const body = { metadata: { uid, resourceVersion, finalizers: kept.length > 0 ? kept : null } };
      await ignoreMissing(this.context.client.patch(Pod, keyOf(pod), { type: "merge", body }));
    }
  }

  /** The key is a deleted job's, or a pod's that lost its job. */
  private async releasePods({ namespace, name }: ObjectKey): Promise<Outcome> {
    const orphan = this.pods.get({ namespace, name });
    const left = this.pods
      .list(namespace)
      .filter((pod) => pod === orphan || controllerKey(pod, Job)?.name === name);
    await this.untrack(left.filter((pod) => (pod === orphan ? controllerKey(pod, Job) === undefined : true)));
    return settled;
  }
}

/** A pod of a job; of an indexed one it knows its index, and how often the index failed if that has a limit. */
export function draftPod(
  job: Job,
  { index, failed }: { readonly index: number | undefined; readonly failed: Pod | undefined },
): New<Pod> {
  const reference = controllerReference(Job, job);
  const { name } = job.metadata;
  const namePrefix = index === undefined ? name : `${name}-${index}`;
  const pod = podFromTemplate(job.spec.template, { owner: job, reference, namePrefix }) as unknown as Pod;
  const metadata = { ...pod.metadata, finalizers: [...(pod.metadata.finalizers ?? []), trackingFinalizer] };
  if (index === undefined) return { ...pod, metadata };
  const annotation = { [indexAnnotation]: String(index) };
  const fieldPath = `metadata.annotations['${indexAnnotation}']`;
  const variable = { name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { fieldPath } } };
  const withIndex = (container: Container): Container => ({
    ...container,
    env: [
      ...(container.env ?? []).filter((entry) => entry.name !== variable.name),
      variable,
    ] as Container["env"] & {},
  });
  const { spec } = pod;
  return {
    ...pod,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, ...annotation, ...failureCounts(job, failed) },
      labels: { ...metadata.labels, ...annotation },
    },
    spec: {
      ...spec,
      hostname: spec?.hostname ?? namePrefix,
      containers: (spec?.containers ?? []).map((container) => withIndex(container)),
      ...(spec?.initContainers
        ? { initContainers: spec.initContainers.map((entry) => withIndex(entry)) }
        : {}),
    },
  };
}

/** Deletes jobs some time after they have finished, as their ttlSecondsAfterFinished says. */
export function ttlAfterFinishedController(context: ControllerContext): Controller {
  const { client, clock } = context;
  const jobs = context.informers.informer(Job);
  return {
    name: "ttl-after-finished",
    watches: [watchItself(jobs)],
    async reconcile(key) {
      const job = jobs.get(key);
      const seconds = job?.spec.ttlSecondsAfterFinished;
      if (!job || seconds === undefined || job.metadata.deletionTimestamp || !isJobFinished(job))
        return settled;
      const finish = job.status?.conditions?.find(({ type }) => type === "Complete" || type === "Failed");
      const left = timeOf(finish?.lastTransitionTime) + seconds * 1000 - clock.now();
      if (left > 0) return again(left);
      const preconditions = { uid: job.metadata.uid, resourceVersion: job.metadata.resourceVersion };
      await ignoreMissing(client.delete(Job, key, { propagationPolicy: "Foreground", preconditions }));
      return settled;
    },
  };
}
