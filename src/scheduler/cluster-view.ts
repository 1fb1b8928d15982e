import {
  labelSelectorOf,
  selectorMatches,
  selectorOfLabels,
  type Labels,
  type Requirement,
  type Selector,
} from "../apimachinery/index.ts";
import { ReplicaSet, StatefulSet } from "../api/types/apps-v1.ts";
import {
  Namespace,
  PersistentVolume,
  PersistentVolumeClaim,
  ReplicationController,
  Service,
  type Pod,
} from "../api/types/core-v1.ts";
import { StorageClass } from "../api/types/storage-v1.ts";
import type { InformerFactory } from "../client/index.ts";
import type { ClusterView } from "./framework.ts";

/** The cluster's objects that plugins ask about, from informers; `onVolumesChanged` hears of new chances for claims. */
export function clusterView(
  informers: InformerFactory,
  onVolumesChanged: () => void,
): { readonly view: ClusterView; whenSynced(signal: AbortSignal): Promise<void>; stop(): void } {
  const namespaces = informers.informer(Namespace);
  const services = informers.informer(Service);
  const replicaSets = informers.informer(ReplicaSet);
  const statefulSets = informers.informer(StatefulSet);
  const replicationControllers = informers.informer(ReplicationController);
  const claims = informers.informer(PersistentVolumeClaim);
  const volumes = informers.informer(PersistentVolume);
  const storageClasses = informers.informer(StorageClass);
  const changes = { added: onVolumesChanged, updated: onVolumesChanged };
  const stops = [claims.on(changes), volumes.on(changes), storageClasses.on(changes)];

  const ownerSelector = ({ metadata }: Pod): Selector | undefined => {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner === undefined) return undefined;
    const key = { namespace: metadata.namespace ?? "", name: owner.name };
    switch (owner.kind) {
      case "ReplicaSet":
        return knownSelector(replicaSets.get(key));
      case "StatefulSet":
        return knownSelector(statefulSets.get(key));
      case "ReplicationController":
        return selectorOfLabels(replicationControllers.get(key)?.spec.selector ?? {});
      default:
        return undefined;
    }
  };

  const view: ClusterView = {
    namespaceLabels: (name) => namespaces.get({ name })?.metadata.labels,
    namespacesMatching: (selector) =>
      namespaces
        .list()
        .flatMap(({ metadata }) => (selectorMatches(selector, metadata.labels) ? [metadata.name] : [])),
    spreadSelector(pod) {
      const requirements: Requirement[] = [...(ownerSelector(pod)?.requirements ?? [])];
      for (const { spec } of services.list(pod.metadata.namespace)) {
        const { selector } = spec;
        if (selector !== undefined && hasAll(pod.metadata.labels, selector))
          requirements.push(...selectorOfLabels(selector).requirements);
      }
      return requirements.length === 0 ? undefined : { type: "requirements", requirements };
    },
    claim: (key) => claims.get(key),
    volume: (name) => volumes.get({ name }),
    volumes: () => volumes.list(),
    storageClass: (name) => storageClasses.get({ name }),
  };
  const all = [
    namespaces,
    services,
    replicaSets,
    statefulSets,
    replicationControllers,
    claims,
    volumes,
    storageClasses,
  ];
  return {
    view,
    async whenSynced(signal) {
      await Promise.all(all.map((informer) => informer.whenSynced(signal)));
    },
    stop: () => stops.forEach((stop) => stop()),
  };
}

const knownSelector = (owner: { spec: { selector: Parameters<typeof labelSelectorOf>[0] } } | undefined) =>
  owner === undefined ? undefined : labelSelectorOf(owner.spec.selector);

function hasAll(labels: Labels = {}, wanted: Labels): boolean {
  let any = false;
  for (const key in wanted) {
    if (labels[key] !== wanted[key]) return false;
    any = true;
  }
  return any;
}
