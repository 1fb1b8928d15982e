import type { Classification, FlowClassifier } from "../flow-schemas.ts";
import type { Incoming } from "../filters/filter.ts";
import type { Counter, Histogram, MetricsRegistry, Reading } from "./registry.ts";

const labels = ["flow_schema", "priority_level"];
const waitBounds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];

/** What is counted of the requests under one schema. */
interface FlowSeries {
  readonly names: readonly [schema: string, level: string];
  readonly dispatched: Counter;
  readonly waits: Histogram;
  executing: number;
}

/** Counts requests by flow schema and priority level. */
export class FlowMetrics {
  private readonly families: ReturnType<typeof flowFamilies>;
  private readonly known = new Map<string, FlowSeries>();

  constructor(
    registry: MetricsRegistry,
    options: { readonly classifier: FlowClassifier; readonly seats: number },
  ) {
    const { classifier, seats } = options;
    this.families = flowFamilies(registry);
    const gauge = (name: string, help: string) =>
      registry.observed({ name, help, stability: "BETA", labels }, () => this.executing());
    gauge("apiserver_flowcontrol_current_executing_requests", "Requests that are being carried out.");
    gauge("apiserver_flowcontrol_current_executing_seats", "Seats that are taken by requests.");
    registry.observed(
      {
        name: "apiserver_flowcontrol_nominal_limit_seats",
        help: "Seats of each priority level.",
        stability: "BETA",
        labels: ["priority_level"],
      },
      () => nominalSeats(classifier, seats),
    );
  }

  /** A request is let through; call what is returned when it is done. */
  dispatch(classification: Classification): () => void {
    const series = this.seriesOf(classification);
    series.dispatched.value += 1;
    series.waits.observe(0);
    series.executing += 1;
    return () => void (series.executing -= 1);
  }

  /** A request was refused. */
  reject(classification: Classification): void {
    const [schema, level] = this.seriesOf(classification).names;
    this.families.rejected.with(schema, level, "concurrency-limit").value += 1;
  }

  private executing(): readonly Reading[] {
    return Array.from(this.known.values(), ({ executing, names }) => [executing, ...names] as const);
  }

  private seriesOf({ schema, level }: Classification): FlowSeries {
    const name = schema.metadata.name ?? "";
    const known = this.known.get(name);
    const levelName = level.metadata.name ?? "";
    if (known?.names[1] === levelName) return known;
    const { dispatched, waits } = this.families;
    const made: FlowSeries = {
      names: [name, levelName],
      dispatched: dispatched.with(name, levelName),
      waits: waits.with("true", name, levelName),
      executing: 0,
    };
    this.known.set(name, made);
    return made;
  }
}

/** The server's seats, shared out as the levels' shares say. */
function nominalSeats(classifier: FlowClassifier, seats: number): readonly Reading[] {
  const levels = classifier.levels();
  const sharesOf = ({ spec }: (typeof levels)[number]) =>
    (spec.limited ?? spec.exempt)?.nominalConcurrencyShares ?? 0;
  const total = levels.reduce((sum, level) => sum + sharesOf(level), 0);
  return levels.map((level) => [
    total === 0 ? 0 : Math.ceil((seats * sharesOf(level)) / total),
    level.metadata.name ?? "",
  ]);
}

function flowFamilies(registry: MetricsRegistry) {
  return {
    dispatched: registry.counter({
      name: "apiserver_flowcontrol_dispatched_requests_total",
      help: "Requests that were let through.",
      stability: "BETA",
      labels,
    }),
    rejected: registry.counter({
      name: "apiserver_flowcontrol_rejected_requests_total",
      help: "Requests that were refused, by why.",
      stability: "BETA",
      labels: [...labels, "reason"],
    }),
    waits: registry.histogram(
      {
        name: "apiserver_flowcontrol_request_wait_duration_seconds",
        help: "Time that requests waited for a seat.",
        stability: "BETA",
        labels: ["execute", ...labels],
      },
      waitBounds,
    ),
  };
}

/** Whether a request takes a seat for as long as it runs: a watch only while it begins. */
export const keepsSeat = ({ info }: Pick<Incoming, "info">): boolean => info.verb !== "watch";
