import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors } from "../../apimachinery/index.ts";

/** Checks that the conditions of a flow schema or priority level have types, each its own. */
export function validateTypes(
  status: { readonly conditions?: readonly { readonly type?: string }[] } | undefined,
): readonly FieldError[] {
  const path = FieldPath.root("status").child("conditions");
  const seen = new Set<string>();
  return (status?.conditions ?? []).flatMap(({ type = "" }, index) => {
    const at = path.index(index).child("type");
    const errors = seen.has(type) ? [fieldErrors.duplicate(at, type)] : [];
    seen.add(type);
    return type === "" ? [...errors, fieldErrors.required(at, "must not be empty")] : errors;
  });
}
