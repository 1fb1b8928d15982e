import { setImmediate as nextTurn } from "node:timers/promises";
import { type Mvcc, type Revision, revisionOf, StoreError } from "../../store/index.ts";
import { crc32c } from "../../store/log/index.ts";
import { encodeChangeId, encodeDeleted, encodeKeyValue } from "../snapshot/index.ts";
import { allKeys, endOfKeys } from "./keys.ts";

/** What members of a cluster compare with one another. */
export interface KeyHash {
  readonly hash: number;
  readonly compactRevision: Revision;
}

/** Changes between which others get their turn. */
const changesAtOnce = 1_000;

/** etcd's hash of all changes up to a revision, 0 for the newest, that a compaction has left. */
export async function hashOfKeys(store: Mvcc, at: Revision): Promise<KeyHash> {
  const { revision, compactedRevision } = store;
  const last = at > 0 ? at : revision;
  if (last > revision) throw new StoreError("future", `the newest revision is ${revision}`);
  if (last < compactedRevision) throw new StoreError("compacted", `revision ${last} has been compacted`);
  const state = { crc: crc32c(new TextEncoder().encode("key")), main: 0, sub: 0 };
  const add = (main: Revision, isDeletion: boolean, value: Uint8Array) => {
    state.sub = main === state.main ? state.sub + 1 : 0;
    state.main = main;
    const key = encodeChangeId({ main, sub: state.sub, isDeletion });
    state.crc = crc32c(value, { seed: crc32c(key, { seed: state.crc }) });
  };
  if (compactedRevision > 0) {
    const { items } = await store.range(allKeys, { at: compactedRevision });
    const sorted = items.toSorted((one, other) => one.modRevision - other.modRevision);
    for (const [index, item] of sorted.entries()) {
      if (index % changesAtOnce === 0) await nextTurn();
      add(item.modRevision, false, encodeKeyValue(item));
    }
  }
  for (let after = compactedRevision; after < last;) {
    const { changes, through } = await store.changes("", { after, limit: changesAtOnce });
    for (const change of changes) {
      const key = change.type === "put" ? change.current.key : change.key;
      if (revisionOf(change) > last || key >= endOfKeys) continue;
      const value = change.type === "put" ? encodeKeyValue(change.current) : encodeDeleted(key);
      add(revisionOf(change), change.type === "delete", value);
    }
    after = through;
    await nextTurn();
  }
  return { hash: state.crc, compactRevision: compactedRevision > 0 ? compactedRevision : -1 };
}
