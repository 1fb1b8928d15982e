import type { KubernetesObject, ObjectMeta } from "../../apimachinery/index.ts";

/** What a report of status may not change of an object's metadata, where upstream's strategy resets it. */
const kept = [
  "deletionTimestamp",
  "generation",
  "labels",
  "annotations",
  "finalizers",
  "ownerReferences",
] as const;

/** The object with the spec and the metadata that `old` has: whoever reports status changes nothing else. */
export function onlyStatus<T extends KubernetesObject & { readonly spec?: unknown }>(object: T, old: T): T {
  const metadata: { -readonly [K in keyof ObjectMeta]?: ObjectMeta[K] } = { ...object.metadata };
  for (const field of kept) {
    delete metadata[field];
    if (old.metadata[field] !== undefined) Object.assign(metadata, { [field]: old.metadata[field] });
  }
  return { ...object, spec: old.spec, metadata: metadata as ObjectMeta };
}
