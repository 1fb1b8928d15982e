import type { Job } from "../types/batch-v1.ts";

/** Whether a condition of a job has a status. */
export function hasCondition(
  { status }: Pick<Job, "status">,
  type: string,
  wanted: "True" | "False" = "True",
): boolean {
  return (status?.conditions ?? []).some(
    (condition) => condition.type === type && condition.status === wanted,
  );
}

/** Whether a job is over, well or not. */
export function isFinished(job: Job): boolean {
  return hasCondition(job, "Complete") || hasCondition(job, "Failed");
}
