import type { Clock, Logger, Random } from "../base/index.ts";
import type { KubernetesObject, Resource } from "../apimachinery/index.ts";
import type { Client, Selection } from "../api/index.ts";
import { createInformer } from "./shared-informer.ts";
import type { SharedInformer } from "./shared-informer.ts";

/** Informers shared by all who use one client: one per resource and selection. */
export interface InformerFactory {
  /** The informer of this resource and selection; runs as soon as the factory does. */
  informer<T extends KubernetesObject>(resource: Resource<T>, selection?: Selection): SharedInformer<T>;
  /** Ends the informers of a resource that is not served any more; who asks for one later gets a new one. */
  drop(resource: Pick<Resource, "group" | "version" | "plural">): void;
  /** Runs all informers asked for so far and later; settles when all have stopped. */
  run(signal: AbortSignal): Promise<void>;
  /** Settles when all informers asked for so far have synced. */
  whenSynced(signal?: AbortSignal): Promise<void>;
}

interface Shared {
  readonly informer: SharedInformer<KubernetesObject>;
  /** Ends it alone. */
  readonly stop: AbortController;
}

export function createInformerFactory(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: Random;
}): InformerFactory {
  const informers = new Map<string, Shared>();
  let lifetime: { signal: AbortSignal; running: Set<Promise<void>> } | undefined;

  const start = ({ informer, stop }: Shared) => {
    if (lifetime === undefined || lifetime.signal.aborted) return;
    const { running } = lifetime;
    const run = informer.run(stop.signal).finally(() => running.delete(run));
    running.add(run);
  };

  return {
    informer<T extends KubernetesObject>(resource: Resource<T>, selection: Selection = {}) {
      const { namespace, labelSelector, fieldSelector } = selection;
      const { group, version, plural } = resource;
      const key = JSON.stringify([group, version, plural, namespace, labelSelector, fieldSelector]);
      const known = informers.get(key)?.informer;
      if (known) return known as unknown as SharedInformer<T>;
      const { client, ...outside } = options;
      const informer = createInformer(client, resource, { ...outside, selection });
      const shared = { informer, stop: new AbortController() };
      informers.set(key, shared);
      start(shared);
      return informer;
    },
    async run(signal) {
      lifetime = { signal, running: new Set() };
      for (const shared of informers.values()) start(shared);
      await aborted(signal);
      for (const { stop } of informers.values()) stop.abort();
      await Promise.all(lifetime.running);
    },
    drop({ group, version, plural }) {
      for (const [key, { informer, stop }] of informers) {
        const { resource } = informer;
        if (resource.group !== group || resource.version !== version || resource.plural !== plural) continue;
        informers.delete(key);
        stop.abort();
      }
    },
    async whenSynced(signal) {
      await Promise.all([...informers.values()].map(({ informer }) => informer.whenSynced(signal)));
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
