import type { Milliseconds } from "../../../base/index.ts";
import type { Fairness } from "../fairness/fairness.ts";
import type { Level } from "../fairness/level.ts";
import type { Usage } from "../fairness/ticket.ts";
import { flowFamilies, levelGauges } from "./flow-families.ts";
import type { FlowFamilies } from "./flow-families.ts";
import type { Counter, Histogram, MetricsRegistry } from "./registry.ts";

/** What is counted of the requests under one schema, its series looked up once. */
export interface FlowSeries extends Usage {
  readonly names: readonly [schema: string, level: string];
  readonly dispatched: Counter;
  readonly waits: Histogram;
  readonly vainWaits: Histogram;
  readonly queueLengths: Histogram;
  readonly widths: Histogram;
  readonly executions: Histogram;
  readonly watchInitializations: Histogram;
  readonly watchers: Histogram;
}

const nanoseconds = 1e6;

/** Counts requests by flow schema and priority level. */
export class FlowMetrics {
  private readonly families: FlowFamilies;
  private readonly known = new Map<string, FlowSeries>();

  constructor(registry: MetricsRegistry) {
    this.families = flowFamilies(registry, () => this.known.values());
  }

  /** Where requests under the schema are counted. */
  seriesOf(schema: string, level: string): FlowSeries {
    const key = `${schema} ${level}`;
    const known = this.known.get(key);
    if (known) return known;
    const { families } = this;
    const made: FlowSeries = {
      names: [schema, level],
      executing: 0,
      executingSeats: 0,
      waiting: 0,
      waitingSeats: 0,
      unaccommodated: 0,
      dispatched: families.dispatched.with(schema, level),
      waits: families.waits.with("true", schema, level),
      vainWaits: families.waits.with("false", schema, level),
      queueLengths: families.queueLengths.with(schema, level),
      widths: families.widths.with(schema, level),
      executions: families.executions.with(schema, level, "regular"),
      watchInitializations: families.executions.with(schema, level, "watch"),
      watchers: families.watchers.with(schema, level),
    };
    this.known.set(key, made);
    return made;
  }

  /** A request was refused. */
  reject({ names: [schema, level] }: FlowSeries, reason: string): void {
    this.families.rejected.with(schema, level, reason).value += 1;
  }

  /** Measures how much of a level is in use, weighed by time. */
  measure(level: Level): void {
    const { name, set } = level;
    const seats = this.families.seatUtilization.with("executing", name);
    const executing = this.families.requestUtilization.with("executing", name);
    const waiting = this.families.requestUtilization.with("waiting", name);
    const demand = this.families.demand.with(name);
    level.onElapsed = (elapsed: Milliseconds) => {
      const time = elapsed * nanoseconds;
      const most = Math.max(level.seats, 1);
      seats.weigh(set.seatsInUse / most, time);
      executing.weigh(set.executing / most, time);
      waiting.weigh(set.waiting / Math.max(level.places, 1), time);
      demand.weigh((set.seatsInUse + set.seatsWaiting) / most, time);
    };
  }
}

/** Shows how seats are shared out, and how the queues of each level get on. */
export function observeLevels(registry: MetricsRegistry, fairness: Fairness): void {
  registry.beforeReading(() => {
    for (const { set } of fairness.levels.values()) set.sync();
  });
  const all = () => [...fairness.levels.values()];
  for (const { valueOf, ...description } of levelGauges) {
    registry.observed({ ...description, labels: ["priority_level"] }, () =>
      all().map((level) => [valueOf(level), level.name] as const),
    );
  }
  for (const [name, discounted] of [
    ["next_s_bounds", false],
    ["next_discounted_s_bounds", true],
  ] as const) {
    const help = "Where the queues stand in which requests wait, the first and the last.";
    const labels = ["bound", "priority_level"];
    registry.observed({ name: `apiserver_flowcontrol_${name}`, help, labels }, () =>
      all().flatMap((level) => {
        const [least, most] = level.set.bounds({ discounted });
        return [[least, "min", level.name] as const, [most, "max", level.name] as const];
      }),
    );
  }
  registry.observed(
    {
      name: "apiserver_flowcontrol_seat_fair_frac",
      help: "The part of what levels aim at that each gets where nothing bounds it.",
    },
    () => [[fairness.fraction]],
  );
}
