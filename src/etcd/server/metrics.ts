import type { ServedMethod } from "../../grpc/index.ts";
import type { Mvcc } from "../../store/index.ts";
import { etcdVersion } from "./version.ts";

/** Counts calls, and tells in Prometheus' text what etcd's metrics of the same names tell. */
export class EtcdMetrics {
  private readonly calls = new Map<string, number>();
  private readonly startedAt = Date.now();

  /** Notes how a call ended, by the name of its code. */
  noteCall({ path, streaming }: Pick<ServedMethod, "path" | "streaming">, code: string): void {
    const [, service, method] = path.split("/");
    const type = { unary: "unary", responses: "server_stream", both: "bidi_stream" }[streaming];
    const labels = `grpc_code="${code}",grpc_method="${method}",grpc_service="${service}",grpc_type="${type}"`;
    this.calls.set(labels, (this.calls.get(labels) ?? 0) + 1);
  }

  render(store: Mvcc): string {
    const { allocated, used } = store.sizes;
    const gauges: Readonly<Record<string, number>> = {
      etcd_server_has_leader: 1,
      etcd_server_is_leader: 1,
      etcd_mvcc_db_total_size_in_bytes: allocated,
      etcd_mvcc_db_total_size_in_use_in_bytes: used,
      etcd_debugging_mvcc_current_revision: store.revision,
      etcd_debugging_mvcc_compact_revision: store.compactedRevision,
      process_resident_memory_bytes: process.memoryUsage.rss(),
      process_start_time_seconds: this.startedAt / 1000,
    };
    const calls = [...this.calls].map(([labels, count]) => `grpc_server_handled_total{${labels}} ${count}`);
    return [
      "# TYPE etcd_server_version gauge",
      `etcd_server_version{server_version="${etcdVersion}"} 1`,
      ...Object.entries(gauges).flatMap(([name, value]) => [`# TYPE ${name} gauge`, `${name} ${value}`]),
      "# TYPE grpc_server_handled_total counter",
      ...calls.toSorted(),
      "",
    ].join("\n");
  }
}
