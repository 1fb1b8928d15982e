import { invariant } from "../../base/index.ts";
import { fieldErrors, FieldPath, ipFamilyOf } from "../../apimachinery/index.ts";
import type { FieldError } from "../../apimachinery/index.ts";
import { validateServiceAddresses } from "../../api/index.ts";
import type { ServiceSpec } from "../../api/types/core-v1.ts";
import type { Family } from "./ranges.ts";

/** The families whose addresses services get, the default one first. */
export type ClusterFamilies = readonly [Family, ...Family[]];

/** The families of ranges of which the first is the default one. */
export function familiesOf(ranges: readonly string[]): ClusterFamilies {
  const [first, ...others] = ranges.map((range) => ipFamilyOf(range));
  invariant(first !== undefined, "a cluster has a range of service addresses");
  return [first, ...others.flatMap((family) => (family === undefined || family === first ? [] : [family]))];
}

/** A spec that says of which families its addresses are, or what is wrong with it. */
export type FamilyPlan = { readonly spec: ServiceSpec } | { readonly errors: readonly FieldError[] };

const path = FieldPath.root("spec");
const policyPath = path.child("ipFamilyPolicy");
const addressesPath = path.child("clusterIPs");
const none = "None";

/** Fills in policy and families from the cluster, the addresses and what the service was; checks that they fit. */
export function planFamilies(
  wanted: ServiceSpec,
  { old, cluster }: { readonly old: ServiceSpec | undefined; readonly cluster: ClusterFamilies },
): FamilyPlan {
  if (wanted.type === "ExternalName" || keepsPreferred(wanted, old)) return { spec: wanted };
  let spec = withPolicy(wanted, old);
  const malformed = validateServiceAddresses(spec);
  if (malformed.length > 0) return { errors: malformed };
  const errors: FieldError[] = [];
  if (old !== undefined) {
    if (spec.ipFamilyPolicy === "SingleStack") spec = reduced(spec, old);
    else errors.push(...forbiddenReductions(spec, old));
  }
  errors.push(...tooManyForOne(spec));
  const inferred = inferFamilies(spec, cluster);
  errors.push(...inferred.errors);
  if (errors.length > 0) return { errors };
  spec = inferred.spec;
  if (isOpen(spec)) return { spec: withBoth(spec, { first: cluster[0], possible: true }) };
  const unfit = unfitFor(spec, cluster);
  if (unfit.length > 0) return { errors: unfit };
  return { spec: withBoth(spec, { first: cluster[0], possible: cluster.length === 2 }) };
}

/** A headless service without selector has endpoints of its owner's choice, of either family. */
const isOpen = (spec: ServiceSpec) =>
  spec.clusterIP === none && Object.keys(spec.selector ?? {}).length === 0;

/** Services that prefer two families neither gain nor lose one when the cluster changes: someone has to ask. */
function keepsPreferred(spec: ServiceSpec, old: ServiceSpec | undefined): boolean {
  const prefers = "PreferDualStack";
  return (
    old !== undefined &&
    spec.ipFamilyPolicy === prefers &&
    old.type === spec.type &&
    (old.ipFamilyPolicy ?? prefers) === prefers &&
    same(spec.clusterIPs, old.clusterIPs) &&
    same(spec.ipFamilies, old.ipFamilies)
  );
}

const same = (one: readonly string[] = [], other: readonly string[] = []) =>
  one.length === other.length && one.every((value, index) => value === other[index]);

function withPolicy(spec: ServiceSpec, old: ServiceSpec | undefined): ServiceSpec {
  if (spec.ipFamilyPolicy !== undefined) return spec;
  const usual = isOpen(spec) ? "RequireDualStack" : "SingleStack";
  return { ...spec, ipFamilyPolicy: old?.ipFamilyPolicy ?? usual };
}

/** One family is asked for and nothing else is changed: the second address and family are given up. */
function reduced(spec: ServiceSpec, old: ServiceSpec): ServiceSpec {
  const { clusterIPs = [], ipFamilies = [] } = spec;
  return {
    ...spec,
    ...(clusterIPs.length > 1 && same(clusterIPs, old.clusterIPs)
      ? { clusterIPs: clusterIPs.slice(0, 1) }
      : {}),
    ...(ipFamilies.length > 1 && same(ipFamilies, old.ipFamilies)
      ? { ipFamilies: ipFamilies.slice(0, 1) }
      : {}),
  };
}

const wrongPolicy = (spec: ServiceSpec, why: string) =>
  fieldErrors.invalid(policyPath, spec.ipFamilyPolicy ?? null, why);

function forbiddenReductions(spec: ServiceSpec, old: ServiceSpec): FieldError[] {
  const fewer = (next: readonly string[] = [], before: readonly string[] = []) =>
    next.length > 0 && next.length < before.length;
  const must = (what: string) => wrongPolicy(spec, `must be 'SingleStack' to release the secondary ${what}`);
  return [
    ...(fewer(spec.clusterIPs, old.clusterIPs) ? [must("cluster IP")] : []),
    ...(fewer(spec.ipFamilies, old.ipFamilies) ? [must("IP family")] : []),
  ];
}

function tooManyForOne(spec: ServiceSpec): FieldError[] {
  if (spec.ipFamilyPolicy !== "SingleStack") return [];
  const must = (what: string) =>
    wrongPolicy(spec, `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`);
  return [
    ...(spec.clusterIPs?.length === 2 ? [must("cluster IPs")] : []),
    ...(spec.ipFamilies?.length === 2 ? [must("IP families")] : []),
  ];
}

/** Families that only the addresses tell. */
function inferFamilies(
  spec: ServiceSpec,
  cluster: ClusterFamilies,
): { readonly spec: ServiceSpec; readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = [];
  const ipFamilies = [...(spec.ipFamilies ?? [])];
  for (const [index, address] of (spec.clusterIPs ?? []).entries()) {
    if (address === none) break;
    if (index < ipFamilies.length) continue;
    const family = ipFamilyOf(address);
    if (family !== undefined && cluster.includes(family)) {
      ipFamilies.push(family);
      continue;
    }
    const why = `${family ?? "unknown"} is not configured on this cluster`;
    errors.push(fieldErrors.invalid(addressesPath.index(index), spec.clusterIPs ?? [], why));
  }
  return { spec: ipFamilies.length === 0 ? spec : { ...spec, ipFamilies }, errors };
}

function unfitFor(spec: ServiceSpec, cluster: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === "RequireDualStack" && cluster.length < 2) {
    errors.push(wrongPolicy(spec, "this cluster is not configured for dual-stack services"));
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (cluster.includes(family)) continue;
    const at = path.child("ipFamilies").index(index);
    errors.push(fieldErrors.invalid(at, family, "not configured on this cluster"));
  }
  return errors;
}

/** The cluster's family where none is named, and the other one where two are wanted and possible. */
function withBoth(
  spec: ServiceSpec,
  of: { readonly first: Family; readonly possible: boolean },
): ServiceSpec {
  const ipFamilies = spec.ipFamilies?.length ? [...spec.ipFamilies] : [of.first];
  if (ipFamilies.length === 1 && spec.ipFamilyPolicy !== "SingleStack" && of.possible) {
    ipFamilies.push(ipFamilies[0] === "IPv4" ? "IPv6" : "IPv4");
  }
  return { ...spec, ipFamilies };
}
