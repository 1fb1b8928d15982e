import { keyOf } from "../../apimachinery/index.ts";
import type { KubernetesObject, LabelSelector, Resource } from "../../apimachinery/index.ts";
import type { SharedInformer } from "../../client/index.ts";
import type { Change, Wake, Watch } from "./controller.ts";
import { watch } from "./controller.ts";
import { matchesSelector } from "./label-selector.ts";
import { controllerKey, controllerOf } from "./owners.ts";

/** Owners that take over objects which match their selector. */
export interface Adopters<O extends KubernetesObject> {
  readonly resource: Resource<O>;
  readonly owners: SharedInformer<O>;
  readonly selectorOf: (owner: O) => LabelSelector | undefined;
}

/** Wakes an object's controller, the one that it had before, and for an orphan all who might take it over. */
export function watchOwned<T extends KubernetesObject, O extends KubernetesObject>(
  informer: SharedInformer<T>,
  adopters: Adopters<O>,
): Watch {
  return watch(informer, (change, wake) => void wakeOwners(change, wake, adopters));
}

/** What `watchOwned` does at one change; answers whether the object has or may get a controller of the kind. */
export function wakeOwners<T extends KubernetesObject, O extends KubernetesObject>(
  change: Change<T>,
  wake: Wake,
  { resource, owners, selectorOf }: Adopters<O>,
): boolean {
  const { object } = change;
  const owner = controllerKey(object, resource);
  if (change.type === "updated") {
    const former = controllerKey(change.old, resource);
    if (former !== undefined && former.name !== owner?.name) wake(former);
  }
  if (owner !== undefined) {
    wake(owner);
    return true;
  }
  if (controllerOf(object) !== undefined || change.type === "deleted") return false;
  if (object.metadata.deletionTimestamp !== undefined) return false;
  const candidates = owners
    .list(object.metadata.namespace)
    .filter((candidate) => matchesSelector(selectorOf(candidate), object.metadata.labels));
  for (const candidate of candidates) wake(keyOf(candidate));
  return candidates.length > 0;
}
