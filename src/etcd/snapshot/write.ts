import { createHash } from "node:crypto";
import { keyOf, type Key, type Mvcc, type Revision, revisionOf, type Versioned } from "../../store/index.ts";
import { type BoltEntry, planBolt } from "../bolt/index.ts";
import {
  bucketNames,
  encodeDeleted,
  encodeKeyValue,
  leaseEntry,
  type LeaseRecord,
  metaKeys,
  metaNumber,
} from "./records.ts";
import { encodeChangeId } from "./revision-key.ts";

/** A snapshot that is about to be written; what it holds is fixed. */
export interface SnapshotPlan {
  readonly revision: Revision;
  readonly size: number;
  /** The file in blocks, its checksum last. */
  blocks(): AsyncIterable<Uint8Array>;
}

/** Bytes of the SHA-256 behind the file. */
export const checksumLength = 32;

const keysAtOnce = 10_000;
const changesAtOnce = 1_000;
/** What etcd calls the API that its data are for. */
const clusterVersion = "3.5.0";

/** Entries of one bucket beside those that the store's keys make. */
export type ExtraBuckets = Readonly<Record<string, readonly BoltEntry[]>>;

/**
 * Plans a file as `etcdctl snapshot save` makes it, of all keys before `end` at the store's newest revision.
 * The store goes on meanwhile: what is written are the values it holds now, by reference.
 */
export async function planSnapshot(
  store: Mvcc,
  options: { readonly end?: Key; readonly buckets?: ExtraBuckets } = {},
): Promise<SnapshotPlan> {
  const { revision } = store;
  // Nothing may come between the revision and the leases of its keys.
  const leases = leasesOf(store);
  const items = await itemsAt(store, { revision, end: options.end });
  const deleted = await deletedAt(store, { revision, end: options.end });
  items.sort(byChange);
  const contents: Record<string, () => Iterable<BoltEntry>> = {
    [bucketNames.cluster]: () => [textEntry("clusterVersion", new TextEncoder().encode(clusterVersion))],
    [bucketNames.key]: () => changeEntries(items, { revision, deleted }),
    [bucketNames.lease]: () => leases.map(leaseEntry),
    [bucketNames.meta]: () => metaEntries(revision),
  };
  const plan = await planBolt(
    Object.values(bucketNames).map((name) => ({
      name,
      entries: contents[name] ?? (() => options.buckets?.[name] ?? []),
    })),
  );
  const size = plan.size + checksumLength;
  return { revision, size, blocks: () => sealed(plan.blocks()) };
}

/** Leases in the order of their numbers, as the file has them. */
function leasesOf(store: Mvcc): readonly LeaseRecord[] {
  const records = store.leases().map((id) => ({
    id,
    ttl: Math.ceil((store.leaseStatus(id)?.granted ?? 0) / 1000),
  }));
  const unsigned = ({ id }: LeaseRecord) => BigInt.asUintN(64, BigInt(id));
  return records.toSorted((one, other) => (unsigned(one) < unsigned(other) ? -1 : 1));
}

interface Extent {
  readonly revision: Revision;
  readonly end: Key | undefined;
}

async function itemsAt(store: Mvcc, { revision, end }: Extent): Promise<Versioned[]> {
  const all: Versioned[] = [];
  let start: Key = "";
  for (;;) {
    const { items } = await store.range({ start, end }, { at: revision, limit: keysAtOnce });
    for (const item of items) all.push(item);
    if (items.length < keysAtOnce) return all;
    start = `${items.at(-1)!.key}\0`;
  }
}

/** In the order in which they were put. */
function byChange(one: Versioned, other: Versioned): number {
  return one.modRevision - other.modRevision || placeOf(one) - placeOf(other);
}

const placeOf = ({ place = 0 }: Versioned) => place;

/** A deletion, and where it stands in its revision. */
interface Deleted {
  readonly key: Key;
  readonly sub: number;
}

/** What the revision deleted, if that is still known: without it the file would seem older than it is. */
async function deletedAt(store: Mvcc, { revision, end }: Extent): Promise<readonly Deleted[]> {
  if (store.compactedRevision >= revision) return [];
  const { changes } = await store.changes("", { after: revision - 1, limit: changesAtOnce });
  return changes
    .filter((change) => revisionOf(change) === revision)
    .flatMap((change, sub) => (change.type === "delete" ? [{ key: keyOf(change), sub }] : []))
    .filter(({ key }) => end === undefined || key < end);
}

function* changeEntries(
  items: readonly Versioned[],
  last: { readonly revision: Revision; readonly deleted: readonly Deleted[] },
): Iterable<BoltEntry> {
  const { revision } = last;
  const deleted = last.deleted.map(({ key, sub }) => ({
    key: encodeChangeId({ main: revision, sub, isDeletion: true }),
    value: encodeDeleted(key),
  }));
  let told = 0;
  for (const item of items) {
    const [main, sub] = [item.modRevision, placeOf(item)];
    if (main === revision) {
      for (; told < deleted.length && last.deleted[told]!.sub < sub; told++) yield deleted[told]!;
    }
    yield { key: encodeChangeId({ main, sub, isDeletion: false }), value: encodeKeyValue(item) };
  }
  yield* deleted.slice(told);
}

/** Earlier revisions are not in the file: they count as compacted. */
function metaEntries(revision: Revision): readonly BoltEntry[] {
  const compaction = encodeChangeId({ main: revision, sub: 0, isDeletion: false });
  return [
    textEntry(metaKeys.consistentIndex, metaNumber(revision)),
    textEntry(metaKeys.finishedCompaction, compaction),
    textEntry(metaKeys.scheduledCompaction, compaction),
  ];
}

function textEntry(key: string, value: Uint8Array): BoltEntry {
  return { key: new TextEncoder().encode(key), value };
}

async function* sealed(blocks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const hash = createHash("sha256");
  for await (const block of blocks) {
    hash.update(block);
    yield block;
  }
  yield hash.digest();
}
