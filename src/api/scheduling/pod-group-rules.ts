import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import { omit } from "../common/fill.ts";
import type { PodGroupSchedulingPolicy, PodGroupTemplate } from "../types/scheduling-v1alpha2.ts";

/** Fields of features that are off, by the switch they belong to: dropped where they were not in use before. */
export const disabledFields = [
  "schedulingConstraints",
  "resourceClaims",
  "disruptionMode",
  "priorityClassName",
  "priority",
] as const;

type Gated = Pick<PodGroupTemplate, (typeof disabledFields)[number]>;

/** The spec without what belongs to features that are off, unless the `old` one uses them. */
export function withoutDisabled<T extends Gated>(spec: T, old: readonly Gated[]): T {
  const isUsed = (field: (typeof disabledFields)[number]) =>
    old.some((each) => each[field] !== undefined && each[field] !== null);
  const dropped = disabledFields.filter((field) => !isUsed(field));
  return omit(spec, ...dropped);
}

/** Checks how pods of a group are scheduled: one by one, or so many at once. */
export function validatePolicy(policy: PodGroupSchedulingPolicy | undefined, path: FieldPath): FieldError[] {
  const { basic, gang } = policy ?? {};
  if (basic && gang) {
    return [fieldErrors.invalid(path, "{basic, gang}", "must specify exactly one of: `basic`, `gang`")];
  }
  if (!basic && !gang) return [fieldErrors.invalid(path, "", "must specify one of: `basic`, `gang`")];
  if (!gang) return [];
  const at = path.child("gang", "minCount");
  if (!gang.minCount) return [fieldErrors.required(at)];
  const why = "must be greater than or equal to 1";
  return gang.minCount < 1 ? [fieldErrors.invalid(at, gang.minCount, why)] : [];
}

/** Tells an element of which an earlier one has the name. */
export function duplicateOf(
  list: readonly { readonly name: string }[],
  index: number,
  path: FieldPath,
): FieldError[] {
  const element = list[index];
  const isTaken = list.slice(0, index).some(({ name }) => name === element?.name);
  return isTaken ? [fieldErrors.duplicate(path, element)] : [];
}
