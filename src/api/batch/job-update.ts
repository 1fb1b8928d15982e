import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { immutable } from "../common/checks.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { omit, withField } from "../common/fill.ts";
import { internalValue } from "../common/internal-value.ts";
import { shownSelector } from "../common/selectors.ts";
import type { Job, JobSpec } from "../types/batch-v1.ts";
import type { Affinity, Container, PodTemplateSpec } from "../types/core-v1.ts";
import { hasCondition } from "./conditions.ts";
import { hasPrefixedLabels } from "./job-labels.ts";
import { shownFailurePolicy, shownSuccessPolicy } from "./job-policies.ts";
import { validateJob } from "./job-validation.ts";

const schedulingFields = ["nodeSelector", "tolerations", "schedulingGates"] as const;
const path = FieldPath.root("spec");

/** Checks a changed job, and that no more of it changes than may. */
export function validateJobUpdate(job: Job, old: Job): readonly FieldError[] {
  const { spec } = job;
  const kept = (field: keyof JobSpec) => immutable(path.child(field), spec[field], old.spec[field]);
  return [
    ...validateJob(job, { needsPrefixedLabels: hasPrefixedLabels(old), repeatsSpec: true }),
    ...validateCompletions(spec, old.spec),
    ...immutable(path.child("selector"), shownSelector(spec.selector), old.spec.selector),
    ...validateTemplate(job, old),
    ...kept("completionMode"),
    ...immutable(
      path.child("podFailurePolicy"),
      shownFailurePolicy(spec.podFailurePolicy),
      shownFailurePolicy(old.spec.podFailurePolicy),
    ),
    ...kept("backoffLimitPerIndex"),
    ...kept("managedBy"),
    ...immutable(
      path.child("successPolicy"),
      shownSuccessPolicy(spec.successPolicy),
      shownSuccessPolicy(old.spec.successPolicy),
    ),
  ];
}

/** An indexed job may become larger or smaller when completions and parallelism stay equal. */
function validateCompletions(spec: JobSpec, old: JobSpec): FieldError[] {
  const { completions, parallelism } = spec;
  const at = path.child("completions");
  if (spec.completionMode !== "Indexed") return immutable(at, completions, old.completions);
  if (completions === old.completions || completions === undefined || completions === parallelism) return [];
  return [fieldErrors.invalid(at, completions, "can only be modified in tandem with spec.parallelism")];
}

function validateTemplate({ spec }: Job, old: Job): FieldError[] {
  const allowed = isAtRest(old) ? withChangesOf(spec.template, old.spec.template) : old.spec.template;
  if (semanticallyEqual(spec.template, allowed)) return [];
  const shown = internalValue(spec.template, "io.k8s.api.core.v1.PodTemplateSpec");
  return [fieldErrors.invalid(path.child("template"), shown, "field is immutable")];
}

/** Whether a job is suspended and none of its pods run: what they would be may change (KEP-5440). */
function isAtRest({ spec, status }: Job): boolean {
  if (spec.suspend !== true || (status?.active ?? 0) > 0) return false;
  return status?.startTime === undefined || hasCondition({ status }, "Suspended");
}

/** The old template with what the new one says of scheduling, labels and the resources of containers. */
function withChangesOf(template: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
  let spec = old.spec;
  for (const field of schedulingFields) spec = withField(spec, field, template.spec[field]);
  spec = withField(spec, "affinity", withNodeAffinityOf(template.spec.affinity, old.spec.affinity));
  for (const list of ["containers", "initContainers"] as const) {
    spec = withField(spec, list, withResourcesOf(template.spec[list], old.spec[list]));
  }
  let metadata = withField(old.metadata, "labels", template.metadata?.labels);
  metadata = withField(metadata, "annotations", template.metadata?.annotations);
  return { ...old, metadata, spec };
}

function withNodeAffinityOf(affinity: Affinity | undefined, old: Affinity | undefined): Affinity | undefined {
  const others = omit(old ?? {}, "nodeAffinity");
  // What is empty may as well be left out.
  if (affinity === undefined) return Object.keys(others).length === 0 ? undefined : others;
  return withField<Affinity, "nodeAffinity">(others, "nodeAffinity", affinity.nodeAffinity);
}

function withResourcesOf<L extends readonly Container[] | undefined>(containers: L, old: L): L {
  return old?.map((container, index) =>
    withField(container, "resources", containers?.[index]?.resources),
  ) as unknown as L;
}
