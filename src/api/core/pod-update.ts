import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import { inRange } from "../common/checks.ts";
import { describeDifference } from "../common/difference.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { internalForm } from "../common/internal-form.ts";
import { omit, withField } from "../common/fill.ts";
import { mirrorAnnotation, validateTolerations } from "./pod-spec/index.ts";
import type {
  Affinity,
  Container,
  NodeAffinity,
  NodeSelectorTerm,
  Pod,
  PodSchedulingGate,
  PodSpec,
  Toleration,
} from "../types/core-v1.ts";

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
  const { spec } = pod;
  const before = old.spec;
  if (semanticallyEqual(spec, before)) return [];
  const errors: FieldError[] = [];
  for (const field of ["containers", "initContainers"] as const) {
    const checked = validateImages(spec[field] ?? [], before[field] ?? [], path.child(field));
    errors.push(...checked.errors);
    if (checked.stop) return errors;
  }
  const deadline = validateDeadline(spec, before, path.child("activeDeadlineSeconds"));
  errors.push(...deadline);
  if (deadline.length > 0 && spec.activeDeadlineSeconds !== undefined) return errors;
  errors.push(
    ...validateTolerationsAdded(spec.tolerations ?? [], before.tolerations ?? [], path.child("tolerations")),
    ...validateGatesRemoved(
      spec.schedulingGates ?? [],
      before.schedulingGates ?? [],
      path.child("schedulingGates"),
    ),
  );
  let munged = withoutMutable(spec, before);
  if ((before.schedulingGates ?? []).length > 0) {
    const gated = withGatedFields(munged, before, path);
    errors.push(...gated.errors);
    munged = gated.spec;
  }
  if (!semanticallyEqual(munged, before)) {
    const difference = describeDifference({ from: before, to: munged, type: "io.k8s.api.core.v1.PodSpec" });
    const why = `pod updates may not change fields other than ${mutableFields.join(",")}\n${difference}`;
    errors.push(fieldErrors.forbidden(path, why));
  }
  return errors;
}

/** Checks an update of `ephemeralcontainers`: containers can be added, and nothing else changes. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return [fieldErrors.forbidden(FieldPath.empty, "static pods do not support ephemeral containers")];
  }
  const path = FieldPath.root("spec").child("ephemeralContainers");
  const next = new Map((pod.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (old.spec.ephemeralContainers ?? []).flatMap((before) => {
    const after = next.get(before.name);
    const name = JSON.stringify(before.name);
    if (after === undefined) {
      return [fieldErrors.forbidden(path, `existing ephemeral containers ${name} may not be removed\n`)];
    }
    if (semanticallyEqual(after, before)) return [];
    const difference = describeDifference({
      from: before,
      to: after,
      type: "io.k8s.api.core.v1.EphemeralContainer",
    });
    const why = `existing ephemeral containers ${name} may not be changed\n${difference}`;
    return [fieldErrors.forbidden(path, why)];
  });
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
  result = withField(result, "schedulingGates", old.schedulingGates);
  result = withField(result, "tolerations", old.tolerations);
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1) {
    result = withField(result, "terminationGracePeriodSeconds", old.terminationGracePeriodSeconds);
  }
  return result;
}

/** Pods that no scheduler may place yet can narrow where they may run. */
function withGatedFields(
  spec: PodSpec,
  old: PodSpec,
  path: FieldPath,
): { readonly errors: FieldError[]; readonly spec: PodSpec } {
  const errors: FieldError[] = [];
  const kept = Object.entries(old.nodeSelector ?? {}).every(
    ([key, value]) => spec.nodeSelector?.[key] === value,
  );
  if (!kept) {
    const why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    errors.push(fieldErrors.invalid(path.child("nodeSelector"), spec.nodeSelector ?? {}, why));
  }
  const result = withField(spec, "nodeSelector", old.nodeSelector);
  const [next, before] = [result.affinity?.nodeAffinity, old.affinity?.nodeAffinity];
  if (semanticallyEqual(next, before)) return { errors, spec: result };
  errors.push(...validateNodeAffinityNarrowed(next, before, path.child("affinity", "nodeAffinity")));
  return { errors, spec: withField(result, "affinity", affinityOf(result.affinity, before)) };
}

/** An affinity with the old rules for nodes; none when nothing is left of it. */
function affinityOf(affinity: Affinity | undefined, nodes: NodeAffinity | undefined): Affinity | undefined {
  const others = omit(affinity ?? {}, "nodeAffinity");
  if (nodes !== undefined) return { ...others, nodeAffinity: nodes };
  return Object.keys(others).length === 0 ? undefined : others;
}

const expressionFields = ["key", "operator", ["values", null]] as const;

function validateNodeAffinityNarrowed(
  next: NodeAffinity | undefined,
  old: NodeAffinity | undefined,
  path: FieldPath,
): FieldError[] {
  const before = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const after = next?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const at = path.child("requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms");
  if (before.length > 0 && before.length !== after.length) {
    const why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
    return [fieldErrors.invalid(at, after.map(shownTerm), why)];
  }
  return before.flatMap((term, index) => {
    const now = after[index] ?? {};
    return narrows(now, term)
      ? []
      : [
          fieldErrors.invalid(
            at.index(index),
            shownTerm(now),
            "only additions are allowed (no mutations or deletions)",
          ),
        ];
  });
}

function shownTerm(term: NodeSelectorTerm): unknown {
  const shown = (list: NodeSelectorTerm["matchFields"]) =>
    list?.map((expression) => internalForm(expression, expressionFields)) ?? null;
  return { MatchExpressions: shown(term.matchExpressions), MatchFields: shown(term.matchFields) };
}

/** A term without requirements matches nothing, so that any requirement would widen it. */
function narrows(next: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const fields = ["matchExpressions", "matchFields"] as const;
  if (fields.every((field) => !old[field]?.length)) return fields.every((field) => !next[field]?.length);
  return fields.every((field) => {
    const before = old[field] ?? [];
    return semanticallyEqual((next[field] ?? []).slice(0, before.length), before);
  });
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
    if (image.trim() !== image) {
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
      semanticallyEqual(omit(toleration, "tolerationSeconds"), omit(before, "tolerationSeconds")),
    ),
  );
  return kept
    ? validateTolerations(tolerations, path)
    : [fieldErrors.forbidden(path, "existing toleration can not be modified except its tolerationSeconds")];
}

function validateGatesRemoved(
  gates: readonly PodSchedulingGate[],
  old: readonly PodSchedulingGate[],
  path: FieldPath,
): FieldError[] {
  return gates.flatMap(({ name }, index) => {
    if (old.some((gate) => gate.name === name)) return [];
    const why = `only deletion is allowed, but found new scheduling gate '${name}'`;
    return [fieldErrors.forbidden(path.index(index).child("name"), why)];
  });
}
