import { systemRandom } from "../base/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import { ApiError, keyOf, keyString } from "../apimachinery/index.ts";
import type { KubernetesObject, ObjectKey, Resource } from "../apimachinery/index.ts";
import type { Client, Selection, WatchEvent } from "../api/index.ts";
import type { Informer, InformerHandler } from "./informer.ts";
import { IndexedObjects } from "./object-index.ts";
import { firstReflectorState, nextReflectorState, reflectorDelay } from "./reflector.ts";
import type { ReflectorOutcome, ReflectorState } from "./reflector.ts";

/** What an informer needs from outside. */
export interface InformerOptions {
  readonly selection?: Selection;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: Random;
}

/** An informer with its lifetime, and with what controllers need to read their own writes. */
export interface SharedInformer<T> extends Informer<T> {
  readonly resource: Resource<T & object>;
  /** The last version of the resource that the view shows; "" before the first list. */
  readonly resourceVersion: string;
  readonly size: number;
  /** Whether an index of this name has been added. */
  hasIndex(index: string): boolean;
  /** Settles once `holds` is true, asked now and after each change of the view. */
  until(holds: () => boolean, signal?: AbortSignal): Promise<void>;
  /** Lists and watches until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const byNamespace = "namespace";

/** A live local view of `resource`, idle until `run`. */
export function createInformer<T extends KubernetesObject>(
  client: Client,
  resource: Resource<T>,
  options: InformerOptions,
): SharedInformer<T> {
  return new ReflectingInformer(client, resource, options);
}

interface Waiter {
  readonly holds: () => boolean;
  readonly resolve: () => void;
}

class ReflectingInformer<T extends KubernetesObject> implements SharedInformer<T> {
  readonly resource: Resource<T>;
  private readonly client: Client;
  private readonly options: InformerOptions;
  private readonly objects = new IndexedObjects<T>();
  private readonly handlers = new Set<InformerHandler<T>>();
  private readonly waiters = new Set<Waiter>();
  private listed = false;
  private version = "";

  constructor(client: Client, resource: Resource<T>, options: InformerOptions) {
    this.client = client;
    this.resource = resource;
    this.options = options;
    if (resource.namespaced)
      this.objects.addIndex(byNamespace, (object) => [object.metadata.namespace ?? ""]);
  }

  get synced(): boolean {
    return this.listed;
  }

  get resourceVersion(): string {
    return this.version;
  }

  get size(): number {
    return this.objects.size;
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    return this.until(() => this.listed, signal);
  }

  get(key: ObjectKey): T | undefined {
    return this.objects.get(keyString(key));
  }

  list(namespace?: string): readonly T[] {
    if (namespace === undefined || namespace === "") return this.objects.values();
    return this.resource.namespaced ? this.objects.byIndex(byNamespace, namespace) : [];
  }

  byIndex(index: string, value: string): readonly T[] {
    return this.objects.byIndex(index, value);
  }

  hasIndex(index: string): boolean {
    return this.objects.hasIndex(index);
  }

  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void {
    this.objects.addIndex(name, valuesOf);
  }

  on(handler: InformerHandler<T>): () => void {
    this.handlers.add(handler);
    for (const object of this.objects.values()) this.tell(() => handler.added?.(object));
    return () => void this.handlers.delete(handler);
  }

  until(holds: () => boolean, signal?: AbortSignal): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.waiters.delete(waiter);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        holds,
        resolve: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.waiters.add(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random = systemRandom } = this.options;
    let state = firstReflectorState;
    while (!signal.aborted) {
      const delay = reflectorDelay(state, random);
      if (delay > 0) await clock.sleep(delay, signal).catch(() => undefined);
      if (signal.aborted) return;
      const outcome = await this.perform(state, signal);
      if (outcome.type === "failed" && !signal.aborted) this.report(outcome.error);
      state = nextReflectorState(state, outcome);
    }
  }

  private perform(state: ReflectorState, signal: AbortSignal): Promise<ReflectorOutcome> {
    return state.type === "list" ? this.readAll(state.at, signal) : this.follow(state.after, signal);
  }

  private async readAll(at: string, signal: AbortSignal): Promise<ReflectorOutcome> {
    try {
      const selection = this.options.selection ?? {};
      const list = await this.client.list(this.resource, {
        ...selection,
        ...(at === "" ? {} : { resourceVersion: at }),
        signal,
      });
      const resourceVersion = list.metadata.resourceVersion ?? "";
      this.replace(list.items, resourceVersion);
      return { type: "listed", resourceVersion };
    } catch (error) {
      return { type: "failed", error: ApiError.from(error), resourceVersion: undefined };
    }
  }

  private async follow(after: string, signal: AbortSignal): Promise<ReflectorOutcome> {
    let last: string | undefined;
    try {
      const options = { resourceVersion: after, allowBookmarks: true, signal };
      for await (const batch of this.client.watch(this.resource, { ...this.options.selection, ...options })) {
        last = this.apply(batch) ?? last;
      }
      return { type: "ended", resourceVersion: last };
    } catch (error) {
      return { type: "failed", error: ApiError.from(error), resourceVersion: last };
    }
  }

  /** Makes the view equal to `items`, telling handlers the difference. */
  private replace(items: readonly T[], resourceVersion: string): void {
    const gone = new Set(this.objects.keys());
    this.version = resourceVersion;
    for (const item of items) {
      const key = keyString(keyOf(item));
      gone.delete(key);
      const old = this.objects.get(key);
      if (old?.metadata.resourceVersion !== item.metadata.resourceVersion) this.put(key, item);
    }
    for (const key of gone) this.remove(key, undefined);
    this.listed = true;
    this.wake();
  }

  private apply(batch: readonly WatchEvent<T>[]): string | undefined {
    let last: string | undefined;
    for (const event of batch) {
      last = event.object.metadata.resourceVersion;
      this.version = last;
      if (event.type === "BOOKMARK") continue;
      const key = keyString(keyOf(event.object));
      if (event.type === "DELETED") this.remove(key, event.object);
      else this.put(key, event.object);
    }
    this.wake();
    return last;
  }

  private put(key: string, object: T): void {
    const old = this.objects.set(key, object);
    for (const handler of this.handlers) {
      if (old === undefined) this.tell(() => handler.added?.(object));
      else if (old.metadata.uid === object.metadata.uid) this.tell(() => handler.updated?.(object, old));
      else this.tell(() => (handler.deleted?.(old), handler.added?.(object)));
    }
  }

  private remove(key: string, last: T | undefined): void {
    const old = this.objects.delete(key);
    if (old === undefined) return;
    for (const handler of this.handlers) this.tell(() => handler.deleted?.(last ?? old));
  }

  /** A handler's bug must not stop the view from following. */
  private tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.options.logger.error("an informer's handler failed", { resource: this.resource.plural, error });
    }
  }

  private wake(): void {
    for (const waiter of this.waiters) {
      if (!waiter.holds()) continue;
      this.waiters.delete(waiter);
      waiter.resolve();
    }
  }

  private report(error: ApiError): void {
    const fields = { resource: this.resource.plural, error: error.message };
    if (error.reason === "Expired") this.options.logger.debug("watch history is gone, listing again", fields);
    else this.options.logger.warn("failed to list or watch", fields);
  }
}
