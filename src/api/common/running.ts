import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import type { PodSpec } from "../types/core-v1.ts";

/** Checks that pods run for ever: no deadline, and containers that start again. */
export function validateRunning(
  spec: PodSpec | undefined,
  path: FieldPath,
  { templateOwner }: { readonly templateOwner: string },
): FieldError[] {
  const errors: FieldError[] = [];
  const { restartPolicy = "Always", activeDeadlineSeconds } = spec ?? {};
  if (restartPolicy !== "Always") {
    errors.push(fieldErrors.notSupported(path.child("restartPolicy"), restartPolicy, ["Always"]));
  }
  if (activeDeadlineSeconds !== undefined) {
    const why = `activeDeadlineSeconds in ${templateOwner} is not Supported`;
    errors.push(fieldErrors.forbidden(path.child("activeDeadlineSeconds"), why));
  }
  return errors;
}
