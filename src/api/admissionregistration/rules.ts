import type { FieldError, FieldPath } from "../../apimachinery/index.ts";
import { fieldErrors, isPathSegmentName, isQualifiedName } from "../../apimachinery/index.ts";
import { admissionEnvironment } from "../../cel/index.ts";
import { invalidFor, optionalOneOf, requiredList, requiredText } from "../common/checks.ts";
import { compileExpression, expressionVersion, validateExpression } from "../common/expressions.ts";
import type {
  MatchCondition,
  NamedRuleWithOperations,
  RuleWithOperations,
} from "../types/admissionregistration-v1.ts";
import { expressionResults } from "./policy-expressions.ts";

const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const scopes = ["*", "Cluster", "Namespaced"];
const mostConditions = 64;

/** Checks which requests a webhook wants. */
export function validateRule(rule: RuleWithOperations, path: FieldPath): FieldError[] {
  const at = path.child("operations");
  const errors = requiredList(at, rule.operations, { noun: "operations" });
  for (const [index, operation] of (rule.operations ?? []).entries()) {
    errors.push(...optionalOneOf(at.index(index), operation, operations));
  }
  errors.push(
    ...requiredList(path.child("apiGroups"), rule.apiGroups, { noun: "API groups" }),
    ...requiredList(path.child("apiVersions"), rule.apiVersions, { noun: "API versions" }),
  );
  for (const [index, version] of (rule.apiVersions ?? []).entries()) {
    if (version === "") errors.push(fieldErrors.required(path.child("apiVersions").index(index)));
  }
  return [
    ...errors,
    ...validateResources(rule.resources ?? [], path.child("resources")),
    ...optionalOneOf(path.child("scope"), rule.scope, scopes),
  ];
}

function validateResources(resources: readonly string[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (resources.length === 0) errors.push(fieldErrors.required(path));
  const [everyPart, everyResource] = [new Set<string>(), new Set<string>()];
  // Upstream looks at the last resource without a part only.
  let namesWhole = false;
  for (const [index, text] of resources.entries()) {
    const at = path.index(index);
    if (text === "") {
      errors.push(fieldErrors.required(at));
      continue;
    }
    const slash = text.indexOf("/");
    if (slash < 0) {
      namesWhole = text !== "*";
      continue;
    }
    const [resource, part] = [text.slice(0, slash), text.slice(slash + 1)];
    const present = [
      ...(everyPart.has(resource) ? [`${resource}/*`] : []),
      ...(everyResource.has(part) ? [`*/${part}`] : []),
    ];
    const problems = present.map((wildcard) => `if '${wildcard}' is present, must not specify ${text}`);
    errors.push(...invalidFor(at, text, problems));
    if (part === "*") everyPart.add(resource);
    if (resource === "*") everyResource.add(part);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    const why = "if '*/*' is present, must not specify other resources";
    errors.push(fieldErrors.invalid(path, resources, why));
  }
  if (resources.includes("*") && namesWhole) {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.push(fieldErrors.invalid(path, resources, why));
  }
  return errors;
}

/** Checks which requests a policy is for. */
export function validateNamedRule(rule: NamedRuleWithOperations, path: FieldPath): FieldError[] {
  const seen = new Set<string>();
  const errors = (rule.resourceNames ?? []).flatMap((name, index) => {
    const at = path.child("resourceNames").index(index);
    const wrong = invalidFor(at, name, isPathSegmentName(name));
    if (seen.has(name)) wrong.push(fieldErrors.duplicate(at, name));
    seen.add(name);
    return wrong;
  });
  return [...errors, ...validateRule(rule, path)];
}

/** Checks what must hold of a request besides. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined,
  path: FieldPath,
  options: { readonly params: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  const environment = admissionEnvironment(expressionVersion, { ...options, authorizer: true });
  const results = expressionResults.condition;
  const count = conditions?.length ?? 0;
  if (count > mostConditions) errors.push(fieldErrors.tooMany(path, count, mostConditions));
  const seen = new Set<string>();
  for (const [index, { name = "", expression }] of (conditions ?? []).entries()) {
    const at = path.index(index);
    const trimmed = (expression ?? "").trim();
    const expressionPath = at.child("expression");
    errors.push(
      ...(trimmed === ""
        ? validateExpression(trimmed, expressionPath)
        : compileExpression(trimmed, expressionPath, { environment, results }).errors),
    );
    errors.push(...requiredText(at.child("name"), name, isQualifiedName));
    if (seen.has(name)) errors.push(fieldErrors.duplicate(at.child("name"), name));
    if (name !== "") seen.add(name);
  }
  return errors;
}

/** Names of objects that come from files of the server, not from its API. */
const staticSuffix = ".static.k8s.io";

/** A warning when an object's name is reserved. */
export function reservedNameWarnings(name: string): readonly string[] {
  if (!name.endsWith(staticSuffix)) return [];
  const why = "are reserved for static manifest-based configurations and cannot be managed via the API";
  return [`metadata.name: names ending with "${staticSuffix}" ${why}`];
}
