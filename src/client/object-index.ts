import { invariant } from "../base/index.ts";

interface Index<T> {
  readonly valuesOf: (object: T) => readonly string[];
  readonly buckets: Map<string, Map<string, T>>;
}

/** Objects by key, and by the values of any number of index functions. */
export class IndexedObjects<T> {
  private readonly objects = new Map<string, T>();
  private readonly indexes = new Map<string, Index<T>>();
  private all: readonly T[] | undefined;

  get size(): number {
    return this.objects.size;
  }

  get(key: string): T | undefined {
    return this.objects.get(key);
  }

  keys(): Iterable<string> {
    return this.objects.keys();
  }

  /** The same array until something changes. */
  values(): readonly T[] {
    this.all ??= [...this.objects.values()];
    return this.all;
  }

  set(key: string, object: T): T | undefined {
    const old = this.objects.get(key);
    if (old !== undefined) this.unindex(key, old);
    this.objects.set(key, object);
    this.all = undefined;
    for (const index of this.indexes.values()) enter(index, { key, object });
    return old;
  }

  delete(key: string): T | undefined {
    const old = this.objects.get(key);
    if (old === undefined) return undefined;
    this.unindex(key, old);
    this.objects.delete(key);
    this.all = undefined;
    return old;
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.indexes.get(name);
    invariant(index, `no index "${name}"`);
    const bucket = index.buckets.get(value);
    return bucket === undefined ? [] : [...bucket.values()];
  }

  hasIndex(name: string): boolean {
    return this.indexes.has(name);
  }

  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void {
    const index: Index<T> = { valuesOf, buckets: new Map() };
    this.indexes.set(name, index);
    for (const [key, object] of this.objects) enter(index, { key, object });
  }

  private unindex(key: string, object: T): void {
    for (const index of this.indexes.values()) {
      for (const value of index.valuesOf(object)) {
        const bucket = index.buckets.get(value);
        bucket?.delete(key);
        if (bucket?.size === 0) index.buckets.delete(value);
      }
    }
  }
}

function enter<T>(index: Index<T>, entry: { key: string; object: T }): void {
  for (const value of index.valuesOf(entry.object)) {
    let bucket = index.buckets.get(value);
    if (bucket === undefined) index.buckets.set(value, (bucket = new Map()));
    bucket.set(entry.key, entry.object);
  }
}
