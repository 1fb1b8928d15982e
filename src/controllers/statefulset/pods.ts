import type { New } from "../../apimachinery/index.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/types/core-v1.ts";
import { StatefulSet } from "../../api/types/apps-v1.ts";
import type { ControllerRevision } from "../../api/types/apps-v1.ts";
import { controllerReference, podFromTemplate, revisionHashLabel, templateOf } from "../framework/index.ts";

const claimName = (set: StatefulSet, template: string, ordinal: number) =>
  `${template}-${set.metadata.name}-${ordinal}`;

/** The pod of an ordinal: its name, host name and claims are its own for good. */
export function draftPod(set: StatefulSet, ordinal: number, revision: ControllerRevision): New<Pod> {
  const name = `${set.metadata.name}-${ordinal}`;
  const reference = controllerReference(StatefulSet, set);
  const pod = podFromTemplate(templateOf(revision), { owner: set, reference }) as unknown as Pod;
  const { generateName: _, ...metadata } = pod.metadata;
  const templates = (set.spec.volumeClaimTemplates ?? []).map((template) => template.metadata.name);
  const claimed = templates.map((template) => ({
    name: template,
    persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
  }));
  const others = (pod.spec?.volumes ?? []).filter((volume) => !templates.includes(volume.name));
  const volumes = [...claimed, ...others];
  return {
    ...pod,
    metadata: {
      ...metadata,
      name,
      labels: {
        ...metadata.labels,
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": String(ordinal),
        [revisionHashLabel]: revision.metadata.name,
      },
    },
    spec: {
      ...pod.spec,
      hostname: name,
      subdomain: set.spec.serviceName ?? "",
      ...(volumes.length > 0 ? { volumes } : {}),
    },
  };
}

/** The claims that the pod of an ordinal needs. */
export function draftClaims(set: StatefulSet, ordinal: number): readonly New<PersistentVolumeClaim>[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    metadata: {
      ...metadata,
      namespace: set.metadata.namespace,
      name: claimName(set, metadata.name, ordinal),
      labels: { ...metadata.labels, ...set.spec.selector.matchLabels },
    },
    spec,
  }));
}
