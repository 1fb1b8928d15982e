import type { ObjectKey } from "../apimachinery/index.ts";

/** Called after the informer's view has changed; objects are shared and frozen. */
export interface InformerHandler<T> {
  added?(object: T): void;
  updated?(object: T, old: T): void;
  deleted?(object: T): void;
}

/** A live local view of one resource: listed once, then watched; re-listed when history is gone. */
export interface Informer<T> {
  /** Whether the first list is complete. */
  readonly synced: boolean;
  /** Settles at the first complete list. */
  whenSynced(signal?: AbortSignal): Promise<void>;
  get(key: ObjectKey): T | undefined;
  list(namespace?: string): readonly T[];
  /** Objects whose index function yields `value`; the index must have been added. */
  byIndex(index: string, value: string): readonly T[];
  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void;
  /** Returns what removes the handler; it first hears of all present objects as added. */
  on(handler: InformerHandler<T>): () => void;
}
