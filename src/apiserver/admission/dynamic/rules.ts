import type { AdmissionRequest } from "../plugin.ts";

/** What rules of webhooks and policies are compared with. */
export interface RuleSubject {
  readonly operation: AdmissionRequest["operation"];
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly subresource: string;
  /** That of the request; a namespace is in the one of its own name. */
  readonly namespace: string;
}

/** A rule of a webhook or a policy. */
export interface OperationRule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
}

/** Whether a rule is about a request. */
export function matchesRule(rule: OperationRule, subject: RuleSubject): boolean {
  return (
    matchesScope(rule.scope, subject) &&
    includes(rule.operations, subject.operation) &&
    includes(rule.apiGroups, subject.group) &&
    includes(rule.apiVersions, subject.version) &&
    (rule.resources ?? []).some((resource) => matchesResource(resource, subject))
  );
}

const includes = (names: readonly string[] = [], name: string) =>
  names.some((known) => known === "*" || known === name);

function matchesResource(wanted: string, { plural, subresource }: RuleSubject): boolean {
  const slash = wanted.indexOf("/");
  const [resource, part] = slash < 0 ? [wanted, ""] : [wanted.slice(0, slash), wanted.slice(slash + 1)];
  return (resource === "*" || resource === plural) && (part === "*" || part === subresource);
}

/** Namespaces are of the cluster, though their requests name one. */
function matchesScope(scope = "*", { group, version, plural, namespace }: RuleSubject): boolean {
  if (scope === "*") return true;
  const ofCluster = namespace === "" || (group === "" && version === "v1" && plural === "namespaces");
  return scope === "Cluster" ? ofCluster : !ofCluster;
}

const exempt = new Set([
  "mutatingadmissionpolicies",
  "mutatingadmissionpolicybindings",
  "mutatingwebhookconfigurations",
  "validatingadmissionpolicies",
  "validatingadmissionpolicybindings",
  "validatingwebhookconfigurations",
]);

/** Whether a resource configures admission: what is wrong with it must stay mendable. */
export const isExempt = ({ group, plural }: Pick<RuleSubject, "group" | "plural">): boolean =>
  group === "admissionregistration.k8s.io" && exempt.has(plural);
