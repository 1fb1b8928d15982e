import type { Clock, Random } from "../../base/index.ts";
import { ApiError, apiVersionOf, keyString } from "../../apimachinery/index.ts";
import type { KubernetesObject, ObjectKey, Resource } from "../../apimachinery/index.ts";
import type { Client, DeleteOptions, Patch, Selection, WatchEvent } from "../../api/index.ts";

type Json = Record<string, unknown>;
type Listener = { readonly resource: string; readonly selection: Selection; push(event: Event): void };
type Event = WatchEvent<KubernetesObject>;

/** A write that the client was asked for, as tests read it. */
export interface RecordedCall {
  readonly verb: "create" | "update" | "patch" | "delete" | "deleteCollection" | "post";
  readonly resource: string;
  readonly key: string;
  readonly subresource?: string | undefined;
  readonly body?: unknown;
}

/**
 * A `Client` over a map, for unit tests: versions, uids, conflicts, finalizers, generated names and watches, but no
 * defaults, validation, admission or label selectors.
 */
export class MemoryClient implements Client {
  readonly calls: RecordedCall[] = [];
  /** May throw an ApiError to make a call fail. */
  intercept: (call: RecordedCall) => void = () => undefined;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly objects = new Map<string, Map<string, KubernetesObject>>();
  private readonly listeners = new Set<Listener>();
  private readonly history: { readonly resource: string; readonly event: Event }[] = [];
  private version = 0;

  constructor(options: { clock: Clock; random: Random }) {
    this.clock = options.clock;
    this.random = options.random;
  }

  async get<T extends object>(resource: Resource<T>, key: ObjectKey): Promise<T> {
    return this.read(resource, key) as unknown as T;
  }

  async list<T extends object>(resource: Resource<T>, options: Selection = {}) {
    const all = [...this.table(resource).values()].filter((object) => selects(options, object));
    return { metadata: { resourceVersion: String(this.version) }, items: all as unknown as T[] };
  }

  async *watch<T extends object>(
    resource: Resource<T>,
    options: Selection & { resourceVersion?: string; signal: AbortSignal },
  ) {
    const after = Number(options.resourceVersion ?? this.version);
    const missed = this.history.filter(
      (entry) =>
        entry.resource === tableName(resource) &&
        Number(entry.event.object.metadata.resourceVersion) > after &&
        selects(options, entry.event.object),
    );
    const queue: Event[] = missed.map(({ event }) => event);
    let wake = () => undefined as void;
    const push = (event: Event) => {
      queue.push(event);
      wake();
    };
    const listener: Listener = { resource: tableName(resource), selection: options, push };
    this.listeners.add(listener);
    options.signal.addEventListener("abort", () => wake(), { once: true });
    while (!options.signal.aborted) {
      if (queue.length) yield queue.splice(0) as unknown as WatchEvent<T>[];
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    this.listeners.delete(listener);
  }

  async create<T extends object>(resource: Resource<T>, object: object): Promise<T> {
    const metadata = ((object as Json)["metadata"] ?? {}) as Json;
    const { generateName = "", name: given } = metadata as { generateName?: string; name?: string };
    const name = given ?? `${generateName}${this.random.uuid().slice(0, 5)}`;
    const namespace = metadata["namespace"] as string | undefined;
    const key: ObjectKey = { ...(namespace === undefined ? {} : { namespace }), name };
    this.record({ verb: "create", resource: tableName(resource), key: keyString(key), body: object });
    if (this.table(resource).has(keyString(key))) throw ApiError.alreadyExists(groupResource(resource), name);
    const created = {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      ...object,
      metadata: {
        ...metadata,
        name,
        uid: this.random.uuid(),
        creationTimestamp: timestamp(this.clock),
        generation: 1,
        resourceVersion: this.bump(),
      },
    } as unknown as KubernetesObject;
    this.put(resource, { type: "ADDED", object: created });
    return created as unknown as T;
  }

  async update<T extends object>(
    resource: Resource<T>,
    object: T,
    options: { subresource?: string } = {},
  ): Promise<T> {
    const next = object as unknown as KubernetesObject;
    const key = keyString(next.metadata);
    const { subresource } = options;
    this.record({ verb: "update", resource: tableName(resource), key, subresource, body: object });
    return this.replace(resource, { next, subresource }) as unknown as T;
  }

  async patch<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options: { subresource?: string } = {},
  ): Promise<T> {
    const { subresource } = options;
    const name = keyString(key);
    this.record({ verb: "patch", resource: tableName(resource), key: name, subresource, body: patch.body });
    const next = merged(this.read(resource, key), patch.body) as KubernetesObject;
    return this.replace(resource, { next, subresource }) as unknown as T;
  }

  async delete<T extends object>(resource: Resource<T>, key: ObjectKey, options: DeleteOptions = {}) {
    const recorded = { verb: "delete", resource: tableName(resource), key: keyString(key), body: options };
    this.record(recorded as RecordedCall);
    const object = this.read(resource, key);
    const uid = options.preconditions?.uid;
    if (uid !== undefined && uid !== object.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${object.metadata.uid}`;
      throw ApiError.conflict(groupResource(resource), key.name, why);
    }
    this.remove(resource, object, options);
  }

  async deleteCollection<T extends object>(resource: Resource<T>, selection: Selection) {
    const key = selection.namespace ?? "";
    this.record({ verb: "deleteCollection", resource: tableName(resource), key });
    for (const object of this.table(resource).values()) {
      if (selects(selection, object)) this.remove(resource, object, {});
    }
  }

  async post<T extends object, B extends object, R extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    subresource: string,
    body: B,
  ): Promise<R> {
    this.record({ verb: "post", resource: tableName(resource), key: keyString(key), subresource, body });
    return body as unknown as R;
  }

  /** Takes an object away whatever its finalizers, as a kubelet does at the end of a pod. */
  vanish<T extends object>(resource: Resource<T>, key: ObjectKey): void {
    const object = this.read(resource, key);
    this.put(resource, { type: "DELETED", object: withMetadata(object, { resourceVersion: this.bump() }) });
  }

  private remove(resource: Resource<object>, object: KubernetesObject, options: DeleteOptions): void {
    const orphan = options.propagationPolicy === "Orphan" ? ["orphan"] : [];
    const foreground = options.propagationPolicy === "Foreground" ? ["foregroundDeletion"] : [];
    const finalizers = [...new Set([...(object.metadata.finalizers ?? []), ...orphan, ...foreground])];
    const resourceVersion = this.bump();
    if (finalizers.length === 0) {
      this.put(resource, { type: "DELETED", object: withMetadata(object, { resourceVersion }) });
      return;
    }
    const deletionTimestamp = object.metadata.deletionTimestamp ?? timestamp(this.clock);
    const marked = withMetadata(object, { finalizers, deletionTimestamp, resourceVersion });
    this.put(resource, { type: "MODIFIED", object: marked });
  }

  private replace(
    resource: Resource<object>,
    write: { next: KubernetesObject; subresource: string | undefined },
  ): KubernetesObject {
    const old = this.read(resource, write.next.metadata);
    const { resourceVersion, uid } = write.next.metadata;
    const modified =
      "the object has been modified; please apply your changes to the latest version and try again";
    if (
      (resourceVersion && resourceVersion !== old.metadata.resourceVersion) ||
      (uid && uid !== old.metadata.uid)
    ) {
      throw ApiError.conflict(groupResource(resource), write.next.metadata.name, modified);
    }
    const part =
      write.subresource === "status"
        ? // Upstream's status strategies keep labels and take over annotations.
          {
            ...withMetadata(old, { annotations: write.next.metadata.annotations ?? {} }),
            status: statusOf(write.next),
          }
        : write.next;
    const kept =
      write.subresource === "status" ? part : { ...part, status: statusOf(write.next) ?? statusOf(old) };
    const changed =
      JSON.stringify((old as unknown as Json)["spec"]) !== JSON.stringify((kept as unknown as Json)["spec"]);
    const { uid: oldUid, creationTimestamp, generation = 1, deletionTimestamp } = old.metadata;
    const unchanged = withMetadata(kept, {
      ...kept.metadata,
      resourceVersion: old.metadata.resourceVersion,
    });
    if (JSON.stringify(unchanged) === JSON.stringify(old)) return old;
    const next = withMetadata(kept, {
      uid: oldUid,
      creationTimestamp,
      generation: generation + (changed ? 1 : 0),
      resourceVersion: this.bump(),
    });
    const gone = deletionTimestamp !== undefined && (next.metadata.finalizers ?? []).length === 0;
    this.put(resource, { type: gone ? "DELETED" : "MODIFIED", object: next });
    return next;
  }

  private record(call: RecordedCall): void {
    this.calls.push(call);
    this.intercept(call);
  }

  private put(resource: Resource<object>, event: Event): void {
    const key = keyString(event.object.metadata);
    if (event.type === "DELETED") this.table(resource).delete(key);
    else this.table(resource).set(key, event.object);
    this.history.push({ resource: tableName(resource), event });
    for (const listener of this.listeners) {
      if (listener.resource === tableName(resource) && selects(listener.selection, event.object)) {
        listener.push(event);
      }
    }
  }

  private read(resource: Resource<object>, key: ObjectKey): KubernetesObject {
    const object = this.table(resource).get(keyString(key));
    if (!object) throw ApiError.notFound(groupResource(resource), key.name);
    return object;
  }

  private table(resource: Resource<object>): Map<string, KubernetesObject> {
    let table = this.objects.get(tableName(resource));
    if (!table) this.objects.set(tableName(resource), (table = new Map()));
    return table;
  }

  private bump(): string {
    return String(++this.version);
  }
}

const tableName = (resource: Resource<object>) =>
  resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;

const groupResource = ({ group, plural }: Resource<object>) => ({ group, resource: plural });

const timestamp = (clock: Clock) => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;

const statusOf = (object: KubernetesObject) => (object as unknown as Json)["status"];

function withMetadata<T extends KubernetesObject>(object: T, change: Partial<T["metadata"]>): T {
  return { ...object, metadata: { ...object.metadata, ...change } };
}

function selects(selection: Selection, object: KubernetesObject): boolean {
  if (selection.namespace !== undefined && selection.namespace !== object.metadata.namespace) return false;
  const name = selection.fieldSelector?.match(/^metadata\.name=(.*)$/)?.[1];
  return name === undefined || name === object.metadata.name;
}

/** A JSON merge patch. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Json = typeof target === "object" && target !== null ? { ...(target as Json) } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
