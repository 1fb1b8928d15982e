import type { Level } from "../fairness/level.ts";
import type { Usage } from "../fairness/ticket.ts";
import type { Counted, MetricsRegistry } from "./registry.ts";

const labels = ["flow_schema", "priority_level"];
const waitBounds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const seatBounds = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1];
const requestBounds = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1];
const demandBounds = [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.8, 4, 6];

type Named = Pick<Counted, "name" | "help" | "stability">;

/** What a level has and needs, looked up when it is asked for. */
export const levelGauges: readonly (Named & {
  readonly valueOf: (level: Level) => number;
})[] = [
  {
    name: "apiserver_flowcontrol_nominal_limit_seats",
    help: "Seats of each priority level by its share.",
    stability: "BETA",
    valueOf: ({ limits }) => limits.nominal,
  },
  {
    name: "apiserver_flowcontrol_lower_limit_seats",
    help: "Seats that each priority level keeps however many are lent.",
    valueOf: ({ limits }) => limits.lowest,
  },
  {
    name: "apiserver_flowcontrol_upper_limit_seats",
    help: "Seats that each priority level has at most, with those that it borrows.",
    valueOf: ({ limits }) => limits.highest,
  },
  {
    name: "apiserver_flowcontrol_current_limit_seats",
    help: "Seats that each priority level has now.",
    valueOf: ({ seats }) => seats,
  },
  {
    name: "apiserver_flowcontrol_target_seats",
    help: "Seats that each priority level aimed at when they were last lent.",
    valueOf: ({ target }) => target,
  },
  {
    name: "apiserver_flowcontrol_demand_seats_high_watermark",
    help: "The most seats that a priority level needed in the last period.",
    valueOf: ({ demand }) => demand.highWatermark,
  },
  {
    name: "apiserver_flowcontrol_demand_seats_average",
    help: "Seats that a priority level needed in the last period, on average of time.",
    valueOf: ({ demand }) => demand.average,
  },
  {
    name: "apiserver_flowcontrol_demand_seats_stdev",
    help: "Standard deviation of the seats that a priority level needed in the last period.",
    valueOf: ({ demand }) => demand.deviation,
  },
  {
    name: "apiserver_flowcontrol_demand_seats_smoothed",
    help: "The envelope of what a priority level needed, which falls slowly.",
    valueOf: ({ demand }) => demand.smoothed,
  },
  {
    name: "apiserver_flowcontrol_current_r",
    help: "Progress of the queues of a priority level, in seat-seconds.",
    valueOf: ({ set }) => set.progress,
  },
  {
    name: "apiserver_flowcontrol_dispatch_r",
    help: "Progress of the queues of a priority level when a request was last dispatched.",
    valueOf: ({ set }) => set.last.progress,
  },
  {
    name: "apiserver_flowcontrol_latest_s",
    help: "Where the queue stood from which a request was last dispatched.",
    valueOf: ({ set }) => set.last.start,
  },
];

/** Metrics that are counted by flow schema and priority level. */
export type FlowFamilies = ReturnType<typeof flowFamilies>;

/** Registers them; those that say how things are now are read from the usages. */
export function flowFamilies(
  registry: MetricsRegistry,
  usages: () => Iterable<Usage & { readonly names: readonly [schema: string, level: string] }>,
) {
  const gauge = (named: Named & Pick<Counted, "type">, valueOf: (usage: Usage) => number) =>
    registry.observed({ ...named, labels }, () =>
      Array.from(usages(), (usage) => [valueOf(usage), ...usage.names] as const),
    );
  const name = (rest: string) => `apiserver_flowcontrol_${rest}`;
  gauge(
    {
      name: name("current_executing_requests"),
      help: "Requests that are being carried out.",
      stability: "BETA",
    },
    ({ executing }) => executing,
  );
  gauge(
    { name: name("current_executing_seats"), help: "Seats that are taken by requests.", stability: "BETA" },
    ({ executingSeats }) => executingSeats,
  );
  gauge(
    { name: name("current_inqueue_requests"), help: "Requests that wait in queues.", stability: "BETA" },
    ({ waiting }) => waiting,
  );
  gauge(
    { name: name("current_inqueue_seats"), help: "Seats that requests wait for in queues." },
    ({ waitingSeats }) => waitingSeats,
  );
  gauge(
    {
      name: name("request_dispatch_no_accommodation_total"),
      help: "How often the first in line needed more seats than were free.",
      type: "counter",
    },
    ({ unaccommodated }) => unaccommodated,
  );
  return { ...countedFamilies(registry, name), ...weighedFamilies(registry, name) };
}

function countedFamilies(registry: MetricsRegistry, name: (rest: string) => string) {
  return {
    dispatched: registry.counter({
      name: name("dispatched_requests_total"),
      help: "Requests that were let through.",
      stability: "BETA",
      labels,
    }),
    rejected: registry.counter({
      name: name("rejected_requests_total"),
      help: "Requests that were refused, by why.",
      stability: "BETA",
      labels: [...labels, "reason"],
    }),
    waits: registry.histogram(
      {
        name: name("request_wait_duration_seconds"),
        help: "Time that requests waited in their queue.",
        stability: "BETA",
        labels: ["execute", ...labels],
      },
      waitBounds,
    ),
    executions: registry.histogram(
      {
        name: name("request_execution_seconds"),
        help: "Time that requests kept their seats; watches while they began.",
        labels: [...labels, "type"],
      },
      waitBounds,
    ),
    queueLengths: registry.histogram(
      {
        name: name("request_queue_length_after_enqueue"),
        help: "Length of queues, as each request saw it when it had joined.",
        labels,
      },
      [0, 10, 25, 50, 100, 250, 500, 1_000],
    ),
    widths: registry.histogram(
      {
        name: name("work_estimated_seats"),
        help: "Seats that requests were thought to take.",
        labels,
      },
      [1, 2, 4, 10],
    ),
    watchers: registry.histogram(
      {
        name: name("watch_count_samples"),
        help: "Watches that writes concerned.",
        labels,
      },
      [0, 1, 10, 100, 1_000, 10_000],
    ),
  };
}

/** Each nanosecond is an observation. */
function weighedFamilies(registry: MetricsRegistry, name: (rest: string) => string) {
  return {
    seatUtilization: registry.histogram(
      {
        name: name("priority_level_seat_utilization"),
        help: "The part of its seats that a priority level uses, at each nanosecond.",
        stability: "BETA",
        labels: ["phase", "priority_level"],
      },
      seatBounds,
    ),
    requestUtilization: registry.histogram(
      {
        name: name("priority_level_request_utilization"),
        help: "Requests that wait or are carried out, as a part of their limit, at each nanosecond.",
        stability: "BETA",
        labels: ["phase", "priority_level"],
      },
      requestBounds,
    ),
    demand: registry.histogram(
      {
        name: name("demand_seats"),
        help: "Seats that a priority level needs, as a part of those it has, at each nanosecond.",
        labels: ["priority_level"],
      },
      demandBounds,
    ),
  };
}
