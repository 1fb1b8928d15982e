import type { AdmissionObserver } from "../../admission/chain.ts";
import type { MetricsRegistry } from "./registry.ts";

const bounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const millisecondsPerSecond = 1_000;

/** Counts what admission plugins take; a plugin's series are looked up once for each operation. */
export function admissionObserver(registry: MetricsRegistry): AdmissionObserver {
  const durations = registry.histogram(
    {
      name: "apiserver_admission_controller_admission_duration_seconds",
      help: "Time that admission plugins take, in seconds.",
      stability: "STABLE",
      labels: ["name", "operation", "rejected", "type"],
    },
    bounds,
  );
  return {
    now: () => performance.now() / millisecondsPerSecond,
    of({ name, operation, type }) {
      const passed = durations.with(name, operation, "false", type);
      return ({ rejected, seconds }) => {
        const series = rejected ? durations.with(name, operation, "true", type) : passed;
        series.observe(seconds);
      };
    },
  };
}
