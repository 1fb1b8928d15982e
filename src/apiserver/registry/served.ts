import { apiVersionOf } from "../../apimachinery/index.ts";
import type { JsonObject, Resource, StructType, SubresourceFacts } from "../../apimachinery/index.ts";
import type { ResourceDefinition } from "../../api/index.ts";
import type { AnyObject } from "./entry.ts";
import type { ResourceCache } from "./cache.ts";
import type { RemoteConversion } from "./remote-conversion.ts";

/** One resource in one version, as clients address it. */
export interface ServedResource {
  readonly resource: Resource;
  readonly apiVersion: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly SubresourceFacts[];
  readonly listKind: string;
  readonly type: StructType;
  /** The type as server-side apply sees it, where objects are decoded with less: custom resources. */
  readonly applyType?: StructType;
  readonly definition: ResourceDefinition;
  /** A custom resource: its unknown fields and its status follow the rules of its own schema. */
  readonly custom: boolean;
  readonly hasStatus: boolean;
  readonly scale: ResourceDefinition["scale"];
  /** Hash of group, version and kind: what discovery shows of the storage version. */
  readonly versionHash?: () => string;
  /** Told to clients that use it: the version is on its way out. */
  readonly deprecationWarning?: string;
  /** Between this version and the one that is stored; identity for the stored version itself. */
  readonly toStored: (object: AnyObject) => AnyObject;
  readonly fromStored: (object: AnyObject) => AnyObject;
  /** What is stored is not always what is shown: it is pruned and completed when it is read. */
  readonly reshapes?: true;
  /** Who converts is outside and must be asked before `toStored` and `fromStored` can answer. */
  readonly remote?: RemoteConversion;
  /** A custom resource's schema as clients see it. */
  readonly openApiSchema?: JsonObject;
  readonly storage: Storage;
}

/** What several versions of one resource share. */
export interface Storage {
  readonly prefix: string;
  readonly cache: ResourceCache;
  /** The version that is stored. */
  readonly stored: Resource;
  readonly storedApiVersion: string;
}

/** What it takes to serve one version of a resource; the storage is added when it is installed. */
export type ServedVersion = Omit<ServedResource, "storage" | "apiVersion" | "custom">;

/** What has come, or comes in another form than before, or has gone. */
export interface ServedChange {
  readonly type: "added" | "removed";
  readonly served: ServedResource;
}

type Listener = (change: ServedChange) => void;

/** What names one version of a resource. */
type Named = Pick<Resource, "group" | "version" | "plural">;

const pathOf = ({ group, version, plural }: Named): string => `${group}/${version}/${plural}`;

/** All that is served, by path and by handle; custom resources come and go, thousands of them. */
export class ServedTable {
  private readonly byPath = new Map<string, ServedResource>();
  private readonly byGroup = new Map<string, Map<string, ServedResource>>();
  private readonly listeners = new Set<Listener>();
  private readonly followers = new Map<string, Set<Listener>>();

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.byPath.get(pathOf({ group, version, plural }));
  }

  of(resource: Named): ServedResource | undefined {
    return this.byPath.get(pathOf(resource));
  }

  /** Any version of the resource that is served. */
  anyVersion(group: string, plural: string): ServedResource | undefined {
    for (const served of this.inGroup(group)) if (served.resource.plural === plural) return served;
    return undefined;
  }

  hasGroupVersion(group: string, version: string): boolean {
    for (const { resource } of this.inGroup(group)) if (resource.version === version) return true;
    return false;
  }

  all(): Iterable<ServedResource> {
    return this.byPath.values();
  }

  inGroup(group: string): Iterable<ServedResource> {
    return this.byGroup.get(group)?.values() ?? [];
  }

  add(served: ServedResource): void {
    const { group } = served.resource;
    const path = pathOf(served.resource);
    this.byPath.set(path, served);
    const members = this.byGroup.get(group) ?? new Map<string, ServedResource>();
    this.byGroup.set(group, members.set(path, served));
    this.tell(path, { type: "added", served });
  }

  remove(resource: Named): void {
    const path = pathOf(resource);
    const served = this.byPath.get(path);
    if (!served) return;
    this.byPath.delete(path);
    const members = this.byGroup.get(resource.group);
    members?.delete(path);
    if (members?.size === 0) this.byGroup.delete(resource.group);
    this.tell(path, { type: "removed", served });
  }

  /** Calls `listener` after what is served has changed. */
  onChange(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Calls `listener` after one version of a resource has changed; others' changes cost it nothing. */
  follow(resource: Named, listener: Listener): () => void {
    const path = pathOf(resource);
    const followers = this.followers.get(path) ?? new Set();
    this.followers.set(path, followers.add(listener));
    return () => {
      followers.delete(listener);
      if (followers.size === 0 && this.followers.get(path) === followers) this.followers.delete(path);
    };
  }

  private tell(path: string, change: ServedChange): void {
    for (const listener of this.listeners) listener(change);
    for (const listener of Array.from(this.followers.get(path) ?? [])) listener(change);
  }
}

/** `object` as of another API version with the same fields. */
export function restamp(object: AnyObject, resource: Resource): AnyObject {
  const apiVersion = apiVersionOf(resource);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
