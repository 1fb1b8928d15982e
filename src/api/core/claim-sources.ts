import { omit } from "../common/fill.ts";
import type { PersistentVolumeClaimSpec, TypedLocalObjectReference } from "../types/core-v1.ts";

/**
 * Keeps the two fields that say what fills a new volume in step: sources of kinds that the older field never took are
 * dropped from it, and what only one says the other repeats. See KEP-1495.
 */
export function withOneSource(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec | undefined,
): PersistentVolumeClaimSpec {
  return repeated(withoutUnknown(withoutForeign(spec, old), old));
}

/** Sources in other namespaces are a feature that is off, unless the claim has one already. */
function withoutForeign(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec | undefined,
): PersistentVolumeClaimSpec {
  return spec.dataSourceRef?.namespace && !old?.dataSourceRef ? omit(spec, "dataSourceRef") : spec;
}

function withoutUnknown(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec | undefined,
): PersistentVolumeClaimSpec {
  if (old?.dataSource || old?.dataSourceRef || spec.dataSourceRef) return spec;
  return isClaimOrSnapshot(spec.dataSource) ? spec : omit(spec, "dataSource");
}

function isClaimOrSnapshot(source: TypedLocalObjectReference | undefined): boolean {
  const group = source?.apiGroup ?? "";
  return (
    (source?.kind === "PersistentVolumeClaim" && group === "") ||
    (source?.kind === "VolumeSnapshot" && group === "snapshot.storage.k8s.io")
  );
}

function repeated(spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !dataSourceRef) return { ...spec, dataSourceRef: dataSource };
  if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    return { ...spec, dataSource: omit(dataSourceRef, "namespace") };
  }
  return spec;
}
