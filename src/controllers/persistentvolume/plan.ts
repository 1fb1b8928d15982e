import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import type { StorageClass } from "../../api/types/storage-v1.ts";
import {
  bindCompletedAnnotation,
  classOf,
  findVolume,
  hasAnnotation,
  isBoundTo,
  mismatch,
  provisionedByAnnotation,
  selectedNodeAnnotation,
  wantsDefaultClass,
} from "./facts.ts";

export interface VolumeEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** What to do with a claim. */
export type ClaimStep =
  | { readonly type: "bind"; readonly volume: PersistentVolume }
  | { readonly type: "wait"; readonly event?: VolumeEvent }
  | { readonly type: "lost"; readonly event: VolumeEvent }
  | { readonly type: "provision"; readonly provisioner: string; readonly event: VolumeEvent }
  | { readonly type: "chooseClass"; readonly name: string };

export interface ClaimState {
  readonly volumes: readonly PersistentVolume[];
  readonly volume: (name: string) => PersistentVolume | undefined;
  readonly storageClass: (name: string) => StorageClass | undefined;
  readonly defaultClass: () => StorageClass | undefined;
  /** Pods without a node that use the claim. */
  readonly waitingPods: () => readonly Pod[];
}

const warning = (reason: string, message: string): VolumeEvent => ({ type: "Warning", reason, message });
const normal = (reason: string, message: string): VolumeEvent => ({ type: "Normal", reason, message });

/** The next step of a claim. */
export function planClaim(claim: PersistentVolumeClaim, state: ClaimState): ClaimStep {
  const { volumeName } = claim.spec;
  if (hasAnnotation(claim, bindCompletedAnnotation)) return planBoundClaim(claim, state);
  if (!volumeName) return planFreeClaim(claim, state);
  const volume = state.volume(volumeName);
  if (volume === undefined) return { type: "wait" };
  if (volume.spec.claimRef === undefined) {
    const why = mismatch(volume, claim);
    if (why === undefined) return { type: "bind", volume };
    const message = `Cannot bind to requested volume "${volumeName}": ${why}`;
    return { type: "wait", event: warning("VolumeMismatch", message) };
  }
  if (isBoundTo(volume, claim)) return { type: "bind", volume };
  const message = `volume "${volumeName}" already bound to a different claim.`;
  return { type: "wait", event: warning("FailedBinding", message) };
}

function planBoundClaim(claim: PersistentVolumeClaim, state: ClaimState): ClaimStep {
  const lost = (reason: string, message: string): ClaimStep => ({
    type: "lost",
    event: warning(reason, message),
  });
  const { volumeName } = claim.spec;
  if (!volumeName) {
    return lost(
      "ClaimLost",
      "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
    );
  }
  const volume = state.volume(volumeName);
  if (!volume)
    return lost("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  const owner = volume.spec.claimRef?.uid;
  if (volume.spec.claimRef === undefined || owner === claim.metadata.uid) return { type: "bind", volume };
  const message = "Two claims are bound to the same volume, this one is bound incorrectly";
  return lost("ClaimMisbound", message);
}

function planFreeClaim(claim: PersistentVolumeClaim, state: ClaimState): ClaimStep {
  const name = classOf(claim);
  const storageClass = name === "" ? undefined : state.storageClass(name);
  const delayed =
    storageClass?.volumeBindingMode === "WaitForFirstConsumer" &&
    !hasAnnotation(claim, selectedNodeAnnotation);
  const volume = findVolume(claim, state.volumes, { delayed });
  if (volume) return { type: "bind", volume };
  if (wantsDefaultClass(claim)) {
    const chosen = state.defaultClass();
    if (chosen) return { type: "chooseClass", name: chosen.metadata.name };
  }
  if (delayed) return { type: "wait", event: waitingEvent(state.waitingPods()) };
  if (name === "") {
    const message = "no persistent volumes available for this claim and no storage class is set";
    return { type: "wait", event: normal("FailedBinding", message) };
  }
  if (!storageClass) {
    const message = `storageclass.storage.k8s.io "${name}" not found`;
    return { type: "wait", event: warning("ProvisioningFailed", message) };
  }
  const { provisioner } = storageClass;
  if (provisioner.startsWith("kubernetes.io/")) {
    const message = `no volume plugin matched name: ${provisioner}`;
    return { type: "wait", event: warning("ProvisioningFailed", message) };
  }
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
    "If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
  return { type: "provision", provisioner, event: normal("ExternalProvisioning", message) };
}

function waitingEvent(pods: readonly Pod[]): VolumeEvent {
  const names = pods.map(({ metadata }) => metadata.name);
  if (names.length === 0) {
    return normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  }
  const whom = names.length === 1 ? `pod ${names[0]}` : `pods ${names.join(",")}`;
  return normal("WaitForPodScheduled", `waiting for ${whom} to be scheduled`);
}

type Phase = NonNullable<NonNullable<PersistentVolume["status"]>["phase"]>;

/** What to do with a volume. */
export type VolumeStep =
  | { readonly type: "phase"; readonly phase: Phase; readonly message?: string; readonly event?: VolumeEvent }
  /** Frees it from a claim that it was bound to by mistake. */
  | { readonly type: "unbind" }
  /** The claim's turn. */
  | { readonly type: "wakeClaim" }
  | { readonly type: "nothing" };

/** The next step of a volume; `claim` is what its reference names, if that is the very claim. */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumeStep {
  const { claimRef } = volume.spec;
  if (!claimRef?.uid) return { type: "phase", phase: "Available" };
  if (claim === undefined) return planReclaim(volume);
  if (!claim.spec.volumeName) return { type: "wakeClaim" };
  if (claim.spec.volumeName === volume.metadata.name) return { type: "phase", phase: "Bound" };
  const provisioned = hasAnnotation(volume, provisionedByAnnotation);
  if (provisioned && volume.spec.persistentVolumeReclaimPolicy === "Delete") return planReclaim(volume);
  return { type: "unbind" };
}

/** After its claim has gone: kept, left to its provisioner, or in need of a hand. */
function planReclaim(volume: PersistentVolume): VolumeStep {
  const phase = volume.status?.phase;
  if (phase === "Failed") return { type: "nothing" };
  if (phase !== "Released") return { type: "phase", phase: "Released" };
  const { persistentVolumeReclaimPolicy: policy = "Retain" } = volume.spec;
  const { name } = volume.metadata;
  if (policy === "Recycle") {
    const message = "No recycler plugin found for the volume!";
    return { type: "phase", phase: "Failed", message, event: warning("VolumeFailedRecycle", message) };
  }
  if (policy === "Delete" && !hasAnnotation(volume, provisionedByAnnotation)) {
    const message = `error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`;
    return { type: "phase", phase: "Failed", message, event: warning("VolumeFailedDelete", message) };
  }
  return { type: "nothing" };
}
