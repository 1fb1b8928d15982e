import { keyOf, keyString } from "../../apimachinery/index.ts";
import type { KubernetesObject, ObjectKey, Resource } from "../../apimachinery/index.ts";
import type { ObjectReader } from "../reader.ts";

/** A reader over objects that are put by hand; for tests. */
export interface MemoryReader extends ObjectReader {
  put<T extends KubernetesObject>(resource: Resource<T>, object: T): void;
  remove<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey): void;
}

type OnChange = (change: { object: never; old: never }) => void;

export function memoryReader(): MemoryReader {
  const tables = new Map<string, Map<string, KubernetesObject>>();
  const listeners = new Map<string, Set<OnChange>>();
  const tableOf = (resource: Resource<never>) => {
    const name = `${resource.plural}.${resource.group}`;
    const table = tables.get(name) ?? new Map<string, KubernetesObject>();
    tables.set(name, table);
    return { name, table };
  };
  const tell = (name: string, change: { object: unknown; old: unknown }) => {
    for (const listener of listeners.get(name) ?? []) listener(change as { object: never; old: never });
  };
  return {
    get: <T extends object>(resource: Resource<T>, key: ObjectKey) =>
      tableOf(resource as Resource<never>).table.get(keyString(key)) as T | undefined,
    list: <T extends object>(resource: Resource<T>, namespace?: string) =>
      [...tableOf(resource as Resource<never>).table.values()].filter(
        (object) => namespace === undefined || object.metadata.namespace === namespace,
      ) as unknown as readonly T[],
    subscribe(resource, onChange) {
      const { name } = tableOf(resource as Resource<never>);
      const set = listeners.get(name) ?? new Set<OnChange>();
      listeners.set(name, set);
      set.add(onChange);
      return () => void set.delete(onChange);
    },
    put(resource, object) {
      const { name, table } = tableOf(resource as Resource<never>);
      const key = keyString(keyOf(object));
      const old = table.get(key);
      table.set(key, object);
      tell(name, { object, old });
    },
    remove(resource, key) {
      const { name, table } = tableOf(resource as Resource<never>);
      const old = table.get(keyString(key));
      table.delete(keyString(key));
      tell(name, { object: undefined, old });
    },
  };
}
