import { labelSelectorOf, selectorMatches, valueOf } from "../../apimachinery/index.ts";
import { matchesNodeTerm } from "../../api/index.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import { fits, unfit, type ClusterView, type Plugin, type Rejection, type Snapshot } from "../framework.ts";

const conflict = unfit("node(s) didn't match PersistentVolume's node affinity", { preemptionMayHelp: false });
const noVolume = unfit("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)", {
  preemptionMayHelp: false,
});
const nothingToBind = unfit("node(s) didn't find available persistent volumes to bind", {
  preemptionMayHelp: false,
});

const bindCompleted = "pv.kubernetes.io/bind-completed";
export const selectedNode = "volume.kubernetes.io/selected-node";
/** Names a class without a provisioner. */
const noProvisioner = "kubernetes.io/no-provisioner";

/** The pod's claims by what is still to be done for them. */
interface Claims {
  readonly bound: readonly PersistentVolumeClaim[];
  /** Bound only once the pod has a node. */
  readonly delayed: readonly PersistentVolumeClaim[];
}

function claimsOf(pod: Pod, cluster: ClusterView): Claims | Rejection | undefined {
  const bound: PersistentVolumeClaim[] = [];
  const delayed: PersistentVolumeClaim[] = [];
  let immediate = false;
  for (const { name: volume, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
    if (persistentVolumeClaim === undefined && ephemeral === undefined) continue;
    const name = persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${volume}`;
    const claim = cluster.claim({ namespace: pod.metadata.namespace ?? "", name });
    const reason = problemOf(claim, { name, ephemeral: ephemeral !== undefined });
    if (claim === undefined || reason !== undefined) return rejected(reason ?? "");
    if (isBound(claim)) bound.push(claim);
    else if ((claim.spec.volumeName ?? "") === "" && isDelayed(claim, cluster)) delayed.push(claim);
    else immediate = true;
  }
  if (immediate) return rejected("pod has unbound immediate PersistentVolumeClaims");
  return bound.length + delayed.length === 0 ? undefined : { bound, delayed };
}

const rejected = (reason: string): Rejection => ({ type: "rejected", reason });

function problemOf(
  claim: PersistentVolumeClaim | undefined,
  { name, ephemeral }: { name: string; ephemeral: boolean },
): string | undefined {
  if (claim === undefined) {
    return ephemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
      : `persistentvolumeclaim "${name}" not found`;
  }
  if (claim.status.phase === "Lost")
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ""}"`;
  if (claim.metadata.deletionTimestamp !== undefined)
    return `persistentvolumeclaim "${name}" is being deleted`;
  return undefined;
}

function isBound({ metadata, spec }: PersistentVolumeClaim): boolean {
  return (spec.volumeName ?? "") !== "" && metadata.annotations?.[bindCompleted] !== undefined;
}

function isDelayed({ spec }: PersistentVolumeClaim, cluster: ClusterView): boolean {
  const storageClass = cluster.storageClass(spec.storageClassName ?? "");
  return storageClass?.volumeBindingMode === "WaitForFirstConsumer";
}

function reaches({ spec }: PersistentVolume, node: Node): boolean {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => matchesNodeTerm(term, node));
}

/** Whether the volume could be bound to the claim, wherever. */
function suits({ metadata, spec, status }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const { claimRef } = spec;
  const reserved = claimRef?.namespace === claim.metadata.namespace && claimRef?.name === claim.metadata.name;
  if (claimRef === undefined ? status.phase !== "Available" : !reserved) return false;
  const { selector } = claim.spec;
  return (
    metadata.deletionTimestamp === undefined &&
    (spec.storageClassName ?? "") === (claim.spec.storageClassName ?? "") &&
    (spec.volumeMode ?? "Filesystem") === (claim.spec.volumeMode ?? "Filesystem") &&
    (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode)) &&
    sizeOf(spec.capacity) >= sizeOf(claim.spec.resources?.requests) &&
    (selector === undefined || selectorMatches(labelSelectorOf(selector), metadata.labels))
  );
}

const sizeOf = (amounts: Readonly<Record<string, string>> | undefined) =>
  valueOf(amounts?.["storage"] ?? "0");

/** A claim that waits for its pod's node, and what could be bound to it. */
interface DelayedClaim {
  readonly claim: PersistentVolumeClaim;
  readonly candidates: readonly PersistentVolume[];
  readonly provisioned: boolean;
}

function delayedClaim(claim: PersistentVolumeClaim, cluster: ClusterView): DelayedClaim {
  const provisioner = cluster.storageClass(claim.spec.storageClassName ?? "")?.provisioner ?? noProvisioner;
  const candidates = cluster
    .volumes()
    .filter((volume) => suits(volume, claim))
    .sort((one, other) => sizeOf(one.spec.capacity) - sizeOf(other.spec.capacity));
  return { claim, candidates, provisioned: provisioner !== noProvisioner };
}

/** What is to be done so that a claim is bound on the node chosen for its pod. */
export type VolumeStep =
  | { readonly type: "reserve"; readonly volume: PersistentVolume; readonly claim: PersistentVolumeClaim }
  | { readonly type: "provision"; readonly claim: PersistentVolumeClaim };

/** A step for each claim, with a volume of its own or someone to make it; undefined when the node cannot do. */
function stepsOn(claims: readonly DelayedClaim[], node: Node): VolumeStep[] | undefined {
  const taken = new Set<PersistentVolume>();
  const steps: VolumeStep[] = [];
  for (const { claim, candidates, provisioned } of claims) {
    const volume = candidates.find((one) => !taken.has(one) && reaches(one, node));
    if (volume === undefined && !provisioned) return undefined;
    if (volume !== undefined) taken.add(volume);
    steps.push(volume === undefined ? { type: "provision", claim } : { type: "reserve", volume, claim });
  }
  return steps;
}

/** The steps before the pod can be bound to the node; undefined when none of its claims waits for that. */
export function volumeSteps(
  pod: Pod,
  { node, cluster }: { readonly node: Node; readonly cluster: ClusterView },
): readonly VolumeStep[] | undefined {
  if (pod.spec.volumes === undefined) return undefined;
  const claims = claimsOf(pod, cluster);
  if (claims === undefined || "reason" in claims || claims.delayed.length === 0) return undefined;
  return stepsOn(
    claims.delayed.map((claim) => delayedClaim(claim, cluster)),
    node,
  );
}

/** Nodes that the claims' provisioners are already at work for. */
function selectedNodes(
  claims: readonly PersistentVolumeClaim[],
  snapshot: Snapshot,
): Set<string> | undefined {
  const names = claims
    .map(({ metadata }) => metadata.annotations?.[selectedNode] ?? "")
    .filter((name) => snapshot.node(name) !== undefined);
  return names.length === 0 ? undefined : new Set(names);
}

/** Pods go where the volumes of their claims are or can be. */
export const volumeBinding: Plugin = {
  name: "VolumeBinding",
  wokenBy: ["nodeAdded", "nodeUpdated", "volumesChanged"],
  prepareFilter(pod, snapshot) {
    const { cluster } = snapshot;
    if (pod.spec.volumes === undefined) return undefined;
    const claims = claimsOf(pod, cluster);
    if (claims === undefined || "reason" in claims) return claims;
    const volumes = claims.bound.map(({ spec }) => cluster.volume(spec.volumeName ?? ""));
    const delayed = claims.delayed.map((claim) => delayedClaim(claim, cluster));
    const onlyNodes = selectedNodes(claims.delayed, snapshot);
    return {
      ...(onlyNodes === undefined ? {} : { onlyNodes }),
      filter({ node }) {
        if (node === undefined || volumes.includes(undefined)) return noVolume;
        if (!volumes.every((volume) => volume !== undefined && reaches(volume, node))) return conflict;
        return stepsOn(delayed, node) === undefined ? nothingToBind : fits;
      },
    };
  },
};
