import type { Clock, Logger } from "../base/index.ts";
import type { KubernetesObject, Resource } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import { ConfigMap, Secret } from "../api/types/core-v1.ts";
import { createInformer } from "../client/index.ts";
import type { SharedInformer } from "../client/index.ts";
import type { ObjectReader } from "./environment/environment.ts";

interface Watched {
  readonly informer: SharedInformer<KubernetesObject>;
  readonly stop: AbortController;
  readonly running: Promise<void>;
  /** Users by pod, with what to call on a change. */
  readonly users: Map<string, () => void>;
}

/** Keeps the ConfigMaps and Secrets that pods of this node refer to, each watched for itself, as node authorization demands. */
export class ObjectWatcher {
  private readonly options: { client: Client; clock: Clock; logger: Logger };
  private readonly watched = new Map<string, Watched>();

  constructor(options: { client: Client; clock: Clock; logger: Logger }) {
    this.options = options;
  }

  /** Reads for a pod; `changed` is called whenever something that was read has changed. */
  reader(pod: { namespace: string; uid: string; changed: () => void; signal: AbortSignal }): ObjectReader {
    const read = async <T extends KubernetesObject>(resource: Resource<T>, name: string) => {
      const key = { namespace: pod.namespace, name };
      const { informer, users } = this.watch(resource, key);
      if (!users.has(pod.uid)) users.set(pod.uid, pod.changed);
      await informer.whenSynced(pod.signal);
      return informer.get(key) as T | undefined;
    };
    return {
      configMap: (name) => read(ConfigMap, name),
      secret: (name) => read(Secret, name),
    };
  }

  /** Ends the watches that only this pod needed. */
  release(uid: string): void {
    for (const [key, watched] of this.watched) {
      if (!watched.users.delete(uid) || watched.users.size > 0) continue;
      watched.stop.abort();
      this.watched.delete(key);
    }
  }

  async stop(): Promise<void> {
    const all = [...this.watched.values()];
    this.watched.clear();
    for (const { stop } of all) stop.abort();
    await Promise.all(all.map(({ running }) => running));
  }

  private watch<T extends KubernetesObject>(
    resource: Resource<T>,
    { namespace, name }: { namespace: string; name: string },
  ): Watched {
    const key = `${resource.plural} ${namespace}/${name}`;
    const known = this.watched.get(key);
    if (known) return known;
    const { client, clock, logger } = this.options;
    const informer = createInformer(client, resource as unknown as Resource, {
      clock,
      logger,
      selection: { namespace, fieldSelector: `metadata.name=${name}` },
    });
    const users = new Map<string, () => void>();
    const tell = () => {
      for (const changed of users.values()) changed();
    };
    informer.on({ updated: tell, deleted: tell, added: tell });
    const stop = new AbortController();
    const watched = { informer, stop, running: informer.run(stop.signal), users };
    this.watched.set(key, watched);
    return watched;
  }
}
