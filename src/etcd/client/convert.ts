import type { Change, Versioned } from "../../store/index.ts";
import { enumerations } from "../messages.ts";
import type { EtcdOutput } from "../messages.ts";
import type { KeyMap } from "./keys.ts";

/** A key's value as the store tells it; undefined for keys that are not the store's. */
export function versionedOf(keys: KeyMap, item: EtcdOutput<"KeyValue">): Versioned | undefined {
  const key = keys.fromWire(item.key);
  if (key === undefined) return undefined;
  const { value, createRevision, modRevision, version, lease } = item;
  const versioned = { key, value, createRevision, modRevision, version };
  return lease === "0" ? versioned : { ...versioned, lease };
}

/** An event as a change; undefined for keys that are not the store's. */
export function changeOf(keys: KeyMap, { type, kv, prevKv }: EtcdOutput<"Event">): Change | undefined {
  const current = kv && versionedOf(keys, kv);
  if (!current) return undefined;
  const previous = prevKv && versionedOf(keys, prevKv);
  if (type === enumerations.eventType.put) return { type: "put", current, previous };
  const { key, modRevision: revision } = current;
  // What was there is unknown when nobody wants to know, or compaction took it while the watch was behind.
  return { type: "delete", key, revision, previous: previous ?? { ...current, value: new Uint8Array(0) } };
}
