import type { Attributes } from "../../authorization/authorizer.ts";

/** How much is recorded of a request, from nothing to all it says and is answered. */
export const auditLevels = ["None", "Metadata", "Request", "RequestResponse"] as const;
export type AuditLevel = (typeof auditLevels)[number];

/** When an event is recorded. */
export const auditStages = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"] as const;
export type AuditStage = (typeof auditStages)[number];

/** Resources of one group; none named: all of them. */
export interface AuditedResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** What is recorded of requests that match; what it does not speak of matches. */
export interface AuditRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly AuditedResources[];
  /** An empty one stands for what lies in no namespace. */
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

/** `audit.k8s.io/v1` Policy: the first rule that matches decides. */
export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

/** What is recorded of one request. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

/** What the policy says of a request; nothing is recorded of what it does not speak of. */
export function decide(policy: AuditPolicy, attributes: Attributes, known = true): AuditDecision {
  const rule = policy.rules.find((one) => matches(one, attributes, known));
  const { omitStages = [] } = policy;
  if (!rule) return { level: "None", omitStages, omitManagedFields: policy.omitManagedFields ?? false };
  return {
    level: rule.level,
    omitStages: [...omitStages, ...(rule.omitStages ?? [])],
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

const some = (values: readonly string[] | undefined): values is readonly string[] =>
  values !== undefined && values.length > 0;

/** Who is not known is none of those who are named. */
function matches(rule: AuditRule, attributes: Attributes, known: boolean): boolean {
  const { user, verb } = attributes;
  const { users, userGroups } = rule;
  if (some(users) && !(known && users.includes(user.name))) return false;
  if (some(userGroups) && !(known && user.groups.some((group) => userGroups.includes(group)))) return false;
  if (some(rule.verbs) && !rule.verbs.includes(verb)) return false;
  if (some(rule.namespaces) || (rule.resources?.length ?? 0) > 0) return matchesResource(rule, attributes);
  return some(rule.nonResourceURLs) ? matchesPath(rule.nonResourceURLs, attributes) : true;
}

function matchesResource({ namespaces, resources = [] }: AuditRule, attributes: Attributes): boolean {
  if (attributes.type !== "resource") return false;
  if (some(namespaces) && !namespaces.includes(attributes.namespace)) return false;
  return resources.length === 0 || resources.some((one) => isAmong(one, attributes));
}

function isAmong(
  { group = "", resources, resourceNames }: AuditedResources,
  asked: Extract<Attributes, { type: "resource" }>,
): boolean {
  if (group !== asked.group) return false;
  if (!some(resources)) return true;
  if (some(resourceNames) && !resourceNames.includes(asked.name)) return false;
  const { resource, subresource } = asked;
  const whole = subresource === "" ? resource : `${resource}/${subresource}`;
  return resources.some(
    (pattern) =>
      pattern === "*" ||
      pattern === whole ||
      (subresource !== "" && pattern === `*/${subresource}`) ||
      pattern === `${resource}/*`,
  );
}

function matchesPath(patterns: readonly string[], attributes: Attributes): boolean {
  if (attributes.type !== "path") return false;
  const { path } = attributes;
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? path.startsWith(pattern.slice(0, -1)) : path === pattern,
  );
}
