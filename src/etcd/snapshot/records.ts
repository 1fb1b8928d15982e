import { createCodec } from "../../grpc/index.ts";
import type { LeaseId, Versioned } from "../../store/index.ts";
import { viewOf } from "../bolt/index.ts";
import { etcdCodec, type EtcdInput } from "../messages.ts";

const leaseCodec = createCodec({
  Lease: { id: [1, "int64text"], ttl: [2, "int64"], remainingTtl: [3, "int64"] },
});

/** A lease as etcd's file has it. */
export interface LeaseRecord {
  readonly id: LeaseId;
  /** Seconds that it was granted for. */
  readonly ttl: number;
}

/** Names of the buckets of etcd's file, in order. */
export const bucketNames = {
  alarm: "alarm",
  auth: "auth",
  authRoles: "authRoles",
  authUsers: "authUsers",
  cluster: "cluster",
  key: "key",
  lease: "lease",
  members: "members",
  membersRemoved: "members_removed",
  meta: "meta",
} as const;

/** Keys of the bucket `meta`. */
export const metaKeys = {
  consistentIndex: "consistent_index",
  finishedCompaction: "finishedCompactRev",
  scheduledCompaction: "scheduledCompactRev",
} as const;

export function leaseEntry({ id, ttl }: LeaseRecord): {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
} {
  const key = new Uint8Array(8);
  viewOf(key).setBigInt64(0, BigInt(id));
  return { key, value: leaseCodec.encode("Lease", { id, ttl }) };
}

export function decodeLease(value: Uint8Array): LeaseRecord {
  const { id, ttl } = leaseCodec.decode("Lease", value);
  return { id, ttl };
}

/** A number as the bucket `meta` has it, 8 bytes big-endian. */
export function metaNumber(number: number): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, BigInt(number));
  return bytes;
}

/** The first 8 bytes: revisions of compactions are followed by more. */
export function readMetaNumber(bytes: Uint8Array): number {
  return bytes.length < 8 ? 0 : Number(viewOf(bytes).getBigUint64(0));
}

/** A key with its value and revisions, as etcd's messages and file have them. */
export function keyValueOf(item: Versioned): EtcdInput<"KeyValue"> {
  const { key, value, createRevision, modRevision, version, lease } = item;
  return { key, value, createRevision, modRevision, version, lease };
}

export function encodeKeyValue(item: Versioned): Uint8Array {
  return etcdCodec.encode("KeyValue", keyValueOf(item));
}

export function decodeKeyValue(bytes: Uint8Array): Versioned {
  const { key, value, createRevision, modRevision, version, lease } = etcdCodec.decode("KeyValue", bytes);
  const item = { key, value, createRevision, modRevision, version };
  return lease === "0" ? item : { ...item, lease };
}

/** What a deletion leaves: the key. */
export function encodeDeleted(key: string): Uint8Array {
  return etcdCodec.encode("KeyValue", { key });
}
