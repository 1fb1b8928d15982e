import type { ObjectMeta } from "../../../apimachinery/index.ts";
import type { Container, EphemeralContainer, PodSpec, SecurityContext } from "../../../api/types/core-v1.ts";

/** What is judged: a pod, or the template of one. */
export interface JudgedPod {
  readonly metadata?: Pick<ObjectMeta, "annotations"> | undefined;
  readonly spec: PodSpec;
}

/** Why a check forbids a pod: in short, and in what way this pod. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export type Judge = (pod: JudgedPod) => Violation | undefined;

/** A rule of the Pod Security Standards. */
export interface Check {
  readonly id: string;
  readonly level: "baseline" | "restricted";
  /** The rule as it was from a minor version of Kubernetes on, oldest first. */
  readonly versions: readonly { readonly since: number; readonly judge: Judge }[];
  /** The baseline check that a restricted one says more strictly. */
  readonly overrides?: string;
}

export type AnyContainer = Container | EphemeralContainer;

/** All containers, in the order in which upstream looks at them. */
export const containersOf = ({ spec }: JudgedPod): readonly AnyContainer[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
];

/** Names of the containers that `isBad` is true of. */
export const namesOf = (pod: JudgedPod, isBad: (container: AnyContainer) => boolean): readonly string[] =>
  containersOf(pod)
    .filter(isBad)
    .map(({ name }) => name);

export const quoteAll = (items: Iterable<string>): string => `"${[...items].join('", "')}"`;

export const sortedSet = (items: Iterable<string>): readonly string[] => [...new Set(items)].sort();

/** `singular` for one, otherwise with an s. */
export const plural = (singular: string, count: number): string => (count === 1 ? singular : `${singular}s`);

/** `container "a"`, `containers "a", "b"` */
export const containersText = (names: readonly string[]): string =>
  `${plural("container", names.length)} ${quoteAll(names)}`;

/** A check that looks at one value of each container, which is bad or not. */
export function containerCheck(options: {
  readonly isBad: (container: AnyContainer) => boolean;
  readonly reason: string;
  readonly must: string;
}): Judge {
  return (pod) => {
    const bad = namesOf(pod, options.isBad);
    if (bad.length === 0) return undefined;
    return { reason: options.reason, detail: `${containersText(bad)} ${options.must}` };
  };
}

/** The part of a security context that pods have too. */
type SharedContext = Pick<
  SecurityContext,
  "appArmorProfile" | "runAsNonRoot" | "runAsUser" | "seLinuxOptions" | "seccompProfile" | "windowsOptions"
>;

/** Who sets a value that `isBad` is true of: `pod`, `container "a"`, `pod and containers "a", "b"`. */
export function badSetters(pod: JudgedPod, isBad: (context: SharedContext) => boolean): readonly string[] {
  const context: SharedContext | undefined = pod.spec.securityContext;
  const names = namesOf(
    pod,
    ({ securityContext }) => securityContext !== undefined && isBad(securityContext),
  );
  return [
    ...(context && isBad(context) ? ["pod"] : []),
    ...(names.length > 0 ? [containersText(names)] : []),
  ];
}

/** The values that the pod and its containers set, sorted. */
export function valuesOf(
  pod: JudgedPod,
  valueOf: (context: SharedContext) => string | undefined,
): readonly string[] {
  const contexts = [pod.spec.securityContext, ...containersOf(pod).map((one) => one.securityContext)];
  return sortedSet(
    contexts.flatMap((context) => {
      const value = context && valueOf(context);
      return value === undefined ? [] : [value];
    }),
  );
}

/** Pods with users of their own may be root in their namespace (KEP-127). */
export const unlessOwnUsers =
  (judge: Judge): Judge =>
  (pod) =>
    pod.spec.hostUsers === false ? undefined : judge(pod);
