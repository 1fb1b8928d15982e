import type { ResourceInfo } from "../request-info.ts";

const keyOf = (info: ResourceInfo, namespace: string, name: string): string =>
  `${info.resource}.${info.group}/${namespace}/${name}`;

/** How many watches there are that a write may concern. */
export class WatchCounts {
  private readonly counts = new Map<string, number>();

  /** A watch has begun; call what is returned at its end. */
  add(info: ResourceInfo): () => void {
    const key = keyOf(info, info.namespace, info.name);
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    return () => {
      const left = (this.counts.get(key) ?? 0) - 1;
      if (left > 0) this.counts.set(key, left);
      else this.counts.delete(key);
    };
  }

  /** Watches of the whole resource, of the namespace and of the object. */
  interested(info: ResourceInfo): number {
    const { counts } = this;
    if (counts.size === 0) return 0;
    let count = counts.get(keyOf(info, "", "")) ?? 0;
    if (info.namespace !== "") count += counts.get(keyOf(info, info.namespace, "")) ?? 0;
    if (info.name !== "") count += counts.get(keyOf(info, info.namespace, info.name)) ?? 0;
    return count;
  }
}
