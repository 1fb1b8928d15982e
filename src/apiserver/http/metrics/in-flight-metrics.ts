import type { Clock } from "../../../base/index.ts";
import type { Fairness } from "../fairness/fairness.ts";
import type { InFlight } from "../filters/in-flight.ts";
import type { MetricsRegistry } from "./registry.ts";

const bounds = [0, 0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];
const nanoseconds = 1e6;

/** Measures the requests that read and write, as parts of what there may be of all levels. */
export function measureInFlight(
  registry: MetricsRegistry,
  {
    inFlight,
    fairness,
    clock,
  }: { readonly inFlight: InFlight; readonly fairness: Fairness; readonly clock: Clock },
): void {
  const family = registry.histogram(
    {
      name: "apiserver_flowcontrol_read_vs_write_current_requests",
      help: "Requests that wait or are carried out, as a part of their limit, at each nanosecond.",
      stability: "BETA",
      labels: ["phase", "request_kind"],
    },
    bounds,
  );
  const [executingWrites, executingReads] = ["mutating", "readOnly"].map((kind) =>
    family.with("executing", kind),
  );
  const [waitingWrites, waitingReads] = ["mutating", "readOnly"].map((kind) => family.with("waiting", kind));
  inFlight.onElapsed = (elapsed) => {
    const seats = Math.max(fairness.most.executing, 1);
    const places = Math.max(fairness.most.waiting, 1);
    const time = elapsed * nanoseconds;
    executingWrites?.weigh(inFlight.writing / seats, time);
    executingReads?.weigh(inFlight.reading / seats, time);
    waitingWrites?.weigh(inFlight.waitingWriting / places, time);
    waitingReads?.weigh(inFlight.waitingReading / places, time);
  };
  registry.beforeReading(() => inFlight.elapse(clock.now()));
}
