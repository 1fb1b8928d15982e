import type { FieldError, LabelSelector } from "../../apimachinery/index.ts";
import {
  FieldPath,
  fieldErrors,
  isDNS1035Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isQualifiedName,
  validateLabelSelector,
} from "../../apimachinery/index.ts";
import { isExpressionName } from "../../cel/index.ts";
import {
  invalidFor,
  invalidJoined,
  mixedCaseProblems,
  oneOf,
  optionalOneOf,
  requiredText,
} from "../common/checks.ts";
import { hasLineBreaks, validateExpression } from "../common/expressions.ts";
import { internalValue } from "../common/internal-value.ts";
import type {
  AuditAnnotation,
  MatchResources,
  Mutation,
  ParamKind,
  ParamRef,
  Validation,
  ValidatingAdmissionPolicySpec,
  Variable,
} from "../types/admissionregistration-v1.ts";
import { PolicyExpressions, expressionResults } from "./policy-expressions.ts";
import { validateMatchConditions, validateNamedRule } from "./rules.ts";

const failurePolicies = ["Fail", "Ignore"];
const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const actions = ["Audit", "Deny", "Warn"];
const mutableOperations = ["*", "CONNECT", "CREATE", "UPDATE"];
const mostAnnotations = 20;
const longestAnnotation = 5 * 1024;
const specPath = FieldPath.root("spec");

/** What both kinds of policies say alike. */
type CommonSpec = Pick<
  ValidatingAdmissionPolicySpec,
  "failurePolicy" | "paramKind" | "matchConstraints" | "matchConditions" | "variables"
>;

/** Which checks a policy goes through. */
export interface PolicyRules {
  /** Conditions that an update leaves as they were are not looked at again. */
  readonly conditions: boolean;
}

/** Checks the spec of a policy that validates. */
export function validateValidatingPolicy(
  name: string,
  spec: ValidatingAdmissionPolicySpec,
  rules: PolicyRules,
): FieldError[] {
  const expressions = new PolicyExpressions({ params: spec.paramKind !== undefined });
  const errors = validateCommon(spec, { ...rules, mutates: false, expressions });
  const { validations = [], auditAnnotations = [] } = spec;
  const at = specPath.child("auditAnnotations");
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = "validations or auditAnnotations must contain at least one item";
    const paths = [specPath.child("validations"), at];
    return [...errors, ...paths.map((path) => fieldErrors.required(path, why))];
  }
  for (const [index, validation] of validations.entries()) {
    errors.push(...validateValidation(validation, specPath.child("validations").index(index), expressions));
  }
  if (auditAnnotations.length > mostAnnotations) {
    const why = `must not have more than ${mostAnnotations} auditAnnotations`;
    const shown = internalValue(auditAnnotations, "[]io.k8s.api.admissionregistration.v1.AuditAnnotation");
    errors.push(fieldErrors.invalid(at, shown, why));
  }
  const keys = new Set<string>();
  for (const [index, annotation] of auditAnnotations.entries()) {
    const key = annotation.key ?? "";
    errors.push(...validateAnnotation(annotation, at.index(index), { policy: name, expressions }));
    if (keys.has(key)) errors.push(fieldErrors.duplicate(at.index(index).child("key"), key));
    keys.add(key);
  }
  return errors;
}

/** Checks the spec of a policy that mutates. */
export function validateMutatingPolicy(
  spec: CommonSpec & {
    readonly mutations?: readonly Mutation[];
    readonly reinvocationPolicy?: string;
  },
  rules: PolicyRules,
): FieldError[] {
  const expressions = new PolicyExpressions({ params: spec.paramKind !== undefined, patches: true });
  const errors = validateCommon(spec, { ...rules, mutates: true, expressions });
  const at = specPath.child("mutations");
  if (!spec.mutations?.length) {
    errors.push(fieldErrors.required(at, "mutations must contain at least one item"));
  }
  for (const [index, mutation] of (spec.mutations ?? []).entries()) {
    errors.push(...validateMutation(mutation, at.index(index), expressions));
  }
  const again = specPath.child("reinvocationPolicy");
  return [...errors, ...oneOf(again, spec.reinvocationPolicy, ["IfNeeded", "Never"])];
}

function validateCommon(
  spec: CommonSpec,
  rules: PolicyRules & { readonly mutates: boolean; readonly expressions: PolicyExpressions },
): FieldError[] {
  const errors =
    spec.failurePolicy === undefined
      ? [fieldErrors.required(specPath.child("failurePolicy"))]
      : optionalOneOf(specPath.child("failurePolicy"), spec.failurePolicy, failurePolicies);
  if (spec.paramKind) errors.push(...validateParamKind(spec.paramKind, specPath.child("paramKind")));
  const at = specPath.child("matchConstraints");
  if (spec.matchConstraints === undefined) errors.push(fieldErrors.required(at));
  else {
    errors.push(...validateMatchResources(spec.matchConstraints, at));
    if (!spec.matchConstraints.resourceRules?.length) {
      errors.push(fieldErrors.required(at.child("resourceRules")));
    }
    if (rules.mutates) errors.push(...validateMutable(spec.matchConstraints, at));
  }
  if (rules.conditions) {
    const path = specPath.child("matchConditions");
    const params = spec.paramKind !== undefined;
    errors.push(...validateMatchConditions(spec.matchConditions, path, { params }));
  }
  for (const [index, variable] of (spec.variables ?? []).entries()) {
    errors.push(...validateVariable(variable, specPath.child("variables").index(index), rules.expressions));
  }
  return errors;
}

function validateParamKind({ apiVersion = "", kind }: ParamKind, path: FieldPath): FieldError[] {
  return [
    ...validateApiVersion(apiVersion, path.child("apiVersion")),
    ...requiredText(path.child("kind"), kind, mixedCaseProblems),
  ];
}

function validateApiVersion(apiVersion: string, path: FieldPath): FieldError[] {
  if (apiVersion === "") return [fieldErrors.required(path)];
  const parts = apiVersion.split("/");
  if (parts.length > 2) {
    return [fieldErrors.invalid(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)];
  }
  const version = parts.at(-1) ?? "";
  const group = parts.length === 2 ? (parts[0] ?? "") : "";
  const errors = group === "" ? [] : invalidJoined(path, group, isDNS1123Subdomain(group));
  if (version === "") {
    return [...errors, fieldErrors.invalid(path, apiVersion, "version must be specified")];
  }
  return [...errors, ...invalidJoined(path, version, isDNS1035Label(version))];
}

function validateMatchResources(match: MatchResources, path: FieldPath): FieldError[] {
  const requiredSelector = (selector: LabelSelector | undefined, at: FieldPath) =>
    selector === undefined ? [fieldErrors.required(at)] : validateLabelSelector(selector, { path: at });
  return [
    ...(match.matchPolicy === undefined
      ? [fieldErrors.required(path.child("matchPolicy"))]
      : optionalOneOf(path.child("matchPolicy"), match.matchPolicy, ["Equivalent", "Exact"])),
    ...requiredSelector(match.namespaceSelector, path.child("namespaceSelector")),
    ...requiredSelector(match.objectSelector, path.child("objectSelector")),
    ...(["resourceRules", "excludeResourceRules"] as const).flatMap((field) =>
      (match[field] ?? []).flatMap((rule, index) => validateNamedRule(rule, path.child(field).index(index))),
    ),
  ];
}

/** What is deleted cannot be changed. */
function validateMutable(match: MatchResources, path: FieldPath): FieldError[] {
  const at = path.child("resourceRules", "operations");
  return (match.resourceRules ?? []).flatMap(({ operations = [] }) =>
    operations.flatMap((operation) => optionalOneOf(at, operation, mutableOperations)),
  );
}

function validateVariable(
  { name = "", expression }: Partial<Variable>,
  path: FieldPath,
  expressions: PolicyExpressions,
): FieldError[] {
  const at = path.child("name");
  const errors: FieldError[] = [];
  if (name.trim() === "") errors.push(fieldErrors.required(at, "name is not specified"));
  else if (!isExpressionName(name)) {
    errors.push(fieldErrors.invalid(at, name, "name is not a valid CEL identifier"));
  }
  return [...errors, ...expressions.define(name, expression, path.child("expression"))];
}

function validateValidation(
  validation: Validation,
  path: FieldPath,
  expressions: PolicyExpressions,
): FieldError[] {
  const { expression, message = "", messageExpression = "", reason } = validation;
  const expressionPath = path.child("expression");
  const errors = validateExpression(expression, expressionPath, "expression is not specified");
  if (errors.length === 0) {
    errors.push(...expressions.check(expression, expressionPath, { results: expressionResults.condition }));
  }
  const messagePath = path.child("messageExpression");
  if (messageExpression.trim() !== "") {
    const rules = { results: expressionResults.message, authorizer: false };
    errors.push(...expressions.check(messageExpression, messagePath, rules));
  } else if (messageExpression !== "") {
    errors.push(fieldErrors.invalid(messagePath, messageExpression, "must be non-empty if specified"));
  }
  const at = path.child("message");
  if (message !== "" && message.trim() === "") {
    errors.push(fieldErrors.invalid(at, message, "message must be non-empty if specified"));
  } else if (hasLineBreaks(message.trim())) {
    errors.push(fieldErrors.invalid(at, message, "message must not contain line breaks"));
  }
  return [...errors, ...optionalOneOf(path.child("reason"), reason, reasons)];
}

function validateAnnotation(
  annotation: Partial<AuditAnnotation>,
  path: FieldPath,
  options: { readonly policy: string; readonly expressions: PolicyExpressions },
): FieldError[] {
  const { policy, expressions } = options;
  const { key = "", valueExpression = "" } = annotation;
  const at = path.child("key");
  const errors =
    policy === ""
      ? [fieldErrors.invalid(at, key, "requires metadata.name be non-empty")]
      : invalidFor(at, `${policy}/${key}`, isQualifiedName(`${policy}/${key}`));
  const valuePath = path.child("valueExpression");
  const trimmed = valueExpression.trim();
  if (trimmed.length > longestAnnotation) {
    const why = `must not exceed ${longestAnnotation} bytes in length`;
    return [...errors, fieldErrors.required(valuePath, why)];
  }
  const missing = validateExpression(valueExpression, valuePath, "valueExpression is not specified");
  if (missing.length > 0) return [...errors, ...missing];
  const rules = { results: expressionResults.annotation, shown: valueExpression };
  return [...errors, ...expressions.check(trimmed, valuePath, rules)];
}

const patches = { ApplyConfiguration: "applyConfiguration", JSONPatch: "jsonPatch" } as const;

function validateMutation(mutation: Mutation, path: FieldPath, expressions: PolicyExpressions): FieldError[] {
  const patchType = mutation.patchType ?? "";
  const wrongType = oneOf(path.child("patchType"), patchType, Object.keys(patches));
  if (wrongType.length > 0) return wrongType;
  const field = patches[patchType];
  const other = field === "jsonPatch" ? "applyConfiguration" : "jsonPatch";
  const patch = mutation[field];
  const errors =
    patch === undefined
      ? [fieldErrors.required(path.child(field), `must be specified when patchType is ${patchType}`)]
      : validatePatch(patch.expression ?? "", path.child(field, "expression"), { field, expressions });
  if (mutation[other] === undefined) return errors;
  const why = `must not be specified when patchType is ${patchType}`;
  return [...errors, fieldErrors.invalid(path.child(other), `{${other}}`, why)];
}

function validatePatch(
  expression: string,
  path: FieldPath,
  {
    field,
    expressions,
  }: { readonly field: keyof typeof expressionResults; readonly expressions: PolicyExpressions },
): FieldError[] {
  const missing = validateExpression(expression, path);
  if (missing.length > 0) return missing;
  return [...expressions.check(expression, path, { results: expressionResults[field] })];
}

/** Checks what binds a policy to parameters and requests. */
export function validateBinding(
  spec: {
    readonly policyName?: string;
    readonly paramRef?: ParamRef;
    readonly matchResources?: MatchResources;
  },
  options: { readonly mutates: boolean },
): FieldError[] {
  const { policyName, paramRef, matchResources } = spec;
  const at = specPath.child("matchResources");
  return [
    ...requiredText(specPath.child("policyName"), policyName, isDNS1123Subdomain),
    ...(paramRef ? validateParamRef(paramRef, specPath.child("paramRef")) : []),
    ...(matchResources ? validateMatchResources(matchResources, at) : []),
    ...(matchResources && options.mutates ? validateMutable(matchResources, at) : []),
  ];
}

function validateParamRef(reference: ParamRef, path: FieldPath): FieldError[] {
  const { name = "", selector, parameterNotFoundAction } = reference;
  const exclusive = "name and selector are mutually exclusive";
  const both = name !== "" && selector !== undefined;
  const errors = name === "" ? [] : invalidFor(path.child("name"), name, isPathSegmentName(name));
  if (both) errors.push(fieldErrors.forbidden(path.child("name"), exclusive));
  errors.push(...validateLabelSelector(selector, { path: path.child("selector") }));
  if (both) errors.push(fieldErrors.forbidden(path.child("selector"), exclusive));
  if (name === "" && selector === undefined) {
    errors.push(fieldErrors.required(path, "one of name or selector must be specified"));
  }
  const at = path.child("parameterNotFoundAction");
  return [...errors, ...oneOf(at, parameterNotFoundAction, ["Deny", "Allow"])];
}

/** Checks what is done about a request that a policy refuses. */
export function validateActions(chosen: readonly string[] | undefined): FieldError[] {
  const at = specPath.child("validationActions");
  const list = chosen ?? [];
  const errors = list.flatMap((action, index) => [
    ...optionalOneOf(at.index(index), action, actions),
    ...(list.indexOf(action) < index ? [fieldErrors.duplicate(at.index(index), action)] : []),
  ]);
  if (list.includes("Deny") && list.includes("Warn")) {
    const why =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    errors.push(fieldErrors.invalid(at, list, why));
  }
  if (list.length === 0) {
    errors.push(fieldErrors.required(at, "at least one validation action is required"));
  }
  return errors;
}
