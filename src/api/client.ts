import type { KubernetesObject, ObjectList, New, ObjectKey, Resource } from "../apimachinery/index.ts";
import type { NumberTexts } from "../apimachinery/codec/index.ts";

/** How reads of lists and watches are narrowed. */
export interface Selection {
  /** All namespaces when absent. */
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

export interface ListOptions extends Selection {
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: "Exact" | "NotOlderThan";
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends Selection {
  /** Start after this version; absent: current objects as ADDED first. */
  readonly resourceVersion?: string;
  readonly allowBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly signal: AbortSignal;
}

export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T }
  /** Only `metadata.resourceVersion` counts (and the annotation that ends initial events). */
  | { readonly type: "BOOKMARK"; readonly object: KubernetesObject };

export interface WriteOptions {
  readonly subresource?: string;
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  readonly fieldValidation?: "Ignore" | "Warn" | "Strict";
  readonly signal?: AbortSignal;
}

export type Patch =
  | ({ readonly type: "json"; readonly body: readonly object[] } & PatchText)
  | ({ readonly type: "merge"; readonly body: object } & PatchText)
  | ({ readonly type: "strategic"; readonly body: object } & PatchText)
  /** Server-side apply; needs `fieldManager`. */
  | ({ readonly type: "apply"; readonly body: object; readonly force?: boolean } & PatchText);

/** What the text of a patch says besides its value. */
interface PatchText {
  /** What strict decoding found. */
  readonly problems?: readonly string[];
  /** Numbers that are more than their value, by their place in the patched object. */
  readonly numbers?: NumberTexts;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Orphan" | "Background" | "Foreground";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The API as every component sees it: in-process it passes shared, frozen objects by reference; over HTTPS it
 * encodes them. Methods reject with `ApiError`. Each client acts as one identity.
 */
export interface Client {
  get<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    options?: { resourceVersion?: string; signal?: AbortSignal },
  ): Promise<T>;
  list<T extends object>(resource: Resource<T>, options?: ListOptions): Promise<ObjectList<T>>;
  /** Batches of events, in order; ends when the signal aborts or the server ends the watch; throws ApiError `Expired` when history is gone. */
  watch<T extends object>(
    resource: Resource<T>,
    options: WatchOptions,
  ): AsyncIterable<readonly WatchEvent<T>[]>;
  create<T extends object>(resource: Resource<T>, object: New<T>, options?: WriteOptions): Promise<T>;
  /** Replaces the object (or the subresource's part of it); the object's resourceVersion, if set, must be current. */
  update<T extends object>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    patch: Patch,
    options?: WriteOptions,
  ): Promise<T>;
  delete<T extends object>(resource: Resource<T>, key: ObjectKey, options?: DeleteOptions): Promise<void>;
  deleteCollection<T extends object>(
    resource: Resource<T>,
    selection: Selection,
    options?: DeleteOptions,
  ): Promise<void>;
  /** Creates at a subresource: `binding`, `eviction`, `token`; answers what the server answers. */
  post<T extends object, R extends object>(
    resource: Resource<T>,
    key: ObjectKey,
    subresource: string,
    body: object,
  ): Promise<R>;
}

/** Who acts. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}
