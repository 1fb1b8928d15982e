import type { FieldError, FieldPath } from "../../../apimachinery/index.ts";
import { fieldErrors } from "../../../apimachinery/index.ts";
import { omit } from "../../common/fill.ts";
import { podResources } from "../../quota/pod-resources.ts";
import type { PodSpec } from "../../types/core-v1.ts";
import { compareAmounts, isHugePages, validateResourceName } from "../resource-names.ts";
import { validateResources } from "./resources.ts";

const supported = ["cpu", "memory"];

/** Checks what a pod asks for as a whole, also beside what its containers ask for. */
export function validatePodResources(
  spec: PodSpec,
  pod: FieldPath,
  claims: ReadonlySet<string>,
): FieldError[] {
  const { resources } = spec;
  if (resources === undefined) return [];
  const path = pod.child("resources");
  if (spec.os?.name === "windows") {
    return [fieldErrors.forbidden(path, "may not be set for a windows pod")];
  }
  return [
    ...(resources.claims === undefined
      ? []
      : [fieldErrors.forbidden(path.child("claims"), "claims may not be set for Resources at pod-level")]),
    ...validateResources(resources, path, { claims, name: validateName }),
    ...validateConsistency(spec, path),
  ];
}

function validateName(name: string, path: FieldPath): FieldError[] {
  const errors = validateResourceName(name, path);
  if (errors.length > 0 || supported.includes(name) || isHugePages(name)) return errors;
  return [fieldErrors.notSupported(path, name, supported)];
}

function validateConsistency(spec: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { requests = {}, limits = {} } = spec.resources ?? {};
  const containers = omit(spec, "resources", "overhead");
  for (const [name, amount] of Object.entries(podResources(containers, "requests"))) {
    const whole = requests[name];
    if (whole === undefined || compareAmounts(amount, whole) <= 0) continue;
    const why = `must be greater than or equal to aggregate container requests of ${amount}`;
    errors.push(fieldErrors.invalid(path.child("requests").key(name), whole, why));
  }
  for (const [name, amount] of Object.entries(podResources(containers, "limits"))) {
    const whole = limits[name];
    if (!isHugePages(name) || whole === undefined || compareAmounts(amount, whole) <= 0) continue;
    const why = `must be greater than or equal to aggregate container limits of ${amount}`;
    errors.push(fieldErrors.invalid(path.child("limits").key(name), whole, why));
  }
  for (const [index, container] of (spec.containers ?? []).entries()) {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const whole = limits[name];
      if (whole === undefined || compareAmounts(limit, whole) <= 0) continue;
      const at = path.child("containers").index(index).key(name).child("limits");
      errors.push(fieldErrors.invalid(at, limit, `must be less than or equal to pod limits of ${whole}`));
    }
  }
  return errors;
}
