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
  const steps = registry.histogram(
    {
      name: "apiserver_admission_step_admission_duration_seconds",
      help: "Time that all plugins of a step take together, in seconds.",
      stability: "STABLE",
      labels: ["operation", "rejected", "type"],
    },
    bounds,
  );
  return {
    now: () => performance.now() / millisecondsPerSecond,
    of({ name, operation, type }) {
      const seriesOf = (rejected: "true" | "false") =>
        name === undefined
          ? steps.with(operation, rejected, type)
          : durations.with(name, operation, rejected, type);
      const passed = seriesOf("false");
      return ({ rejected, seconds }) => (rejected ? seriesOf("true") : passed).observe(seconds);
    },
  };
}
