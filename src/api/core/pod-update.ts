import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { inRange } from "../common/checks.ts";
import { describeDifference } from "../common/difference.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { withField } from "../common/fill.ts";
import { qualityOfService } from "./pod-spec/index.ts";
import type { Container, Pod, PodSpec, ResourceList, Toleration } from "../types/core-v1.ts";

const largestInt32 = 2147483647;
const mutableFields = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
];

/** Checks that an update changes no more of a pod than it may. */
export function validatePodUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  for (const field of ["containers", "initContainers"] as const) {
    const stop = validateImages(pod.spec[field] ?? [], old.spec[field] ?? [], path.child(field));
    errors.push(...stop.errors);
    if (stop.stop) return errors;
  }
  const deadline = validateDeadline(pod.spec, old.spec, path.child("activeDeadlineSeconds"));
  errors.push(...deadline);
  if (deadline.length > 0 && pod.spec.activeDeadlineSeconds !== undefined) return errors;
  const munged = withoutMutable(pod.spec, old.spec);
  errors.push(
    ...validateTolerationsAdded(
      pod.spec.tolerations ?? [],
      old.spec.tolerations ?? [],
      path.child("tolerations"),
    ),
  );
  if (!semanticallyEqual(munged, old.spec)) {
    const difference = describeDifference(munged, old.spec);
    const why = `pod updates may not change fields other than ${mutableFields.join(",")}\n${difference}`;
    errors.push(fieldErrors.forbidden(path, why));
  }
  return errors;
}

/** Checks an update of `ephemeralcontainers`: containers can be added, and nothing else changes. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  const path = FieldPath.root("spec").child("ephemeralContainers");
  const next = new Map((pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (old.spec.ephemeralContainers ?? []).flatMap((before) => {
    const after = next.get(before.name);
    if (after === undefined) {
      return [
        fieldErrors.forbidden(path, `existing ephemeral containers "${before.name}" may not be removed\n`),
      ];
    }
    if (semanticallyEqual(after, before)) return [];
    const difference = describeDifference(after, before);
    const why = `existing ephemeral containers "${before.name}" may not be changed\n${difference}`;
    return [fieldErrors.forbidden(path, why)];
  });
}

/** Checks an update of `resize`: only the containers' cpu and memory change. */
export function validatePodResize(pod: Pod, old: Pod): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  const before = qualityOfService(old.spec);
  if (qualityOfService(pod.spec) !== before) {
    const why = "Pod QOS Class may not change as a result of resizing";
    errors.push(fieldErrors.invalid(path, pod.status?.qosClass ?? before, why));
  }
  const munged: PodSpec = {
    ...pod.spec,
    containers: withResourcesOf(pod.spec.containers ?? [], old.spec.containers ?? []),
    ...(pod.spec.initContainers
      ? { initContainers: withResourcesOf(pod.spec.initContainers, old.spec.initContainers ?? []) }
      : {}),
  };
  if (!semanticallyEqual(munged, old.spec)) {
    const why = `only cpu and memory resources are mutable\n${describeDifference(munged, old.spec)}`;
    errors.push(fieldErrors.forbidden(path, why));
  }
  return errors;
}

function withResourcesOf(containers: readonly Container[], old: readonly Container[]): readonly Container[] {
  return containers.map((container, index) => {
    const before = old[index]?.resources;
    return {
      ...container,
      resources: {
        ...container.resources,
        ...restored("limits", container.resources?.limits, before?.limits),
        ...restored("requests", container.resources?.requests, before?.requests),
      },
    };
  });
}

/** A list of resources with cpu and memory as they were. */
function restored<F extends string>(
  field: F,
  next: ResourceList | undefined,
  old: ResourceList | undefined,
): { readonly [K in F]?: ResourceList } {
  const list: Record<string, string> = { ...next };
  for (const name of ["cpu", "memory"]) {
    const before = old?.[name];
    if (before === undefined) delete list[name];
    else list[name] = before;
  }
  return { [field]: list } as { readonly [K in F]?: ResourceList };
}

/** The new spec with all that may change put back to the old. */
function withoutMutable(spec: PodSpec, old: PodSpec): PodSpec {
  let result: PodSpec = {
    ...spec,
    containers: withImagesOf(spec.containers ?? [], old.containers ?? []),
    ...(spec.initContainers
      ? { initContainers: withImagesOf(spec.initContainers, old.initContainers ?? []) }
      : {}),
  };
  result = withField(result, "activeDeadlineSeconds", old.activeDeadlineSeconds);
  result = withField(result, "tolerations", old.tolerations);
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1) {
    result = withField(result, "terminationGracePeriodSeconds", old.terminationGracePeriodSeconds);
  }
  return (old.schedulingGates ?? []).length > 0 ? withGatedFields(result, old) : result;
}

/** Pods that no scheduler may place yet can lose gates and narrow where they may run. */
function withGatedFields(spec: PodSpec, old: PodSpec): PodSpec {
  let result = spec;
  const gates = new Set((old.schedulingGates ?? []).map((gate) => gate.name));
  if ((spec.schedulingGates ?? []).every((gate) => gates.has(gate.name))) {
    result = withField(result, "schedulingGates", old.schedulingGates);
  }
  const kept = Object.entries(old.nodeSelector ?? {}).every(
    ([key, value]) => spec.nodeSelector?.[key] === value,
  );
  return kept ? withField(result, "nodeSelector", old.nodeSelector) : result;
}

function withImagesOf(containers: readonly Container[], old: readonly Container[]): readonly Container[] {
  return containers.map((container, index) => withField(container, "image", old[index]?.image));
}

function validateImages(
  containers: readonly Container[],
  old: readonly Container[],
  path: FieldPath,
): { errors: FieldError[]; stop: boolean } {
  if (containers.length !== old.length) {
    const why = "pod updates may not add or remove containers";
    return { errors: [fieldErrors.forbidden(path, why)], stop: true };
  }
  const errors: FieldError[] = [];
  for (const [index, container] of containers.entries()) {
    const at = path.index(index).child("image");
    const image = container.image ?? "";
    if (image === "") errors.push(fieldErrors.required(at));
    else if (image.trim() !== image) {
      errors.push(fieldErrors.invalid(at, image, "must not have leading or trailing whitespace"));
    }
  }
  return { errors, stop: false };
}

function validateDeadline(spec: PodSpec, old: PodSpec, path: FieldPath): FieldError[] {
  const { activeDeadlineSeconds: next } = spec;
  const { activeDeadlineSeconds: before } = old;
  if (next === undefined) {
    return before === undefined
      ? []
      : [fieldErrors.invalid(path, null, "must not update from a positive integer to nil value")];
  }
  const outside = inRange(path, next, { from: 0, to: largestInt32 });
  if (outside.length > 0) return outside;
  return before !== undefined && before < next
    ? [fieldErrors.invalid(path, next, "must be less than or equal to previous value")]
    : [];
}

function validateTolerationsAdded(
  tolerations: readonly Toleration[],
  old: readonly Toleration[],
  path: FieldPath,
): FieldError[] {
  const kept = old.every((before) =>
    tolerations.some((toleration) =>
      semanticallyEqual(
        withField(toleration, "tolerationSeconds", undefined),
        withField(before, "tolerationSeconds", undefined),
      ),
    ),
  );
  return kept
    ? []
    : [fieldErrors.forbidden(path, "existing toleration can not be modified except its tolerationSeconds")];
}
