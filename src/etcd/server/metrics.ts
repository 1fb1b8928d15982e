import { type Counter, exponential, type Histogram, MetricsRegistry } from "../../base/index.ts";
import type { ServedMethod } from "../../grpc/index.ts";
import type { DurableWrite, Mvcc, OperationResult } from "../../store/index.ts";
import type { MemberIdentity, ServerLimits } from "./context.ts";
import { etcdClusterVersion, etcdVersion } from "./version.ts";

/** Longer writes to the disk count as slow, as in etcd, in seconds. */
const slowWrite = 0.1;
const millisecondsPerSecond = 1000;

/** What a request has done besides what it answers. */
export interface Extent {
  /** Bytes of keys and values that were put. */
  readonly putBytes?: number;
  /** Reads of what was there before. */
  readonly previous?: number;
  /** Comparisons, which etcd reads for before it begins. */
  readonly compares?: number;
}

/** A stream of watches, as far as it is counted. */
export interface CountedStream {
  readonly watchCount: number;
  /** Watches that have changes left to tell. */
  readonly laggingCount: number;
}

interface Counted {
  readonly store: Mvcc;
  readonly identity: MemberIdentity;
  readonly limits: ServerLimits;
  readonly authRevision: () => number;
}

/** Tells in Prometheus' text what etcd's metrics of the same names tell. */
export class EtcdMetrics {
  /** Streams of watches that are open. */
  readonly streams = new Set<CountedStream>();
  readonly events: Counter;
  readonly healthChecks: Counter;
  readonly leases: Readonly<Record<"granted" | "renewed" | "revoked", Counter>>;
  readonly leaseSeconds: Histogram;
  readonly durations: ReturnType<typeof timedFamilies>["durations"];
  private readonly registry = new MetricsRegistry();
  private readonly operations: Readonly<Record<"range" | "put" | "delete" | "txn", Counter>>;
  private readonly putBytes: Counter;
  private readonly failedWrites: Counter;
  private readonly calls: CallFamilies;

  constructor(counted: Counted) {
    this.events = this.counter("etcd_debugging_mvcc_events_total", "Events that were told to watchers.");
    this.healthChecks = this.counter("etcd_server_health_success", "Checks of health that were passed.");
    this.leases = {
      granted: this.counter("etcd_debugging_lease_granted_total", "Leases that were granted."),
      renewed: this.counter("etcd_debugging_lease_renewed_total", "Renewals of leases."),
      revoked: this.registry
        .counter({
          name: "kubets_etcd_leases_ended_by_clients_total",
          help: "Leases that clients ended.",
          stability: "untold",
        })
        .with(),
    };
    this.observeLeases(counted.store);
    const timed = timedFamilies(this.registry);
    this.leaseSeconds = timed.leaseSeconds;
    this.durations = timed.durations;
    this.operations = {
      range: this.twice("range", "Ranges that were read."),
      put: this.twice("put", "Keys that were put."),
      delete: this.twice("delete", "Ranges that were deleted."),
      txn: this.twice("txn", "Transactions of several operations."),
    };
    this.putBytes = this.counter(
      "etcd_debugging_mvcc_total_put_size_in_bytes",
      "Bytes of keys and values that were put.",
      "gauge",
    );
    this.failedWrites = this.counter("etcd_server_proposals_failed_total", "Writes that failed.");
    this.calls = callFamilies(this.registry);
    this.observeDisk(counted.store);
    this.observeState(counted);
  }

  text(): string {
    return this.registry.text();
  }

  /** Counts the messages of a method's calls, and how they end. */
  ofMethod({ path, streaming }: Pick<ServedMethod, "path" | "streaming">): MethodMetrics {
    const [, service = "", method = ""] = path.split("/");
    const type = { unary: "unary", responses: "server_stream", both: "bidi_stream" }[streaming];
    const { started, handled, received, sent, receivedBytes, sentBytes, requests } = this.calls;
    const series = (family: CallFamilies["started"]) => family.with(method, service, type);
    const [calls, questions, answers] = [series(started), series(received), series(sent)];
    const all = requests.with("unknown", streaming === "unary" ? "unary" : "stream");
    const ends = new Map<string, Counter>();
    return {
      started() {
        calls.value++;
        all.value++;
      },
      received(bytes) {
        questions.value++;
        receivedBytes.value += bytes;
      },
      sent(bytes) {
        answers.value++;
        sentBytes.value += bytes;
      },
      ended(code) {
        let counter = ends.get(code);
        if (!counter) ends.set(code, (counter = handled.with(code, method, service, type)));
        counter.value++;
      },
    };
  }

  /** Counts what a request has done. */
  noteOperations(
    results: readonly OperationResult[],
    { putBytes = 0, previous = 0, compares = 0 }: Extent = {},
  ): void {
    const count = counted(results);
    count.range += previous;
    this.operations.range.value += compares;
    for (const name of ["range", "put", "delete"] as const) this.operations[name].value += count[name];
    if (count.range + count.put + count.delete > 1) this.operations.txn.value++;
    if (count.put > 0) this.putBytes.value += putBytes;
  }

  noteFailedWrite(): void {
    this.failedWrites.value++;
  }

  /** Runs something and notes how long it took. */
  async timed<T>(name: keyof EtcdMetrics["durations"], action: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await action();
    } finally {
      const unit = name === "compaction" ? 1 : millisecondsPerSecond;
      this.durations[name].observe((performance.now() - start) / unit);
    }
  }

  private counter(name: string, help: string, type: "counter" | "gauge" = "counter"): Counter {
    return this.registry.counter({ name, help, type, stability: "untold" }).with();
  }

  /** etcd tells these under two names. */
  private twice(operation: string, help: string): Counter {
    const counter = this.counter(`etcd_mvcc_${operation}_total`, help);
    this.read({ name: `etcd_debugging_mvcc_${operation}_total`, help, type: "counter" }, () => counter.value);
    return counter;
  }

  private read(
    about: { readonly name: string; readonly help: string; readonly type?: "counter" | "gauge" },
    value: () => number,
  ): void {
    this.registry.observed({ ...about, stability: "untold" }, () => [[value()]]);
  }

  /** Leases end without a call too: how many, follows from how many there are. */
  private observeLeases(store: Mvcc): void {
    const before = store.leases().length;
    const ended = () => before + this.leases.granted.value - store.leases().length;
    this.read(
      { name: "etcd_debugging_lease_revoked_total", help: "Leases that have ended.", type: "counter" },
      ended,
    );
    this.read(
      {
        name: "etcd_debugging_server_lease_expired_total",
        help: "Leases whose time was up.",
        type: "counter",
      },
      () => ended() - this.leases.revoked.value,
    );
  }

  private observeDisk(store: Mvcc): void {
    const bounds = exponential(0.001, { factor: 2, count: 14 });
    const histogram = (name: string, help: string) =>
      this.registry.histogram({ name, help, stability: "untold" }, bounds).with();
    const syncs = histogram("etcd_disk_wal_fsync_duration_seconds", "Time of durable writes to the log.");
    const commits = histogram(
      "etcd_disk_backend_commit_duration_seconds",
      "Time of batches until they can be read.",
    );
    const bytes = this.counter("etcd_disk_wal_write_bytes_total", "Bytes written to the log.", "gauge");
    const slow = this.counter("etcd_server_slow_apply_total", "Writes that took longer than 100 ms.");
    store.observeWrites?.((write: DurableWrite) => {
      syncs.observe(write.seconds);
      commits.observe(write.shownAfter);
      bytes.value += write.bytes;
      if (write.shownAfter > slowWrite) slow.value++;
    });
  }

  private observeState({ store, identity, limits, authRevision }: Counted): void {
    const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
      ["etcd_server_has_leader", "Whether there is a leader.", () => 1],
      ["etcd_server_is_leader", "Whether this member leads.", () => 1],
      ["etcd_server_is_learner", "Whether this member learns.", () => 0],
      ["etcd_server_quota_backend_bytes", "Bytes above which writes are refused.", () => limits.quotaBytes],
      ["etcd_server_proposals_committed_total", "Writes that were agreed on.", () => store.revision],
      ["etcd_server_proposals_applied_total", "Writes that were made.", () => store.revision],
      ["etcd_server_proposals_pending", "Writes that wait for agreement.", () => 0],
      ["etcd_server_snapshot_apply_in_progress_total", "Snapshots of a leader being taken over.", () => 0],
      ["etcd_mvcc_db_total_size_in_bytes", "Bytes of files.", () => store.sizes.allocated],
      ["etcd_debugging_mvcc_db_total_size_in_bytes", "Bytes of files.", () => store.sizes.allocated],
      ["etcd_mvcc_db_total_size_in_use_in_bytes", "Bytes that can be read.", () => store.sizes.used],
      ["etcd_debugging_mvcc_keys_total", "Keys there are.", () => store.keyCount],
      ["etcd_debugging_mvcc_current_revision", "The newest revision.", () => store.revision],
      ["etcd_debugging_mvcc_compact_revision", "The compacted revision.", () => store.compactedRevision],
      ["etcd_debugging_mvcc_watch_stream_total", "Streams of watches.", () => this.streams.size],
      ["etcd_debugging_mvcc_watcher_total", "Watches.", () => this.sum(({ watchCount }) => watchCount)],
      [
        "etcd_debugging_mvcc_slow_watcher_total",
        "Watches that lag behind.",
        () => this.sum(({ laggingCount }) => laggingCount),
      ],
      ["etcd_debugging_auth_revision", "Changes of users and roles.", authRevision],
      ["process_resident_memory_bytes", "Memory that is resident.", () => process.memoryUsage.rss()],
      ["process_start_time_seconds", "When the process began.", () => performance.timeOrigin / 1000],
    ];
    for (const [name, help, read] of gauges) this.read({ name, help }, read);
    const counters: readonly (readonly [name: string, help: string, read: () => number])[] = [
      ["etcd_server_leader_changes_seen_total", "Changes of the leader.", () => 1],
      ["etcd_server_health_failures", "Checks of health that were not passed.", () => 0],
      ["etcd_server_heartbeat_send_failures_total", "Heartbeats that came too late.", () => 0],
      ["etcd_server_learner_promote_successes", "Learners that became members.", () => 0],
      ["etcd_server_read_indexes_failed_total", "Reads that found no leader.", () => 0],
      ["etcd_server_slow_read_indexes_total", "Reads that waited long for a leader.", () => 0],
      ["process_cpu_seconds_total", "Time of the processors.", () => cpuSeconds()],
    ];
    for (const [name, help, read] of counters) this.read({ name, help, type: "counter" }, read);
    const one = (name: string, help: string, label: readonly [name: string, value: string]) =>
      this.registry.observed({ name, help, stability: "untold", labels: [label[0]] }, () => [[1, label[1]]]);
    one("etcd_server_version", "The version that is served.", ["server_version", etcdVersion]);
    const minor = etcdClusterVersion.split(".").slice(0, 2).join(".");
    one("etcd_cluster_version", "The version of the cluster.", ["cluster_version", minor]);
    one("etcd_server_id", "The number of the member.", ["server_id", BigInt(identity.memberId).toString(16)]);
  }

  private sum(countOf: (stream: CountedStream) => number): number {
    let sum = 0;
    for (const stream of this.streams) sum += countOf(stream);
    return sum;
  }
}

/** Counts the calls of one method. */
export interface MethodMetrics {
  started(): void;
  received(bytes: number): void;
  sent(bytes: number): void;
  ended(code: string): void;
}

function timedFamilies(registry: MetricsRegistry) {
  const doubling = (first: number, count: number) => exponential(first, { factor: 2, count });
  const seconds = (name: string, help: string, bounds: readonly number[]) =>
    registry.histogram({ name, help, stability: "untold" }, bounds).with();
  const leaseSeconds = seconds(
    "etcd_debugging_lease_ttl_total",
    "Seconds that leases were granted for.",
    doubling(1, 24),
  );
  const durations = {
    defragmentation: seconds(
      "etcd_disk_backend_defrag_duration_seconds",
      "Time of defragmentations.",
      doubling(0.1, 13),
    ),
    snapshot: seconds(
      "etcd_disk_backend_snapshot_duration_seconds",
      "Time of snapshots.",
      doubling(0.01, 17),
    ),
    hash: seconds("etcd_mvcc_hash_duration_seconds", "Time of hashes of all.", doubling(0.01, 15)),
    hashAtRevision: seconds(
      "etcd_mvcc_hash_rev_duration_seconds",
      "Time of hashes of keys.",
      doubling(0.01, 15),
    ),
    compaction: seconds(
      "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
      "Time of compactions.",
      doubling(100, 14),
    ),
  };
  return { leaseSeconds, durations };
}

type CallFamilies = ReturnType<typeof callFamilies>;

function callFamilies(registry: MetricsRegistry) {
  const labels = ["grpc_method", "grpc_service", "grpc_type"];
  const family = (name: string, help: string, own: readonly string[] = labels) =>
    registry.counter({ name, help, labels: own, stability: "untold" });
  return {
    started: family("grpc_server_started_total", "Calls that began."),
    handled: family("grpc_server_handled_total", "Calls that ended.", ["grpc_code", ...labels]),
    received: family("grpc_server_msg_received_total", "Messages of callers."),
    sent: family("grpc_server_msg_sent_total", "Messages to callers."),
    receivedBytes: family("etcd_network_client_grpc_received_bytes_total", "Bytes of callers.", []).with(),
    sentBytes: family("etcd_network_client_grpc_sent_bytes_total", "Bytes to callers.", []).with(),
    requests: family("etcd_server_client_requests_total", "Calls of clients.", [
      "client_api_version",
      "type",
    ]),
  };
}

function counted(results: readonly OperationResult[]): Record<"range" | "put" | "delete", number> {
  const sum = { range: 0, put: 0, delete: 0 };
  for (const result of results) {
    if (result.type !== "transaction") sum[result.type]++;
    else {
      const inner = counted(result.outcome.results);
      for (const name of ["range", "put", "delete"] as const) sum[name] += inner[name];
    }
  }
  return sum;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
