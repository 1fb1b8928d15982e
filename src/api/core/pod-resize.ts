import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { withField } from "../common/fill.ts";
import { mirrorAnnotation, qualityOfService } from "./pod-spec/index.ts";
import type { Container, Pod, PodSpec, ResourceList, ResourceRequirements } from "../types/core-v1.ts";

const lists = ["containers", "initContainers"] as const;

/** What an update of `resize` takes over: resources and how they are changed, where the containers are the same. */
export function resized(pod: Pod, old: Pod): Pod {
  const sameContainers = lists.every((list) => {
    const [next, before] = [pod.spec[list] ?? [], old.spec[list] ?? []];
    return next.length === before.length && next.every(({ name }, index) => name === before[index]?.name);
  });
  // What is different otherwise is for validation to refuse.
  if (!sameContainers) return pod;
  const merged = (list: (typeof lists)[number]) =>
    (old.spec[list] ?? []).map((container, index) => {
      const next = pod.spec[list]?.[index];
      const changed = { ...container, resources: next?.resources ?? {} };
      return withField<Container, "resizePolicy">(changed, "resizePolicy", next?.resizePolicy);
    });
  return {
    ...old,
    metadata: { ...old.metadata, resourceVersion: pod.metadata.resourceVersion },
    spec: withField(
      {
        ...old.spec,
        containers: merged("containers"),
        ...(old.spec.initContainers ? { initContainers: merged("initContainers") } : {}),
      },
      "resources",
      pod.spec.resources,
    ),
  };
}

/** Checks an update of `resize`: only cpu and memory change, none is taken away, and the pod stays what it is. */
export function validatePodResize(pod: Pod, old: Pod): readonly FieldError[] {
  const refused = (why: string) => [fieldErrors.forbidden(FieldPath.empty, why)];
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return refused("static pods cannot be resized");
  }
  if (old.spec.os?.name === "windows") return refused("windows pods cannot be resized");
  const path = FieldPath.root("spec");
  const errors: FieldError[] = [];
  const before = old.status?.qosClass ?? qualityOfService(old.spec);
  if (qualityOfService(pod.spec) !== before) {
    const why = "Pod QOS Class may not change as a result of resizing";
    errors.push(fieldErrors.invalid(path, pod.status?.qosClass ?? before, why));
  }
  if (!isSupported(old)) {
    errors.push(fieldErrors.forbidden(path, "Pod running on node without support for resize"));
  }
  errors.push(...validatePodLevel(pod.spec, old.spec, path));
  if ((old.status?.nodeAllocatableResourceClaimStatuses ?? []).length > 0) {
    const why = "pods with node allocatable resource claims cannot be resized";
    errors.push(fieldErrors.forbidden(path, why));
  }
  const order = validateOrder(pod.spec, old.spec, path);
  errors.push(...order);
  if (order.length > 0) return errors;
  errors.push(...validateContainers(pod.spec, old.spec, path));
  if (errors.length > 0) return errors;
  return semanticallyEqual(withAmountsOf(pod.spec, old.spec), old.spec)
    ? []
    : [fieldErrors.forbidden(path, "only cpu and memory resources are mutable")];
}

/** Nodes that can resize say which resources their running containers have. */
function isSupported(pod: Pod): boolean {
  const running = (pod.status?.containerStatuses ?? []).find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

function validatePodLevel(spec: PodSpec, old: PodSpec, path: FieldPath): FieldError[] {
  if (old.resources === undefined) return [];
  const at = path.child("resources");
  if (spec.resources === undefined) {
    return [fieldErrors.forbidden(at, "pod-level resources cannot be removed")];
  }
  return validateKept(spec.resources, old.resources, { path: at, what: "pod-level resource" });
}

function validateKept(
  next: ResourceRequirements | undefined,
  old: ResourceRequirements | undefined,
  { path, what }: { readonly path: FieldPath; readonly what: string },
): FieldError[] {
  return (["requests", "limits"] as const).flatMap((side) =>
    Object.keys(old?.[side] ?? {}).every((name) => next?.[side]?.[name] !== undefined)
      ? []
      : [fieldErrors.forbidden(path.child(side), `${what} ${side} cannot be removed`)],
  );
}

function validateOrder(spec: PodSpec, old: PodSpec, path: FieldPath): FieldError[] {
  return lists.flatMap((list) => {
    const [next, before] = [spec[list] ?? [], old[list] ?? []];
    const at = path.child(list);
    if (next.length !== before.length) {
      return [fieldErrors.forbidden(at, `${list} may not be added or removed on resize`)];
    }
    return next.flatMap(({ name }, index) =>
      name === before[index]?.name
        ? []
        : [
            fieldErrors.forbidden(
              at.index(index).child("name"),
              `${list} may not be renamed or reordered on resize`,
            ),
          ],
    );
  });
}

function validateContainers(spec: PodSpec, old: PodSpec, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const list of ["initContainers", "containers"] as const) {
    for (const [index, before] of (old[list] ?? []).entries()) {
      const next = spec[list]?.[index];
      const at = path.child(list).index(index).child("resources");
      errors.push(...validateKept(next?.resources, before.resources, { path: at, what: "resource" }));
    }
  }
  for (const [index, before] of (old.containers ?? []).entries()) {
    if (semanticallyEqual(withContainerAmounts(spec.containers?.[index], before), before)) continue;
    errors.push(fieldErrors.forbidden(path, "only cpu and memory resources are mutable"));
  }
  for (const [index, before] of (old.initContainers ?? []).entries()) {
    errors.push(
      ...validateInitContainer(
        spec.initContainers?.[index],
        before,
        path.child("initContainers").index(index),
      ),
    );
  }
  return errors;
}

function validateInitContainer(next: Container | undefined, old: Container, path: FieldPath): FieldError[] {
  if (semanticallyEqual(next, old)) return [];
  const errors: FieldError[] = [];
  if (!semanticallyEqual(withContainerAmounts(next, old), old)) {
    const why = "only cpu and memory resources for init or sidecar containers are mutable";
    errors.push(fieldErrors.forbidden(path, why));
  }
  if (next?.restartPolicy === "Always") return errors;
  for (const { restartPolicy } of next?.resizePolicy ?? []) {
    if (restartPolicy !== "RestartContainer") continue;
    const why = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
    errors.push(fieldErrors.forbidden(path, why));
  }
  return errors;
}

function withAmountsOf(spec: PodSpec, old: PodSpec): PodSpec {
  const all = (list: (typeof lists)[number]) =>
    (spec[list] ?? []).map((container, index) => withContainerAmounts(container, old[list]?.[index]));
  const resources =
    spec.resources === undefined ? undefined : withAmounts(spec.resources, old.resources ?? {});
  return withField(
    {
      ...spec,
      containers: all("containers"),
      ...(spec.initContainers ? { initContainers: all("initContainers") } : {}),
    },
    "resources",
    resources,
  );
}

function withContainerAmounts(container: Container | undefined, old: Container | undefined): Container {
  const { name = "" } = container ?? {};
  return { name, ...container, resources: withAmounts(container?.resources ?? {}, old?.resources ?? {}) };
}

/** Requirements with cpu and memory as they were. */
function withAmounts(next: ResourceRequirements, old: ResourceRequirements): ResourceRequirements {
  const restored = (list: ResourceList | undefined, before: ResourceList | undefined): ResourceList => {
    const result: Record<string, string> = { ...list };
    for (const name of ["cpu", "memory"]) {
      const amount = before?.[name];
      if (amount === undefined) delete result[name];
      else result[name] = amount;
    }
    return result;
  };
  return {
    ...next,
    limits: restored(next.limits, old.limits),
    requests: restored(next.requests, old.requests),
  };
}
