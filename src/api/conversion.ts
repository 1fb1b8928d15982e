import type { KubernetesObject, Resource } from "../apimachinery/index.ts";
import { apiVersionOf } from "../apimachinery/index.ts";
import { resourceFacts } from "./schema.ts";
import { isKnownToPrevious } from "./deprecation.ts";
import { autoscalerFromFirst, autoscalerToFirst } from "./autoscaling/conversion.ts";
import { eventFromCore, eventToCore } from "./events/conversion.ts";
import { definitions } from "./registry.ts";
import { fromFirstBeta, toFirstBeta } from "./resource/conversion.ts";
import type { HorizontalPodAutoscaler as FirstAutoscaler } from "./types/autoscaling-v1.ts";
import type { HorizontalPodAutoscaler } from "./types/autoscaling-v2.ts";
import type { Event as CoreEvent } from "./types/core-v1.ts";
import type { Event } from "./types/events-v1.ts";

type Names = Pick<Resource, "group" | "version" | "kind" | "plural">;

/** How one version's objects become those of the stored version, and back. */
interface Conversion {
  readonly toStored: (object: KubernetesObject, kind: string) => KubernetesObject;
  readonly fromStored: (object: KubernetesObject, kind: string) => KubernetesObject;
}

/** Conversions where the shapes differ, by `group/version/plural` or `group/version/*`; else only apiVersion differs. */
const conversions: Readonly<Record<string, Conversion>> = {
  "autoscaling/v1/horizontalpodautoscalers": {
    toStored: (object) => autoscalerFromFirst(object as FirstAutoscaler),
    fromStored: (object) => autoscalerToFirst(object as HorizontalPodAutoscaler),
  },
  "events.k8s.io/v1/events": {
    toStored: (object) => eventToCore(object as Event),
    fromStored: (object) => eventFromCore(object as CoreEvent),
  },
  "resource.k8s.io/v1beta1/*": {
    toStored: (object, kind) =>
      fromFirstBeta(kind, object as unknown as Fields) as unknown as KubernetesObject,
    fromStored: (object, kind) =>
      toFirstBeta(kind, object as unknown as Fields) as unknown as KubernetesObject,
  },
};
type Fields = Readonly<Record<string, unknown>>;

/** Resources that are another's objects under a second name. */
const aliases: Readonly<Record<string, string>> = { "events.k8s.io/events": "/events" };

const isNew = new Set(
  resourceFacts
    .filter(({ introduced }) => !isKnownToPrevious(introduced))
    .map(({ group, version, plural }) => `${group}/${version}/${plural}`),
);
const byResource = collect();

/** The version that objects of a resource are stored in; for events of events.k8s.io the core group's. */
export function storageVersionOf(resource: Pick<Resource, "group" | "plural">): Resource | undefined {
  return byResource.get(storageName(resource))?.[0];
}

/** All served forms of the objects that a resource names, the stored one first. */
export function servedVersionsOf(resource: Pick<Resource, "group" | "plural">): readonly Resource[] {
  return byResource.get(storageName(resource)) ?? [];
}

/** An object of one version as another version of the same resource has it; the same object when it is that already. */
export function convert(object: KubernetesObject, from: Names, to: Names): KubernetesObject {
  const apiVersion = apiVersionOf(to);
  if (from.group === to.group && from.version === to.version) return object;
  const stored = conversionOf(from)?.toStored(object, from.kind) ?? object;
  const result = conversionOf(to)?.fromStored(stored, to.kind) ?? stored;
  return result.apiVersion === apiVersion && result.kind === to.kind
    ? result
    : { ...result, apiVersion, kind: to.kind };
}

function conversionOf(names: Names): Conversion | undefined {
  const version = `${names.group}/${names.version}`;
  return conversions[`${version}/${names.plural}`] ?? conversions[`${version}/*`];
}

function storageName(resource: Pick<Resource, "group" | "plural">): string {
  const name = `${resource.group}/${resource.plural}`;
  return aliases[name] ?? name;
}

function collect(): ReadonlyMap<string, readonly Resource[]> {
  const versions = new Map<string, Resource[]>();
  for (const { resource } of definitions) {
    const name = storageName(resource);
    const list = versions.get(name);
    if (list === undefined) versions.set(name, [resource]);
    else list.push(resource);
  }
  for (const list of versions.values()) list.sort((a, b) => rank(b) - rank(a));
  return versions;
}

/**
 * GA before beta before alpha, then the higher number; aliases last. A version that has come with this release is
 * not stored yet, where there is an older one: whoever goes back to the release before must be able to read.
 */
function rank(resource: Names): number {
  if (aliases[`${resource.group}/${resource.plural}`] !== undefined) return -2;
  if (isNew.has(`${resource.group}/${resource.version}/${resource.plural}`)) return -1;
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(resource.version);
  const [, major = "0", stage, minor = "0"] = match ?? [];
  const stageRank = stage === undefined ? 2 : stage === "beta" ? 1 : 0;
  return stageRank * 1_000_000 + Number(major) * 1000 + Number(minor);
}
