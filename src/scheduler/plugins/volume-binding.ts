import { labelSelectorOf, selectorMatches, valueOf } from "../../apimachinery/index.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import { fits, unfit, type ClusterView, type Plugin, type Rejection } from "../framework.ts";
import { matchesTerm } from "./node-affinity.ts";

const conflict = unfit("node(s) didn't match PersistentVolume's node affinity", { preemptionMayHelp: false });
const noVolume = unfit("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)", {
  preemptionMayHelp: false,
});
const nothingToBind = unfit("node(s) didn't find available persistent volumes to bind", {
  preemptionMayHelp: false,
});

const bindCompleted = "pv.kubernetes.io/bind-completed";
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
  return terms === undefined || terms.some((term) => matchesTerm(node, term));
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

/** Whether each claim finds a volume of its own on the node, or someone to make it. */
function canBind(
  claims: readonly { readonly candidates: readonly PersistentVolume[]; readonly provisioned: boolean }[],
  node: Node,
): boolean {
  const taken = new Set<PersistentVolume>();
  return claims.every(({ candidates, provisioned }) => {
    const volume = candidates.find((one) => !taken.has(one) && reaches(one, node));
    if (volume !== undefined) taken.add(volume);
    return volume !== undefined || provisioned;
  });
}

/** Pods go where the volumes of their claims are or can be. */
export const volumeBinding: Plugin = {
  name: "VolumeBinding",
  wokenBy: ["nodeAdded", "nodeUpdated", "volumesChanged"],
  prepareFilter(pod, { cluster }) {
    if (pod.spec.volumes === undefined) return undefined;
    const claims = claimsOf(pod, cluster);
    if (claims === undefined || "reason" in claims) return claims;
    const volumes = claims.bound.map(({ spec }) => cluster.volume(spec.volumeName ?? ""));
    const delayed = claims.delayed.map((claim) => {
      const provisioner =
        cluster.storageClass(claim.spec.storageClassName ?? "")?.provisioner ?? noProvisioner;
      const candidates = cluster
        .volumes()
        .filter((volume) => suits(volume, claim))
        .sort((one, other) => sizeOf(one.spec.capacity) - sizeOf(other.spec.capacity));
      return { candidates, provisioned: provisioner !== noProvisioner };
    });
    return {
      filter({ node }) {
        if (node === undefined || volumes.includes(undefined)) return noVolume;
        if (!volumes.every((volume) => volume !== undefined && reaches(volume, node))) return conflict;
        return canBind(delayed, node) ? fits : nothingToBind;
      },
    };
  },
};
