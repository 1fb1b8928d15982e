import { crc32c } from "../../store/log/index.ts";
import { type BoltEntry } from "../bolt/index.ts";
import { enumerations, etcdCodec } from "../messages.ts";
import { bucketNames, metaNumber, planSnapshot, type SnapshotPlan } from "../snapshot/index.ts";
import type { Accounts } from "./auth/index.ts";
import { headerOf, raftTerm, type ServerContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { hashOfKeys } from "./hash.ts";
import { endOfKeys } from "./keys.ts";
import type { EtcdHandlers } from "./kv.ts";
import { etcdVersion } from "./version.ts";

type MaintenanceCall = "Alarm" | "Status" | "Defragment" | "Hash" | "HashKV" | "Snapshot" | "MoveLeader";

/** The service Maintenance. */
export function maintenanceHandlers(context: ServerContext): EtcdHandlers<MaintenanceCall> {
  const { store, auth, identity, limits, metrics } = context;
  const header = () => headerOf(context);
  const plan = () => planSnapshot(store, { end: endOfKeys, buckets: authBuckets(auth.accounts) });
  const isFull = () => limits.quotaBytes > 0 && store.sizes.allocated > limits.quotaBytes;
  return {
    async Alarm({ action }) {
      const alarm = { memberId: identity.memberId, alarm: enumerations.alarmType.noSpace };
      const isAsked = action === enumerations.alarmAction.get;
      return { header: header(), alarms: isFull() && isAsked ? [alarm] : [] };
    },
    async Status() {
      const { allocated, used } = store.sizes;
      return {
        header: header(),
        version: etcdVersion,
        dbSize: allocated,
        dbSizeInUse: used,
        dbSizeQuota: limits.quotaBytes,
        leader: identity.memberId,
        raftIndex: store.revision,
        raftAppliedIndex: store.revision,
        raftTerm,
        errors: isFull() ? [`memberID:${identity.memberId} alarm:NOSPACE `] : [],
      };
    },
    async Defragment(_request, call) {
      auth.requireAdministrator(call);
      await metrics.timed("defragmentation", () => store.defragment());
      return { header: header() };
    },
    async Hash(_request, call) {
      auth.requireAdministrator(call);
      const hash = await metrics.timed("hash", async () => hashOf(await plan()));
      return { header: header(), hash };
    },
    async HashKV({ revision }, call) {
      auth.requireAdministrator(call);
      const hash = await metrics.timed("hashAtRevision", () => hashOfKeys(store, revision));
      const { revision: compactRevision } = context.compactions;
      return { header: header(), hash, compactRevision, hashRevision: revision || store.revision };
    },
    async Snapshot(_request, call) {
      auth.requireAdministrator(call);
      await metrics.timed("snapshot", async () => {
        const planned = await plan();
        let remainingBytes = planned.size;
        for await (const blob of planned.blocks()) {
          if (call.signal.aborted) return;
          remainingBytes -= blob.length;
          await call.send({ header: header(), remainingBytes, blob, version: etcdVersion });
        }
      });
    },
    async MoveLeader({ targetId }) {
      if (targetId !== identity.memberId) throw refusal("badTransferee");
      return { header: header() };
    },
  };
}

async function hashOf(plan: SnapshotPlan): Promise<number> {
  let hash = 0;
  for await (const block of plan.blocks()) hash = crc32c(block, { seed: hash });
  return hash;
}

/** Accounts as etcd's file has them. */
function authBuckets({ isEnabled, revision, users, roles }: Accounts): Record<string, readonly BoltEntry[]> {
  const entry = (key: string, value: Uint8Array) => ({ key: new TextEncoder().encode(key), value });
  const byKey = (one: BoltEntry, other: BoltEntry) => Buffer.compare(one.key, other.key);
  return {
    [bucketNames.auth]: [
      entry("authEnabled", Uint8Array.of(isEnabled ? 1 : 0)),
      entry("authRevision", metaNumber(revision)),
    ],
    [bucketNames.authUsers]: [...users.values()]
      .map((user) => entry(user.name, etcdCodec.encode("User", user)))
      .toSorted(byKey),
    [bucketNames.authRoles]: [...roles.values()]
      .map((role) => entry(role.name, etcdCodec.encode("Role", role)))
      .toSorted(byKey),
  };
}
