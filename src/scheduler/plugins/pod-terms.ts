import {
  labelSelectorOf,
  selectorMatches,
  type Labels,
  type meta,
  type Requirement,
  type Selector,
} from "../../apimachinery/index.ts";
import type { Pod, PodAffinityTerm } from "../../api/types/core-v1.ts";
import type { ClusterView } from "../framework.ts";

/** A term of affinity to pods: pods that match, in namespaces that match, and the label that makes a place. */
export interface Term {
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceSelector: Selector | undefined;
  readonly selector: Selector;
  readonly topologyKey: string;
  readonly weight: number;
}

/** All terms of a pod. */
export interface Terms {
  readonly required: readonly Term[];
  readonly preferred: readonly Term[];
  readonly requiredAnti: readonly Term[];
  readonly preferredAnti: readonly Term[];
}

type Affinity = NonNullable<Pod["spec"]["affinity"]>;
const termsOfAffinity = new WeakMap<Affinity, Terms>();
const noTerms: Terms = { required: [], preferred: [], requiredAnti: [], preferredAnti: [] };

/** The pod's terms, read once for all its versions. */
export function termsOf({ metadata, spec: { affinity } }: Pod): Terms {
  if (affinity === undefined) return noTerms;
  const known = termsOfAffinity.get(affinity);
  if (known !== undefined) return known;
  const { podAffinity = {}, podAntiAffinity = {} } = affinity;
  const read = ({ term, weight }: { term: PodAffinityTerm; weight: number }) =>
    readTerm(term, { weight, metadata });
  const required = (terms: readonly PodAffinityTerm[] = []) => terms.map((term) => read({ term, weight: 1 }));
  const preferred = (terms: readonly { podAffinityTerm: PodAffinityTerm; weight: number }[] = []) =>
    terms.map(({ podAffinityTerm, weight }) => read({ term: podAffinityTerm, weight }));
  const terms: Terms = {
    required: required(podAffinity.requiredDuringSchedulingIgnoredDuringExecution),
    preferred: preferred(podAffinity.preferredDuringSchedulingIgnoredDuringExecution),
    requiredAnti: required(podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAnti: preferred(podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution),
  };
  termsOfAffinity.set(affinity, terms);
  return terms;
}

function readTerm(
  term: PodAffinityTerm,
  { weight, metadata }: { weight: number; metadata: Pod["metadata"] },
): Term {
  const { namespaces = [], namespaceSelector, topologyKey } = term;
  const own = namespaces.length === 0 && namespaceSelector === undefined;
  return {
    namespaces: new Set(own ? [metadata.namespace ?? ""] : namespaces),
    namespaceSelector: namespaceSelector === undefined ? undefined : labelSelectorOf(namespaceSelector),
    selector: labelSelectorOf(term.labelSelector),
    topologyKey,
    weight,
  };
}

/** Whether the term means the pod. */
export function termMatches(
  { namespaces, namespaceSelector, selector }: Term,
  { pod, cluster }: { readonly pod: Pod; readonly cluster: ClusterView },
): boolean {
  const namespace = pod.metadata.namespace ?? "";
  const inNamespace =
    namespaces.has(namespace) ||
    (namespaceSelector !== undefined &&
      selectorMatches(namespaceSelector, cluster.namespaceLabels(namespace) ?? {}));
  return inNamespace && selectorMatches(selector, pod.metadata.labels);
}

/** The namespaces whose pods the term can mean. */
export function namespacesOf(
  { namespaces, namespaceSelector }: Term,
  cluster: ClusterView,
): ReadonlySet<string> {
  if (namespaceSelector === undefined) return namespaces;
  return new Set([...namespaces, ...cluster.namespacesMatching(namespaceSelector)]);
}

/** The selector narrowed to the pod's own values of the labels `keys`. */
export function withLabelsOf(
  selector: meta.LabelSelector | undefined,
  { keys = [], labels = {} }: { readonly keys?: readonly string[]; readonly labels?: Labels },
): Selector {
  const base = labelSelectorOf(selector);
  const requirements: Requirement[] = keys.flatMap((key) => {
    const value = labels[key];
    return value === undefined ? [] : [{ key, operator: "=" as const, values: [value] }];
  });
  if (requirements.length === 0 || base.type === "nothing") return base;
  return { type: "requirements", requirements: [...base.requirements, ...requirements] };
}
