import { ApiError } from "../../../apimachinery/index.ts";
import { Namespace, Pod } from "../../../api/types/core-v1.ts";
import type { Clock, Milliseconds } from "../../../base/index.ts";
import type { ObjectReader } from "../../reader.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../plugin.ts";
import { refused } from "../request.ts";
import type { JudgedPod } from "./checks.ts";
import { evaluate, reasonsText, violationsText } from "./evaluate.ts";
import { levels, levelVersionText, policyOfLabels, privilegedPolicy, sameLevelVersion } from "./policy.ts";
import type { LevelVersion, Policy } from "./policy.ts";
import { isSignificantChange } from "./significant-change.ts";
import { templateOf, templateResources } from "./templates.ts";

/** How many pods a namespace's new level is tried on, and for how long. */
const mostPodsTried = 3000;
const longestTrial: Milliseconds = 1000;

/** Subresources of pods that do not write what runs. */
const harmlessSubresources = new Set([
  "exec",
  "attach",
  "binding",
  "eviction",
  "log",
  "portforward",
  "proxy",
  "status",
]);

export interface PodSecurityOptions {
  readonly reader: ObjectReader;
  readonly clock: Clock;
  /** The policy of namespaces without labels; default: everything is allowed. */
  readonly defaults?: Policy;
  /** Whom and what no policy concerns. */
  readonly exemptions?: {
    readonly usernames?: readonly string[];
    readonly namespaces?: readonly string[];
    readonly runtimeClasses?: readonly string[];
  };
}

/** Holds pods to the Pod Security Standard that their namespace asks for by labels, and warns of workloads whose pods would be refused. */
export function podSecurity(options: PodSecurityOptions): AdmissionPlugin {
  const { defaults = privilegedPolicy, exemptions = {} } = options;
  const context = { ...options, defaults, exemptions };
  return {
    name: "PodSecurity",
    operations: ["CREATE", "UPDATE"],
    resources: [Namespace, Pod, ...templateResources],
    validate(request) {
      const { group, plural } = request.resource;
      if (group === "" && plural === Namespace.plural) return judgeNamespace(request, context);
      if (group === "" && plural === Pod.plural) return judgePod(request, context);
      return judgeWorkload(request, context);
    },
  };
}

interface Context extends PodSecurityOptions {
  readonly defaults: Policy;
  readonly exemptions: NonNullable<PodSecurityOptions["exemptions"]>;
}

function judgeNamespace(request: AdmissionRequest, context: Context): void {
  if (request.subresource !== "" || !request.object) return;
  const { policy, errors } = policyOfLabels(request.object.metadata.labels, context.defaults);
  const invalid = () =>
    ApiError.invalid(Namespace, request.name || request.object?.metadata.name || "", errors);
  if (!request.old) {
    if (errors.length > 0) throw invalid();
    return;
  }
  const before = policyOfLabels(request.old.metadata.labels, context.defaults);
  if (errors.length > 0 && JSON.stringify(errors) !== JSON.stringify(before.errors)) throw invalid();
  const { enforce } = policy;
  const old = before.policy.enforce;
  if (sameLevelVersion(enforce, old) || enforce.level === "privileged") return;
  const relaxed =
    enforce.version === old.version && levels.indexOf(enforce.level) <= levels.indexOf(old.level);
  const { name } = request.object.metadata;
  if (relaxed || context.exemptions.namespaces?.includes(name)) return;
  for (const warning of namespaceWarnings(name, enforce, context)) request.warn?.(warning);
}

/** What of the present pods the new level would not let in. */
function namespaceWarnings(namespace: string, enforce: LevelVersion, context: Context): readonly string[] {
  const { reader, clock } = context;
  const pods = prioritized(
    reader.list(Pod, namespace).filter((pod) => !isExemptRuntime(pod.spec.runtimeClassName, context)),
  );
  const deadline = clock.now() + longestTrial;
  const found = new Map<string, string[]>();
  let tried = 0;
  for (const pod of pods.slice(0, mostPodsTried)) {
    const violations = evaluate(pod, enforce);
    if (violations.length > 0) {
      const reasons = reasonsText(violations);
      found.set(reasons, [...(found.get(reasons) ?? []), pod.metadata.name]);
    }
    tried++;
    if (clock.now() > deadline) break;
  }
  const level = levelVersionText(enforce);
  return [
    ...(tried < pods.length
      ? [
          `new PodSecurity enforce level only checked against the first ${tried} of ${pods.length} existing pods`,
        ]
      : []),
    ...(found.size > 0
      ? [
          `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(level)}`,
        ]
      : []),
    ...[...found].map(([reasons, names]) => `${podsText(names)}: ${reasons}`).sort(),
  ];
}

function podsText(names: readonly string[]): string {
  const first = [...names].sort()[0] ?? "";
  const others = names.length - 1;
  if (others === 0) return first;
  return `${first} (and ${others} other ${others === 1 ? "pod" : "pods"})`;
}

/** One pod of each controller first: the others are mostly the same. */
function prioritized(pods: readonly Pod[]): readonly Pod[] {
  const seen = new Set<string>();
  const others: Pod[] = [];
  const first = pods.filter((pod) => {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
    if (owner === undefined) return true;
    if (seen.has(owner)) {
      others.push(pod);
      return false;
    }
    seen.add(owner);
    return true;
  });
  return [...first, ...others];
}

function judgePod(request: AdmissionRequest, context: Context): void {
  if (harmlessSubresources.has(request.subresource)) return;
  const policy = policyFor(request, context);
  if (!policy) return;
  if (isHarmless(request, policy) && isPrivileged(policy.enforce)) {
    return note(request, "enforce-policy", levelVersionText(privilegedPolicy.enforce));
  }
  const pod = request.object as Pod | undefined;
  if (!pod) return;
  if (isExemptRuntime(pod.spec.runtimeClassName, context)) return note(request, "exempt", "runtimeClass");
  if (request.old && !isSignificantChange(pod, request.old as Pod)) return;
  note(request, "enforce-policy", levelVersionText(policy.enforce));
  noteViolations(request, { pod, level: policy.audit });
  const violations = evaluate(pod, policy.enforce);
  if (violations.length > 0) {
    const level = JSON.stringify(levelVersionText(policy.enforce));
    throw refused(request, `violates PodSecurity ${level}: ${violationsText(violations)}`);
  }
  warnOf(request, { pod, level: policy.warn });
}

function judgeWorkload(request: AdmissionRequest, context: Context): void {
  if (request.subresource !== "" || !request.object) return;
  const policy = policyFor(request, context);
  if (!policy || isHarmless(request, policy)) return;
  const pod = templateOf(request.resource, request.object);
  if (!pod) return;
  if (isExemptRuntime(pod.spec.runtimeClassName, context)) return note(request, "exempt", "runtimeClass");
  noteViolations(request, { pod, level: policy.audit });
  warnOf(request, { pod, level: policy.warn });
}

function warnOf(request: AdmissionRequest, { pod, level }: { pod: JudgedPod; level: LevelVersion }): void {
  if (!request.warn) return;
  const violations = evaluate(pod, level);
  if (violations.length === 0) return;
  const text = JSON.stringify(levelVersionText(level));
  request.warn(`would violate PodSecurity ${text}: ${violationsText(violations)}`);
}

/** Records what the policy made of a request. */
function note({ annotate }: AdmissionRequest, key: string, value: string): void {
  annotate?.(`pod-security.kubernetes.io/${key}`, value);
}

function noteViolations(
  request: AdmissionRequest,
  { pod, level }: { pod: JudgedPod; level: LevelVersion },
): void {
  if (!request.annotate) return;
  const violations = evaluate(pod, level);
  if (violations.length === 0) return;
  const text = JSON.stringify(levelVersionText(level));
  note(request, "audit-violations", `would violate PodSecurity ${text}: ${violationsText(violations)}`);
}

/** Whether there is nothing to warn of or to record. */
const isHarmless = ({ annotate }: AdmissionRequest, { warn, audit }: Policy): boolean =>
  isPrivileged(warn) && (annotate === undefined || isPrivileged(audit));

const isPrivileged = ({ level }: LevelVersion): boolean => level === "privileged";

/** The policy of the request's namespace; undefined when none concerns the request. */
function policyFor(request: AdmissionRequest, context: Context): Policy | undefined {
  const { reader, defaults, exemptions } = context;
  const { namespace, user } = request;
  const exempt = exemptions.namespaces?.includes(namespace)
    ? "namespace"
    : exemptions.usernames?.includes(user.name) && "user";
  if (exempt) {
    note(request, "exempt", exempt);
    return undefined;
  }
  const found = reader.get(Namespace, { name: namespace });
  if (!found) throw ApiError.internal(`failed to lookup namespace ${namespace}`);
  return policyOfLabels(found.metadata.labels, defaults).policy;
}

function isExemptRuntime(name: string | undefined, { exemptions }: Context): boolean {
  return Boolean(name) && (exemptions.runtimeClasses?.includes(name ?? "") ?? false);
}
