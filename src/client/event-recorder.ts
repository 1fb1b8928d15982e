import type { Clock, Logger, Random } from "../base/index.ts";
import { ApiError, apiVersionOf, isNamespaceTerminating, timestampOf } from "../apimachinery/index.ts";
import type { KubernetesObject, New, Resource } from "../apimachinery/index.ts";
import type { Client } from "../api/index.ts";
import { Event } from "../api/types/core-v1.ts";
import type { ObjectReference } from "../api/types/core-v1.ts";
import { EventCorrelator } from "./event-correlator.ts";
import type { Correlation } from "./event-correlator.ts";

/** What to tell users about an object. */
export interface EventInput {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** The part meant, e.g. `spec.containers{web}`. */
  readonly fieldPath?: string;
}

/** Tells users what happened to an object; never blocks, never fails. */
export interface EventRecorder {
  event<T extends KubernetesObject>(about: { resource: Resource<T>; object: T }, event: EventInput): void;
  /** For objects that are not at hand, e.g. nodes by name. */
  eventFor(about: ObjectReference, event: EventInput): void;
  /** Settles when all events so far have been sent or given up. */
  flush(): Promise<void>;
  /** Drops later events; settles when all earlier ones have been sent or given up. */
  stop(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly client: Client;
  readonly component: string;
  readonly host?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger?: Logger;
}

const queueLimit = 1000;
const attemptLimit = 12;
const attemptDelay = 10_000;

/** A recorder of core/v1 Events that merges repetitions, drops floods and sends in the background. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new CorrelatingRecorder(options);
}

interface Queued {
  readonly about: ObjectReference;
  readonly event: EventInput;
  readonly at: string;
}

class CorrelatingRecorder implements EventRecorder {
  private readonly options: EventRecorderOptions;
  private readonly correlator: EventCorrelator;
  private readonly queue: Queued[] = [];
  private readonly stopping = new AbortController();
  private sending: Promise<void> | undefined;
  private sequence = 0;

  constructor(options: EventRecorderOptions) {
    this.options = options;
    this.correlator = new EventCorrelator(options.clock);
  }

  event<T extends KubernetesObject>(about: { resource: Resource<T>; object: T }, event: EventInput): void {
    this.eventFor(referenceTo(about.resource, about.object), event);
  }

  eventFor(about: ObjectReference, event: EventInput): void {
    if (this.stopping.signal.aborted) return;
    if (this.queue.length >= queueLimit) {
      this.options.logger?.warn("too many events wait, dropped one", { reason: event.reason });
      return;
    }
    const at = timestampOf(this.options.clock.now());
    this.queue.push({ about, event, at });
    this.sending ??= this.sendAll().finally(() => (this.sending = undefined));
  }

  async flush(): Promise<void> {
    await this.sending;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.sending;
  }

  private async sendAll(): Promise<void> {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) await this.send(next);
  }

  private async send(queued: Queued): Promise<void> {
    const { about, event } = queued;
    const { component, host, clock, logger } = this.options;
    const correlation = this.correlator.correlate({
      source: `${component}\n${host ?? ""}`,
      object: JSON.stringify([
        about.kind,
        about.namespace,
        about.name,
        about.uid,
        about.apiVersion,
        event.fieldPath,
      ]),
      type: event.type,
      reason: event.reason,
      message: event.message,
    });
    for (let attempt = 1; correlation.type !== "drop"; attempt++) {
      try {
        return await this.write(queued, correlation);
      } catch (error) {
        const final =
          attempt >= attemptLimit || this.stopping.signal.aborted || !mayPass(ApiError.from(error));
        if (final) return giveUp(logger, { reason: event.reason, error });
        const chance = attempt === 1 ? this.options.random.next() : 1;
        await clock.sleep(attemptDelay * chance, this.stopping.signal).catch(() => undefined);
      }
    }
  }

  private async write(queued: Queued, correlation: Exclude<Correlation, { type: "drop" }>): Promise<void> {
    const { client } = this.options;
    const namespace = queued.about.namespace || "default";
    if (correlation.type === "count") {
      const { name, count, message } = correlation;
      const body = { count, message, lastTimestamp: queued.at };
      try {
        await client.patch(Event, { namespace, name }, { type: "strategic", body });
        return;
      } catch (error) {
        if (!ApiError.is(error, "NotFound")) throw error;
      }
    }
    const { key, message } = correlation;
    const count = correlation.type === "count" ? correlation.count : 1;
    const firstTimestamp = correlation.type === "count" ? correlation.firstTimestamp : queued.at;
    const created = await client.create<Event>(
      Event,
      this.newEvent(queued, { message, count, firstTimestamp }),
    );
    this.correlator.stored(key, { count, name: created.metadata.name, firstTimestamp });
  }

  private newEvent(
    { about, event, at }: Queued,
    series: { message: string; count: number; firstTimestamp: string },
  ): New<Event> {
    const { component, host, clock } = this.options;
    const nanoseconds = BigInt(Math.trunc(clock.now())) * 1_000_000n + BigInt(this.sequence++ % 1_000_000);
    const { fieldPath } = event;
    return {
      metadata: {
        namespace: about.namespace || "default",
        name: `${about.name}.${nanoseconds.toString(16)}`,
      },
      involvedObject: { ...about, ...(fieldPath === undefined ? {} : { fieldPath }) },
      reason: event.reason,
      message: series.message,
      source: { component, ...(host === undefined ? {} : { host }) },
      firstTimestamp: series.firstTimestamp,
      lastTimestamp: at,
      count: series.count,
      type: event.type,
      reportingComponent: component,
      reportingInstance: host ?? "",
    };
  }
}

/** What events call an object. */
export function referenceTo<T extends KubernetesObject>(resource: Resource<T>, object: T): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    kind: resource.kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    uid,
    apiVersion: apiVersionOf(resource),
    resourceVersion,
  };
}

/** Whether trying again can help: the server was not reached, or was not able. */
function mayPass(error: ApiError): boolean {
  return error.code >= 500 || error.code === 429;
}

/** Of a namespace that is going nobody will read events. */
function giveUp(logger: Logger | undefined, { reason, error }: { reason: string; error: unknown }): void {
  const level = isNamespaceTerminating(error) ? "debug" : "warn";
  logger?.[level]("gave up an event", { reason, error: ApiError.from(error).message });
}
