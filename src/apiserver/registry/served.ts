import { apiVersionOf } from "../../apimachinery/index.ts";
import type { JsonObject, Resource, StructType, SubresourceFacts } from "../../apimachinery/index.ts";
import type { ResourceDefinition } from "../../api/index.ts";
import type { AnyObject } from "./entry.ts";
import type { ResourceCache } from "./cache.ts";

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
  readonly versionHash?: string;
  /** Told to clients that use it: the version is on its way out. */
  readonly deprecationWarning?: string;
  /** Between this version and the one that is stored; identity for the stored version itself. */
  readonly toStored: (object: AnyObject) => AnyObject;
  readonly fromStored: (object: AnyObject) => AnyObject;
  /** What is stored is not always what is shown: it is pruned and completed when it is read. */
  readonly reshapes?: true;
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

/** All that is served, by path and by handle; custom resources come and go. */
export class ServedTable {
  private readonly byPath = new Map<string, ServedResource>();
  private readonly listeners = new Set<() => void>();

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.byPath.get(`${group}/${version}/${plural}`);
  }

  of(resource: Resource<object>): ServedResource | undefined {
    return this.byPath.get(`${resource.group}/${resource.version}/${resource.plural}`);
  }

  /** Any version of the resource that is served. */
  anyVersion(group: string, plural: string): ServedResource | undefined {
    for (const served of this.byPath.values()) {
      if (served.resource.group === group && served.resource.plural === plural) return served;
    }
    return undefined;
  }

  hasGroupVersion(group: string, version: string): boolean {
    for (const { resource } of this.byPath.values()) {
      if (resource.group === group && resource.version === version) return true;
    }
    return false;
  }

  all(): Iterable<ServedResource> {
    return this.byPath.values();
  }

  add(served: ServedResource): void {
    const { group, version, plural } = served.resource;
    this.byPath.set(`${group}/${version}/${plural}`, served);
    for (const listener of this.listeners) listener();
  }

  remove(resource: Pick<Resource, "group" | "version" | "plural">): void {
    if (!this.byPath.delete(`${resource.group}/${resource.version}/${resource.plural}`)) return;
    for (const listener of this.listeners) listener();
  }

  /** Calls `listener` after what is served has changed. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}

/** `object` as of another API version with the same fields. */
export function restamp(object: AnyObject, resource: Resource): AnyObject {
  const apiVersion = apiVersionOf(resource);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}
