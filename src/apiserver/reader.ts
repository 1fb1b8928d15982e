import type { ObjectKey, Resource } from "../apimachinery/index.ts";

/** Synchronous reads from the API server's own caches; objects are shared and frozen. */
export interface ObjectReader {
  get<T extends object>(resource: Resource<T>, key: ObjectKey): T | undefined;
  list<T extends object>(resource: Resource<T>, namespace?: string): readonly T[];
  /** Calls `onChange` after each change of the resource; returns what ends it. */
  subscribe<T extends object>(
    resource: Resource<T>,
    onChange: (change: { object: T | undefined; old: T | undefined }) => void,
  ): () => void;
}
