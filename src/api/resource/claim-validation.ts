import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors } from "../../apimachinery/index.ts";
import { boolType, deviceEnvironment, deviceEstimator, dynType, estimateCost } from "../../cel/index.ts";
import { compileExpression, expressionVersion, validateExpression } from "../common/expressions.ts";
import type {
  DeviceClaim,
  DeviceConfiguration,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
} from "../types/resource-v1.ts";
import { validateList, validateSet } from "./collections.ts";
import {
  validateClassName,
  validateDriverName,
  validateFullyQualifiedName,
  validateLabelName,
} from "./names.ts";
import { validateToleration } from "./taint-validation.ts";

const mostRequests = 32;
const mostAlternatives = 8;
const mostConstraints = 32;
const mostSelectors = 32;
const longestExpression = 10 * 1024;
const mostExpressionCost = 1_000_000n;
const longestParameters = 10 * 1024;

/** How many configurations a claim or class may have. */
export const mostConfigurations = 32;

/** Checks what devices a claim asks for. */
export function validateDeviceClaim(claim: DeviceClaim | undefined, path: FieldPath): FieldError[] {
  const names = requestNames(claim?.requests);
  return [
    ...validateSet(claim?.requests, path.child("requests"), {
      most: mostRequests,
      check: validateRequest,
      key: ({ name }) => name,
    }),
    ...validateList(claim?.constraints, path.child("constraints"), {
      most: mostConstraints,
      check: (constraint, at) => validateConstraint(constraint, at, names),
    }),
    ...validateList(claim?.config, path.child("config"), {
      most: mostConfigurations,
      check: (config, at) => [
        ...validateRequestReferences(config.requests, at.child("requests"), names),
        ...validateConfiguration(config, at),
      ],
    }),
  ];
}

/** Names of requests, and of alternatives as `request/alternative`. */
export function requestNames(requests: readonly DeviceRequest[] | undefined): ReadonlySet<string> {
  return new Set(
    (requests ?? []).flatMap(({ name, firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((alternative) => `${name}/${alternative.name}`),
    ]),
  );
}

const requestTypes = "exactly one of `exactly` or `firstAvailable` is required";

function validateRequest(request: DeviceRequest, path: FieldPath): FieldError[] {
  const { name, exactly, firstAvailable } = request;
  const errors = validateLabelName(name, path.child("name"));
  const hasAlternatives = (firstAvailable?.length ?? 0) > 0;
  if (exactly && hasAlternatives) {
    const why = `${requestTypes}, but multiple fields are set`;
    return [...errors, fieldErrors.invalid(path, undefined, why)];
  }
  if (exactly) return [...errors, ...validateExactly(exactly, path.child("exactly"))];
  if (!hasAlternatives) return [...errors, fieldErrors.required(path, requestTypes)];
  return [
    ...errors,
    ...validateSet(firstAvailable, path.child("firstAvailable"), {
      most: mostAlternatives,
      check: (alternative, at) => [
        ...validateLabelName(alternative.name, at.child("name")),
        ...validateExactly(alternative, at),
      ],
      key: (alternative) => alternative.name,
    }),
  ];
}

function validateExactly(request: Omit<DeviceSubRequest, "name">, path: FieldPath): FieldError[] {
  const { deviceClassName, selectors, allocationMode = "", count = 0, tolerations } = request;
  const at = path.child("count");
  const errors = [
    ...validateClassName(deviceClassName, path.child("deviceClassName")),
    ...validateSelectors(selectors, path.child("selectors")),
  ];
  if (allocationMode === "All") {
    const why = "must not be specified when allocationMode is 'All'";
    if (count !== 0) errors.push(fieldErrors.invalid(at, count, why));
  } else if (allocationMode === "ExactCount") {
    if (count <= 0) errors.push(fieldErrors.invalid(at, count, "must be greater than zero"));
  } else {
    const mode = path.child("allocationMode");
    errors.push(fieldErrors.notSupported(mode, allocationMode, ["All", "ExactCount"]));
  }
  return [...errors, ...validateList(tolerations, path.child("tolerations"), { check: validateToleration })];
}

/** Checks expressions that choose devices. */
export function validateSelectors(
  selectors: readonly DeviceSelector[] | undefined,
  path: FieldPath,
): FieldError[] {
  return validateList(selectors, path, {
    most: mostSelectors,
    check: ({ cel }, at) => {
      if (cel === undefined) return [fieldErrors.required(at.child("cel"))];
      return validateDeviceExpression(cel.expression ?? "", at.child("cel", "expression"));
    },
  });
}

function validateDeviceExpression(expression: string, path: FieldPath): readonly FieldError[] {
  if (expression.length > longestExpression) return [fieldErrors.tooLong(path, longestExpression)];
  const missing = validateExpression(expression, path);
  if (missing.length > 0) return missing;
  const { program, errors } = compileExpression(expression, path, {
    environment: deviceEnvironment(expressionVersion),
    results: [boolType, dynType],
    mismatch: (actual) => `must evaluate to bool or the unknown type, not ${actual}`,
  });
  if (!program || estimateCost(program.checked, deviceEstimator).max <= mostExpressionCost) return errors;
  return [fieldErrors.forbidden(path, "too complex, exceeds cost limit")];
}

function validateConstraint(
  constraint: DeviceConstraint,
  path: FieldPath,
  names: ReadonlySet<string>,
): FieldError[] {
  const { requests, matchAttribute, distinctAttribute } = constraint;
  const errors = validateRequestReferences(requests, path.child("requests"), names);
  if (matchAttribute !== undefined) {
    errors.push(...validateFullyQualifiedName(matchAttribute, path.child("matchAttribute")));
  } else if (distinctAttribute !== undefined) {
    errors.push(...validateFullyQualifiedName(distinctAttribute, path.child("distinctAttribute")));
  } else {
    const why =
      'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
    errors.push(fieldErrors.required(path, why));
  }
  return errors;
}

/** Checks names of requests, each at most once. */
export function validateRequestReferences(
  references: readonly string[] | undefined,
  path: FieldPath,
  names: ReadonlySet<string>,
): FieldError[] {
  return validateSet(references, path, {
    most: mostRequests,
    check: (reference, at) => validateRequestReference(reference, at, names),
    key: (reference) => reference,
  });
}

/** Checks the name of a request, or of one of its alternatives. */
export function validateRequestReference(
  reference: string,
  path: FieldPath,
  names: ReadonlySet<string>,
): FieldError[] {
  const why =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  const unknown = fieldErrors.invalid(path, reference, why);
  const parts = reference.split("/");
  if (parts.length > 2) return [unknown];
  const errors = parts.flatMap((part) => validateLabelName(part, path));
  return names.has(reference) ? errors : [...errors, unknown];
}

/** Checks parameters for a driver. */
export function validateConfiguration({ opaque }: DeviceConfiguration, path: FieldPath): FieldError[] {
  const at = path.child("opaque");
  if (opaque === undefined) return [fieldErrors.required(at)];
  return [
    ...validateDriverName(opaque.driver ?? "", at.child("driver")),
    ...validateObject(opaque.parameters, at.child("parameters"), longestParameters),
  ];
}

/** Checks that a value of any form is an object, and not too long. */
export function validateObject(value: unknown, path: FieldPath, longest: number): FieldError[] {
  if (value === undefined || value === null) return [fieldErrors.required(path)];
  if (JSON.stringify(value).length > longest) return [fieldErrors.tooLong(path, longest)];
  if (typeof value === "object" && !Array.isArray(value)) return [];
  return [fieldErrors.invalid(path, "<value omitted>", "must be a valid JSON object")];
}
