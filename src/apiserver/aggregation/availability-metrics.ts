import type { MetricsRegistry } from "../../base/index.ts";
import { APIService } from "../../api/types/apiregistration-v1.ts";
import type { ObjectReader } from "../reader.ts";

/** Whether an APIService says of itself that it can be used. */
export const isAvailable = ({ status }: APIService): boolean =>
  status.conditions?.some((one) => one.type === "Available" && one.status === "True") ?? false;

/** Which APIs are unavailable, and how often they became so. */
export class AvailabilityMetrics {
  private readonly losses = new Map<string, Map<string, number>>();

  /** Counts what is no longer available. */
  lost(name: string, reason: string): void {
    const reasons = this.losses.get(name) ?? new Map<string, number>();
    this.losses.set(name, reasons.set(reason, (reasons.get(reason) ?? 0) + 1));
  }

  /** Shows them among a server's metrics. */
  observe(registry: MetricsRegistry, { reader }: { readonly reader: ObjectReader }): void {
    registry.observed(
      {
        name: "aggregator_unavailable_apiservice",
        help: "Whether an APIService is unavailable, by its name.",
        labels: ["name"],
      },
      () => reader.list(APIService).map((each) => [isAvailable(each) ? 0 : 1, each.metadata.name] as const),
    );
    registry.observed(
      {
        name: "aggregator_unavailable_apiservice_total",
        help: "How often APIServices became unavailable, by name and reason.",
        labels: ["name", "reason"],
        type: "counter",
      },
      () =>
        Array.from(this.losses).flatMap(([name, reasons]) =>
          Array.from(reasons, ([reason, count]) => [count, name, reason] as const),
        ),
    );
  }
}
