import type { Milliseconds } from "../../base/index.ts";
import type { Pod } from "../../api/types/core-v1.ts";
import type { Job, JobCondition, JobStatus } from "../../api/types/batch-v1.ts";
import { isActive, isReady, isTerminating, timeOf } from "../framework/index.ts";
import { rankForDeletion } from "../replicaset/index.ts";
import { formatIndexes, parseIndexes } from "./indexes.ts";
import {
  countsOnlyEnded,
  failsIndex,
  failuresBefore,
  hasFailed,
  matchFailurePolicy,
  matchSuccessPolicy,
} from "./policies.ts";

export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
export const indexAnnotation = "batch.kubernetes.io/job-completion-index";

const firstBackoff: Milliseconds = 10_000;
const longestBackoff: Milliseconds = 600_000;

/** What to do about a job now. */
export interface JobPlan {
  readonly status: JobStatus;
  /** Pods that the status has noted: their finalizer may go once it is written. */
  readonly untrack: readonly Pod[];
  readonly delete: readonly Pod[];
  /** One pod each; the completion index of indexed jobs. */
  readonly create: readonly (number | undefined)[];
  readonly events: readonly { type: "Normal" | "Warning"; reason: string; message: string }[];
  readonly wakeIn?: Milliseconds | undefined;
}

interface Verdict {
  readonly type: "SuccessCriteriaMet" | "FailureTarget";
  readonly reason: string;
  readonly message: string;
}

export const isJobFinished = (job: Job): boolean =>
  (job.status?.conditions ?? []).some(
    ({ type, status }) => (type === "Complete" || type === "Failed") && status === "True",
  );

export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation];
  return text === undefined ? undefined : Number(text);
}

const isTracked = ({ metadata }: Pod) => metadata.finalizers?.includes(trackingFinalizer) === true;

/** The next step of a job that has not finished. */
export function planJob(
  job: Job,
  pods: readonly Pod[],
  at: { readonly now: Milliseconds; readonly timestamp: string },
): JobPlan {
  const counts = countEnded(job, pods);
  const active = pods.filter((pod) => isActive(pod));
  const terminating = pods.filter((pod) => isTerminating(pod));
  const suspended = job.spec.suspend === true;
  const resumed =
    !suspended &&
    job.status?.conditions?.some(({ type, status }) => type === "Suspended" && status === "True");
  const startTime = resumed
    ? at.timestamp
    : (job.status?.startTime ?? (suspended ? undefined : at.timestamp));
  const verdict = suspended
    ? knownVerdict(job)
    : judge(job, { counts, active, pods, now: at.now, startTime });
  const remove = verdict || suspended ? active : surplus(job, { active, counts, now: at.now });
  const held =
    verdict || suspended ? { create: [] } : planCreation(job, { active, counts, pods, now: at.now });
  const create = remove.length > 0 ? [] : held.create;
  const conditions = conditionsAfter(job, {
    verdict,
    counts,
    busy: active.length + terminating.length > 0,
    at,
  });
  const activeCount = active.length - remove.length + create.length;
  const status: JobStatus = {
    ...job.status,
    ...(conditions.list.length > 0 ? { conditions: conditions.list } : {}),
    active: activeCount,
    // Pods that are to go count no more, and no more are ready than there are.
    ready: Math.min(activeCount, active.filter((pod) => isReady(pod)).length),
    terminating: terminating.length + remove.length,
    succeeded: counts.counted.succeeded,
    failed: counts.counted.failed,
    uncountedTerminatedPods: counts.uncounted,
    ...(counts.indexes === undefined ? {} : { completedIndexes: formatIndexes(counts.indexes) }),
    ...(counts.failedIndexes === undefined ? {} : { failedIndexes: formatIndexes(counts.failedIndexes) }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(conditions.complete ? { completionTime: at.timestamp } : {}),
  };
  const deadline =
    startTime && job.spec.activeDeadlineSeconds !== undefined
      ? Math.max(0, timeOf(startTime) + job.spec.activeDeadlineSeconds * 1000 - at.now)
      : undefined;
  const delays = [held.wakeIn, verdict ? undefined : deadline].filter((delay) => delay !== undefined);
  const { events } = conditions;
  const wakeIn = delays.length > 0 ? Math.min(...delays) : undefined;
  return {
    status,
    untrack: counts.ended.filter((pod) => isTracked(pod)),
    delete: remove,
    create,
    events,
    wakeIn,
  };
}

interface Counts {
  readonly counted: { readonly succeeded: number; readonly failed: number };
  readonly uncounted: { readonly succeeded?: readonly string[]; readonly failed?: readonly string[] };
  readonly succeeded: number;
  readonly failed: number;
  readonly indexes: Set<number> | undefined;
  /** Of jobs that count failures by index: those that may not be tried again. */
  readonly failedIndexes: Set<number> | undefined;
  readonly ended: readonly Pod[];
}

/** Ended pods are first noted by uid, and counted once they no longer hold our finalizer: none is lost or doubled. */
function countEnded(job: Job, pods: readonly Pod[]): Counts {
  const tracked = new Map(pods.filter((pod) => isTracked(pod)).map((pod) => [pod.metadata.uid, pod]));
  const { uncountedTerminatedPods: before = {}, succeeded = 0, failed = 0 } = job.status ?? {};
  const still = (uids: readonly string[] = []) => uids.filter((uid) => tracked.has(uid));
  const done = (uids: readonly string[] = []) => uids.length - still(uids).length;
  const indexed = job.spec.completionMode === "Indexed";
  const indexes = indexed ? parseIndexes(job.status?.completedIndexes) : undefined;
  const news = { succeeded: still(before.succeeded), failed: still(before.failed) };
  const ended: Pod[] = [];
  const failedIndexes =
    job.spec.backoffLimitPerIndex === undefined ? undefined : parseIndexes(job.status?.failedIndexes);
  for (const pod of tracked.values()) {
    const index = indexOf(pod);
    if (index !== undefined && failsIndex(job, pod)) failedIndexes?.add(index);
  }
  const held = failedIndexes && !knownVerdict(job) ? heldForSuccessor(job, pods, failedIndexes) : noPods;
  for (const [uid, pod] of tracked) {
    const well = pod.status?.phase === "Succeeded";
    if ((!well && !hasFailed(job, pod)) || held.has(pod)) continue;
    ended.push(pod);
    if (!well && matchFailurePolicy(job, pod)?.action === "Ignore") continue;
    const list = well ? news.succeeded : news.failed;
    if (!list.includes(uid)) list.push(uid);
    const index = indexOf(pod);
    if (well && indexes && index !== undefined && index < (job.spec.completions ?? 0)) indexes.add(index);
  }
  const counted = {
    succeeded: indexes ? indexes.size : succeeded + done(before.succeeded),
    failed: failed + done(before.failed),
  };
  return {
    counted,
    uncounted: {
      ...(news.succeeded.length > 0 ? { succeeded: news.succeeded } : {}),
      ...(news.failed.length > 0 ? { failed: news.failed } : {}),
    },
    succeeded: indexes ? indexes.size : counted.succeeded + news.succeeded.length,
    failed: counted.failed + news.failed.length,
    indexes,
    failedIndexes,
    ended,
  };
}

const noPods: ReadonlySet<Pod> = new Set();

/** The last failed pod of each index stays until another has taken its count of failures over. */
function heldForSuccessor(
  job: Job,
  pods: readonly Pod[],
  failedIndexes: ReadonlySet<number>,
): ReadonlySet<Pod> {
  const last = new Map<number, Pod>();
  for (const pod of pods) {
    const index = indexOf(pod);
    if (index === undefined) continue;
    const known = last.get(index);
    if (!known || failuresBefore(pod) > failuresBefore(known)) last.set(index, pod);
  }
  return new Set(
    [...last]
      .filter(([index, pod]) => hasFailed(job, pod) && !failedIndexes.has(index))
      .map(([, pod]) => pod),
  );
}

/** The pod whose count of failures the next one of an index takes over. */
export function lastFailed(job: Job, pods: readonly Pod[], index: number): Pod | undefined {
  const failed = pods.filter((pod) => indexOf(pod) === index && hasFailed(job, pod));
  return failed.sort((one, other) => failuresBefore(other) - failuresBefore(one))[0];
}

function knownVerdict(job: Job): Verdict | undefined {
  const known = (job.status?.conditions ?? []).find(
    ({ type, status }) => (type === "SuccessCriteriaMet" || type === "FailureTarget") && status === "True",
  );
  if (!known) return undefined;
  const { type, reason = "", message = "" } = known;
  return { type: type as Verdict["type"], reason, message };
}

function judge(
  job: Job,
  state: {
    counts: Counts;
    active: readonly Pod[];
    pods: readonly Pod[];
    now: Milliseconds;
    startTime: string | undefined;
  },
): Verdict | undefined {
  const known = knownVerdict(job);
  if (known) return known;
  const { counts, active, pods, now, startTime } = state;
  const { activeDeadlineSeconds, completions } = job.spec;
  const { backoffLimit = job.spec.backoffLimitPerIndex === undefined ? 6 : Infinity } = job.spec;
  for (const pod of pods) {
    const match = hasFailed(job, pod) ? matchFailurePolicy(job, pod) : undefined;
    if (match?.action !== "FailJob") continue;
    return { type: "FailureTarget", reason: "PodFailurePolicy", message: match.message };
  }
  if (counts.failed > backoffLimit || restartsExceed(job, active)) {
    const message = "Job has reached the specified backoff limit";
    return { type: "FailureTarget", reason: "BackoffLimitExceeded", message };
  }
  if (
    activeDeadlineSeconds !== undefined &&
    startTime &&
    now - timeOf(startTime) >= activeDeadlineSeconds * 1000
  ) {
    const message = "Job was active longer than specified deadline";
    return { type: "FailureTarget", reason: "DeadlineExceeded", message };
  }
  const byIndex = judgeIndexes(job, counts);
  if (byIndex) return byIndex;
  const complete =
    completions === undefined ? counts.succeeded > 0 && active.length === 0 : counts.succeeded >= completions;
  if (!complete) return undefined;
  const message = "Reached expected number of succeeded pods";
  return { type: "SuccessCriteriaMet", reason: "CompletionsReached", message };
}

function judgeIndexes(job: Job, { indexes, failedIndexes }: Counts): Verdict | undefined {
  const { maxFailedIndexes, completions = 0 } = job.spec;
  const failed = failedIndexes?.size ?? 0;
  if (failedIndexes && maxFailedIndexes !== undefined && failed > maxFailedIndexes) {
    const message = "Job has exceeded the specified maximal number of failed indexes";
    return { type: "FailureTarget", reason: "MaxFailedIndexesExceeded", message };
  }
  if (indexes && failed > 0 && failed + indexes.size >= completions) {
    return { type: "FailureTarget", reason: "FailedIndexes", message: "Job has failed indexes" };
  }
  const message = indexes && matchSuccessPolicy(job, indexes);
  return message === undefined ? undefined : { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message };
}

function restartsExceed(job: Job, active: readonly Pod[]): boolean {
  if (job.spec.template.spec?.restartPolicy !== "OnFailure") return false;
  const { backoffLimit = 6 } = job.spec;
  const restarts = active.reduce(
    (sum, { status }) =>
      [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].reduce(
        (total, { restartCount }) => total + restartCount,
        sum,
      ),
    0,
  );
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

/** Active pods beyond parallelism, or of indexes that are done or doubled. */
function surplus(
  job: Job,
  { active, counts, now }: { active: readonly Pod[]; counts: Counts; now: Milliseconds },
): readonly Pod[] {
  const { parallelism = 1, completions } = job.spec;
  const wrong = new Set<Pod>();
  if (counts.indexes) {
    const taken = new Set<number>();
    for (const pod of active) {
      const index = indexOf(pod);
      const bad =
        index === undefined || index >= (completions ?? 0) || taken.has(index) || counts.indexes.has(index);
      if (bad) wrong.add(pod);
      else taken.add(index);
    }
  }
  const right = active.filter((pod) => !wrong.has(pod));
  const excess = Math.max(0, right.length - parallelism);
  const ranked = excess > 0 ? rankForDeletion(right, { related: right, now }).slice(0, excess) : [];
  return [...wrong, ...ranked];
}

function planCreation(
  job: Job,
  state: { active: readonly Pod[]; counts: Counts; pods: readonly Pod[]; now: Milliseconds },
): { readonly create: readonly (number | undefined)[]; readonly wakeIn?: Milliseconds } {
  const { active, counts, pods, now } = state;
  const { parallelism = 1, completions } = job.spec;
  const left =
    completions === undefined
      ? counts.succeeded > 0
        ? active.length
        : parallelism
      : Math.max(0, completions - counts.succeeded - (counts.failedIndexes?.size ?? 0));
  const terminating = pods.filter((pod) => isTerminating(pod)).length;
  const holding = countsOnlyEnded(job) ? terminating : 0;
  const missing = Math.min(parallelism, left) - active.length - holding;
  if (missing <= 0) return { create: [] };
  if (counts.failedIndexes) return planIndexRetries(job, { ...state, missing });
  const delay = backoffLeft(pods, { failed: counts.failed, now });
  if (delay > 0) return { create: [], wakeIn: delay };
  if (!counts.indexes) return { create: Array.from({ length: missing }, () => undefined) };
  const taken = new Set(active.map((pod) => indexOf(pod)));
  const free: number[] = [];
  for (let index = 0; index < (completions ?? 0) && free.length < missing; index++) {
    if (!taken.has(index) && !counts.indexes.has(index)) free.push(index);
  }
  return { create: free };
}

/** Each index waits for its own failures only. */
function planIndexRetries(
  job: Job,
  state: {
    readonly active: readonly Pod[];
    readonly counts: Counts;
    readonly pods: readonly Pod[];
    readonly now: Milliseconds;
    readonly missing: number;
  },
): { readonly create: readonly number[]; readonly wakeIn?: Milliseconds } {
  const { counts, pods, now, missing } = state;
  const going = countsOnlyEnded(job) ? pods.filter((pod) => isTerminating(pod)) : [];
  const taken = new Set([...state.active, ...going].map((pod) => indexOf(pod)));
  const failed = new Map<number, Pod>();
  for (const pod of pods) {
    const index = indexOf(pod);
    if (index === undefined || !hasFailed(job, pod)) continue;
    const known = failed.get(index);
    if (!known || failuresBefore(pod) > failuresBefore(known)) failed.set(index, pod);
  }
  const create: number[] = [];
  const waits: Milliseconds[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0) && create.length < missing; index++) {
    if (taken.has(index) || counts.indexes?.has(index) || counts.failedIndexes?.has(index)) continue;
    const last = failed.get(index);
    const delay = last === undefined ? 0 : backoffLeft([last], { failed: failuresBefore(last) + 1, now });
    if (delay > 0) waits.push(delay);
    else create.push(index);
  }
  return waits.length > 0 ? { create, wakeIn: Math.min(...waits) } : { create };
}

/** After failures in a row new pods wait 10 s, doubling to 10 min, from when the last one ended. */
function backoffLeft(pods: readonly Pod[], state: { failed: number; now: Milliseconds }): Milliseconds {
  const lastFailure = Math.max(0, ...pods.filter(({ status }) => status?.phase === "Failed").map(endOf));
  const lastSuccess = Math.max(0, ...pods.filter(({ status }) => status?.phase === "Succeeded").map(endOf));
  if (lastFailure === 0 || lastSuccess > lastFailure) return 0;
  const delay = Math.min(longestBackoff, firstBackoff * 2 ** Math.min(Math.max(0, state.failed - 1), 20));
  return Math.max(0, lastFailure + delay - state.now);
}

function endOf({ status, metadata }: Pod): Milliseconds {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => timeOf(state?.terminated?.finishedAt));
  const end = Math.max(0, ...ends);
  return end > 0 ? end : timeOf(metadata.creationTimestamp);
}

function conditionsAfter(
  job: Job,
  state: { verdict: Verdict | undefined; counts: Counts; busy: boolean; at: { timestamp: string } },
) {
  const { verdict, counts, busy, at } = state;
  const list: JobCondition[] = [...(job.status?.conditions ?? [])];
  const events: { type: "Normal" | "Warning"; reason: string; message: string }[] = [];
  const has = (type: string) => list.find((entry) => entry.type === type);
  const set = (type: string, status: "True" | "False", why: { reason: string; message: string }) => {
    const known = list.findIndex((entry) => entry.type === type);
    if (known >= 0) list.splice(known, 1);
    const { timestamp } = at;
    list.push({
      type,
      status,
      lastProbeTime: timestamp,
      lastTransitionTime: timestamp,
      ...why,
    });
  };
  if (!verdict) {
    const suspended = has("Suspended")?.status === "True";
    if (job.spec.suspend === true && !suspended) {
      set("Suspended", "True", { reason: "JobSuspended", message: "Job suspended" });
      events.push({ type: "Normal", reason: "Suspended", message: "Job suspended" });
    } else if (job.spec.suspend !== true && suspended) {
      set("Suspended", "False", { reason: "JobResumed", message: "Job resumed" });
      events.push({ type: "Normal", reason: "Resumed", message: "Job resumed" });
    }
    return { list, events, complete: false };
  }
  const { reason, message } = verdict;
  if (!has(verdict.type)) set(verdict.type, "True", { reason, message });
  const uncounted = counts.uncounted.succeeded !== undefined || counts.uncounted.failed !== undefined;
  if (busy || uncounted) return { list, events, complete: false };
  const complete = verdict.type === "SuccessCriteriaMet";
  set(complete ? "Complete" : "Failed", "True", { reason, message });
  if (complete) events.push({ type: "Normal", reason: "Completed", message: "Job completed" });
  else events.push({ type: "Warning", reason, message });
  return { list, events, complete };
}
