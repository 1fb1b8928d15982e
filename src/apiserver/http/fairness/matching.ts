import type { UserInfo } from "../../../api/index.ts";
import type {
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from "../../../api/types/flowcontrol-v1.ts";
import type { RequestInfo, ResourceInfo } from "../request-info.ts";
import type { Configured } from "./level.ts";

const defaultPrecedence = 1_000;

/** Schemas in the order in which they are tried: the lowest number first, then by name. */
export function inOrder<T extends Configured<FlowSchemaSpec>>(schemas: readonly T[]): readonly T[] {
  const precedence = ({ spec }: T) => spec.matchingPrecedence ?? defaultPrecedence;
  return [...schemas].sort(
    (left, right) =>
      precedence(left) - precedence(right) ||
      ((left.metadata.name ?? "") < (right.metadata.name ?? "") ? -1 : 1),
  );
}

/** Whether requests of the user for this fall under a schema. */
export const matchesSchema = (
  { spec }: Pick<Configured<FlowSchemaSpec>, "spec">,
  { info, user }: { readonly info: RequestInfo; readonly user: UserInfo },
): boolean => spec.rules?.some((rule) => matchesRule(rule, info, user)) ?? false;

function matchesRule(rule: PolicyRulesWithSubjects, info: RequestInfo, user: UserInfo): boolean {
  if (!rule.subjects.some((subject) => matchesSubject(subject, user))) return false;
  if (info.type === "path") {
    return rule.nonResourceRules?.some((one) => matchesPath(one, info)) ?? false;
  }
  return rule.resourceRules?.some((one) => matchesResource(one, info)) ?? false;
}

const includes = (values: readonly string[], value: string): boolean =>
  values.includes("*") || values.includes(value);

function matchesSubject({ user, group, serviceAccount }: Subject, asking: UserInfo): boolean {
  if (user) return user.name === "*" || user.name === asking.name;
  if (group) return group.name === "*" || asking.groups.includes(group.name);
  if (!serviceAccount) return false;
  const prefix = `system:serviceaccount:${serviceAccount.namespace}:`;
  return serviceAccount.name === "*"
    ? asking.name.startsWith(prefix)
    : asking.name === `${prefix}${serviceAccount.name}`;
}

function matchesResource(rule: ResourcePolicyRule, info: ResourceInfo): boolean {
  const resource = info.subresource === "" ? info.resource : `${info.resource}/${info.subresource}`;
  if (!includes(rule.verbs, info.verb) || !includes(rule.apiGroups, info.group)) return false;
  if (!includes(rule.resources, resource)) return false;
  return info.namespace === "" ? rule.clusterScope === true : includes(rule.namespaces ?? [], info.namespace);
}

function matchesPath(rule: NonResourcePolicyRule, info: Extract<RequestInfo, { type: "path" }>): boolean {
  return (
    includes(rule.verbs, info.verb) &&
    rule.nonResourceURLs.some((url) =>
      url.endsWith("*") ? info.path.startsWith(url.slice(0, -1)) : info.path === url,
    )
  );
}
