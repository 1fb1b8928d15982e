import type { Condition, FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, validateLabelName } from "../../apimachinery/index.ts";

const statuses = ["False", "True", "Unknown"];
const longestReason = 1024;
const longestMessage = 32 * 1024;
const reasonPattern = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const reasonExpression = new RegExp(`^${reasonPattern}$`);
const reasonProblem =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '" +
  `${reasonPattern}')`;

/** Checks conditions of the general form: each type once, each complete. */
export function validateConditions(
  conditions: readonly Condition[] | undefined,
  path: FieldPath,
): FieldError[] {
  const seen = new Set<string>();
  return (conditions ?? []).flatMap((condition, index) => {
    const at = path.index(index);
    const type = condition.type ?? "";
    const errors = seen.has(type) ? [fieldErrors.duplicate(at.child("type"), type)] : [];
    seen.add(type);
    return [...errors, ...validateCondition(condition, at)];
  });
}

function validateCondition(condition: Partial<Condition>, path: FieldPath): FieldError[] {
  const { type = "", status = "", observedGeneration = 0, reason = "", message = "" } = condition;
  const errors: FieldError[] = [...validateLabelName(type, path.child("type"))];
  if (!statuses.includes(status)) {
    errors.push(fieldErrors.notSupported(path.child("status"), status, statuses));
  }
  if (observedGeneration < 0) {
    const why = "must be greater than or equal to zero";
    errors.push(fieldErrors.invalid(path.child("observedGeneration"), observedGeneration, why));
  }
  if (!condition.lastTransitionTime) {
    errors.push(fieldErrors.required(path.child("lastTransitionTime"), "must be set"));
  }
  const at = path.child("reason");
  if (reason === "") errors.push(fieldErrors.required(at, "must be set"));
  else {
    if (!reasonExpression.test(reason)) errors.push(fieldErrors.invalid(at, reason, reasonProblem));
    if (reason.length > longestReason) errors.push(fieldErrors.tooLong(at, longestReason));
  }
  if (message.length > longestMessage) {
    errors.push(fieldErrors.tooLong(path.child("message"), longestMessage));
  }
  return errors;
}
