import type { FieldPath } from "../../apimachinery/index.ts";
import { podTemplateWarnings } from "../core/pod-spec/index.ts";
import type { JobSpec } from "../types/batch-v1.ts";

/** Beyond both, not every completed index may find room in the status. */
const manyCompletions = 100_000;
const muchParallelism = 10_000;

/** Warnings of what the spec of a job asks for. */
export function jobSpecWarnings(spec: JobSpec | undefined, path: FieldPath): readonly string[] {
  const { completionMode, completions = 0, parallelism = 0, template } = spec ?? {};
  const isVast =
    completionMode === "Indexed" && completions > manyCompletions && parallelism > muchParallelism;
  const why =
    "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail";
  return [
    ...(isVast ? [`${path.text}: ${why}`] : []),
    ...podTemplateWarnings(template, path.child("template")),
  ];
}
