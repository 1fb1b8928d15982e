import { createHash } from "node:crypto";
import type { MemberIdentity } from "./context.ts";

const token = "etcd-cluster";

/** Who a server is, by the same rule as etcd's: the numbers follow from the peer's addresses. */
export function identityOf(member: {
  readonly name: string;
  readonly clientUrls: readonly string[];
  readonly peerUrls: readonly string[];
}): MemberIdentity {
  const memberId = firstBytes(Buffer.from(`${member.peerUrls.toSorted().join("")}${token}`));
  return { ...member, memberId: String(memberId), clusterId: String(firstBytes(bytesOf(memberId))) };
}

function firstBytes(bytes: Uint8Array): bigint {
  return createHash("sha1").update(bytes).digest().readBigUInt64BE(0);
}

function bytesOf(id: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(id);
  return bytes;
}
