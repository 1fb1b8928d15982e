import { FlowSchema, PriorityLevelConfiguration } from "../../api/types/flowcontrol-v1.ts";
import type { Milliseconds } from "../../base/index.ts";
import type { ObjectReader } from "../reader.ts";
import type { Core } from "../registry/context.ts";
import { Fairness } from "./fairness/fairness.ts";
import { withFairness } from "./filters/fairness.ts";
import type { Filter, Incoming } from "./filters/filter.ts";
import { InFlight, withMaxInFlight } from "./filters/in-flight.ts";
import type { InFlightLimits } from "./filters/in-flight.ts";
import { FlowMetrics, observeLevels } from "./metrics/flow-metrics.ts";
import { measureInFlight } from "./metrics/in-flight-metrics.ts";
import type { MetricsRegistry } from "./metrics/registry.ts";

const administrators = "system:masters";

/** How many requests there may be at once, and who comes first when there are more. */
export interface Limits {
  readonly inFlight: InFlight;
  readonly filter: Filter;
  /** Undefined where all that counts is the number of requests. */
  readonly fairness: Fairness | undefined;
}

/** Limits by priority and fairness, or by the number of requests alone where that is turned off or not served. */
export function limitsOf(options: {
  readonly core: Core;
  readonly reader: ObjectReader;
  readonly fair: boolean;
  readonly limits: InFlightLimits;
  readonly requestTimeout: Milliseconds;
  readonly registry: MetricsRegistry;
  readonly onRefused: (request: Incoming) => void;
  readonly onWaited: (request: Incoming, seconds: number) => void;
}): Limits {
  const { core, reader, limits, registry, requestTimeout, onRefused, onWaited } = options;
  const { clock, served } = core;
  const inFlight = new InFlight(clock.now());
  const isServed = served.of(FlowSchema) !== undefined && served.of(PriorityLevelConfiguration) !== undefined;
  if (!options.fair || !isServed) {
    // Whoever runs the cluster gets an answer in any case.
    const isExempt = ({ user }: Incoming) => user.groups.includes(administrators);
    return {
      inFlight,
      filter: withMaxInFlight({ inFlight, clock, limits, isExempt, onRefused }),
      fairness: undefined,
    };
  }
  const metrics = new FlowMetrics(registry);
  const fairness = new Fairness({
    reader,
    clock,
    seats: limits.reading + limits.writing,
    usageOf: (schema, level) => metrics.seriesOf(schema, level),
    onLevel: (level) => metrics.measure(level),
  });
  observeLevels(registry, fairness);
  measureInFlight(registry, { inFlight, fairness, clock });
  const filter = withFairness({
    fairness,
    clock,
    metrics,
    inFlight,
    requestTimeout,
    onRefused,
    onWaited,
  });
  return { inFlight, filter, fairness };
}
