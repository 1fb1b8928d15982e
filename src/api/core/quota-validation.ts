import type { FieldError } from "../../apimachinery/index.ts";
import { FieldPath, fieldErrors, nilList } from "../../apimachinery/index.ts";
import type { ResourceList, ResourceQuota, ResourceQuotaSpec } from "../types/core-v1.ts";
import { compareAmounts, isQuotaResource, validateAmount, validateResourceName } from "./resource-names.ts";

const specPath = FieldPath.root("spec");
const statusPath = FieldPath.root("status");
const scopesPath = specPath.child("scopes");
const expressionsPath = specPath.child("scopeSelector", "matchExpressions");

const podCounts = ["pods"];
const podResources = [
  ...podCounts,
  ...["cpu", "memory"].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
];
/** What may be counted in each scope. */
const scopes: Readonly<Record<string, readonly string[]>> = {
  Terminating: podResources,
  NotTerminating: podResources,
  BestEffort: podCounts,
  NotBestEffort: podResources,
  PriorityClass: podResources,
  CrossNamespacePodAffinity: podResources,
  VolumeAttributesClass: ["persistentvolumeclaims", "requests.storage"],
};
/** Scopes that no object is in at once. */
const opposites = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;
/** Scopes that have no values to choose among. */
const plainScopes = [
  "BestEffort",
  "NotBestEffort",
  "Terminating",
  "NotTerminating",
  "CrossNamespacePodAffinity",
];

/** Checks a quota. */
export function validateQuota({ spec }: ResourceQuota): readonly FieldError[] {
  return [
    ...validateAmounts(spec?.hard, specPath.child("hard")),
    ...validateScopes(spec ?? {}),
    ...validateSelector(spec ?? {}),
  ];
}

/** Checks that an update leaves the scopes alone. */
export function validateQuotaUpdate(quota: ResourceQuota, old: ResourceQuota): readonly FieldError[] {
  const next = new Set(quota.spec?.scopes);
  const before = new Set(old.spec?.scopes);
  if (next.size === before.size && [...next].every((scope) => before.has(scope))) return [];
  return [fieldErrors.invalid(scopesPath, quota.spec?.scopes ?? nilList, "field is immutable")];
}

/** Checks what is counted of a quota. */
export function validateQuotaStatus({ status }: ResourceQuota): readonly FieldError[] {
  return (["hard", "used"] as const).flatMap((field) =>
    validateAmounts(status?.[field], statusPath.child(field)),
  );
}

function validateAmounts(amounts: ResourceList | undefined, path: FieldPath): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, quantity]) => {
    const at = path.key(name);
    const errors = validateResourceName(name, at);
    if (!name.includes("/") && !isQuotaResource(name)) {
      errors.push(fieldErrors.invalid(at, name, "must be a standard resource for quota"));
    }
    return [...errors, ...validateAmount(at, { name, quantity })];
  });
}

/** The names of a quota that Kubernetes knows, but that cannot be counted in a scope. */
function outsideOf(scope: string, { hard }: ResourceQuotaSpec): readonly string[] {
  const possible = scopes[scope];
  if (possible === undefined) return [];
  return Object.keys(hard ?? {}).filter((name) => isQuotaResource(name) && !possible.includes(name));
}

function validateScopes(spec: ResourceQuotaSpec): FieldError[] {
  const given = spec.scopes ?? [];
  const invalid = (why: string) => fieldErrors.invalid(scopesPath, given, why);
  return [
    ...given.flatMap((scope) => [
      ...(scopes[scope] ? [] : [invalid("unsupported scope")]),
      ...outsideOf(scope, spec).map(() => invalid("unsupported scope applied to resource")),
    ]),
    ...conflicts(given).map(() => invalid("conflicting scopes")),
  ];
}

const conflicts = (given: readonly string[]) =>
  opposites.filter((pair) => pair.every((scope) => given.includes(scope)));

function validateSelector(spec: ResourceQuotaSpec): FieldError[] {
  if (!spec.scopeSelector) return [];
  const expressions = spec.scopeSelector.matchExpressions ?? [];
  const shown = {
    MatchExpressions:
      spec.scopeSelector.matchExpressions?.map(({ scopeName, operator, values }) => ({
        ScopeName: scopeName,
        Operator: operator,
        Values: values ?? null,
      })) ?? null,
  };
  const errors = expressions.flatMap(({ scopeName, operator, values = [] }) => [
    ...(scopes[scopeName]
      ? []
      : [fieldErrors.invalid(expressionsPath.child("scopeName"), scopeName ?? "", "unsupported scope")]),
    ...outsideOf(scopeName, spec).map(() =>
      fieldErrors.invalid(expressionsPath, shown, "unsupported scope applied to resource"),
    ),
    ...validateOperator({ scopeName, operator: operator ?? "", values }),
  ]);
  const names = expressions.map(({ scopeName }) => scopeName);
  // Upstream shows the other list here.
  const both = conflicts(names).map(() =>
    fieldErrors.invalid(expressionsPath, spec.scopes ?? nilList, "conflicting scopes"),
  );
  return [...errors, ...both];
}

function validateOperator(expression: {
  readonly scopeName: string;
  readonly operator: string;
  readonly values: readonly string[];
}): FieldError[] {
  const { scopeName, operator, values } = expression;
  const at = expressionsPath.child("operator");
  const errors: FieldError[] = [];
  if (plainScopes.includes(scopeName) && operator !== "Exists") {
    const why =
      "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    errors.push(fieldErrors.invalid(at, operator, why));
  }
  const valuesPath = expressionsPath.child("values");
  if (operator === "In" || operator === "NotIn") {
    if (values.length > 0) return errors;
    const why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    return [...errors, fieldErrors.required(valuesPath, why)];
  }
  if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length === 0) return errors;
    const why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    return [...errors, fieldErrors.invalid(valuesPath, values, why)];
  }
  return [...errors, fieldErrors.invalid(at, operator, "not a valid selector operator")];
}

/** Warns of quotas under which the limits would be used up before the requests. */
export function quotaWarnings({ spec }: ResourceQuota): readonly string[] {
  const hard = spec?.hard ?? {};
  return ["cpu", "memory", "storage", "ephemeral-storage"].flatMap((name) => {
    const isPlain = hard[`requests.${name}`] === undefined && (name === "cpu" || name === "memory");
    const [requested, limited] = [isPlain ? name : `requests.${name}`, `limits.${name}`];
    const [request, limit] = [hard[requested], hard[limited]];
    if (request === undefined || limit === undefined || compareAmounts(request, limit) <= 0) return [];
    return [`ResourceQuota ${requested} (${request}) should be less than ${limited} (${limit})`];
  });
}
