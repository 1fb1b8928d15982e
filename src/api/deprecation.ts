import { apiVersionOf, kubernetesVersion } from "../apimachinery/index.ts";
import type { GroupVersionKind, KindFacts } from "../apimachinery/index.ts";
import { groupVersionFacts } from "./schema.ts";

/** Kinds whose deprecation upstream tells, while its tables do not. */
const besides: Readonly<Record<string, KindFacts>> = {
  "v1 ComponentStatus": { deprecated: "1.19" },
  "v1 Endpoints": { deprecated: "1.33", repl: "discovery.k8s.io/v1 EndpointSlice" },
};

const byGroupVersion = new Map(groupVersionFacts.map((facts) => [apiVersionOf(facts), facts.kinds]));
const current = minorOf(kubernetesVersion.slice(1));

/** What clients of a deprecated kind are told, and in which version it goes; undefined for all others. */
export function deprecationOf(
  names: GroupVersionKind,
): { readonly warning: string; readonly removed?: string } | undefined {
  const subject = `${apiVersionOf(names)} ${names.kind}`;
  const kind = besides[subject] ?? byGroupVersion.get(apiVersionOf(names))?.[names.kind];
  const { deprecated, removed, repl } = kind ?? {};
  if (deprecated === undefined || minorOf(deprecated) > current) return undefined;
  const end = removed === undefined ? "" : `, unavailable in v${removed}+`;
  const way = repl === undefined ? "" : `; use ${repl}`;
  const warning = `${subject} is deprecated in v${deprecated}+${end}${way}`;
  return removed === undefined ? { warning } : { warning, removed };
}

/** Whether a version of Kubernetes came with the one before this one, or earlier. */
export function isKnownToPrevious(introduced: string | undefined): boolean {
  return introduced === undefined || minorOf(introduced) < current;
}

/** The minor version of `1.36` or `1.36.0`: the major one is always 1. */
function minorOf(version: string): number {
  return Number(version.split(".")[1]);
}
