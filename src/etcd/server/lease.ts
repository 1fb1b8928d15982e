import type { LeaseId } from "../../store/index.ts";
import { StoreError } from "../../store/index.ts";
import { headerOf, type ServerContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { rangeOf } from "./keys.ts";
import { type EtcdHandlers, requireRoom } from "./kv.ts";

/** Seconds; shorter leases would not outlive an election of etcd's. */
const shortestLease = 2;
const longestLease = 9_000_000_000;

/** The service Lease. */
export function leaseHandlers(
  context: ServerContext,
): EtcdHandlers<"LeaseGrant" | "LeaseRevoke" | "LeaseKeepAlive" | "LeaseTimeToLive" | "LeaseLeases"> {
  const { store, auth, metrics } = context;
  const header = () => headerOf(context);
  const keysOf = (lease: LeaseId) =>
    (store.leaseStatus(lease)?.keys ?? []).map((key) => rangeOf({ key, rangeEnd: "" }));
  return {
    async LeaseGrant(request, call) {
      requireRoom(context);
      auth.requireUser(call);
      if (request.ttl > longestLease) throw refusal("leaseTooLong");
      const ttl = Math.max(request.ttl, shortestLease);
      const chosen = request.id === "0" ? freeId(context) : request.id;
      const id = await store.grantLease(ttl * 1000, { id: chosen });
      metrics.leases.granted.value++;
      metrics.leaseSeconds.observe(ttl);
      return { header: header(), id, ttl };
    },
    async LeaseRevoke({ id }, call) {
      auth.require(call, { writes: keysOf(id) });
      const keys = store.leaseStatus(id)?.keys ?? [];
      await store.revokeLease(id);
      metrics.leases.revoked.value++;
      for (const _ of keys) metrics.noteOperations([{ type: "delete", deleted: [] }]);
      return { header: header() };
    },
    async LeaseKeepAlive(requests, call) {
      for await (const { id } of requests) {
        auth.requireUser(call);
        await call.send({ header: header(), id, ttl: await renewed(context, id) });
      }
    },
    async LeaseTimeToLive({ id, keys }, call) {
      auth.require(call, { reads: keys ? keysOf(id) : [] });
      const status = store.leaseStatus(id);
      if (!status) return { header: header(), id, ttl: -1 };
      return {
        header: header(),
        id,
        ttl: Math.floor(status.remaining / 1000),
        grantedTtl: Math.ceil(status.granted / 1000),
        keys: keys ? status.keys : [],
      };
    },
    async LeaseLeases(_request, call) {
      auth.requireUser(call);
      const left = (id: LeaseId) => store.leaseStatus(id)?.remaining ?? 0;
      const leases = store.leases().toSorted((one, other) => left(one) - left(other));
      return { header: header(), leases: leases.map((id) => ({ id })) };
    },
  };
}

/** Seconds that a lease lives on; 0 when it has ended. */
async function renewed({ store, metrics }: ServerContext, id: LeaseId): Promise<number> {
  try {
    await store.keepLeaseAlive(id);
    metrics.leases.renewed.value++;
  } catch (error) {
    if (error instanceof StoreError && error.type === "leaseNotFound") return 0;
    throw error;
  }
  return Math.ceil((store.leaseStatus(id)?.granted ?? 0) / 1000);
}

/** A positive number of 63 bits that no lease has. */
function freeId({ store, random }: ServerContext): LeaseId {
  for (;;) {
    const [high, low] = [random.next() * 2 ** 31, random.next() * 2 ** 32].map((part) =>
      BigInt(Math.floor(part)),
    );
    const id = String((high! << 32n) | low!);
    if (id !== "0" && store.leaseStatus(id) === undefined) return id;
  }
}
