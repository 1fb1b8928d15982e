import type { FieldPath } from "../../../apimachinery/index.ts";
import type { Volume, VolumeProjection } from "../../types/core-v1.ts";
import { claimSpecWarnings } from "../claim-spec.ts";

/** Kinds of volumes that nothing serves any more. */
const deprecated: readonly (readonly [field: string, message: string])[] = [
  ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+"],
  ["quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
];
/** How upstream's warnings spell a field, where that is not the field. */
const spelled: Readonly<Record<string, string>> = { storageos: "storageOS" };

/** Warnings of kinds of volumes that nothing serves any more. */
export function oldSourceWarnings(sources: object, path: FieldPath): string[] {
  const given = sources as Readonly<Record<string, unknown>>;
  return deprecated.flatMap(([field, message]) =>
    given[field] === undefined ? [] : [`${path.child(spelled[field] ?? field).text}: ${message}`],
  );
}

/** Warnings of volumes of old kinds, and of files that several sources claim. */
export function volumeWarnings(volumes: readonly Volume[], path: FieldPath): string[] {
  const warnings: string[] = [];
  for (const [index, volume] of volumes.entries()) {
    const at = path.index(index);
    warnings.push(...oldSourceWarnings(volume, at));
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
    if (claim) {
      warnings.push(...claimSpecWarnings(claim, at.child("ephemeral", "volumeClaimTemplate", "spec")));
    }
  }
  return [...warnings, ...tokenWarnings(volumes, path)];
}

function tokenWarnings(volumes: readonly Volume[], path: FieldPath): string[] {
  const tokens = new Set(
    volumes.flatMap(({ projected }) =>
      (projected?.sources ?? []).flatMap(({ serviceAccountToken }) =>
        serviceAccountToken ? [serviceAccountToken.path] : [],
      ),
    ),
  );
  if (tokens.size === 0) return [];
  return volumes.flatMap(({ projected }, index) =>
    (projected?.sources ?? []).flatMap((source) =>
      filesOf(source).flatMap(({ file, at }) =>
        tokens.has(file)
          ? [
              `${at(path.index(index).child("projected", "sources")).text}: has duplicated path with ServiceAccountToken ${JSON.stringify(file)}`,
            ]
          : [],
      ),
    ),
  );
}

/** The files of a source, and where upstream's warnings say they are. */
function filesOf(
  source: VolumeProjection,
): readonly { readonly file: string; readonly at: (sources: FieldPath) => FieldPath }[] {
  const listed = (items: readonly { readonly path: string }[] | undefined, name: string) =>
    (items ?? []).map((item, index) => ({
      file: item.path,
      at: (sources: FieldPath) => sources.child(name).index(index),
    }));
  const bundle = source.clusterTrustBundle?.path;
  return [
    ...listed(source.configMap?.items, "configMap"),
    ...listed(source.secret?.items, "secrets"),
    ...listed(source.downwardAPI?.items, "downwardAPI"),
    ...(bundle === undefined
      ? []
      : [{ file: bundle, at: (sources: FieldPath) => sources.child("ClusterTrustBundle") }]),
  ];
}
