import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, nilList, validateLabelName } from "../../apimachinery/index.ts";
import { validateList } from "./collections.ts";

const mostConditions = 4;

/** Checks conditions that a device must, and must not, meet before a pod is bound to its node. */
export function validateBindingConditions(
  device: {
    readonly bindingConditions?: readonly string[];
    readonly bindingFailureConditions?: readonly string[];
  },
  path: FieldPath,
): FieldError[] {
  const { bindingConditions: awaited = [], bindingFailureConditions: feared = [] } = device;
  const awaitedPath = path.child("bindingConditions");
  const fearedPath = path.child("bindingFailureConditions");
  const rules = { most: mostConditions, check: validateLabelName };
  const errors = [
    ...validateList(awaited, awaitedPath, rules),
    ...validateList(feared, fearedPath, rules),
    ...awaited.flatMap((_, index) => duplicate(awaited, awaitedPath, index)),
  ];
  for (const [index, condition] of feared.entries()) {
    errors.push(...duplicate(feared, fearedPath, index));
    if (!awaited.includes(condition)) continue;
    const why = "bindingFailureConditions must not overlap with bindingConditions";
    errors.push(fieldErrors.invalid(fearedPath.index(index), condition, why));
  }
  if (awaited.length === 0 && feared.length > 0) {
    const why = "bindingConditions are required to use bindingFailureConditions";
    errors.push(fieldErrors.invalid(awaitedPath, device.bindingConditions ?? nilList, why));
  }
  if (feared.length === 0 && awaited.length > 0) {
    const why = "bindingFailureConditions are required to use bindingConditions";
    errors.push(fieldErrors.invalid(fearedPath, device.bindingFailureConditions ?? nilList, why));
  }
  return errors;
}

function duplicate(list: readonly string[], path: FieldPath, index: number): FieldError[] {
  const condition = list[index];
  const isFirst = condition === undefined || list.indexOf(condition) === index;
  return isFirst ? [] : [fieldErrors.duplicate(path.index(index), condition)];
}
