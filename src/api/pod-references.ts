import type { PodSpec, Volume } from "./types/core-v1.ts";

/** Names of objects in a pod's own namespace that it needs. */
export interface PodReferences {
  readonly secrets: ReadonlySet<string>;
  readonly configMaps: ReadonlySet<string>;
  /** Claims that it names itself; those of ephemeral volumes are called after it. */
  readonly claims: ReadonlySet<string>;
}

/** What a pod with this spec needs from its namespace. */
export function podReferences(spec: PodSpec): PodReferences {
  const secrets = new Set<string>();
  const configMaps = new Set<string>();
  const claims = new Set<string>();
  const add = (names: Set<string>, name: string | undefined) => void (name && names.add(name));
  for (const secret of spec.imagePullSecrets ?? []) add(secrets, secret.name);
  const containers = [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  for (const container of containers) {
    for (const source of container.envFrom ?? []) {
      add(secrets, source.secretRef?.name);
      add(configMaps, source.configMapRef?.name);
    }
    for (const variable of container.env ?? []) {
      add(secrets, variable.valueFrom?.secretKeyRef?.name);
      add(configMaps, variable.valueFrom?.configMapKeyRef?.name);
    }
  }
  for (const volume of spec.volumes ?? []) {
    for (const name of volumeSecrets(volume)) add(secrets, name);
    add(configMaps, volume.configMap?.name);
    add(claims, volume.persistentVolumeClaim?.claimName);
    for (const source of volume.projected?.sources ?? []) {
      add(secrets, source.secret?.name);
      add(configMaps, source.configMap?.name);
    }
  }
  return { secrets, configMaps, claims };
}

/** Secrets that a volume's source names. */
const volumeSecrets = (volume: Volume): readonly (string | undefined)[] => [
  volume.secret?.secretName,
  volume.azureFile?.secretName,
  volume.cephfs?.secretRef?.name,
  volume.cinder?.secretRef?.name,
  volume.csi?.nodePublishSecretRef?.name,
  volume.flexVolume?.secretRef?.name,
  volume.iscsi?.secretRef?.name,
  volume.rbd?.secretRef?.name,
  volume.scaleIO?.secretRef?.name,
  volume.storageos?.secretRef?.name,
];
