import { ApiError } from "../../apimachinery/index.ts";
import type { New, ObjectKey, ObjectList, Resource } from "../../apimachinery/index.ts";
import type {
  Client,
  DeleteOptions,
  ListOptions,
  Patch,
  Selection,
  UserInfo,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "../../api/index.ts";
import {
  exactFieldMatch,
  parseFieldSelector,
  SelectorError,
  type FieldSelector,
} from "../../apimachinery/selector/index.ts";
import { decodeObject } from "../registry/coding.ts";
import { authorize } from "../registry/context.ts";
import type { Core, RequestOptions } from "../registry/context.ts";
import { create } from "../registry/create.ts";
import { remove, removeCollection } from "../registry/delete.ts";
import type { AnyObject } from "../registry/entry.ts";
import { patch, patchScale } from "../registry/patch.ts";
import { get, list } from "../registry/read.ts";
import type { ServedResource } from "../registry/served.ts";
import { answererOf, post } from "../registry/subresources.ts";
import { updateScale } from "../registry/scale.ts";
import { update } from "../registry/update.ts";
import { untilCurrent } from "../registry/versions.ts";
import { bookmarkAnnotations, watch } from "../registry/watch.ts";
import type { EntryEvent, EntryWatch } from "../registry/watch.ts";

/** A client in the server's own process: acts as `user`, passes shared objects by reference. */
export function createLocalClient(core: Core, user: UserInfo): Client {
  return new LocalClient(core, user);
}

class LocalClient implements Client {
  private readonly core: Core;
  private readonly user: UserInfo;

  constructor(core: Core, user: UserInfo) {
    this.core = core;
    this.user = user;
  }

  async get<T extends object>(resource: Resource<T>, key: ObjectKey): Promise<T> {
    const served = this.servedOf(resource);
    this.allow(served, "get", key);
    const behind = untilCurrent(this.core, served);
    if (behind) await behind;
    const { object } = get(served, key);
    if (served.remote) await served.remote.untilShown([object], { anew: true });
    return result(served.fromStored(object));
  }

  async list<T extends object>(resource: Resource<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const served = this.servedOf(resource);
    this.allow(served, "list", selected(options));
    const page = await list(this.core, served, options);
    const items = page.entries.map((entry) => served.fromStored(entry.object));
    return result({ kind: served.listKind, apiVersion: served.apiVersion, metadata: page.metadata, items });
  }

  watch<T extends object>(
    resource: Resource<T>,
    options: WatchOptions,
  ): AsyncIterable<readonly WatchEvent<T>[]> {
    const served = this.servedOf(resource);
    this.allow(served, "watch", selected(options));
    return result(events(this.core, served, options));
  }

  async create<T extends object>(resource: Resource<T>, object: New<T>, options?: WriteOptions): Promise<T> {
    const { core } = this;
    const served = this.servedOf(resource);
    const input = object as unknown as AnyObject;
    const namespace = served.resource.namespaced ? input.metadata?.namespace : undefined;
    this.allow(served, "create", { namespace });
    const request = this.requestOf(options);
    const decoded = decodeObject(served, input, request);
    const answer = answererOf(core, served);
    if (answer) return result(await answer({ namespace, body: decoded, options: request }));
    return result((await create(core, served, { ...request, object: decoded })).object);
  }

  async update<T extends object>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { core } = this;
    const served = this.servedOf(resource);
    const input = object as unknown as AnyObject;
    const { name, namespace } = input.metadata;
    const key: ObjectKey = served.resource.namespaced ? { name, namespace } : { name };
    const { subresource = "" } = options;
    this.allow(served, "update", { ...key, subresource });
    const request = this.requestOf(options);
    if (subresource === "scale") {
      return result(await updateScale(core, served, { ...request, key, scale: input }));
    }
    const decoded = decodeObject(served, input, request);
    return result((await update(core, served, { ...request, key, object: decoded, subresource })).object);
  }

  async patch<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    change: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    const { core } = this;
    const served = this.servedOf(resource);
    const { subresource = "" } = options;
    this.allow(served, "patch", { ...key, subresource });
    const request = this.requestOf(options);
    if (subresource === "scale") {
      return result(await patchScale(core, served, { ...request, key, patch: change }));
    }
    return result((await patch(core, served, { ...request, key, subresource, patch: change })).object);
  }

  async delete<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<void> {
    const served = this.servedOf(resource);
    this.allow(served, "delete", key);
    await remove(this.core, served, { ...this.requestOf(options), key, delete: options });
  }

  async deleteCollection<T extends object>(
    resource: Resource<T>,
    selection: Selection,
    options: DeleteOptions = {},
  ): Promise<void> {
    const served = this.servedOf(resource);
    this.allow(served, "deletecollection", selected(selection));
    await removeCollection(this.core, served, {
      ...this.requestOf(options),
      list: selection,
      delete: options,
    });
  }

  async post<T extends object, B extends object, R extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    subresource: string,
    body: B,
  ): Promise<R> {
    const served = this.servedOf(resource);
    this.allow(served, "create", { ...key, subresource });
    const options = this.requestOf({});
    return result(
      await post(this.core, served, { key, subresource, body: body as unknown as AnyObject, options }),
    );
  }

  private servedOf(resource: Resource<object>): ServedResource {
    const served = this.core.served.of(resource);
    if (!served) throw serverLacks();
    return served;
  }

  private requestOf(options: WriteOptions | DeleteOptions = {}): RequestOptions {
    return { ...options, user: this.user };
  }

  private allow(
    served: ServedResource,
    verb: string,
    at: {
      readonly namespace?: string | undefined;
      readonly name?: string;
      readonly subresource?: string | undefined;
    },
  ): void {
    const { group, version, plural } = served.resource;
    const own = served.definition.isItsOwnNamespace ? at.name : undefined;
    authorize(this.core, {
      type: "resource",
      user: this.user,
      verb,
      group,
      version,
      resource: plural,
      subresource: at.subresource ?? "",
      namespace: at.namespace ?? own ?? "",
      name: at.name ?? "",
    });
  }
}

/** What a selection asks for: rights to one name also allow lists and watches that select it. */
function selected({ namespace, fieldSelector = "" }: Selection) {
  const name = exactFieldMatch(parsed(fieldSelector), "metadata.name") ?? "";
  return { namespace, name };
}

function parsed(text: string): FieldSelector {
  try {
    return parseFieldSelector(text);
  } catch (error) {
    if (error instanceof SelectorError) throw ApiError.badRequest(error.message);
    throw error;
  }
}

/** The caller's type of an object of the API: what the resource handle promises. */
function result<T>(value: object): T {
  return value as T;
}

/** No such resource here. */
export function serverLacks(): ApiError {
  return new ApiError({
    message: "the server could not find the requested resource",
    reason: "NotFound",
    details: {},
    code: 404,
  });
}

async function* events(
  core: Core,
  served: ServedResource,
  options: WatchOptions,
): AsyncGenerator<readonly WatchEvent<AnyObject>[]> {
  const { signal } = options;
  if (signal.aborted) return;
  const source = await watch(core, served, {
    ...options,
    ...(options.sendInitialEvents ? { resourceVersionMatch: "NotOlderThan" as const } : {}),
  });
  const onAbort = () => source.close();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const batch = source.take();
      if (batch.length > 0) yield batch.map((event) => clientEvent(served, event));
      else if (source.ended) return;
      else await ready(source);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    source.close();
  }
}

function ready(source: EntryWatch): Promise<void> {
  return new Promise((resolve) => {
    source.onReady = resolve;
  });
}

function clientEvent(served: ServedResource, event: EntryEvent): WatchEvent<AnyObject> {
  if (event.type !== "BOOKMARK") return { type: event.type, object: served.fromStored(event.entry.object) };
  return { type: "BOOKMARK", object: bookmarkObject(served, event) };
}

/** The object of a bookmark: only its version counts. */
export function bookmarkObject(
  served: ServedResource,
  event: Extract<EntryEvent, { type: "BOOKMARK" }>,
): AnyObject {
  const metadata: Record<string, unknown> = {
    resourceVersion: String(event.revision),
    creationTimestamp: null,
  };
  const annotations = bookmarkAnnotations(event);
  if (Object.keys(annotations).length > 0) metadata["annotations"] = annotations;
  return { kind: served.resource.kind, apiVersion: served.apiVersion, metadata } as unknown as AnyObject;
}
