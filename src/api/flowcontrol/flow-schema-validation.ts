import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, isDNS1123Label, isDNS1123Subdomain } from "../../apimachinery/index.ts";
import { invalidFor, loneWildcard, requiredList } from "../common/checks.ts";
import { semanticallyEqual } from "../common/equal.ts";
import { internalValue } from "../common/internal-value.ts";
import type {
  FlowSchema,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  ResourcePolicyRule,
  Subject,
} from "../types/flowcontrol-v1.ts";
import { flowControlDefaults } from "./bootstrap.ts";
import { validateTypes } from "./status.ts";

const lastPrecedence = 10_000;
const exemptName = "exempt";
const methods = ["ByNamespace", "ByUser"];
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
const wildcard = "*";
const types = "io.k8s.api.flowcontrol.v1";

/** Checks a flow schema; those that every cluster has are as they must be. */
export function validateFlowSchema({ metadata, spec, status }: FlowSchema): readonly FieldError[] {
  const path = FieldPath.root("spec");
  const errors = validateSpec(metadata.name, spec, path);
  const fixed = flowControlDefaults.schemas.mandatory[metadata.name];
  if (fixed !== undefined && !semanticallyEqual(spec, fixed)) {
    const why = `spec of '${metadata.name}' must equal the fixed value`;
    errors.push(fieldErrors.invalid(path, internalValue(spec, `${types}.FlowSchemaSpec`), why));
  }
  return [...errors, ...validateTypes(status)];
}

function validateSpec(name: string, spec: FlowSchemaSpec, path: FieldPath): FieldError[] {
  const { distinguisherMethod, priorityLevelConfiguration: level, rules = [] } = spec;
  const errors = validatePrecedence(name, spec.matchingPrecedence ?? 0, path.child("matchingPrecedence"));
  if (distinguisherMethod && !methods.includes(distinguisherMethod.type)) {
    const at = path.child("distinguisherMethod", "type");
    const value = internalValue(distinguisherMethod, `${types}.FlowDistinguisherMethod`);
    errors.push(fieldErrors.notSupported(at, value, methods));
  }
  const at = path.child("priorityLevelConfiguration", "name");
  const levelName = level?.name ?? "";
  if (levelName === "") errors.push(fieldErrors.required(at, "must reference a priority level"));
  else errors.push(...invalidFor(at, levelName, isDNS1123Subdomain(levelName)));
  for (const [index, rule] of rules.entries()) {
    errors.push(...validateRules(rule, path.child("rules").index(index)));
  }
  return errors;
}

function validatePrecedence(name: string, precedence: number, path: FieldPath): FieldError[] {
  const problems: string[] = [];
  if (precedence <= 0) problems.push("must be a positive value");
  if (precedence > lastPrecedence) problems.push(`must not be greater than ${lastPrecedence}`);
  if (precedence === 1 && name !== exemptName) {
    problems.push("only the schema named 'exempt' may have matchingPrecedence 1");
  }
  return invalidFor(path, precedence, problems);
}

function validateRules(rule: NonNullable<FlowSchemaSpec["rules"]>[number], path: FieldPath): FieldError[] {
  const subjects = rule.subjects ?? [];
  const { resourceRules = [], nonResourceRules = [] } = rule;
  const errors = subjects.flatMap((subject, index) =>
    validateSubject(subject, path.child("subjects").index(index)),
  );
  if (subjects.length === 0) {
    errors.push(fieldErrors.required(path.child("subjects"), "subjects must contain at least one value"));
  }
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    const why = "at least one of resourceRules and nonResourceRules has to be non-empty";
    errors.push(fieldErrors.required(path, why));
  }
  return [
    ...errors,
    ...resourceRules.flatMap((inner, index) =>
      validateResourceRule(inner, path.child("resourceRules").index(index)),
    ),
    ...nonResourceRules.flatMap((inner, index) =>
      validateNonResourceRule(inner, path.child("nonResourceRules").index(index)),
    ),
  ];
}

/** Where a subject of each kind is named. */
const subjectFields = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;
const subjectKinds = Object.keys(subjectFields) as (keyof typeof subjectFields)[];

function validateSubject(subject: Subject, path: FieldPath): FieldError[] {
  const kind = subjectKinds.find((known) => known === subject.kind);
  if (kind === undefined) {
    const at = path.child("kind");
    return [fieldErrors.notSupported(at, subject.kind ?? "", [...subjectKinds].sort())];
  }
  const field = subjectFields[kind];
  const at = path.child(field);
  const named = subject[field];
  const errors: FieldError[] = [];
  if (named === undefined) {
    errors.push(fieldErrors.required(at, `${field} is required when subject kind is '${kind}'`));
  } else if (field === "serviceAccount") errors.push(...validateAccount(subject.serviceAccount, at));
  else if (!named.name) errors.push(fieldErrors.required(at.child("name")));
  for (const other of subjectKinds) {
    const otherField = subjectFields[other];
    if (other === kind || subject[otherField] === undefined) continue;
    const why = `${otherField} is forbidden when subject kind is not '${other}'`;
    errors.push(fieldErrors.forbidden(path.child(otherField), why));
  }
  return errors;
}

function validateAccount(account: Subject["serviceAccount"], path: FieldPath): FieldError[] {
  const name = account?.name ?? "";
  const namespace = account?.namespace ?? "";
  const errors: FieldError[] = [];
  if (name === "") errors.push(fieldErrors.required(path.child("name")));
  else if (name !== wildcard) errors.push(...invalidFor(path.child("name"), name, isDNS1123Subdomain(name)));
  const at = path.child("namespace");
  if (namespace !== "") return [...errors, ...invalidFor(at, namespace, isDNS1123Label(namespace))];
  return [...errors, fieldErrors.required(at, "must specify namespace for service account")];
}

function validateVerbs(given: readonly string[] | undefined, path: FieldPath): FieldError[] {
  const list = given ?? [];
  if (list.length === 0) return [fieldErrors.required(path, "verbs must contain at least one value")];
  if (list.includes(wildcard)) return loneWildcard(path, list, "verbs");
  return list.every((verb) => verbs.includes(verb)) ? [] : [fieldErrors.notSupported(path, list, verbs)];
}

function validateResourceRule(rule: ResourcePolicyRule, path: FieldPath): FieldError[] {
  return [
    ...validateVerbs(rule.verbs, path.child("verbs")),
    ...requiredList(path.child("apiGroups"), rule.apiGroups, {
      missing: "resource rules must supply at least one api group",
      noun: "api groups",
    }),
    ...requiredList(path.child("resources"), rule.resources, {
      missing: "resource rules must supply at least one resource",
      noun: "resources",
    }),
    ...validateNamespaces(rule, path.child("namespaces")),
  ];
}

function validateNamespaces(rule: ResourcePolicyRule, path: FieldPath): FieldError[] {
  const { clusterScope } = rule;
  const namespaces = rule.namespaces ?? [];
  if (namespaces.length === 0 && !clusterScope) {
    const why = "resource rules that are not cluster scoped must supply at least one namespace";
    return [fieldErrors.required(path, why)];
  }
  if (namespaces.includes(wildcard)) return loneWildcard(path, namespaces, "namespaces");
  const introduction = "each member of this list must be '*' or a DNS-1123 label; ";
  return namespaces.flatMap((namespace, index) =>
    invalidFor(
      path.index(index),
      namespace,
      isDNS1123Label(namespace).map((problem) => `${introduction}${problem}`),
    ),
  );
}

function validateNonResourceRule(rule: NonResourcePolicyRule, path: FieldPath): FieldError[] {
  const at = path.child("nonResourceURLs");
  const urls = rule.nonResourceURLs ?? [];
  const errors = validateVerbs(rule.verbs, path.child("verbs"));
  if (urls.length === 0) {
    return [...errors, fieldErrors.required(at, "nonResourceURLs must contain at least one value")];
  }
  if (urls.includes(wildcard)) return [...errors, ...loneWildcard(at, urls, "non-resource URLs")];
  const wrong = urls.flatMap((url, index) => invalidFor(at.index(index), url, urlProblems(url)));
  return [...errors, ...wrong];
}

function urlProblems(url: string): readonly string[] {
  if (url === "") return ["must not be empty"];
  if (url === "/") return [];
  if (!url.startsWith("/")) return ["must start with slash"];
  if (url.includes(" ")) return ["must not contain white-space"];
  if (url.includes("//")) return ["must not contain double slash"];
  const isPlain = !url.includes(wildcard) || url.indexOf(wildcard) === url.length - 1;
  return isPlain && (!url.endsWith(wildcard) || url.endsWith("/*"))
    ? []
    : ["wildcard can only do suffix matching"];
}
