import { FieldPath, fieldErrors, type FieldError, type JsonValue } from "../../apimachinery/index.ts";
import { goText } from "../../apimachinery/patch/index.ts";
import type { CustomResourceSubresourceScale } from "../../api/types/apiextensions-v1.ts";

const mostReplicas = 2 ** 31 - 1;

/** What is wrong with the replicas that an object wants. */
export const scaleSpecErrors = (
  object: object,
  { specReplicasPath }: CustomResourceSubresourceScale,
): readonly FieldError[] => replicaErrors(object, specReplicasPath);

/** What is wrong with the replicas that an object has, and with how they are found. */
export function scaleStatusErrors(
  object: object,
  { statusReplicasPath, labelSelectorPath = "" }: CustomResourceSubresourceScale,
): readonly FieldError[] {
  const errors = replicaErrors(object, statusReplicasPath);
  if (labelSelectorPath === "") return errors;
  const selector = valueAt(object, labelSelectorPath, "string");
  if (!("problem" in selector)) return errors;
  return [...errors, fieldErrors.invalid(FieldPath.root(labelSelectorPath), "", selector.problem)];
}

function replicaErrors(object: object, path: string): readonly FieldError[] {
  const at = FieldPath.root(path);
  const found = valueAt(object, path, "int64");
  if ("problem" in found) return [fieldErrors.invalid(at, 0, found.problem)];
  const replicas = found.value as number;
  if (replicas < 0) return [fieldErrors.invalid(at, replicas, "should be a non-negative integer")];
  if (replicas <= mostReplicas) return [];
  return [fieldErrors.invalid(at, replicas, `should be less than or equal to ${mostReplicas}`)];
}

type Wanted = "int64" | "string";

const absent: Readonly<Record<Wanted, unknown>> = { int64: 0, string: "" };

/** The value at a dotted path; what stands for it where it is absent; or why it is of no use, in upstream's words. */
export function valueAt(
  object: object,
  path: string,
  wanted: Wanted,
): { readonly value: unknown; readonly isAbsent: boolean } | { readonly problem: string } {
  const names = path.split(".").filter((name) => name !== "");
  const problem = (count: number, value: unknown, type: string) => {
    const shown = `${goText(value as JsonValue)} is of the type ${goTypeOf(value)}, expected ${type}`;
    return { problem: `.${names.slice(0, count).join(".")} accessor error: ${shown}` };
  };
  let value: unknown = object;
  for (const [index, name] of names.entries()) {
    if (value === null) return { value: absent[wanted], isAbsent: true };
    if (typeof value !== "object" || Array.isArray(value))
      return problem(index, value, "map[string]interface {}");
    value = (value as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) return { value: absent[wanted], isAbsent: true };
  }
  return goTypeOf(value) === wanted ? { value, isAbsent: false } : problem(names.length, value, wanted);
}

function goTypeOf(value: unknown): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "int64" : "float64";
    case "boolean":
      return "bool";
    case "object":
      return "map[string]interface {}";
    default:
      return "string";
  }
}
