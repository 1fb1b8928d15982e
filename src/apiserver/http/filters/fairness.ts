import type { Clock, Milliseconds } from "../../../base/index.ts";
import type { ServedResource } from "../../registry/served.ts";
import { workOf } from "../fairness/estimate.ts";
import type { StoredSize } from "../fairness/estimate.ts";
import type { Fairness, LevelFlow } from "../fairness/fairness.ts";
import { Ticket } from "../fairness/ticket.ts";
import type { Outcome } from "../fairness/ticket.ts";
import { WatchCounts } from "../fairness/watch-counts.ts";
import { oneSeat } from "../fairness/work.ts";
import type { Work } from "../fairness/work.ts";
import type { FlowMetrics, FlowSeries } from "../metrics/flow-metrics.ts";
import type { Histogram } from "../metrics/registry.ts";
import { timeoutOf } from "./deadline.ts";
import { isReading } from "./filter.ts";
import type { Filter, Handle, Incoming } from "./filter.ts";
import type { InFlight } from "./in-flight.ts";
import { refuseForNow } from "./refusal.ts";

export interface FairnessFilterOptions {
  readonly fairness: Fairness<FlowSeries>;
  readonly clock: Clock;
  readonly metrics: FlowMetrics;
  readonly inFlight: InFlight;
  readonly requestTimeout: Milliseconds;
  readonly onRefused: (request: Incoming) => void;
  /** Hears how many seconds a request waited that goes on. */
  readonly onWaited: (request: Incoming, seconds: number) => void;
}

/** The part of the time that a request has which it may wait for a seat. */
const patience = 1 / 4;

/** Has requests wait for a seat of their priority level, fairly by flow; watches keep theirs while they begin. */
export function withFairness(options: FairnessFilterOptions): Filter {
  const { fairness } = options;
  const watches = new WatchCounts();
  const known: Known = { watches, sizes: new StoredSizes(), clock: options.clock };
  return (next) => (request) => {
    const { info, headers, user, longRunning } = request;
    if (longRunning && info.verb !== "watch") return next(request);
    const flow = fairness.flowOf(info, user);
    headers["x-kubernetes-pf-flowschema-uid"] = flow.schemaUid;
    headers["x-kubernetes-pf-prioritylevel-uid"] = flow.levelUid;
    const work = info.type === "path" || info.verb === "get" ? oneSeat : workFor(request, flow, known);
    const { set } = flow.level;
    const started = set.start(flow, { work, asked: request });
    if (!(started instanceof Ticket)) {
      return refuse({ request, flow, next, watches, options }, { reason: started, waited: 0 });
    }
    const { usage } = flow;
    usage.widths.observe(started.width);
    if (started.queue) usage.queueLengths.observe(Math.max(started.queue.waiting.length, 1));
    if (started.state === "waiting") return queue({ request, flow, next, watches, options }, started);
    if (longRunning) return executeWatch({ request, flow, next, watches, options }, started);
    // Nearly all requests come here: nothing is made for them but their ticket.
    begin(options, { flow, ticket: started });
    request.onEnd(() => finish(options, { flow, ticket: started, executions: usage.executions }));
    return next(request);
  };
}

/** What work is estimated by. */
interface Known {
  readonly watches: WatchCounts;
  readonly sizes: StoredSizes;
  readonly clock: Clock;
}

interface Execution {
  readonly request: Incoming;
  readonly flow: LevelFlow<FlowSeries>;
  readonly next: Handle;
  readonly watches: WatchCounts;
  readonly options: FairnessFilterOptions;
}

/** Counts a request that has its seat. */
function begin(
  { inFlight }: FairnessFilterOptions,
  { flow: { usage, level }, ticket }: { readonly flow: LevelFlow<FlowSeries>; readonly ticket: Ticket },
): void {
  usage.dispatched.value += 1;
  if (!level.exempt) usage.waits.observe((ticket.started - ticket.arrived) / 1_000);
  inFlight.begin(isReading(ticket.asked.info), ticket.started);
}

/** Gives the seat back, once. */
function finish(
  { inFlight }: FairnessFilterOptions,
  done: { readonly flow: LevelFlow<FlowSeries>; readonly ticket: Ticket; readonly executions: Histogram },
): void {
  const { flow, ticket, executions } = done;
  if (ticket.state !== "executing") return;
  const now = flow.level.set.finish(ticket);
  inFlight.end(isReading(ticket.asked.info), now);
  executions.observe((now - ticket.started) / 1_000);
}

/** The seat is given back at the end of the request. */
function execute(execution: Execution, ticket: Ticket): Promise<void> {
  const { request, flow, next, options } = execution;
  if (request.longRunning) return executeWatch(execution, ticket);
  begin(options, { flow, ticket });
  request.onEnd(() => finish(options, { flow, ticket, executions: flow.usage.executions }));
  return next(request);
}

/** A watch is in progress until it has sent what there was. */
function executeWatch({ request, flow, next, watches, options }: Execution, ticket: Ticket): Promise<void> {
  begin(options, { flow, ticket });
  const onWatching = () => finish(options, { flow, ticket, executions: flow.usage.watchInitializations });
  request.onEnd(onWatching);
  if (request.info.type === "resource") request.onEnd(watches.add(request.info));
  return next({ ...request, onWatching });
}

async function queue(execution: Execution, ticket: Ticket): Promise<void> {
  const { request, options } = execution;
  const { clock, inFlight } = options;
  const reads = isReading(request.info);
  inFlight.wait(reads, { change: 1, now: ticket.arrived });
  const outcome = await decision(execution, ticket);
  const now = clock.now();
  inFlight.wait(reads, { change: -1, now });
  const waited = now - ticket.arrived;
  if (outcome !== "execute") return refuse(execution, { reason: outcome, waited });
  options.onWaited(request, waited / 1_000);
  return execute(execution, ticket);
}

/** How the wait ends: by a seat that is free, by the time that is up, or by the client that goes away. */
function decision({ request, flow, options }: Execution, ticket: Ticket): Promise<Outcome> {
  const { set } = flow.level;
  const { clock, requestTimeout } = options;
  const { signal } = request.exchange;
  const limit =
    (request.longRunning ? requestTimeout : timeoutOf(request.exchange, requestTimeout)) * patience;
  const waited = request.longRunning ? 0 : clock.now() - request.received;
  return new Promise((resolve) => {
    const leave = () => set.abandon(ticket, "cancelled");
    const timer = clock.after(limit - waited, () => set.abandon(ticket, "time-out"));
    ticket.onDecided = (outcome) => {
      timer.cancel();
      signal.removeEventListener("abort", leave);
      resolve(outcome);
    };
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
  });
}

function refuse(
  { request, flow, options }: Execution,
  { reason, waited }: { readonly reason: string; readonly waited: Milliseconds },
): Promise<void> {
  const { level, usage } = flow;
  options.metrics.reject(usage, reason);
  usage.vainWaits.observe(waited / 1_000);
  options.onRefused(request);
  level.retryAfter.note(options.clock.now());
  return refuseForNow(request, { retryAfterSeconds: level.retryAfter.seconds });
}

function workFor(request: Incoming, flow: LevelFlow<FlowSeries>, known: Known): Work {
  const { watches, sizes, clock } = known;
  const { info, exchange, served } = request;
  if (info.type === "path") return oneSeat;
  return workOf({
    info,
    query: exchange.query,
    widest: flow.level.widest,
    stored: () => served && sizes.of(served, clock.now()),
    watches: () => {
      const count = watches.interested(info);
      flow.usage.watchers.observe(count);
      return count;
    },
  });
}

/** How many objects stand for the size of all. */
const sampleSize = 8;
/** How long a size holds. */
const sizeLifetime: Milliseconds = 1_000;

/** What is stored of resources, looked up once in a while. */
class StoredSizes {
  private readonly known = new WeakMap<
    ServedResource,
    { readonly size: StoredSize; readonly until: Milliseconds }
  >();

  of(served: ServedResource, now: Milliseconds): StoredSize | undefined {
    if (!served.verbs.includes("list")) return undefined;
    const known = this.known.get(served);
    if (known && now < known.until) return known.size;
    const { cache, prefix } = served.storage;
    let bytes = 0;
    let sampled = 0;
    for (const entry of cache.range(prefix)) {
      if (sampled >= sampleSize) break;
      sampled += 1;
      bytes += entry.tailLength;
    }
    const size = { objects: cache.size, averageBytes: sampled === 0 ? 0 : bytes / sampled };
    this.known.set(served, { size, until: now + sizeLifetime });
    return size;
  }
}
