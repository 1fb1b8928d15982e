import { createHash } from "node:crypto";
import type { Milliseconds } from "../../base/index.ts";
import type { Key, LeaseId, Revision, Versioned } from "../../store/index.ts";
import { type BoltEntry, BoltError, type BoltFile, openBolt, type RandomAccess } from "../bolt/index.ts";
import { bucketNames, decodeKeyValue, decodeLease, metaKeys, readMetaNumber } from "./records.ts";
import { decodeChangeId } from "./revision-key.ts";
import { checksumLength } from "./write.ts";

/** A snapshot that was opened. */
export interface Snapshot {
  /** The newest revision of it. */
  readonly revision: Revision;
  readonly leases: readonly { readonly id: LeaseId; readonly granted: Milliseconds }[];
  /** What each key held at the newest revision, in order of change. */
  items(): Iterable<Versioned>;
  /** Entries of a bucket that is not of keys. */
  entries(bucket: string): Iterable<BoltEntry>;
}

const readAtOnce = 1024 * 1024;
const sector = 512;

/**
 * Opens a snapshot and checks its checksum; with `isBare` also etcd's own file, which has none.
 * Throws a `BoltError` that says what is wrong with it.
 */
export function openSnapshot(file: RandomAccess, options: { readonly isBare?: boolean } = {}): Snapshot {
  const isSealed = hasChecksum(file);
  if (!isSealed && !options.isBare) {
    throw new BoltError("the checksum is missing: this is no snapshot, or a part of one");
  }
  if (isSealed) checkChecksum(file);
  const bolt = openBolt(withoutChecksum(file));
  const compacted = compactionOf(bolt);
  const { last, newest } = lastChanges(bolt);
  return {
    revision: Math.max(newest, compacted),
    leases: [...bolt.entries(bucketNames.lease)].map(({ value }) => {
      const { id, ttl } = decodeLease(value);
      return { id, granted: ttl * 1000 };
    }),
    *items() {
      let position = 0;
      for (const { key, value } of bolt.entries(bucketNames.key)) {
        if (!last.has(position++)) continue;
        const place = decodeChangeId(key)?.sub ?? 0;
        const item = decodeKeyValue(value);
        yield place === 0 ? item : { ...item, place };
      }
    },
    entries: (bucket) => bolt.entries(bucket),
  };
}

const hasChecksum = ({ size }: RandomAccess) => size % sector === checksumLength;

/** The file before its checksum, where it has one. */
export function withoutChecksum(file: RandomAccess): RandomAccess {
  if (!hasChecksum(file)) return file;
  return { size: file.size - checksumLength, read: (offset, length) => file.read(offset, length) };
}

function checkChecksum(file: RandomAccess): void {
  const end = file.size - checksumLength;
  const hash = createHash("sha256");
  for (let offset = 0; offset < end; offset += readAtOnce) {
    hash.update(file.read(offset, Math.min(readAtOnce, end - offset)));
  }
  if (hash.digest().equals(file.read(end, checksumLength))) return;
  throw new BoltError("the checksum is wrong: the file was damaged or cut short");
}

function compactionOf(bolt: BoltFile): Revision {
  const numbers = [...bolt.entries(bucketNames.meta)]
    .filter(({ key }) => new TextDecoder().decode(key) === metaKeys.finishedCompaction)
    .map(({ value }) => readMetaNumber(value));
  return numbers[0] ?? 1;
}

/** Where in the bucket `key` those changes stand that no later one replaces; deletions do not count. */
function lastChanges(bolt: BoltFile): { readonly last: ReadonlySet<number>; readonly newest: Revision } {
  const positions = new Map<Key, number>();
  let newest: Revision = 1;
  let position = -1;
  for (const entry of bolt.entries(bucketNames.key)) {
    position++;
    const id = decodeChangeId(entry.key);
    if (!id) throw new BoltError(`entry ${position} of bucket ${bucketNames.key} is no change`);
    newest = Math.max(newest, id.main);
    const { key } = keyValue(entry.value, position);
    if (id.isDeletion) positions.delete(key);
    else positions.set(key, position);
  }
  return { last: new Set(positions.values()), newest };
}

function keyValue(bytes: Uint8Array, position: number): Versioned {
  try {
    return decodeKeyValue(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BoltError(`entry ${position} of bucket ${bucketNames.key} cannot be read: ${reason}`);
  }
}
