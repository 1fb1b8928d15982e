import { fill, fillMissing, mapField, mapList } from "../../common/fill.ts";
import type { DownwardAPIVolumeFile, Volume, VolumeProjection } from "../../types/core-v1.ts";
import { defaultFieldRef, defaultResourceFieldRef, tagOf } from "./container-defaults.ts";

/** Permissions of files of volumes: 0644. */
const fileMode = 0o644;
const tokenLifetimeSeconds = 3600;

/** Fills in what a volume leaves open; a volume of no kind becomes an empty directory. */
export function defaultVolume(volume: Volume): Volume {
  if (Object.keys(volume).every((key) => key === "name" || volume[key as keyof Volume] === undefined)) {
    return { ...volume, emptyDir: {} };
  }
  let result = volume;
  result = mapField(result, "secret", (source) => fill(source, { defaultMode: fileMode }));
  result = mapField(result, "configMap", (source) => fill(source, { defaultMode: fileMode }));
  result = mapField(result, "downwardAPI", (source) =>
    mapField(fill(source, { defaultMode: fileMode }), "items", defaultDownwardFiles),
  );
  result = mapField(result, "projected", (source) =>
    mapField(fill(source, { defaultMode: fileMode }), "sources", (sources) =>
      mapList(sources, defaultProjection),
    ),
  );
  result = mapField(result, "hostPath", (source) => fill(source, { type: "" }));
  result = mapField(result, "image", (source) =>
    fill(source, { pullPolicy: tagOf(source.reference ?? "") === "latest" ? "Always" : "IfNotPresent" }),
  );
  result = mapField(result, "ephemeral", (source) =>
    mapField(source, "volumeClaimTemplate", (template) =>
      mapField(template, "spec", (spec) => fillMissing(spec, { volumeMode: "Filesystem" })),
    ),
  );
  return defaultNetworkVolume(result);
}

function defaultNetworkVolume(volume: Volume): Volume {
  let result = volume;
  result = mapField(result, "iscsi", (source) => fill(source, { iscsiInterface: "default" }));
  result = mapField(result, "rbd", (source) =>
    fill(source, { pool: "rbd", user: "admin", keyring: "/etc/ceph/keyring" }),
  );
  result = mapField(result, "azureDisk", (source) =>
    fillMissing(source, { cachingMode: "ReadWrite", kind: "Shared", fsType: "ext4", readOnly: false }),
  );
  return mapField(result, "scaleIO", (source) =>
    fill(source, { storageMode: "ThinProvisioned", fsType: "xfs" }),
  );
}

function defaultProjection(projection: VolumeProjection): VolumeProjection {
  const result = mapField(projection, "downwardAPI", (source) =>
    mapField(source, "items", defaultDownwardFiles),
  );
  return mapField(result, "serviceAccountToken", (token) =>
    fill(token, { expirationSeconds: tokenLifetimeSeconds }),
  );
}

function defaultDownwardFiles(files: readonly DownwardAPIVolumeFile[]): readonly DownwardAPIVolumeFile[] {
  return mapList(files, (file) =>
    mapField(mapField(file, "fieldRef", defaultFieldRef), "resourceFieldRef", defaultResourceFieldRef),
  );
}
