import type { ContainerStatus, Pod } from "../../api/types/core-v1.ts";
import type { Job, PodFailurePolicyRule } from "../../api/types/batch-v1.ts";
import { parseIndexes } from "./indexes.ts";

export const failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";
export const ignoredCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count";

/** What a job's pod failure policy says of a failed pod. */
export interface FailureMatch {
  readonly action: PodFailurePolicyRule["action"];
  readonly message: string;
}

/** Whether only pods that have ended count as failed, not those that are being deleted. */
export const countsOnlyEnded = ({ spec }: Job): boolean =>
  spec.podReplacementPolicy === "Failed" || spec.podFailurePolicy !== undefined;

/** Whether the pod has failed, or will not get the chance to end well. */
export function hasFailed(job: Job, { status, metadata }: Pod): boolean {
  if (status?.phase === "Failed") return true;
  return !countsOnlyEnded(job) && metadata.deletionTimestamp !== undefined && status?.phase !== "Succeeded";
}

/** The first rule that a failed pod matches. */
export function matchFailurePolicy(job: Job, pod: Pod): FailureMatch | undefined {
  const rules = job.spec.podFailurePolicy?.rules ?? [];
  for (const [index, rule] of rules.entries()) {
    // An action on one index means nothing to jobs that do not count by index.
    if (rule.action === "FailIndex" && job.spec.backoffLimitPerIndex === undefined) continue;
    const subject = subjectOf(rule, pod);
    if (subject === undefined) continue;
    return { action: rule.action, message: `${subject} matching ${rule.action} rule at index ${index}` };
  }
  return undefined;
}

function subjectOf(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const { namespace, name } = pod.metadata;
  if (rule.onExitCodes) {
    const { containerName, operator, values } = rule.onExitCodes;
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    const matches = (container: ContainerStatus) => {
      const code = container.state?.terminated?.exitCode ?? 0;
      if (containerName !== undefined && container.name !== containerName) return false;
      return code !== 0 && values.includes(code) === (operator === "In");
    };
    const container = [...containerStatuses, ...initContainerStatuses].find((entry) => matches(entry));
    if (!container) return undefined;
    const code = container.state?.terminated?.exitCode;
    return `Container ${container.name} for pod ${namespace}/${name} failed with exit code ${code}`;
  }
  const condition = (pod.status?.conditions ?? []).find(({ type, status }) =>
    (rule.onPodConditions ?? []).some(
      (pattern) => pattern.type === type && (pattern.status ?? "True") === status,
    ),
  );
  return condition && `Pod ${namespace}/${name} has condition ${condition.type}`;
}

const countAt = (pod: Pod, annotation: string) => Number(pod.metadata.annotations?.[annotation] ?? 0);

/** How often pods of this one's index had failed before it, whether that counted or not. */
export const failuresBefore = (pod: Pod): number =>
  countAt(pod, failureCountAnnotation) + countAt(pod, ignoredCountAnnotation);

/** Whether the index of a failed pod may not be tried again. */
export function failsIndex(job: Job, pod: Pod): boolean {
  const limit = job.spec.backoffLimitPerIndex;
  if (limit === undefined || !hasFailed(job, pod)) return false;
  const action = matchFailurePolicy(job, pod)?.action;
  if (action === "FailIndex") return true;
  return action !== "Ignore" && countAt(pod, failureCountAnnotation) >= limit;
}

/** What the next pod of an index is told of failures, after `failed`, the last of them. */
export function failureCounts(job: Job, failed: Pod | undefined): Readonly<Record<string, string>> {
  if (job.spec.backoffLimitPerIndex === undefined) return {};
  if (failed === undefined) return { [failureCountAnnotation]: "0" };
  const ignored = matchFailurePolicy(job, failed)?.action === "Ignore";
  const counted = countAt(failed, failureCountAnnotation) + (ignored ? 0 : 1);
  const uncounted = countAt(failed, ignoredCountAnnotation) + (ignored ? 1 : 0);
  return {
    [failureCountAnnotation]: String(counted),
    ...(uncounted > 0 ? { [ignoredCountAnnotation]: String(uncounted) } : {}),
  };
}

/** Which rule of its success policy a job meets, in upstream's words. */
export function matchSuccessPolicy(job: Job, succeeded: ReadonlySet<number>): string | undefined {
  const rules = job.spec.successPolicy?.rules ?? [];
  const index = rules.findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) {
      return succeededCount !== undefined && succeeded.size >= succeededCount;
    }
    const required = [...parseIndexes(succeededIndexes)];
    const done = required.filter((entry) => succeeded.has(entry)).length;
    return done >= (succeededCount ?? required.length);
  });
  return index < 0 ? undefined : `Matched rules at index ${index}`;
}
