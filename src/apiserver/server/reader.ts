import type { Resource } from "../../apimachinery/index.ts";
import { invariant } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { ServedResource, ServedTable } from "../registry/served.ts";
import { storageKey } from "../registry/storage-path.ts";

/** Reads straight from the caches, with no authorization: for the server's own parts. */
export function createReader(served: ServedTable): ObjectReader {
  const servedOf = (resource: Resource<object>): ServedResource => {
    const found = served.of(resource);
    invariant(found !== undefined, `${resource.plural}.${resource.group} is not served`);
    return found;
  };
  /** The caller's type: what the resource handle promises. */
  const typed = <T>(object: object): T => object as T;
  return {
    get(resource, key) {
      const { storage, fromStored } = servedOf(resource);
      const entry = storage.cache.get(storageKey(storage.prefix, key));
      return entry && typed(fromStored(entry.object));
    },
    list(resource, namespace) {
      const { storage, fromStored } = servedOf(resource);
      const prefix = namespace === undefined ? storage.prefix : `${storage.prefix}${namespace}/`;
      return Array.from(storage.cache.range(prefix), (entry) => typed(fromStored(entry.object)));
    },
    subscribe(resource, onChange) {
      const { storage, fromStored } = servedOf(resource);
      return storage.cache.listen((change) =>
        onChange({
          object: change.current && typed(fromStored(change.current.object)),
          old: change.previous && typed(fromStored(change.previous.object)),
        }),
      );
    },
  };
}
