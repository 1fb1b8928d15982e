import { setImmediate as nextTurn } from "node:timers/promises";
import {
  keyOf,
  type Mvcc,
  type Revision,
  revisionOf,
  StoreError,
  type Versioned,
} from "../../store/index.ts";
import { crc32c } from "../../store/log/index.ts";
import { type ChangeId, encodeChangeId, encodeDeleted, encodeKeyValue } from "../snapshot/index.ts";
import { allKeys, endOfKeys } from "./keys.ts";

/** Changes between which others get their turn. */
const changesAtOnce = 1_000;

/**
 * etcd's hash of all changes up to a revision, 0 for the newest: what members of a cluster compare. Of what was
 * before the compaction counts what the keys still hold at the revision.
 */
export async function hashOfKeys(store: Mvcc, at: Revision): Promise<number> {
  const { revision, compactedRevision } = store;
  const last = at > 0 ? at : revision;
  if (last > revision) throw new StoreError("future", `the newest revision is ${revision}`);
  if (at > 0 && last <= compactedRevision) {
    throw new StoreError("compacted", `revision ${last} has been compacted`);
  }
  let hash = crc32c(new TextEncoder().encode("key"));
  const add = (id: ChangeId, value: Uint8Array) => {
    hash = crc32c(value, { seed: crc32c(encodeChangeId(id), { seed: hash }) });
  };
  const before = compactedRevision > 0 ? await leftOf(store, { compacted: compactedRevision, last }) : [];
  for (const [index, item] of before.entries()) {
    if (index % changesAtOnce === 0) await nextTurn();
    add({ main: item.modRevision, sub: item.place ?? 0, isDeletion: false }, encodeKeyValue(item));
  }
  for (let after = compactedRevision; after < last;) {
    const { changes, through } = await store.changes("", { after, limit: changesAtOnce });
    let [main, sub] = [0, 0];
    for (const change of changes) {
      sub = revisionOf(change) === main ? sub + 1 : 0;
      main = revisionOf(change);
      if (main > last || keyOf(change) >= endOfKeys) continue;
      const isDeletion = change.type === "delete";
      add({ main, sub, isDeletion }, isDeletion ? encodeDeleted(change.key) : encodeKeyValue(change.current));
    }
    after = through;
    await nextTurn();
  }
  return hash;
}

/** Puts that a compaction has left, in order: those that are not replaced at the last revision, or all when no key is there then. */
async function leftOf(
  store: Mvcc,
  { compacted, last }: { readonly compacted: Revision; readonly last: Revision },
): Promise<readonly Versioned[]> {
  const { items } = await store.range(allKeys, { at: compacted });
  const now = await store.range(allKeys, { at: last });
  const kept = new Map(now.items.map(({ key, modRevision }) => [key, modRevision]));
  return items
    .filter(({ key, modRevision }) => kept.size === 0 || kept.get(key) === modRevision)
    .toSorted((one, other) => one.modRevision - other.modRevision || (one.place ?? 0) - (other.place ?? 0));
}
