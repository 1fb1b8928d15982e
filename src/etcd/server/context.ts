import type { Clock, Logger, Milliseconds, Random } from "../../base/index.ts";
import type { Mvcc, Revision } from "../../store/index.ts";
import type { EtcdInput } from "../messages.ts";
import type { Auth } from "./auth/index.ts";
import type { Compactions } from "./compactions.ts";
import type { EtcdMetrics } from "./metrics.ts";

/** Who the server is, to clients. */
export interface MemberIdentity {
  readonly clusterId: string;
  readonly memberId: string;
  readonly name: string;
  readonly clientUrls: readonly string[];
  readonly peerUrls: readonly string[];
}

/** Bounds of requests; etcd's unless said otherwise. */
export interface ServerLimits {
  readonly requestBytes: number;
  readonly operations: number;
  /** Bytes of files above which writes are refused; 0: no bound. */
  readonly quotaBytes: number;
  readonly progressInterval: Milliseconds;
}

/** What all services share. */
export interface ServerContext {
  readonly store: Mvcc;
  readonly auth: Auth;
  readonly compactions: Compactions;
  readonly metrics: EtcdMetrics;
  readonly identity: MemberIdentity;
  readonly limits: ServerLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The one term of a server that has no other to vote with. */
export const raftTerm = 2;

/** The header of an answer. */
export function headerOf(
  { identity, store }: Pick<ServerContext, "identity" | "store">,
  revision: Revision = store.revision,
): EtcdInput<"ResponseHeader"> {
  const { clusterId, memberId } = identity;
  return { clusterId, memberId, revision, raftTerm };
}
