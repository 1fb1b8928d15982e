import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";
import type { Node, Taint } from "../types/core-v1.ts";
import { misfit, readGoJson } from "./go-json.ts";

const taintsAnnotation = "scheduler.alpha.kubernetes.io/taints";
const avoidanceAnnotation = "scheduler.alpha.kubernetes.io/preferAvoidPods";
const path = FieldPath.root("metadata").child("annotations");

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Checks the annotations by which nodes said, before there were fields for it, which pods they do not want. */
export function validateNodeAnnotations(
  { metadata }: Node,
  validateTaints: (taints: readonly Taint[], path: FieldPath) => FieldError[],
): FieldError[] {
  const { [taintsAnnotation]: taints, [avoidanceAnnotation]: avoidance } = metadata.annotations ?? {};
  const errors: FieldError[] = [];
  if (taints) {
    const read = readTaints(taints);
    if (typeof read === "string") errors.push(fieldErrors.invalid(path, taintsAnnotation, read));
    else errors.push(...validateTaints(read, path.child(taintsAnnotation)));
  }
  return avoidance ? [...errors, ...validateAvoidance(avoidance)] : errors;
}

/** Taints in upstream's own form, whose fields may be written in any case; or what is wrong with the text. */
function readTaints(text: string): readonly Taint[] | string {
  const read = readGoJson(text);
  if ("problem" in read) return read.problem;
  if (read.value === null) return [];
  if (!Array.isArray(read.value)) return misfit(read.value, "value of type []core.Taint");
  const taints: Taint[] = [];
  for (const entry of read.value as readonly unknown[]) {
    if (!isFields(entry ?? {})) return misfit(entry, "value of type core.Taint");
    const taint: Record<string, string> = {};
    for (const [name, value] of Object.entries(entry ?? {})) {
      const field = ["Key", "Value", "Effect"].find((known) => known.toLowerCase() === name.toLowerCase());
      if (field === undefined || value === null) continue;
      if (typeof value !== "string") return misfit(value, `struct field Taint.${field} of type string`);
      taint[field.toLowerCase()] = value;
    }
    taints.push(taint as unknown as Taint);
  }
  return taints;
}

function validateAvoidance(text: string): FieldError[] {
  const refused = (why: string) => [fieldErrors.invalid(path.child("AvoidPods"), avoidanceAnnotation, why)];
  const read = readGoJson(text);
  if ("problem" in read) return refused(read.problem);
  if (!isFields(read.value ?? {})) return refused(misfit(read.value, "value of type v1.AvoidPods"));
  const entries = ((read.value ?? {}) as Fields)["preferAvoidPods"] ?? [];
  if (!Array.isArray(entries)) {
    const target = "struct field AvoidPods.preferAvoidPods of type []v1.PreferAvoidPodsEntry";
    return refused(misfit(entries, target));
  }
  return (entries as readonly unknown[]).flatMap((entry, index) => {
    const at = path.child(avoidanceAnnotation).index(index).child("PodSignature");
    const controller = fieldOf(fieldOf(entry, "podSignature"), "podController");
    if (controller === undefined) return [fieldErrors.required(at)];
    return fieldOf(controller, "controller") === true
      ? []
      : [fieldErrors.invalid(at.child("PodController", "Controller"), false, "must point to a controller")];
  });
}

function fieldOf(value: unknown, field: string): unknown {
  return isFields(value) ? (value[field] ?? undefined) : undefined;
}
