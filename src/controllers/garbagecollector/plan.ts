import type { OwnerReference } from "../../apimachinery/index.ts";

/** What is known of one owner of an object. */
export type OwnerState = "present" | "absent" | "waitingForDependents";

export interface Subject {
  readonly finalizers: readonly string[];
  readonly deleting: boolean;
  readonly owners: readonly { readonly reference: OwnerReference; readonly state: OwnerState }[];
  readonly hasDependents: boolean;
  /** Whether one of the dependents waits for its own dependents: owners may go round in a circle. */
  readonly dependentWaits: boolean;
  /** Dependents that block this object's deletion, and those of them not being deleted yet. */
  readonly blockers: readonly { readonly uid: string; readonly deleting: boolean }[];
}

export type CollectionPlan =
  | { readonly type: "keep" }
  /** Forget owners that are gone or going, since another owner remains. */
  | { readonly type: "disown"; readonly uids: readonly string[] }
  /** Let owners go before this object, so that no circle of them waits for ever. */
  | { readonly type: "unblockOwners" }
  | { readonly type: "delete"; readonly policy: "Orphan" | "Background" | "Foreground" }
  /** Take the object's dependents from it, then its `orphan` finalizer. */
  | { readonly type: "orphanDependents" }
  /** Nothing blocks a deletion in the foreground any more. */
  | { readonly type: "finishForeground" }
  | { readonly type: "deleteBlockers"; readonly uids: readonly string[] };

export const orphanFinalizer = "orphan";
export const foregroundFinalizer = "foregroundDeletion";

/** What to do about an object. */
export function planCollection(subject: Subject): CollectionPlan {
  const { finalizers, deleting, owners, blockers } = subject;
  if (deleting && finalizers.includes(orphanFinalizer)) return { type: "orphanDependents" };
  if (deleting && finalizers.includes(foregroundFinalizer)) {
    if (blockers.length === 0) return { type: "finishForeground" };
    return {
      type: "deleteBlockers",
      uids: blockers.filter((blocker) => !blocker.deleting).map(({ uid }) => uid),
    };
  }
  if (deleting || owners.length === 0) return { type: "keep" };
  const gone = owners.filter(({ state }) => state !== "present");
  if (gone.length < owners.length) {
    if (gone.length === 0) return { type: "keep" };
    return { type: "disown", uids: gone.map(({ reference }) => reference.uid) };
  }
  const waited = owners.some(({ state }) => state === "waitingForDependents");
  if (waited && subject.hasDependents) {
    const blocks = owners.some(({ reference }) => reference.blockOwnerDeletion);
    if (subject.dependentWaits && blocks) return { type: "unblockOwners" };
    return { type: "delete", policy: "Foreground" };
  }
  if (finalizers.includes(orphanFinalizer)) return { type: "delete", policy: "Orphan" };
  if (finalizers.includes(foregroundFinalizer)) return { type: "delete", policy: "Foreground" };
  return { type: "delete", policy: "Background" };
}
