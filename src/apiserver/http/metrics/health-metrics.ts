import type { HealthCheck, HealthChecks } from "../health.ts";
import { MetricsRegistry } from "./registry.ts";

/** Counts how checks of the server's health went; served apart from the other metrics, to be read often. */
export class HealthMetrics {
  readonly registry = new MetricsRegistry();
  private readonly counts = this.registry.counter({
    name: "kubernetes_healthchecks_total",
    help: "Results of health checks, counted.",
    stability: "STABLE",
    labels: ["name", "status", "type"],
  });
  private readonly results = this.registry.counter({
    name: "kubernetes_healthcheck",
    help: "The last result of a health check: 1 when it passed.",
    stability: "STABLE",
    type: "gauge",
    labels: ["name", "type"],
  });

  /** The same checks, each counted when it is made. */
  observed(checks: HealthChecks): HealthChecks {
    const all = (type: keyof HealthChecks) => checks[type].map((check) => this.counting(check, type));
    return { healthz: all("healthz"), livez: all("livez"), readyz: all("readyz") };
  }

  private counting({ name, check }: HealthCheck, type: string): HealthCheck {
    return {
      name,
      check: () => {
        const problem = check();
        const passes = problem === undefined;
        this.counts.with(name, passes ? "success" : "error", type).value += 1;
        this.results.with(name, type).value = passes ? 1 : 0;
        return problem;
      },
    };
  }
}
