import { fieldErrors, type FieldError, type FieldPath } from "../field-error.ts";
import type { LabelSelector, LabelSelectorRequirement } from "../generated/meta-v1.ts";
import { isQualifiedName, isValidLabelValue } from "./names.ts";

/** What is wrong with labels: their keys and values. */
export function validateLabels(
  labels: Readonly<Record<string, string>>,
  path: FieldPath,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const key of Object.keys(labels)) {
    const value = labels[key] ?? "";
    for (const problem of isQualifiedName(key)) errors.push(fieldErrors.invalid(path, key, problem));
    for (const problem of isValidLabelValue(value)) errors.push(fieldErrors.invalid(path, value, problem));
  }
  return errors;
}

/** What is wrong with a label's key. */
export function validateLabelName(name: string, path: FieldPath): readonly FieldError[] {
  return isQualifiedName(name).map((problem) => fieldErrors.invalid(path, name, problem));
}

/** What is wrong with a label selector; `checkValues` also looks at the values of its expressions. */
export function validateLabelSelector(
  selector: LabelSelector | null | undefined,
  options: { readonly path: FieldPath; readonly checkValues?: boolean },
): readonly FieldError[] {
  if (!selector) return [];
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const expressionsPath = options.path.child("matchExpressions");
  return [
    ...validateLabels(matchLabels, options.path.child("matchLabels")),
    ...matchExpressions.flatMap((requirement, index) =>
      validateRequirement(requirement, {
        path: expressionsPath.index(index),
        checkValues: options.checkValues ?? true,
      }),
    ),
  ];
}

function validateRequirement(
  requirement: LabelSelectorRequirement,
  options: { readonly path: FieldPath; readonly checkValues: boolean },
): readonly FieldError[] {
  const { path } = options;
  const values = requirement.values ?? [];
  const errors: FieldError[] = [];
  switch (requirement.operator) {
    case "In":
    case "NotIn":
      if (values.length === 0) {
        const detail = "must be specified when `operator` is 'In' or 'NotIn'";
        errors.push(fieldErrors.required(path.child("values"), detail));
      }
      break;
    case "Exists":
    case "DoesNotExist":
      if (values.length > 0) {
        const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        errors.push(fieldErrors.forbidden(path.child("values"), detail));
      }
      break;
    default:
      errors.push(
        fieldErrors.invalid(path.child("operator"), requirement.operator, "not a valid selector operator"),
      );
  }
  errors.push(...validateLabelName(requirement.key, path.child("key")));
  if (!options.checkValues) return errors;
  for (const [index, value] of values.entries()) {
    for (const problem of isValidLabelValue(value)) {
      errors.push(fieldErrors.invalid(path.child("values").index(index), value, problem));
    }
  }
  return errors;
}
