import type { Clock, Logger, Random } from "../base/index.ts";
import type { KubernetesObject, Resource } from "../apimachinery/index.ts";
import type { Client, Selection } from "../api/index.ts";
import { createInformer } from "./shared-informer.ts";
import type { SharedInformer } from "./shared-informer.ts";

/** Informers shared by all who use one client: one per resource and selection. */
export interface InformerFactory {
  /** The informer of this resource and selection; runs as soon as the factory does. */
  informer<T extends KubernetesObject>(resource: Resource<T>, selection?: Selection): SharedInformer<T>;
  /** Runs all informers asked for so far and later; settles when all have stopped. */
  run(signal: AbortSignal): Promise<void>;
  /** Settles when all informers asked for so far have synced. */
  whenSynced(signal?: AbortSignal): Promise<void>;
}

export function createInformerFactory(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: Random;
}): InformerFactory {
  const informers = new Map<string, SharedInformer<KubernetesObject>>();
  let lifetime: { signal: AbortSignal; running: Set<Promise<void>> } | undefined;

  const start = (informer: SharedInformer<KubernetesObject>) => {
    if (lifetime === undefined || lifetime.signal.aborted) return;
    const { running, signal } = lifetime;
    const run = informer.run(signal).finally(() => running.delete(run));
    running.add(run);
  };

  return {
    informer<T extends KubernetesObject>(resource: Resource<T>, selection: Selection = {}) {
      const { namespace, labelSelector, fieldSelector } = selection;
      const { group, version, plural } = resource;
      const key = JSON.stringify([group, version, plural, namespace, labelSelector, fieldSelector]);
      const known = informers.get(key);
      if (known) return known as unknown as SharedInformer<T>;
      const { client, ...outside } = options;
      const informer = createInformer(client, resource, { ...outside, selection });
      informers.set(key, informer);
      start(informer);
      return informer;
    },
    async run(signal) {
      lifetime = { signal, running: new Set() };
      for (const informer of informers.values()) start(informer);
      await aborted(signal);
      await Promise.all(lifetime.running);
    },
    async whenSynced(signal) {
      await Promise.all([...informers.values()].map((informer) => informer.whenSynced(signal)));
    },
  };
}

/** Settles when the signal has aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
