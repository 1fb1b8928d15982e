import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { etcdCodec, methods } from "../../src/etcd/index.ts";
import { createCaller, openChannel } from "../../src/grpc/index.ts";
import { openLogStore } from "../../src/store/log/index.ts";
import { temporaryDirectory } from "../integration/harness.ts";
import { etcdctl, hasEtcd, type RunningEtcd, startEtcd, startOurs } from "./harness.ts";

/** What etcd tells of parts that ours does not have. */
const ofOtherParts = [
  /^go_|^promhttp_|^os_fd_|^etcd_server_go_version$/,
  /^process_(max_fds|open_fds|virtual_memory_)/,
  /^etcd_grpc_proxy_|^etcd_debugging_store_|^etcd_(debugging_)?snap_|^etcd_network_peer_/,
  /^etcd_debugging_disk_backend_commit_|^etcd_mvcc_db_open_read_transactions$|^etcd_disk_defrag_inflight$/,
  /_compaction_pause_duration_milliseconds$|^etcd_debugging_mvcc_db_compaction_keys_total$/,
  /^etcd_debugging_mvcc_pending_events_total$/,
];

/** Metrics of which the same commands make the same values. */
const same = [
  /^etcd_(debugging_)?mvcc_(put|delete|range|txn)_total$/,
  /^etcd_debugging_mvcc_(keys_total|current_revision|compact_revision|total_put_size_in_bytes)$/,
  /^etcd_debugging_mvcc_(watcher_total|watch_stream_total|slow_watcher_total)$/,
  /^etcd_debugging_lease_(granted|revoked|renewed)_total$|^etcd_debugging_lease_ttl_total_count$/,
  /^etcd_debugging_server_lease_expired_total$|^etcd_server_(has_leader|is_leader|is_learner)$/,
  /^etcd_server_(leader_changes_seen_total|health_failures|proposals_(failed_total|pending))$/,
  /^etcd_disk_backend_(defrag|snapshot)_duration_seconds_count$/,
  /^grpc_server_(started|handled|msg_received|msg_sent)_total\{.*etcdserverpb/,
];

async function metricsOf({ endpoint }: RunningEtcd): Promise<string> {
  return (await fetch(`${endpoint}/metrics`)).text();
}

const namesIn = (text: string) =>
  [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`);

function valuesIn(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.replaceAll(/(\w+)="([^"]*)",?/g, "$1=$2 "));
  return lines
    .filter((line) => same.some((pattern) => pattern.test(line.replace(/ [^ ]*$/, ""))))
    .filter((line) => !line.endsWith(" 0"))
    .map((line) =>
      line
        .split(/[{} ]+/)
        .toSorted()
        .join(" "),
    )
    .toSorted();
}

/** Creates a key if it is not there, as API servers do. */
async function create(endpoint: string): Promise<void> {
  const channel = openChannel(endpoint.replace("http://", "dns:"));
  const key = "created";
  await createCaller(channel, { codec: etcdCodec, methods }).unary("Txn", {
    compare: [{ key, target: 2, modRevision: 0 }],
    success: [{ requestPut: { key, value: new Uint8Array(5) } }],
    failure: [{ requestRange: { key } }],
  });
  channel.close();
}

describe.skipIf(!hasEtcd)("metrics", () => {
  let scratch: string;
  let theirs: RunningEtcd;
  let ours: RunningEtcd;
  beforeAll(async () => {
    scratch = await temporaryDirectory();
    theirs = await startEtcd(join(scratch, "etcd"));
    ours = await startOurs(await openLogStore({ directory: join(scratch, "ours") }));
  });
  afterAll(async () => {
    await Promise.all([theirs.stop(), ours.stop()]);
    await rm(scratch, { recursive: true });
  });

  test("have the names, types and values of etcd's", async () => {
    const leases: Record<string, string> = {};
    for (const command of [
      "put a 1",
      "put a 22 --prev-kv",
      "put b/1 x",
      "put b/2 y",
      "get b/ --prefix",
      "get nothing",
      "del b/1 --prev-kv",
      "txn CREATE",
      "txn CREATE",
      "lease grant 100",
      "put c 1 --lease LEASE",
      "lease keep-alive --once LEASE",
      "lease revoke LEASE",
      "lease grant 200",
      "lease revoke 77",
      "compaction 4",
      "defrag",
      `snapshot save ${join(scratch, "SERVER.db")}`,
    ]) {
      for (const [name, { endpoint }] of Object.entries({ theirs, ours })) {
        const named = command.replace("SERVER", name).replace("LEASE", leases[name] ?? "");
        if (command === "txn CREATE") {
          await create(endpoint);
          continue;
        }
        const { stdout } = await etcdctl(endpoint, named.split(" "));
        leases[name] = /^lease (\w+) granted/.exec(stdout)?.[1] ?? leases[name] ?? "";
      }
    }
    const [expected, found] = [await metricsOf(theirs), await metricsOf(ours)];
    const names = namesIn(expected).filter(
      (name) => !ofOtherParts.some((part) => part.test(name.split(" ")[0]!)),
    );
    expect(namesIn(found)).toEqual(expect.arrayContaining(names));
    expect(valuesIn(found)).toEqual(valuesIn(expected));
    expect(found).toMatch(/^etcd_disk_wal_fsync_duration_seconds_count [1-9]/m);
    expect(found).toMatch(/^etcd_network_client_grpc_received_bytes_total [1-9]/m);
  });
});
