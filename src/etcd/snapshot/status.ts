import type { Revision } from "../../store/index.ts";
import { crc32c } from "../../store/log/index.ts";
import { openBolt, type RandomAccess } from "../bolt/index.ts";
import { bucketNames } from "./records.ts";
import { decodeChangeId } from "./revision-key.ts";

/** What `etcdctl snapshot status` tells of a file. */
export interface SnapshotStatus {
  /** CRC32C of all buckets. */
  readonly hash: number;
  readonly revision: Revision;
  /** Entries of all buckets. */
  readonly totalKey: number;
  /** Bytes of the file without its checksum. */
  readonly totalSize: number;
}

/** Counts and hashes a file. */
export function snapshotStatus(file: RandomAccess): SnapshotStatus {
  const bolt = openBolt(file);
  let hash = 0;
  let revision: Revision = 0;
  let totalKey = 0;
  for (const name of bolt.bucketNames) {
    hash = crc32c(new TextEncoder().encode(name), { seed: hash });
    for (const { key, value } of bolt.entries(name)) {
      hash = crc32c(value, { seed: crc32c(key, { seed: hash }) });
      totalKey++;
      if (name === bucketNames.key) revision = decodeChangeId(key)?.main ?? revision;
    }
  }
  return { hash, revision, totalKey, totalSize: bolt.size };
}
